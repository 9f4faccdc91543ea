"""The access of one person: given, changed and ended from their card, with the invitation that goes with it."""

from collections.abc import Mapping
from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts import attempts
from portal.accounts.access_rules import may_manage
from portal.accounts.accounts import Account, find_account_of_person, has_open_invitation
from portal.accounts.giving_access import INVITATION_LIFETIME, AccessRefusedError, AccessRequest, Register
from portal.fields.email import is_mail_address
from portal.mail.access_letters import invitation_letter
from portal.mail.account_letters import address_changed_letter, second_factor_changed_letter
from portal.texts import Words, _
from portal.views.access.access_attempts import count_access_attempt, uncount_access_attempt
from portal.views.access.access_form import (
    access_inputs,
    access_rows,
    posted_access,
    posted_email,
    read_access,
    register_of,
)
from portal.views.forms.form_page import FormRow, QuestionPage, Widget
from portal.views.forms.submissions import once_key, refused_form, response_if_repeated, response_when_done
from portal.web.cookies import Cookie, set_cookie
from portal.web.flash import set_flash
from portal.web.letters import letter_sender, queue_letter
from portal.web.resources import Record

SHOWN_FOR = 300  # seconds for which the link of an invitation can be shown
# The same for every address that someone else has: it must not reveal who they are.
TAKEN = _("This address cannot be given access here. Please contact us.")
Errors = Mapping[str, Words]


def language_of_colleagues(request: Request) -> dict[str, str]:
    """The language of an account given to a colleague: the giver's. Staff write to customers in the portal's first
    language.
    """
    return {} if request.policy.staff else {"language": request.reader.language}


def _managed_account(resource: Record, request: Request) -> Account | None:
    """The account of the person, None if there is none yet. Raises HTTPNotFound if the reader may not give access."""
    account = find_account_of_person(request.connection, request.portal.tables, resource.record.id)
    if not may_manage(request.connection, request.identity, resource.record.id, account):
        raise HTTPNotFound
    return account


def _question(resource: Record, request: Request, name: str, **words: Any) -> QuestionPage:
    """A question about a person's access, whose answer is posted to the page `name` of their record."""
    path, subject = resource.path, resource.record.title or resource.record.reference
    return QuestionPage(subject=subject, action=f"{path}{name}", back_url=path, once=once_key(request), **words)


def _done(resource: Record, request: Request) -> Response:
    return response_when_done(resource.records, request, resource.path)


# -- giving and changing -----------------------------------------------------------------------------------------------


@view_config(context=Record, name="access", request_method="GET", renderer="question.pt", permission="grant")
def show_access(resource: Record, request: Request) -> QuestionPage:
    """`GET /PEOPLE/ID/access`: the form, with the person's current access."""
    account = _managed_account(resource, request)
    present = account if account and account.profile in request.policy.grants else None
    return _access_page(resource, request, account, access_inputs(request, present), {})


@view_config(context=Record, name="access", request_method="POST", renderer="question.pt", permission="grant")
def give_access(resource: Record, request: Request) -> QuestionPage | Response:
    """`POST /PEOPLE/ID/access`: gives access, with an invitation, or changes it. Ended access starts again."""
    account = _managed_account(resource, request)
    inputs = {**posted_access(request), "email": posted_email(request, account)}
    access = read_access(request, inputs, account if account and not account.disabled else None)
    register = register_of(request)
    email = account.email if account else register.address_of(resource.record.id)
    error = "" if email else _("This person has no email address yet. Add it to the record first.")
    is_moving = account is not None and inputs["email"] != account.email
    if is_moving and not is_mail_address(inputs["email"]):
        access.errors["email"] = _("Enter an email address such as name@example.com.")
    if access.errors or error:
        return refused_form(request, _access_page(resource, request, account, inputs, access.errors, error))
    if account is None:
        count_access_attempt(request)
    if again := response_if_repeated(resource.records, request):
        return again
    response = _done(resource, request)
    try:
        if account is None:
            profile, values = access.values.pop("profile"), {**access.values, **language_of_colleagues(request)}
            access_request = AccessRequest(email, profile, values=values, person=resource.record.id)
            added = register.add(access_request, None, must_change=False)
            uncount_access_attempt(request)
            return send_invitation(request, response, register, added)
        changed = register.change(email, {**access.values, "disabled": False})
        if is_moving:
            changed = register.change_email(email, inputs["email"])
    except AccessRefusedError:
        errors, error = ({"email": _("Someone else already uses this address.")}, "") if is_moving else ({}, TAKEN)
        return refused_form(request, _access_page(resource, request, account, inputs, errors, error))
    if has_open_invitation(changed) and (account.disabled or is_moving):
        return send_invitation(request, response, register, changed)
    for recipient in (account, changed) if is_moving else ():
        queue_letter(request, address_changed_letter(letter_sender(request), recipient, changed.email))
    return set_flash(request, response, "access-changed")


