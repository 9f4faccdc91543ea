"""Signing in and out, and choosing a language."""

from dataclasses import dataclass
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts.accounts import Account, update_account
from portal.accounts.attempts import TooManyAttemptsError, network_of
from portal.accounts.devices import device_name, remember_device
from portal.accounts.drafts import is_set_aside
from portal.accounts.identity import NotAdmitted, sign_in_refusal, what_must_be_set
from portal.accounts.sessions import close_session, open_session
from portal.accounts.signing_in import CODE_LIFETIME, CodeNeeded, SignedIn, SignInAttempt
from portal.mail.account_letters import new_device_letter
from portal.texts import Words, _
from portal.views.account.password_page import TO_SIGN_IN, PasswordPage
from portal.views.administration.view_as import leave_preview
from portal.views.forms.drafts import claim_draft
from portal.views.forms.submissions import refused_form
from portal.views.wording import answer_too_many_attempts
from portal.web.addresses import code_address, own_path, referring_page, single_sign_on_address
from portal.web.cookies import YEAR, Cookie, read_cookie, set_cookie
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.letters import letter_sender, queue_letter
from portal.web.resources import Login, Root
from portal.web.security import PAGES_THAT_SET


@dataclass(frozen=True)
class LoginPage:
    """login.pt"""

    email: str = ""
    remember: bool = False
    next: str = ""
    error: Words = ""
    notice: Words = ""  # “Your session has ended.”
    support: str = ""  # an address to write to
    sign_up: bool = False  # whether strangers may sign up
    password: bool = True  # whether people sign in with a password
    link: bool = False  # whether people sign in with a link by email
    passkey: bool = False  # whether people sign in with a passkey
    provider: str = ""  # the name of the identity provider
    provider_url: str = ""


@view_config(context=Login, request_method="GET", renderer="login.pt", permission=NO_PERMISSION_REQUIRED)
def show_login(context: Login, request: Request) -> Any:
    """`GET /login`: the sign-in page; redirects if there is a session."""
    following = own_path(request.GET.get("next"))
    if request.identity is not None:
        return HTTPSeeOther(following)
    return login_page(request, following, notice=_set_aside_notice(request) or request.visitor.ended)


def _set_aside_notice(request: Request) -> str:
    """The page's notice about a form that this browser sent after its session ended; empty if there is none."""
    key = read_cookie(request, Cookie.DRAFT)
    if not key:
        return ""
    if is_set_aside(request.connection, request.portal.tables, key[:64]):
        return _("What you entered has been saved. Sign in again to send it.")
    return _("What you entered could not be saved. Go back in your browser to copy it, then sign in again.")


@view_config(context=Login, request_method="POST", renderer="login.pt", permission=NO_PERMISSION_REQUIRED)
def sign_in(context: Login, request: Request) -> Any:
    """`POST /login`: a new session, a new cookie. On an error, the input stays, except for the password."""
    following = own_path(posted_text(request, "next"))
    attempt = sign_in_attempt(request, posted_text(request, "email"), posted_text(request, "password"))
    if not request.portal.declaration.uses_passwords:
        return login_page(request, following, attempt.email, error=_("This portal does not use passwords."))
    try:
        session = request.logins.sign_in(attempt, request.now)
    except TooManyAttemptsError as error:
        session = NotAdmitted(answer_too_many_attempts(request, error))
    if isinstance(session, NotAdmitted):
        return login_page(request, following, attempt.email, attempt.remember, error=session.reason)
    return enter(request, session, following)


