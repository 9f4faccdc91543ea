"""The page of sign-ups that wait for approval, for those who may approve them, with one click per answer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.access_rules import access_limits, may_manage
from portal.accounts.accounts import find_account_of_person
from portal.accounts.giving_access import AccessRefusedError
from portal.accounts.sign_ups import SignUpRequest, SignUps
from portal.mail.access_letters import access_approved_letter
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.texts import Words, _
from portal.views.access.access_form import chosen_company, company_widget, profile_offers, register_of
from portal.views.access.person import TAKEN
from portal.views.displays import moment
from portal.views.forms.form_page import Offer, Widget
from portal.views.forms.submissions import refused_form
from portal.views.parts import Moment
from portal.views.wording import initials
from portal.web.flash import set_flash
from portal.web.form_input import posted_text
from portal.web.letters import letter_sender, queue_letter
from portal.web.resources import ROW_ID, Module


@dataclass(frozen=True)
class WaitingLine:
    """A sign-up that waits for approval, with the profiles to choose from, and the companies if none is known."""

    id: int
    name: str
    initials: str
    email: str
    company: str
    at: Moment
    profiles: tuple[Offer, ...]
    company_choice: Widget | None


@dataclass(frozen=True)
class WaitingPage:
    """waiting.pt: sign-ups that wait for approval."""

    url: str
    back_url: str
    lines: tuple[WaitingLine, ...] = ()
    error: Words = ""


@view_config(context=Module, name="waiting", request_method="GET", renderer="waiting.pt", permission="grant")
def show_waiting(module: Module, request: Request) -> WaitingPage:
    """`GET /PEOPLE/waiting`: who waits for the reader's approval, the longest first."""
    return _waiting_page(module, request, "")


@view_config(context=Module, name="waiting", request_method="POST", renderer="waiting.pt", permission="grant")
def answer_waiting(module: Module, request: Request) -> WaitingPage | Response:
    """`POST /PEOPLE/waiting`: approves a sign-up, with person, access and an email, or deletes it."""
    sign_ups = sign_ups_of(request)
    number = posted_text(request, "id")
    sign_up = sign_ups.one_waiting(request.identity, int(number)) if ROW_ID.fullmatch(number) else None
    do = posted_text(request, "do")
    if sign_up is None or do not in ("yes", "no"):
        raise HTTPNotFound
    response = HTTPSeeOther(f"{module.path}waiting")
    if do == "no":
        sign_ups.refuse(sign_up)
        return set_flash(request, response, "refused")
    if error := _let_in(sign_ups, sign_up, request):
        return refused_form(request, _waiting_page(module, request, error))
    return set_flash(request, response, "let-in")


def _let_in(sign_ups: SignUps, sign_up: SignUpRequest, request: Request) -> Words:
    """Gives access to a person who waits; returns the reason if it cannot."""
    profile, register, limits = posted_text(request, "profile"), register_of(request), access_limits(request.identity)
    if profile not in request.policy.grants:
        return _("Choose one of the profiles that you may give.")
    if sign_up.organization is None and (chosen := posted_text(request, _company_input(sign_up))):
        sign_up = replace(sign_up, organization=chosen_company(request, chosen))
        if sign_up.organization is None:
            return _("Choose a company.")
    try:
        person = register.person_with(sign_up.email)
        if person is not None:
            account = find_account_of_person(request.connection, request.portal.tables, person.id)
            if not _within_reach(request, person.id) or account is not None:
                return TAKEN
        values = {"access_until": limits.access_until, "records_from": limits.records_from}
        account = sign_ups.let_in(sign_up, register, profile, values)
    except AccessRefusedError:
        return TAKEN
    queue_letter(request, access_approved_letter(letter_sender(request), account))
    return ""


def _company_input(sign_up: SignUpRequest) -> str:
    return f"company-{sign_up.id}"


def _within_reach(request: Request, person: int) -> bool:
    """Whether the reader may approve a person who waits and is already recorded: staff everyone they see."""
    people = Records(request.connection, request.policy, str(request.portal.declaration.people))
    return people.exists(person) and may_manage(request.connection, request.identity, person, None)


def sign_ups_of(request: Request) -> SignUps:
    """The waiting sign-ups, in the name of the person who answers them."""
    return SignUps(request.connection, request.portal.tables, request.now)


def _waiting_page(module: Module, request: Request, error: Words) -> WaitingPage:
    """The page; `error`: why an approval could not be carried out."""
    return WaitingPage(
        url=f"{module.path}waiting",
        lines=tuple(waiting_lines(request, sign_ups_of(request).waiting(request.identity))),
        back_url=module.path,
        error=error,
    )


def waiting_lines(request: Request, waiting: Iterable[SignUpRequest]) -> Iterable[WaitingLine]:
    """One line per waiting sign-up, with the profiles to choose from."""
    waiting, grants = list(waiting), request.policy.grants
    titles = _company_titles(request, {sign_up.organization for sign_up in waiting if sign_up.organization})
    companies = company_widget(request, "", "") if any(sign_up.organization is None for sign_up in waiting) else None
    for sign_up in waiting:
        chosen = sign_up.profile if sign_up.profile in grants else grants[0]
        if sign_up.proved is not None:
            yield WaitingLine(
                id=sign_up.id,
                name=sign_up.name,
                initials=initials(sign_up.name),
                email=sign_up.email,
                company=titles.get(sign_up.organization or 0, ""),
                at=moment(sign_up.proved, request.reader),
                profiles=profile_offers(request, grants, chosen),
                company_choice=companies._replace(name=_company_input(sign_up), empty=_("No company"))
                if companies is not None and sign_up.organization is None
                else None,
            )


def _company_titles(request: Request, ids: set[int]) -> dict[int, str]:
    organizations = request.portal.declaration.organizations
    if organizations is None or not ids:
        return {}
    companies = Records(request.connection, system_policy(request.portal.tables), organizations)
    return {company.id: company.title for company in companies.by_ids(sorted(ids), [])}
