"""The reader's own passkeys: listed at `/account/`, created, renamed and removed; and the site they are valid for."""

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.devices import device_name
from portal.accounts.keys_and_tokens import name_error
from portal.accounts.passkeys import (
    LONGEST_NAME,
    MOST_PASSKEYS,
    PasskeyRefusedError,
    Passkeys,
    Site,
    passkeys_of,
    remove_passkey,
    rename_passkey,
)
from portal.database.engine import writing
from portal.mail.account_letters import passkey_changed_letter
from portal.texts import Words, _
from portal.views.account.password import confirmation_errors, confirmation_widgets
from portal.views.account.password_page import PasswordPage
from portal.views.displays import moment
from portal.views.forms.form_page import Widget
from portal.views.forms.submissions import refused_form
from portal.views.parts import Moment
from portal.web.addresses import own_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text, whole_number
from portal.web.letters import letter_sender, queue_letter
from portal.web.resources import Account

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PasskeyShown:
    """A passkey as its account sees it."""

    id: int
    name: str
    created: Moment
    used: Moment | None


def passkeys(request: Request) -> tuple[PasskeyShown, ...] | None:
    """The passkeys of the reader, the newest first; None if the portal does not use any."""
    if "passkey" not in request.portal.declaration.settings.sign_in:
        return None
    reader = request.reader
    return tuple(
        PasskeyShown(one.id, one.name, moment(one.created, reader), moment(one.used, reader) if one.used else None)
        for one in passkeys_of(request.connection, request.portal.tables, request.visitor.own_account)
    )


@view_config(context=Account, name="passkey", request_method="GET", renderer="password.pt")
def show_passkey_form(context: Account, request: Request) -> PasswordPage:
    """`GET /account/passkey`: the form for a new passkey: its name, and the password."""
    check_passkeys_are_used(request)
    device = device_name(request.user_agent or "")
    return _form_page(request, " · ".join(filter(None, (device.browser, device.system))))


@view_config(context=Account, name="passkey-options", request_method="POST", renderer="json")
def new_passkey_options(context: Account, request: Request) -> dict[str, Any]:
    """`POST /account/passkey-options`: what a browser needs to create a passkey; refused without the password."""
    check_passkeys_are_used(request)
    account, errors = request.identity.account, confirmation_errors(request)
    with writing(request.portal.engine) as connection:
        has_most = len(passkeys_of(connection, request.portal.tables, account.id)) >= MOST_PASSKEYS
        error = errors.get("current") or (_("You have too many passkeys. Remove one first.") if has_most else "")
        if not error:
            site = passkey_site(request)
            return Passkeys(connection, request.portal.tables, site, request.now).creation_options(account)
    if request.response.status_code == 200:
        request.response.status_code = 422
    return {"error": request.reader.text(error)}


@view_config(context=Account, name="passkey", request_method="POST", renderer="password.pt")
def make_passkey(context: Account, request: Request) -> Any:
    """`POST /account/passkey`: accepts what the device has created, and notifies the person by email."""
    check_passkeys_are_used(request)
    account, name = request.identity.account, posted_text(request, "name")
    error, credential = name_error(name, LONGEST_NAME), posted_text(request, "credential")
    if not error:
        try:
            own = Passkeys(request.connection, request.portal.tables, passkey_site(request), request.now)
            own.add(account, credential, name.strip())
        except PasskeyRefusedError as refused:
            log.info("A new passkey was refused: %s", refused)
            error = _("The device did not create a passkey. Try again.")
    if error:
        return refused_form(request, _form_page(request, name, error))
    queue_letter(request, passkey_changed_letter(letter_sender(request), account, is_added=True))
    return set_flash(request, HTTPSeeOther("/account/"), "passkey-added")


@view_config(context=Account, name="passkeys", request_method="POST")
def change_passkey(context: Account, request: Request) -> Response:
    """`POST /account/passkeys`: renames or removes a passkey (`do`)."""
    check_passkeys_are_used(request)
    account, passkey = request.identity.account, whole_number(posted_text(request, "passkey")) or 0
    here, tables = HTTPSeeOther("/account/"), request.portal.tables
    if posted_text(request, "do") == "remove":
        if not remove_passkey(request.connection, tables, account.id, passkey):
            raise HTTPNotFound
        queue_letter(request, passkey_changed_letter(letter_sender(request), account, is_added=False))
        return set_flash(request, here, "passkey-removed")
    name = posted_text(request, "name")
    if name_error(name, LONGEST_NAME):
        return here
    if not rename_passkey(request.connection, tables, account.id, passkey, name.strip()):
        raise HTTPNotFound
    return set_flash(request, here, "passkey-renamed")


def _form_page(request: Request, name: str, error: Words = "") -> PasswordPage:
    widget = Widget("name", _("Name of the passkey"), value=name, required=True, error=error, max_length=LONGEST_NAME)
    return PasswordPage(
        heading=_("New passkey"),
        action="/account/passkey",
        text=_("With a passkey you sign in with your fingerprint, face or device PIN, without a password."),
        email=request.identity.account.email,
        widgets=(widget, *confirmation_widgets(request, {})),
        submit=_("Create a passkey"),
        passkey_url="/account/passkey-options",
        back_url="/account/",
        back_label=_("My account"),
    )


def check_passkeys_are_used(request: Request) -> None:
    """Raises HTTPNotFound if the portal does not use passkeys."""
    if "passkey" not in request.portal.declaration.settings.sign_in:
        raise HTTPNotFound


def passkey_site(request: Request) -> Site:
    """The site that passkeys are created and valid for."""
    parts = urlsplit(own_address(request))
    name = request.reader.text(request.portal.declaration.settings.name)
    return Site(parts.hostname or "", f"{parts.scheme}://{parts.netloc}".lower(), name)
