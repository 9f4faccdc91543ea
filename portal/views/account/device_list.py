"""The devices on which the reader is signed in, at `/account/`, and logging out on one or all of them."""

from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.devices import device_name
from portal.accounts.keys_and_tokens import hash_token
from portal.accounts.sessions import Session, close_one, close_sessions, sessions_of
from portal.texts import Words, _
from portal.views.displays import moment
from portal.views.parts import Moment
from portal.web.cookies import Cookie, read_cookie, set_cookie
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Account

MOBILE = frozenset({"iPhone", "iPad", "Android"})


@dataclass(frozen=True)
class DeviceShown:
    """A browser in which the reader is signed in."""

    key: str
    browser: Words
    system: str
    icon: str
    since: Moment
    seen: Moment
    current: bool = False


def devices(request: Request) -> tuple[DeviceShown, ...]:
    """The sessions of the reader, this one first."""
    current = hash_token(read_cookie(request, Cookie.SESSION))
    sessions = sessions_of(request.connection, request.portal.tables, request.visitor.own_account, request.now)
    return tuple(
        _device(session, request, current) for session in sorted(sessions, key=lambda session: session.token != current)
    )


def _device(session: Session, request: Request, current: str) -> DeviceShown:
    device = device_name(session.agent or "")
    return DeviceShown(
        key=session.key,
        browser=device.browser or _("Browser"),
        system=device.system,
        icon="smartphone" if device.system in MOBILE else "monitor",
        since=moment(session.created, request.reader),
        seen=moment(session.seen, request.reader),
        current=session.token == current,
    )


@view_config(context=Account, name="sign-out", request_method="POST")
def sign_out_device(context: Account, request: Request) -> Response:
    """`POST /account/sign-out`: logs out one device, or all of them, including this one."""
    account, key = request.identity.account, posted_text(request, "device")
    if key == "all":
        close_sessions(request.connection, request.portal.tables, account.id)
        response = HTTPSeeOther("/login")
        set_cookie(request, response, Cookie.SESSION, None)
        response.headers["Clear-Site-Data"] = '"storage"'  # scripts store unfinished forms
        return set_flash(request, response, "signed-out-everywhere")
    if not close_one(request.connection, request.portal.tables, account.id, key):
        raise HTTPNotFound
    return set_flash(request, HTTPSeeOther("/account/"), "device-signed-out")
