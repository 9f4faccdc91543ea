"""`/account/`: the reader's choice of letters, devices, tokens for programs, and drafts."""

from dataclasses import dataclass

from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.api_tokens import make_token
from portal.mail.account_letters import token_made_letter
from portal.views.account.device_list import DeviceShown, devices
from portal.views.account.draft_list import DraftLine, draft_line
from portal.views.account.letter_choices import LetterChoices, letter_choices
from portal.views.account.passkeys import PasskeyShown, passkeys
from portal.views.account.token_list import TokenShown, read_token_form, tokens
from portal.views.forms.drafts import drafts_of
from portal.views.forms.form_page import QuestionPage
from portal.views.forms.submissions import refused_form
from portal.web.addresses import MCP, own_url
from portal.web.letters import letter_sender, queue_letter
from portal.web.resources import Account


@dataclass(frozen=True)
class AccountPage:
    """account.pt"""

    letters: LetterChoices
    second_factor: bool = False  # whether codes are required
    passkeys: tuple[PasskeyShown, ...] | None = None  # None: the portal has none
    drafts: tuple[DraftLine, ...] = ()
    devices: tuple[DeviceShown, ...] = ()
    tokens: tuple[TokenShown, ...] = ()
    mcp_url: str = ""  # where assistants connect with tokens
    new_token: str = ""  # shown on no other page


@view_config(context=Account, name="", request_method="GET", renderer="account.pt")
def show_account(context: Account, request: Request) -> AccountPage:
    """`GET /account/`: letters to choose from, devices, tokens and drafts, the newest first."""
    return _account_page(request)


@view_config(context=Account, name="token", request_method="POST", renderer="question.pt")
def add_token(context: Account, request: Request) -> QuestionPage | Response:
    """`POST /account/token`: creates a token, shows it on the account page, and notifies its person by email."""
    token_request = read_token_form(request)
    if isinstance(token_request, QuestionPage):
        return refused_form(request, token_request)
    account = request.identity.account
    token = make_token(request.connection, request.portal.tables, account.id, token_request, request.now)
    queue_letter(request, token_made_letter(letter_sender(request), account, token_request.name))
    return render_to_response("account.pt", _account_page(request, token), request)


def _account_page(request: Request, new_token: str = "") -> AccountPage:
    has_second_factor = request.identity.account.second_factor is not None
    drafts = tuple(draft_line(request, draft) for draft in drafts_of(request).all())
    return AccountPage(
        letters=letter_choices(request),
        second_factor=has_second_factor,
        passkeys=passkeys(request),
        drafts=drafts,
        devices=devices(request),
        tokens=tokens(request),
        mcp_url=own_url(request, MCP),
        new_token=new_token,
    )
