"""`/account/`: the reader's choice of letters, devices and drafts."""

from dataclasses import dataclass

from pyramid.request import Request
from pyramid.view import view_config

from portal.views.account.device_list import DeviceShown, devices
from portal.views.account.draft_list import DraftLine, draft_line
from portal.views.account.letter_choices import LetterChoices, letter_choices
from portal.views.forms.drafts import drafts_of
from portal.web.resources import Account


@dataclass(frozen=True)
class AccountPage:
    """account.pt"""

    letters: LetterChoices
    second_factor: bool = False  # whether codes are asked for
    drafts: tuple[DraftLine, ...] = ()
    devices: tuple[DeviceShown, ...] = ()


@view_config(context=Account, name="", request_method="GET", renderer="account.pt")
def show_account(context: Account, request: Request) -> dict[str, AccountPage]:
    """The letters to choose from, the devices that are signed in, and the drafts, the newest first."""
    has_second_factor = request.identity.account.second_factor is not None
    drafts = tuple(draft_line(request, draft) for draft in drafts_of(request).all())
    return {"page": AccountPage(letter_choices(request), has_second_factor, drafts, devices(request))}
