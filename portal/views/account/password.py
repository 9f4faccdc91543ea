"""Passwords: changing one's own, requesting a link if it is forgotten, setting a new one with the link."""

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts.accounts import Account
from portal.accounts.attempts import TooManyAttemptsError, network_of
from portal.accounts.identity import Identity
from portal.accounts.link_requests import LinkRequest, request_link
from portal.accounts.one_time_links import INVITATION
from portal.accounts.sessions import open_session, session_days
from portal.mail.account_letters import password_changed_letter, password_reset_letter
from portal.texts import Words, _
from portal.views.account.password_page import (
    BACK_TO_SIGN_IN,
    TO_SIGN_IN,
    Errors,
    PasswordPage,
    current_password_widget,
    new_password_widgets,
)
from portal.views.account.session import remember_this_device, welcome
from portal.views.forms.form_page import Widget
from portal.views.forms.submissions import refused_form
from portal.views.wording import answer_too_many_attempts
from portal.web.cookies import Cookie, read_cookie, set_cookie
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.letters import letter_sender, queue_letter, writes_links
from portal.web.resources import Password, PasswordLink
from portal.web.security import CHANGE_PASSWORD

SENT = _("If this address has an account, we have sent it a link. The link works once and expires in an hour.")
IN_OUTBOX = _(
    "If this address has an account, you can find an email with a link at ${page}. It works once and expires in an"
    " hour."
)
GONE = _("This link has expired or has already been used.")


# -- changing one's own -----------------------------------------------------------------------------------------------


@view_config(context=Password, request_method="GET", renderer="password.pt", permission=CHANGE_PASSWORD)
def show_password_change(context: Password, request: Request) -> Any:
    """`GET /password`: the form; with a generated password, people see nothing else until a new one is saved. Who signs
    in without a password gets their first one with a link."""
    if not request.logins.has_password(request.identity.account):
        return HTTPSeeOther("/password/forgotten")
    return _change_page(request.identity, {})


@view_config(context=Password, request_method="POST", renderer="password.pt", permission=CHANGE_PASSWORD)
def change_password(context: Password, request: Request) -> Any:
    """`POST /password`: saves the new password, logs out every other device, and sends a notice by email."""
    account, logins = request.identity.account, request.logins
    errors = _current_password_errors(request, account) or _new_errors(request, account)
    if errors:
        return refused_form(request, _change_page(request.identity, errors))
    hashed = request.passwords.hash(posted_text(request, "new"))
    days = session_days(request.portal.declaration) if request.visitor.remembered else None
    logins.save_password(request.connection, account.id, hashed)
    token = open_session(request.connection, request.portal.tables, account.id, request.now, days, request.user_agent)
    queue_letter(request, password_changed_letter(letter_sender(request), account))
    response = HTTPSeeOther("/")
    remember_this_device(request, response, account, hashed)
    set_cookie(request, response, Cookie.SESSION, token, days and days * 86_400)
    return set_flash(request, response, "password-changed")


def confirmation_errors(request: Request) -> dict[str, Words]:
    """The errors in the password with which the reader confirms something; none if they have no password."""
    account = request.identity.account
    return dict(_current_password_errors(request, account)) if request.logins.has_password(account) else {}


def _current_password_errors(request: Request, account: Account) -> Errors:
    """The errors if the sent password is not the reader's; right after signing in with a generated one, it may be left
    out."""
    current = posted_text(request, "current")
    if account.must_change and not current:
        return {}
    try:
        known = request.logins.is_current_password(account, current, request.now)
    except TooManyAttemptsError as error:
        return {"current": answer_too_many_attempts(request, error)}
    return {} if known else {"current": _("Current password is incorrect.")}


def confirmation_widgets(request: Request, errors: Errors) -> tuple[Widget, ...]:
    """The input for the password with which the reader confirms something, if they have one."""
    return (current_password_widget(errors),) if request.logins.has_password(request.identity.account) else ()


def _new_errors(request: Request, account: Account) -> Errors:
    new, again = posted_text(request, "new"), posted_text(request, "confirm")
    objection = request.logins.new_password_error(account, new)
    if objection is not None:
        return {"new": objection}
    return {} if new == again else {"confirm": _("The passwords do not match.")}


def _change_page(identity: Identity, errors: Errors) -> PasswordPage:
    account = identity.account
    forced = account.must_change
    return PasswordPage(
        heading=_("Change password"),
        action="/password",
        text=_("Choose your own password to continue.") if forced else "",
        email=account.email,
        widgets=(current_password_widget(errors, required=not forced), *new_password_widgets(errors)),
        submit=_("Save"),
        back_url="" if forced else "/",
        back_label=_("Back"),
    )


# -- a forgotten one --------------------------------------------------------------------------------------------------


@view_config(
    context=Password, name="forgotten", request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED
)
def show_forgotten(context: Password, request: Request) -> Any:
    """`GET /password/forgotten`: the page for a forgotten password: asks for the address, and then always gives the
    same response; if no link can be sent, it says whom to ask."""
    if not writes_links(request):
        return _unavailable_page(request.portal.declaration.settings.support_address)
    if "sent" in request.GET:
        return _sent_page(request)
    return _forgotten_page(request, "")


