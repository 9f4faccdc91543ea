"""The invitation of a new colleague: their record in the company, access and letter in one go."""

from collections.abc import Mapping

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.access_rules import may_manage
from portal.accounts.accounts import find_account, find_account_of_person
from portal.accounts.giving_access import AccessRefusedError, AccessRequest, Register
from portal.accounts.people_register import LONGEST_NAME, is_person_name
from portal.fields.email import is_mail_address, normalize_email
from portal.records.reading.records import Records
from portal.texts import Words, _
from portal.views.access.access_attempts import count_access_attempt, uncount_access_attempt
from portal.views.access.access_form import (
    access_inputs,
    access_rows,
    chosen_company,
    company_widget,
    posted_access,
    posted_name,
    read_access,
    register_of,
)
from portal.views.access.person import TAKEN, Errors, language_of_colleagues, send_invitation
from portal.views.forms.form_page import FormRow, QuestionPage, Widget
from portal.views.forms.submissions import once_key, refused_form, response_if_repeated, response_when_done
from portal.views.parts import Action
from portal.web.addresses import list_address, record_address
from portal.web.form_input import posted_text
from portal.web.resources import Module

OWN_INPUTS = ("email", "company")
Inputs = Mapping[str, str]


@view_config(context=Module, name="invite", request_method="GET", renderer="question.pt", permission="grant")
def show_invite(module: Module, request: Request) -> QuestionPage:
    """`GET /PEOPLE/invite`: the form for inviting a colleague; `?company=ID` chooses the company."""
    _check_companies(request)
    inputs = {**access_inputs(request, None), "email": "", "name": "", "company": request.GET.get("company", "")}
    return _invite_page(module, request, inputs, {})


@view_config(context=Module, name="invite", request_method="POST", renderer="question.pt", permission="grant")
def invite_person(module: Module, request: Request) -> QuestionPage | Response:
    """`POST /PEOPLE/invite`: creates the person, with access. Existing people are not recorded twice."""
    _check_companies(request)
    own_inputs = {name: posted_text(request, name).strip() for name in OWN_INPUTS}
    inputs = {**posted_access(request), **own_inputs, "name": posted_name(request)}
    access, register = read_access(request, inputs), register_of(request)
    errors = {**access.errors, **_own_errors(request, inputs)}
    if errors:
        return refused_form(request, _invite_page(module, request, inputs, errors))
    count_access_attempt(request)
    if again := response_if_repeated(module.records, request):
        return again
    profile = access.values.pop("profile")
    email = normalize_email(inputs["email"])
    try:
        if taken := _taken(request, register, email):
            return refused_form(request, _invite_page(module, request, inputs, {"email": taken}))
        company = chosen_company(request, inputs["company"])
        values = {**access.values, **language_of_colleagues(request)}
        access_request = AccessRequest(email, profile, inputs["name"], values=values, company=company)
        account = register.add(access_request, None, must_change=False)
    except AccessRefusedError:
        return refused_form(request, _invite_page(module, request, inputs, {"email": TAKEN}))
    uncount_access_attempt(request)
    return send_invitation(
        request, response_when_done(module.records, request, _following(module, account.person)), register, account
    )


def _following(module: Module, person: int | None) -> str:
    """Where a sent invitation leads: to the page of the new person, if the reader sees it."""
    visible = person is not None and module.records.exists(person)
    return record_address(module.module_name, person or 0) if visible else list_address(module.module_name)


def _taken(request: Request, register: Register, email: str) -> Words:
    """Why an address cannot be invited: someone with it already has access, or the reader may not give them any.

    Only for people whose access the reader may change does it say which.
    """
    account, person = find_account(request.connection, request.portal.tables, email), register.person_with(email)
    if account is not None:
        whose = account.person or (person and person.id)
        managed = whose is not None and may_manage(request.connection, request.identity, whose, account)
        return _("This address already has access.") if request.policy.staff or managed else TAKEN
    if person is None:
        return ""
    people = Records(request.connection, request.policy, str(request.portal.declaration.people))
    other_account = find_account_of_person(request.connection, request.portal.tables, person.id)
    manages = other_account is None and may_manage(request.connection, request.identity, person.id, None)
    return "" if manages and people.exists(person.id) else TAKEN


def _own_errors(request: Request, inputs: Inputs) -> dict[str, Words]:
    errors: dict[str, Words] = {}
    if not is_mail_address(normalize_email(inputs["email"])):
        errors["email"] = _("Enter an email address such as name@example.com.")
    if not is_person_name(inputs["name"]):
        errors["name"] = _("Enter the person’s name.")
    if chosen_company(request, inputs["company"]) is None and (inputs["company"] or not request.policy.staff):
        errors["company"] = _("Choose a company.")
    return errors


def _invite_page(module: Module, request: Request, inputs: Inputs, errors: Errors) -> QuestionPage:
    email = Widget(
        "email", _("Email"), type="email", value=inputs["email"], required=True, error=errors.get("email", ""),
        autocomplete="off",
    )  # fmt: skip
    name = Widget(
        "name", _("Name"), value=inputs["name"], required=True, error=errors.get("name", ""), autocomplete="off",
        max_length=LONGEST_NAME,
    )  # fmt: skip
    company = company_widget(request, inputs["company"], errors.get("company", ""))
    return QuestionPage(
        heading=_("Invite someone"),
        subject=module.request.reader.text(module.access.label),
        action=f"{module.path}invite",
        submit=_("Send invitation"),
        back_url=module.path,
        rows=(
            FormRow((email, name)),
            *([FormRow((company,))] if company else []),
            *access_rows(request, inputs, errors),
        ),
        icon="send",
        once=once_key(request),
        others=(Action(_("Invite everyone"), f"{module.path}open", "users"),) if request.policy.staff else (),
    )


def _check_companies(request: Request) -> None:
    """People who are not staff invite to their own companies: without one, they cannot invite anyone."""
    if not request.policy.staff and not request.reader.companies:
        raise HTTPNotFound
