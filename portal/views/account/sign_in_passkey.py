"""Signing in with a passkey: what the browser needs for it, and the credential that it returns."""

import logging
from typing import Any

from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts import attempts
from portal.accounts.attempts import TooManyAttemptsError, network_of
from portal.accounts.identity import NotAdmitted
from portal.accounts.passkeys import PasskeyRefusedError, Passkeys
from portal.database.engine import writing
from portal.texts import _
from portal.views.account.passkeys import check_passkeys_are_used, passkey_site
from portal.views.account.session import enter, login_page, sign_in_attempt
from portal.views.wording import answer_too_many_attempts
from portal.web.addresses import own_path
from portal.web.form_input import posted_text
from portal.web.resources import Login

log = logging.getLogger(__name__)

REFUSED = _("This passkey cannot be used here. Sign in another way.")


@view_config(
    context=Login, name="passkey-options", request_method="POST", renderer="json", permission=NO_PERMISSION_REQUIRED
)
def passkey_options(context: Login, request: Request) -> dict[str, Any]:
    """`POST /login/passkey-options`: what a browser needs to sign in with a passkey; the same for everyone."""
    check_passkeys_are_used(request)
    tables, limit, network = request.portal.tables, attempts.PASSKEY, network_of(request.remote_addr)
    try:
        with writing(request.portal.engine) as connection:
            attempts.check_attempt(connection, tables, limit, network, request.now)
            return Passkeys(connection, tables, passkey_site(request), request.now).request_options()
    except TooManyAttemptsError as error:
        return {"error": request.reader.text(answer_too_many_attempts(request, error))}


@view_config(
    context=Login, name="passkey", request_method="POST", renderer="login.pt", permission=NO_PERMISSION_REQUIRED
)
def sign_in_by_passkey(context: Login, request: Request) -> Any:
    """`POST /login/passkey`: accepts what the device has signed: a new session."""
    check_passkeys_are_used(request)
    following, credential = own_path(posted_text(request, "next")), posted_text(request, "credential")
    try:
        attempt = sign_in_attempt(request)
        session = request.logins.sign_in_by_passkey(credential, passkey_site(request), attempt, request.now)
    except PasskeyRefusedError as refused:
        log.info("A passkey was refused: %s", refused)
        session = NotAdmitted(REFUSED)
    if isinstance(session, NotAdmitted):
        return login_page(request, following, error=session.reason)
    return enter(request, session, following)