@view_config(
    context=Password, name="forgotten", request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED
)
def request_reset(context: Password, request: Request) -> Any:
    """`POST /password/forgotten`: writes an email with a link, also for addresses without an account."""
    if not writes_links(request):
        return HTTPSeeOther("/password/forgotten")
    email = posted_text(request, "email").strip()
    if not email:
        return refused_form(request, _forgotten_page(request, _("Enter your email address.")))
    has_provider = request.registry.identity_provider is not None
    device = read_cookie(request, Cookie.DEVICE)
    link_request = LinkRequest(email, network_of(request.remote_addr), device, has_provider)
    recipient, token = request_link(request.connection, request.portal.tables, link_request, request.now)
    queue_letter(request, password_reset_letter(letter_sender(request), recipient, token), link=token)
    return HTTPSeeOther("/password/forgotten?sent=1")


def _sent_page(request: Request) -> PasswordPage:
    if request.registry.serving.sends_email:
        return PasswordPage(_("Check your email"), text=SENT, again_url="/password/forgotten", **BACK_TO_SIGN_IN)
    text = _(IN_OUTBOX, mapping={"page": "/-/outbox"})
    return PasswordPage(_("Check the emails"), text=text, **BACK_TO_SIGN_IN)


def _forgotten_page(request: Request, error: str) -> PasswordPage:
    email = Widget("email", _("Email"), type="email", required=True, error=error, autocomplete="username")
    sends = request.registry.serving.sends_email
    kept_notice = _(
        "This portal runs in development mode: you can find the email at ${page}.", mapping={"page": "/-/outbox"}
    )
    return PasswordPage(
        heading=_("I forgot my password"),
        action="/password/forgotten",
        text=_("We will email you a link to set a new password.") if sends else kept_notice,
        widgets=(email,),
        submit=_("Send link") if sends else _("Create link"),
        **BACK_TO_SIGN_IN,
    )


def _unavailable_page(support: str | None) -> PasswordPage:
    if support:
        text = _(
            "This portal cannot send email. To get a new password, write to ${address}.", mapping={"address": support}
        )
    else:
        text = _("This portal cannot send email. To get a new password, ask the person who gave you access.")
    return PasswordPage(_("I forgot my password"), text=text, **BACK_TO_SIGN_IN)


# -- with the link of a letter ----------------------------------------------------------------------------------------


@view_config(context=PasswordLink, request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def show_password_link(context: PasswordLink, request: Request) -> Any:
    """`GET /password/KIND/TOKEN`: the form. Opening it, as mail scanners do, does not use up the link."""
    account = _account_of_link(context, request)
    return _link_page(context, account, {}) if account else _link_is_gone(context, request)


@view_config(context=PasswordLink, request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def set_password(context: PasswordLink, request: Request) -> Any:
    """`POST /password/KIND/TOKEN`: saves a new password and logs out every device. An invited person is signed in."""
    account = _account_of_link(context, request)
    if account is None:
        return _link_is_gone(context, request)
    without = context.purpose == INVITATION and not request.portal.declaration.uses_passwords
    errors = {} if without else _new_errors(request, account)
    if errors:
        return refused_form(request, _link_page(context, account, errors))
    hashed = None if without else request.passwords.hash(posted_text(request, "new"))
    if not request.logins.set_password(request.connection, context.token, context.purpose, hashed, request.now):
        return _link_is_gone(context, request)
    if context.purpose == INVITATION:
        return welcome(request, account, hashed)
    queue_letter(request, password_changed_letter(letter_sender(request), account))
    response = HTTPSeeOther("/login")
    if hashed is not None and account.second_factor is None:  # a link alone proves no device, and gives it no guesses
        remember_this_device(request, response, account, hashed)
    set_cookie(request, response, Cookie.SESSION, None)
    return set_flash(request, response, "password-reset")


def _account_of_link(context: PasswordLink, request: Request) -> Account | None:
    return request.logins.account_of_link(context.token, context.purpose, request.now)


def _link_page(context: PasswordLink, account: Account, errors: Errors) -> PasswordPage:
    invited = context.purpose == INVITATION
    if invited and not context.request.portal.declaration.uses_passwords:
        return PasswordPage(_("Welcome"), context.path.rstrip("/"), email=account.email, submit=_("Sign in"))
    return PasswordPage(
        heading=_("Welcome") if invited else _("Set a new password"),
        action=context.path.rstrip("/"),
        text=_("Choose a password. You will sign in with it and this address.") if invited else "",
        email=account.email,
        widgets=new_password_widgets(errors),
        submit=_("Save and sign in") if invited else _("Save"),
    )


def _link_is_gone(context: PasswordLink, request: Request) -> Any:
    """The page for a used password link; a person who accepted the invitation with it goes on to the home page."""
    if context.purpose == INVITATION and request.identity is not None:
        return HTTPSeeOther("/")
    request.response.status_code = 404
    if context.purpose == INVITATION:
        text = _("This invitation has expired or has already been used. Ask for another one if you cannot sign in.")
        return PasswordPage(_("Welcome"), text=text, **TO_SIGN_IN)
    return PasswordPage(
        _("Set a new password"), text=GONE, back_url="/password/forgotten", back_label=_("Request a new link")
    )
