"""The card of a person's access, on their page: what they have, and what its reader may do about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyramid.request import Request

from portal.accounts.access_rules import may_manage
from portal.accounts.accounts import Account, find_account_of_person, has_open_invitation
from portal.accounts.bounces import letters_arrive
from portal.accounts.one_time_links import INVITATION
from portal.records.writing.form_keys import one_time_key
from portal.texts import Words, _
from portal.views.access.access_form import DAY
from portal.views.displays import MOMENT
from portal.views.parts import Action
from portal.views.wording import profile_label
from portal.web.addresses import own_address
from portal.web.cookies import Cookie, read_cookie, set_cookie
from portal.web.resources import Record

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Fact:
    label: Words
    text: Words


@dataclass(frozen=True)
class AccessCard:
    """The card of a person's access, for readers who may change it."""

    state: Words
    tone: str
    facts: tuple[Fact, ...] = ()
    actions: tuple[Action, ...] = ()
    link: str = ""  # of the invitation just created, shown once


def access_card(resource: Record, request: Request) -> AccessCard | None:
    """The card; None if the record is not a person, or one whose access the reader may not change."""
    if not request.policy.grants or resource.module_name != request.portal.declaration.people:
        return None
    account = find_account_of_person(request.connection, request.portal.tables, resource.record.id)
    if not may_manage(request.connection, request.identity, resource.record.id, account):
        return None
    state, tone = access_state(account, request)
    return AccessCard(
        state=state,
        tone=tone,
        facts=tuple(_facts(account, request)) if account else (),
        actions=tuple(_actions(resource, account)),
        link=_shown_link(request, account) if account and has_open_invitation(account) else "",
    )


def access_state(account: Account | None, request: Request) -> tuple[Words, str]:
    """The state of an access, in two words, and its tone."""
    today = request.reader.today
    if account is None:
        return _("No access"), "calm"
    if account.disabled or (account.access_until and account.access_until < today):
        return _("Access ended"), "calm"
    if has_open_invitation(account):
        return _("Invited"), "info"
    if account.access_from and account.access_from > today:
        return _("Not started yet"), "info"
    return _("Has access"), "good"


def _facts(account: Account, request: Request) -> Iterator[Fact]:
    reader = request.reader
    yield Fact(_("Signs in as"), account.email)
    yield Fact(_("Profile"), profile_label(request.portal.declaration, account.profile))
    days = (
        (_("From"), account.access_from),
        (_("Until"), account.access_until),
        (_("Records since"), account.records_from),
    )
    yield from (Fact(label, DAY.show(day, reader)) for label, day in days if day)
    if account.bounces:
        yield Fact(bounce_notice(account), account.bounce_reason or "")
    if has_open_invitation(account):
        yield Fact(_("Invited on"), MOMENT.show(account.invited, reader))
    elif account.signed_in:
        if account.second_factor:
            yield Fact(_("Two-factor authentication"), _("On"))
        yield Fact(_("Last sign-in"), MOMENT.show(account.signed_in, reader))


def bounce_notice(account: Account) -> Words:
    """The card's notice about an account whose emails bounce."""
    return _("Emails bounce") if letters_arrive(account) else _("Emails have stopped because they bounced")


def _actions(resource: Record, account: Account | None) -> Iterator[Action]:
    new = account is None or account.disabled
    label, icon = (_("Give access"), "user-plus") if new else (_("Change access"), "pencil")
    yield Action(label, f"{resource.path}access", icon, "primary" if new else "")
    if account is None or account.disabled:
        return
    if has_open_invitation(account):
        url = f"{resource.path}invite"
        yield Action(_("Invite again"), url, "send", post=True, once=one_time_key())
    if account.second_factor:
        url = f"{resource.path}second-factor"
        yield Action(_("Reset two-factor authentication"), url, "undo-2")
    yield Action(_("End access"), f"{resource.path}revoke", "user-x")


def _shown_link(request: Request, account: Account) -> str:
    """The link of the invitation that the reader has just created, on the card; the next page no longer has it."""
    token = read_cookie(request, Cookie.INVITATION)
    if not TOKEN.fullmatch(token):
        return ""
    request.add_response_callback(lambda request, response: set_cookie(request, response, Cookie.INVITATION, None))
    invited = request.logins.account_of_link(token, INVITATION, request.now)
    return f"{own_address(request)}/password/invitation/{token}" if invited and invited.id == account.id else ""
