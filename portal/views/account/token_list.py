"""The tokens of the reader's programs: listed at `/account/`, created and ended. A new one is shown once."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.api_tokens import LONGEST_NAME, MOST_TOKENS, ApiToken, TokenRequest, end_token, tokens_of
from portal.accounts.keys_and_tokens import name_error
from portal.fields.date import Date
from portal.fields.refused import Refused
from portal.texts import _
from portal.views.account.password import confirmation_errors, confirmation_widgets
from portal.views.account.password_page import Errors
from portal.views.displays import moment
from portal.views.forms.form_page import FormRow, QuestionPage, Widget
from portal.views.parts import Moment
from portal.web.flash import set_flash
from portal.web.form_input import posted_text, whole_number
from portal.web.resources import Account

DAY = Date(name="until", type="date")


@dataclass(frozen=True)
class TokenShown:
    """A token as its account sees it; `until` is its last day."""

    id: int
    name: str
    created: Moment
    used: Moment | None
    until: str = ""
    is_over: bool = False
    read_only: bool = False


def tokens(request: Request) -> tuple[TokenShown, ...]:
    """The tokens of the reader, the newest first."""
    own = tokens_of(request.connection, request.portal.tables, request.visitor.own_account)
    return tuple(_shown(token, request) for token in own)


def _shown(token: ApiToken, request: Request) -> TokenShown:
    reader = request.reader
    return TokenShown(
        id=token.id,
        name=token.name,
        created=moment(token.created, reader),
        used=moment(token.used, reader) if token.used else None,
        until=DAY.show(token.until, reader),
        is_over=token.until is not None and token.until < reader.today,
        read_only=bool(token.read_only),
    )


@view_config(context=Account, name="token", request_method="GET", renderer="question.pt")
def show_token_form(context: Account, request: Request) -> QuestionPage:
    """`GET /account/token`: asks for a new token's name, its last day, and whether it may only read."""
    return _token_form(request, {}, {})


@view_config(context=Account, name="end-token", request_method="POST")
def end_one_token(context: Account, request: Request) -> Response:
    """`POST /account/end-token`: ends a token, from its next request on."""
    token_id = whole_number(posted_text(request, "token")) or 0
    if not end_token(request.connection, request.portal.tables, request.identity.account.id, token_id):
        raise HTTPNotFound
    return set_flash(request, HTTPSeeOther("/account/"), "token-ended")


def _token_form(request: Request, inputs: Mapping[str, str], errors: Errors) -> QuestionPage:
    """The form for a new token, with its input, and the password, so that nobody else creates one."""
    name = Widget(
        "name", _("Name of the token"), value=inputs.get("name", ""), required=True, error=errors.get("name", ""),
        max_length=LONGEST_NAME, help=_("Helps you recognize the program later."), autocomplete="off",
    )  # fmt: skip
    until = Widget(
        "until", _("Valid until"), type="date", value=inputs.get("until", ""), error=errors.get("until", ""),
        help=_("The last day. Leave empty for no end."),
    )  # fmt: skip
    read_only = Widget("read_only", _("The program may only read"), "checkbox", value=inputs.get("read_only", ""))
    return QuestionPage(
        heading=_("New token"),
        subject=_("My account"),
        action="/account/token",
        submit=_("Create"),
        back_url="/account/",
        text=_("A program with this token can see and do what you can. Do not share it with anyone else."),
        rows=tuple(FormRow((widget,)) for widget in (name, until, read_only, *confirmation_widgets(request, errors))),
        icon="key-round",
    )


def read_token_form(request: Request) -> TokenRequest | QuestionPage:
    """The token that a sent form asks for, or the form again if there are errors."""
    inputs = {name: posted_text(request, name).strip() for name in ("name", "until", "read_only")}
    errors, last = confirmation_errors(request), None
    if error := name_error(inputs["name"], LONGEST_NAME):
        errors["name"] = error
    try:
        last = DAY.parse(inputs["until"], request.reader)
        if last and last < request.reader.today:
            errors["until"] = _("Enter today’s date or a later one.")
    except Refused as refused:
        errors["until"] = refused.message
    if len(tokens(request)) >= MOST_TOKENS:
        errors["name"] = _("You have ${number} tokens. Revoke one first.", mapping={"number": MOST_TOKENS})
    if errors:
        return _token_form(request, inputs, errors)
    return TokenRequest(inputs["name"], last, inputs["read_only"] == "true")
