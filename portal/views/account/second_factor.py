"""`/account/second-factor`: setting up the second factor, its recovery codes, and turning it off."""

from dataclasses import dataclass
from typing import Any

import segno
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.attempts import TooManyAttemptsError
from portal.accounts.second_factor import (
    SECRET,
    add_second_factor,
    count_recovery_codes,
    new_secret,
    remove_second_factor,
    renew_recovery_codes,
    secret_address,
    step_of_code,
)
from portal.accounts.signing_in import WRONG_CODE
from portal.mail.account_letters import second_factor_changed_letter
from portal.texts import Words, _, ngettext
from portal.views.account.password import confirmation_errors, confirmation_widgets
from portal.views.account.password_page import code_widget
from portal.views.forms.form_page import Widget
from portal.views.forms.submissions import refused_form
from portal.views.wording import answer_too_many_attempts
from portal.web.cookies import Cookie, read_cookie
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.letters import letter_sender, queue_letter
from portal.web.resources import Account
from portal.web.security import SET_SECOND_FACTOR

URL = "/account/second-factor"


@dataclass(frozen=True)
class SecondFactorPage:
    """second_factor.pt: the setup, the current state, or the new recovery codes, which are shown once."""

    text: Words
    back_url: str = ""
    is_on: bool = False
    widgets: tuple[Widget, ...] = ()
    secret: str = ""  # the one being set up
    picture: str = ""  # its QR code, as the address of an image
    codes: str = ""  # new recovery codes, one per line


@view_config(
    context=Account, name="second-factor", request_method="GET", renderer="second_factor.pt",
    permission=SET_SECOND_FACTOR,
)  # fmt: skip
def show_second_factor(context: Account, request: Request) -> SecondFactorPage:
    """`GET /account/second-factor`: the form that sets up the second factor, or what can be done with it."""
    is_on = request.identity.account.second_factor is not None
    return _page_when_on(request) if is_on else _set_up_page(request, new_secret())


@view_config(
    context=Account, name="second-factor", request_method="POST", renderer="second_factor.pt",
    permission=SET_SECOND_FACTOR,
)  # fmt: skip
def change_second_factor(context: Account, request: Request) -> Any:
    """`POST /account/second-factor`: `do`: on, off, or codes for new recovery codes. Each needs a code from the app."""
    do, is_on = posted_text(request, "do"), request.identity.account.second_factor is not None
    if (do == "on") == is_on:  # already done in another window
        return HTTPSeeOther(URL)
    if do == "on":
        return _turn_on(request)
    if error := _code_error(request):
        return refused_form(request, _page_when_on(request, error))
    return _turn_off(request) if do == "off" else _show_new_codes(request)


def _turn_on(request: Request) -> SecondFactorPage:
    account, secret = request.identity.account, posted_text(request, "secret").replace(" ", "")
    if not SECRET.fullmatch(secret):
        secret = new_secret()
    errors = confirmation_errors(request)
    step = step_of_code(secret, posted_text(request, "code"), request.now)
    if step is None:
        errors["code"] = _("This code is not correct. Is the clock of the device right?")
    if errors or step is None:
        return refused_form(request, _set_up_page(request, secret, errors))
    codes = add_second_factor(request.connection, request.portal.tables, account.id, secret, step, request.now)
    queue_letter(request, second_factor_changed_letter(letter_sender(request), account, is_on=True))
    return _codes_page(request, codes)


def _turn_off(request: Request) -> Response:
    account = request.identity.account
    remove_second_factor(request.connection, request.portal.tables, account.id)
    queue_letter(request, second_factor_changed_letter(letter_sender(request), account, is_on=False))
    return set_flash(request, HTTPSeeOther("/account/"), "second-factor-off")


def _show_new_codes(request: Request) -> SecondFactorPage:
    codes = renew_recovery_codes(request.connection, request.portal.tables, request.identity.account.id)
    return _codes_page(request, codes)


def _code_error(request: Request) -> Words:
    """Why the code sent to set up the second factor is not valid; empty if it is, and it is then used up."""
    account, device = request.identity.account, read_cookie(request, Cookie.DEVICE)
    try:
        is_right = request.logins.is_current_code(account, posted_text(request, "code"), device, request.now)
    except TooManyAttemptsError as error:
        return answer_too_many_attempts(request, error)
    return "" if is_right else WRONG_CODE


def _set_up_page(request: Request, secret: str, errors: dict[str, Words] | None = None) -> SecondFactorPage:
    errors, account = errors or {}, request.identity.account
    name = request.reader.text(request.portal.declaration.settings.name)
    picture = segno.make(secret_address(secret, account.email, name), micro=False)
    return SecondFactorPage(
        text=_(
            "Your profile requires codes from an authenticator app. Scan the QR code with it, or enter the key there."
        )
        if request.identity.must_set
        else _("Scan the QR code with an authenticator app, or enter the key there. The app then shows a code."),
        back_url="" if request.identity.must_set else "/account/",
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        picture=picture.svg_data_uri(scale=4, light="white"),
        widgets=(code_widget(errors.get("code", "")), *confirmation_widgets(request, errors)),
    )


def _page_when_on(request: Request, error: Words = "") -> SecondFactorPage:
    left = count_recovery_codes(request.connection, request.portal.tables, request.identity.account.id)
    return SecondFactorPage(
        text=ngettext("${number} recovery code is left.", "${number} recovery codes are left.", left),
        back_url="/account/",
        is_on=True,
        widgets=(
            code_widget(error)._replace(help=_("A code from your app, or a recovery code. Both buttons need one.")),
        ),
    )


def _codes_page(request: Request, codes: list[str]) -> SecondFactorPage:
    return SecondFactorPage(
        text=_("Keep these recovery codes in a safe place. Each signs you in once if you lose the app."),
        back_url="/" if request.identity.must_set else "/account/",
        codes="\n".join(codes),
    )