def _access_page(
    resource: Record,
    request: Request,
    account: Account | None,
    inputs: Mapping[str, str],
    errors: Errors,
    error: Words = "",
) -> QuestionPage:
    new, rows = account is None, tuple(access_rows(request, inputs, errors))
    if account and request.policy.staff:
        email = inputs.get("email", account.email)
        label, error_there = _("Signs in as"), errors.get("email", "")
        widget = Widget("email", label, type="email", value=email, required=True, error=error_there, autocomplete="off")
        rows = (FormRow((widget,)), *rows)
    return _question(
        resource,
        request,
        "access",
        heading=_("Give access to the portal") if new else _("Change access to the portal"),
        submit=_("Give access and invite") if new else _("Save"),
        rows=rows,
        icon="send" if new else "",
        error=error,
    )


# -- ending -----------------------------------------------------------------------------------------------------------


@view_config(context=Record, name="revoke", request_method="GET", renderer="question.pt", permission="grant")
def show_revoke(resource: Record, request: Request) -> QuestionPage:
    """`GET /PEOPLE/ID/revoke`: the question whether to end a person's access."""
    _open_account(resource, request)
    return _question(
        resource,
        request,
        "revoke",
        heading=_("End access to the portal?"),
        submit=_("End access"),
        text=_(
            "This person will be logged out everywhere immediately. Their record stays, and access can be given again."
        ),
        tone="bad",
        icon="user-x",
    )


@view_config(context=Record, name="revoke", request_method="POST", permission="grant")
def revoke_access(resource: Record, request: Request) -> Response:
    """`POST /PEOPLE/ID/revoke`: ends a person's access: their next request logs them out."""
    if again := response_if_repeated(resource.records, request):
        return again
    register_of(request).disable(_open_account(resource, request).email)
    return set_flash(request, _done(resource, request), "access-ended")


def _open_account(resource: Record, request: Request) -> Account:
    """The account of the person, if it is not disabled."""
    account = _managed_account(resource, request)
    if account is None or account.disabled:
        raise HTTPNotFound
    return account


# -- the second factor ------------------------------------------------------------------------------------------------


@view_config(context=Record, name="second-factor", request_method="GET", renderer="question.pt", permission="grant")
def show_second_factor_reset(resource: Record, request: Request) -> QuestionPage:
    """`GET /PEOPLE/ID/second-factor`: the question whether to let a person in without codes."""
    _account_with_second_factor(resource, request)
    return _question(
        resource,
        request,
        "second-factor",
        heading=_("Reset two-factor authentication?"),
        submit=_("Reset"),
        text=_(
            "For people who have lost both their app and their recovery codes. First verify who is asking."
            " They are notified by email."
        ),
        tone="bad",
        icon="undo-2",
    )


@view_config(context=Record, name="second-factor", request_method="POST", permission="grant")
def reset_second_factor(resource: Record, request: Request) -> Response:
    """`POST /PEOPLE/ID/second-factor`: lets a person who has lost their app in without codes."""
    if again := response_if_repeated(resource.records, request):
        return again
    account = register_of(request).remove_second_factor(_account_with_second_factor(resource, request).email)
    queue_letter(request, second_factor_changed_letter(letter_sender(request), account, is_on=False))
    return set_flash(request, _done(resource, request), "second-factor-off")


def _account_with_second_factor(resource: Record, request: Request) -> Account:
    account = _managed_account(resource, request)
    if account is None or account.second_factor is None:
        raise HTTPNotFound
    return account


# -- inviting ----------------------------------------------------------------------------------------------------------


@view_config(context=Record, name="invite", request_method="POST", permission="grant")
def invite_again(resource: Record, request: Request) -> Response:
    """`POST /PEOPLE/ID/invite`: sends a new invitation to a person who has not accepted yet; voids the earlier one."""
    account = _managed_account(resource, request)
    if account is None or not has_open_invitation(account):
        raise HTTPNotFound
    if again := response_if_repeated(resource.records, request):
        return again
    return send_invitation(request, _done(resource, request), register_of(request), account)


def send_invitation(request: Request, response: Response, register: Register, account: Account) -> Response:
    """Sends the invitation to a person who has been given access. Raises TooManyAttemptsError.

    Without a mail server, the page that `response` leads to shows the link, once: otherwise it would reach nobody.
    """
    tables = request.portal.tables
    by = str(request.identity.account.id)
    attempts.check_attempt(request.connection, tables, attempts.INVITATIONS, by, request.now)
    attempts.check_attempt(request.connection, tables, attempts.INVITATION_ADDRESS, account.email, request.now)
    token = register.invite(account)
    letter = invitation_letter(letter_sender(request), account, token, INVITATION_LIFETIME.days)
    queue_letter(request, letter, link=token)
    if request.registry.serving.sends_email:
        return set_flash(request, response, "invited")
    set_cookie(request, response, Cookie.INVITATION, token, SHOWN_FOR)
    return set_flash(request, response, "invitation-kept")
