"""Signing in with a link in an email: requesting it, and the page behind it."""

import datetime
from typing import Any
from urllib.parse import urlsplit

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts.attempts import network_of
from portal.accounts.identity import NotAdmitted
from portal.accounts.link_requests import LinkRequest, request_link
from portal.accounts.one_time_links import SIGN_IN
from portal.mail.account_letters import sign_in_link_letter
from portal.texts import _
from portal.views.account.password_page import BACK_TO_SIGN_IN, PasswordPage
from portal.views.account.session import enter, login_page, sign_in_attempt
from portal.views.forms.form_page import Widget
from portal.web.addresses import own_path
from portal.web.cookies import Cookie, read_cookie
from portal.web.form_input import posted_text
from portal.web.letters import letter_sender, queue_letter, writes_links
from portal.web.resources import SignInLink, SignInLinks

LONGEST_PATH = 200  # characters of the address to go to after signing in
LIFETIME = datetime.timedelta(minutes=15)
SENT = _("If this address has an account, we have sent it a link. It works once and expires in 15 minutes.")
IN_OUTBOX = _(
    "This portal runs in development mode: you can find the email with the link at /-/outbox. It works once and expires"
    " in 15 minutes."
)


@view_config(context=SignInLinks, request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def show_link_sent(context: SignInLinks, request: Request) -> Any:
    """`GET /password/link`: says that a sign-in link is on its way, whatever the address was."""
    if not writes_links(request):
        return PasswordPage(
            _("Sign in"), text=_("This portal cannot send email. Please contact us."), **BACK_TO_SIGN_IN
        )
    text, again_url = (SENT, "/login") if request.registry.serving.sends_email else (IN_OUTBOX, "")
    return PasswordPage(_("Check your email"), text=text, again_url=again_url, **BACK_TO_SIGN_IN)


@view_config(context=SignInLinks, request_method="POST", renderer="login.pt", permission=NO_PERMISSION_REQUIRED)
def request_sign_in_link(context: SignInLinks, request: Request) -> Any:
    """`POST /password/link`: sends a link; the response and the work are the same for addresses without an account."""
    email, following = posted_text(request, "email").strip(), own_path(posted_text(request, "next"))
    if not email:
        return login_page(request, following, error=_("Enter your email address."))
    if writes_links(request):
        tables = request.portal.tables
        link_request = LinkRequest(email, network_of(request.remote_addr), read_cookie(request, Cookie.DEVICE))
        recipient, token = request_link(request.connection, tables, link_request, request.now, SIGN_IN, LIFETIME)
        # Anyone may request a letter to a known address: it contains a page of the portal, and nothing else.
        path = urlsplit(following).path
        page = path if 1 < len(path) <= LONGEST_PATH else ""
        queue_letter(request, sign_in_link_letter(letter_sender(request), recipient, token, page), link=token)
    return HTTPSeeOther("/password/link")


@view_config(context=SignInLink, request_method="GET", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def show_sign_in_link(context: SignInLink, request: Request) -> Any:
    """`GET /password/link/TOKEN`: the button that signs in; opening the link does not use it up."""
    account = request.logins.account_of_link(context.token, SIGN_IN, request.now)
    if account is None:
        return _gone(request)
    remember = Widget("remember", _("Remember me"), "checkbox")
    return PasswordPage(
        heading=_("Sign in"), action=request.path_qs, email=account.email, widgets=(remember,), submit=_("Sign in")
    )


@view_config(context=SignInLink, request_method="POST", renderer="password.pt", permission=NO_PERMISSION_REQUIRED)
def use_sign_in_link(context: SignInLink, request: Request) -> Any:
    """`POST /password/link/TOKEN`: uses up the link and signs in."""
    session = request.logins.sign_in_by_link(context.token, sign_in_attempt(request), request.now)
    if session is None:
        return _gone(request)
    if isinstance(session, NotAdmitted):
        return PasswordPage(_("Sign in"), text=session.reason, **BACK_TO_SIGN_IN)
    return enter(request, session, own_path(request.GET.get("next")))


def _gone(request: Request) -> PasswordPage:
    request.response.status_code = 404
    text = _("This link has expired or has already been used.")
    return PasswordPage(_("Sign in"), text=text, **BACK_TO_SIGN_IN)
