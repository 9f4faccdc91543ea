"""The second step of signing in: a code of the second factor, after the password or the link of an email."""

from dataclasses import replace
from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts.attempts import TooManyAttemptsError
from portal.accounts.identity import NotAdmitted
from portal.accounts.one_time_links import SECOND_FACTOR
from portal.texts import Words, _
from portal.views.account.password_page import BACK_TO_SIGN_IN, PasswordPage, code_widget
from portal.views.account.session import enter, sign_in_attempt
from portal.views.forms.form_page import Widget
from portal.views.forms.submissions import refused_form
from portal.views.wording import answer_too_many_attempts
from portal.web.addresses import code_address, own_path
from portal.web.cookies import Cookie, read_cookie, set_cookie
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Login


@view_config(
    context=Login, name="code", request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED
)
def show_code(context: Login, request: Request) -> Any:
    """`GET /login/code`: the page that asks for a code from the app, or with `?recovery` for a recovery code."""
    if request.logins.account_of_link(read_cookie(request, Cookie.CODE), SECOND_FACTOR, request.now) is None:
        return HTTPSeeOther("/login")
    return _code_page(request)


@view_config(
    context=Login, name="code", request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED
)
def sign_in_by_code(context: Login, request: Request) -> Any:
    """`POST /login/code`: accepts the code: a new session."""
    token, code = read_cookie(request, Cookie.CODE), posted_text(request, "code")
    attempt = replace(sign_in_attempt(request), remember="remember" in request.GET)
    try:
        session = request.logins.sign_in_by_code(token, code, attempt, request.now)
    except TooManyAttemptsError as error:
        return _code_page(request, answer_too_many_attempts(request, error))
    if isinstance(session, NotAdmitted):
        return refused_form(request, _code_page(request, session.reason))
    if session is None:
        return _without_code(request, set_flash(request, HTTPSeeOther("/login"), "too-late"))
    return _without_code(request, enter(request, session, own_path(request.GET.get("next"))))


def _without_code(request: Request, response: Response) -> Response:
    set_cookie(request, response, Cookie.CODE, None)
    return response


def _code_page(request: Request, error: Words = "") -> PasswordPage:
    by_recovery = "recovery" in request.GET
    parameters = {name: request.GET[name] for name in ("next", "remember") if name in request.GET}
    other = parameters if by_recovery else {**parameters, "recovery": "true"}
    return PasswordPage(
        heading=_("Two-factor authentication"),
        action=request.path_qs,
        text=_("Enter one of your recovery codes. Each works once.")
        if by_recovery
        else _("Enter the code that your authenticator app shows."),
        widgets=(
            Widget("code", _("Recovery code"), required=True, error=error, autocomplete="off")
            if by_recovery
            else code_widget(error),
        ),
        submit=_("Sign in"),
        other_url=code_address(other),
        other_label=_("Use a code from the app") if by_recovery else _("Use a recovery code"),
        **BACK_TO_SIGN_IN,
    )
