"""The access of a company's people, from the company's page: who has it, its own link, and its switch."""

from collections.abc import Iterator
from dataclasses import dataclass

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.access_rules import AccessLimits, access_limits, may_manage_company
from portal.accounts.accounts import Account
from portal.accounts.companies import (
    CompanyAccess,
    accounts_of_company,
    close_or_open_company,
    company_access,
    count_accounts,
    renew_link,
    withdraw_link,
)
from portal.declaration.shapes import display_name
from portal.texts import Words, _
from portal.views.access.access_card import AccessCard, Fact, access_state, bounce_notice
from portal.views.access.access_form import DAY, profile_offers
from portal.views.access.waiting import WaitingPage, sign_ups_of, waiting_lines
from portal.views.displays import moment
from portal.views.forms.form_page import Offer
from portal.views.forms.submissions import refused_form
from portal.views.parts import Action, Moment
from portal.views.wording import initials, profile_label
from portal.web.addresses import invite_address, own_address, record_address
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.resources import Record
from portal.web.security import LET_IN

MOST_SHOWN = 200


@dataclass(frozen=True)
class Colleague:
    """A person of a company, with their access."""

    name: str
    initials: str
    email: str
    profile: Words
    state: Words
    tone: str
    signed_in: Moment | None
    until: str
    bounces: Words = ""  # says that their emails bounce
    url: str = ""  # of their card; empty for the reader
    mine: bool = False


@dataclass(frozen=True)
class JoinLink:
    """A company's own link; `link` empty: there is none."""

    url: str  # where its buttons post to
    link: str
    profiles: tuple[Offer, ...]
    profile: Words = ""  # the profile of people who join with it
    error: Words = ""


@dataclass(frozen=True)
class CompanyPage:
    """company.pt: the access of a company's people."""

    heading: str
    back_url: str
    people: tuple[Colleague, ...]
    count: str
    more: bool
    waiting: WaitingPage
    join: JoinLink
    invite_url: str = ""
    switch_url: str = ""  # for staff
    closed: bool = False


def company_card(resource: Record, request: Request) -> AccessCard | None:
    """The card on the company's page; None for other records, and for readers who may not give its people access."""
    is_company = resource.module_name == request.portal.declaration.organizations
    if not is_company or not may_manage_company(request.identity, resource.record.id):
        return None
    access = company_access(request.connection, request.portal.tables, resource.record.id)
    count = count_accounts(request.connection, request.policy, resource.record.id)
    return AccessCard(
        state=_("Closed") if access.closed else _("Open"),
        tone="calm" if access.closed else "good",
        facts=(Fact(_("People with access"), str(count)),),
        actions=(
            Action(_("Invite"), invite_address(request.portal.declaration.people, resource.record.id), "user-plus"),
            Action(_("Manage access"), f"{resource.path}people", "users"),
        ),
    )


# -- the page ----------------------------------------------------------------------------------------------------------


@view_config(context=Record, name="people", request_method="GET", renderer="company.pt", permission=LET_IN)
def show_people(resource: Record, request: Request) -> CompanyPage:
    """`GET /COMPANIES/ID/people`: who in the company has access or waits for it, the company's link and its switch."""
    return _company_page(resource, request)


def _company_page(resource: Record, request: Request, error: Words = "") -> CompanyPage:
    """The page of a company's access: its links and people; `error`: why a link could not be made."""
    company, identity = resource.record.id, request.identity
    people = str(request.portal.declaration.people)
    accounts = accounts_of_company(request.connection, request.policy, company, MOST_SHOWN + 1)
    access = company_access(request.connection, request.portal.tables, company)
    waiting = sign_ups_of(request).waiting(identity, company)
    return CompanyPage(
        heading=resource.record.title,
        back_url=resource.path,
        people=tuple(_colleagues(request, accounts[:MOST_SHOWN])),
        count=str(count_accounts(request.connection, request.policy, company)),
        more=len(accounts) > MOST_SHOWN,
        waiting=WaitingPage(f"/{people}/waiting", f"/{people}/", tuple(waiting_lines(request, waiting))),
        join=_join_link(resource, request, access, error),
        invite_url=invite_address(people, company),
        switch_url=f"{resource.path}switch" if identity.policy.staff else "",
        closed=access.closed,
    )


def _colleagues(request: Request, accounts: list[Account]) -> Iterator[Colleague]:
    reader, declared = request.reader, request.portal.declaration
    for account in accounts:
        state, tone = access_state(account, request)
        mine = account.id == request.identity.account.id
        yield Colleague(
            name=account.name,
            initials=initials(account.name),
            email=account.email,
            profile=profile_label(declared, account.profile),
            state=state,
            tone=tone,
            signed_in=moment(account.signed_in, reader) if account.signed_in else None,
            until=DAY.show(account.access_until, reader) if account.access_until else "",
            bounces=bounce_notice(account) if account.bounces else "",
            url="" if mine else record_address(str(declared.people), account.person or 0),
            mine=mine,
        )


# -- the link ----------------------------------------------------------------------------------------------------------


def _join_link(resource: Record, request: Request, access: CompanyAccess, error: Words) -> JoinLink:
    """The company's link, and its possible profiles. A link to more than the reader may give is not shown to them."""
    profiles, grants = request.portal.declaration.profiles, request.policy.grants
    declared = request.portal.declaration.sign_up
    preferred = access.profile or (declared.profile if declared else "")
    chosen = preferred if preferred in grants else grants[0]
    profile = profiles.get(access.profile or "")
    return JoinLink(
        url=f"{resource.path}join",
        link=f"{own_address(request)}/join/{access.token}" if access.token and access.profile in grants else "",
        profiles=profile_offers(request, grants, chosen),
        profile=display_name(profile) if profile else "",
        error=error,
    )


@view_config(context=Record, name="join", request_method="POST", renderer="company.pt", permission=LET_IN)
def change_link(resource: Record, request: Request) -> CompanyPage | Response:
    """`POST /COMPANIES/ID/join`: creates the company's link, replaces it, or withdraws it."""
    company, do, profile = resource.record.id, posted_text(request, "do"), posted_text(request, "profile")
    if do == "withdraw":
        withdraw_link(request.connection, request.portal.tables, company)
    elif error := _link_problem(request, profile):
        return refused_form(request, _company_page(resource, request, error))
    else:
        renew_link(request.connection, request.portal.tables, company, profile)
    response = HTTPSeeOther(f"{resource.path}people")
    return set_flash(request, response, "link-withdrawn" if do == "withdraw" else "link-made")


def _link_problem(request: Request, profile: str) -> Words:
    """Why the reader cannot make a company's link that gives people `profile`; empty if they can."""
    if profile not in request.policy.grants:
        return _("Choose one of the profiles that you may give.")
    if not request.portal.declaration.approves_sign_ups and access_limits(request.identity) != AccessLimits():
        return _("People who join with this link would get more access than you have. Invite them instead.")
    return ""


# -- the switch --------------------------------------------------------------------------------------------------------


@view_config(context=Record, name="switch", request_method="POST", permission=LET_IN)
def switch_company(resource: Record, request: Request) -> Response:
    """`POST /COMPANIES/ID/switch`: closes the portal for all people of the company, or opens it again. For staff."""
    do = posted_text(request, "do")
    if not request.policy.staff or do not in ("close", "open"):
        raise HTTPNotFound
    closed = do == "close"
    close_or_open_company(request.connection, request.portal.tables, resource.record.id, closed)
    response = HTTPSeeOther(f"{resource.path}people")
    return set_flash(request, response, "company-closed" if closed else "company-opened")