@view_config(context=Root, name="logout", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def sign_out(context: Root, request: Request) -> Response:
    """`POST /logout`: ends the session on the server, so that copies of the cookie are worthless; or ends a preview."""
    if request.visitor.read_only_view is not None:
        return leave_preview(request)
    if token := read_cookie(request, Cookie.SESSION):
        close_session(request.connection, request.portal.tables, token)
    response = HTTPSeeOther("/login")
    set_cookie(request, response, Cookie.SESSION, None)
    response.headers["Clear-Site-Data"] = '"storage"'  # what scripts stored of unfinished forms
    return set_flash(request, response, "signed-out")


@view_config(context=Root, name="language", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def choose_language(context: Root, request: Request) -> Response:
    """`POST /language`: stores the chosen language, in this browser and with the account."""
    following, language = posted_text(request, "next"), posted_text(request, "language")
    response = HTTPSeeOther(own_path(following) if following else referring_page(request))
    if language in request.portal.declaration.settings.languages:
        set_cookie(request, response, Cookie.LANGUAGE, language, keep=YEAR)
        if request.identity is not None:
            update_account(
                request.connection, request.portal.tables, request.identity.account.id, {"language": language}
            )
    return response


def sign_in_attempt(request: Request, email: str = "", password: str = "") -> SignInAttempt:
    """The attempt to sign in, from the form and the browser; a link replaces `email` and `password`."""
    return SignInAttempt(
        email,
        password,
        network_of(request.remote_addr),
        bool(posted_text(request, "remember")),
        read_cookie(request, Cookie.LANGUAGE),
        request.reader.language,
        read_cookie(request, Cookie.SESSION),
        read_cookie(request, Cookie.DEVICE),
        request.user_agent,
    )


def enter(request: Request, session: SignedIn | CodeNeeded, following: str = "/") -> Response:
    """Gives the browser its new session and redirects, to the second-factor code if required.

    A device that the account does not know is reported by email.
    """
    if isinstance(session, CodeNeeded):
        parameters = {"next": following if following != "/" else "", "remember": posted_text(request, "remember")}
        response = HTTPSeeOther(code_address({name: value for name, value in parameters.items() if value}))
        set_cookie(request, response, Cookie.CODE, session.token, int(CODE_LIFETIME.total_seconds()))
        return response
    must_set = what_must_be_set(request.portal.declaration, session.account)
    response = HTTPSeeOther(PAGES_THAT_SET[must_set][0] if must_set else following)
    claim_draft(request, response, session.account.id)
    if session.new_device:
        device = device_name(request.user_agent or "")
        queue_letter(request, new_device_letter(letter_sender(request), session.account, device))
    set_cookie(request, response, Cookie.DEVICE, session.device, YEAR)
    set_cookie(request, response, Cookie.SESSION, session.token, session.keep)
    return response


def login_page(
    request: Request, following: str, email: str = "", remember: bool = False, error: Words = "", notice: Words = ""
) -> LoginPage:
    """The sign-in page, with its input; `following`: where to go afterwards. With an `error`, the form was refused."""
    ways, provider = request.portal.declaration.settings.sign_in, request.registry.identity_provider
    has_way = provider is not None or set(ways) != {"oidc"}
    page = LoginPage(
        email=email,
        remember=remember,
        next="" if following == "/" else following,
        error=error or ("" if has_way else _("Signing in is not possible at the moment. Please contact us.")),
        notice=notice,
        support=request.portal.declaration.settings.support_address or "",
        sign_up=request.portal.declaration.sign_up is not None,
        password="password" in ways,
        link="link" in ways,
        passkey="passkey" in ways,
        provider=provider.label if provider else "",
        provider_url=single_sign_on_address(following) if provider else "",
    )
    return refused_form(request, page) if error else page


def welcome(request: Request, account: Account, hashed: str | None) -> Any:
    """Signs in a new account; before its first day, says when that is. An invited person may have signed in another way
    in the meantime, and have set up a second factor."""
    tables = request.portal.tables
    if refusal := sign_in_refusal(request.connection, tables, account, request.now):
        return PasswordPage(_("Password saved"), text=refusal.reason, **TO_SIGN_IN)
    if set(request.portal.declaration.settings.sign_in) == {"oidc"}:  # only the provider says who someone is
        return HTTPSeeOther("/login")
    if account.second_factor:
        return enter(request, request.logins.ask_for_code(request.connection, account, request.now))
    if former := read_cookie(request, Cookie.SESSION):
        close_session(request.connection, tables, former)
    token = open_session(request.connection, tables, account.id, request.now, None, request.user_agent)
    request.logins.note_first_sign_in(request.connection, account.id, request.reader.language, request.now)
    response = HTTPSeeOther("/")
    remember_this_device(request, response, account, request.logins.device_secret(request.connection, hashed))
    set_cookie(request, response, Cookie.SESSION, token)
    return response


def remember_this_device(request: Request, response: Response, account: Account, secret: str) -> None:
    """Makes this browser known to an account, after a sign-in with a link or another password."""
    device = remember_device(read_cookie(request, Cookie.DEVICE), account.id, secret)
    set_cookie(request, response, Cookie.DEVICE, device, YEAR)
