"""Signing in with the identity provider (OpenID Connect): the way there, and the response that it sends back."""

import hmac
import logging
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlencode

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from portal.accounts import attempts
from portal.accounts.identity import NotAdmitted
from portal.accounts.identity_provider import Flow, IdentityProvider, ProviderError
from portal.database.engine import writing
from portal.texts import _
from portal.views.account.session import LoginPage, enter, login_page, sign_in_attempt
from portal.web.addresses import own_address, own_path
from portal.web.cookies import Cookie, read_cookie, set_cookie
from portal.web.resources import SingleSignOn
from portal.web.safe_methods import SIGN_IN_CALLBACK

log = logging.getLogger(__name__)

LIFETIME = 600  # seconds that signing in there may take
LONGEST_PATH = 1_000  # characters of the address to go to after signing in


@view_config(context=SingleSignOn, request_method="GET", renderer="login.pt", permission=NO_PERMISSION_REQUIRED)
def begin_single_sign_on(context: SingleSignOn, request: Request) -> Any:
    """`GET /login/oidc`: sends the browser to the provider; a cookie keeps what the response must match."""
    following, flow, provider = own_path(request.GET.get("next")), Flow.begin(), _provider(request)
    try:
        address = provider.authorization_address(flow, _callback_address(request))
    except ProviderError as error:
        return _provider_failed(request, following, error)
    response, parameters = HTTPSeeOther(address), asdict(flow)
    if len(following) <= LONGEST_PATH:
        parameters["next"] = following
    set_cookie(request, response, Cookie.SINGLE_SIGN_ON, urlencode(parameters), LIFETIME)
    return response


@view_config(
    context=SingleSignOn, name="callback", request_method="GET", renderer="login.pt", permission=NO_PERMISSION_REQUIRED
)
def finish_single_sign_on(context: SingleSignOn, request: Request) -> Any:
    """`GET /login/oidc/callback`: accepts the provider's response: a new session."""
    parameters, provider = dict(parse_qsl(read_cookie(request, Cookie.SINGLE_SIGN_ON))), _provider(request)
    flow = Flow(parameters.get("state", ""), parameters.get("nonce", ""), parameters.get("verifier", ""))
    following = own_path(parameters.get("next"))
    request.add_response_callback(lambda request, response: set_cookie(request, response, Cookie.SINGLE_SIGN_ON, None))
    if not (flow.state and flow.nonce) or not _equal(request.GET.get("state", ""), flow.state):
        return login_page(
            request, following, error=_("That took too long, or was started in another window. Try again.")
        )
    if error := request.GET.get("error"):
        log.info("The identity provider has signed nobody in: %.100r", error)
        return login_page(request, following, error=_("${name} did not sign you in.", mapping={"name": provider.label}))
    if request.GET.get("iss", provider.issuer) != provider.issuer:  # RFC 9207
        return _provider_failed(request, following, ProviderError("the response comes from another provider"))
    attempt = sign_in_attempt(request)
    with writing(request.portal.engine) as connection:
        limit = attempts.SINGLE_SIGN_ON
        attempts.check_attempt(connection, request.portal.tables, limit, attempt.network, request.now)
    try:
        person = provider.prove(request.GET.get("code", ""), flow, _callback_address(request), request.now)
    except ProviderError as error:
        return _provider_failed(request, following, error)
    session = request.logins.sign_in_by_provider(person, attempt, request.now)
    if isinstance(session, NotAdmitted):
        return login_page(request, following, error=session.reason)
    return enter(request, session, following)


def _provider(request: Request) -> IdentityProvider:
    provider: IdentityProvider = request.registry.identity_provider
    return provider


def _callback_address(request: Request) -> str:
    return own_address(request) + SIGN_IN_CALLBACK


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _provider_failed(request: Request, following: str, error: ProviderError) -> LoginPage:
    log.warning("Signing in by the identity provider failed: %s", error)
    request.response.status_code = 502
    name = {"name": _provider(request).label}
    return login_page(request, following, error=_("Signing in with ${name} does not work at the moment.", mapping=name))
