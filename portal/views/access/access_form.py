"""The inputs for giving access: the profile, its first and last day, which records are shown; the company."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyramid.request import Request

from portal.accounts.access_rules import access_limits, may_manage_company
from portal.accounts.accounts import Account
from portal.accounts.giving_access import Register
from portal.declaration.shapes import display_name
from portal.fields.date import Date
from portal.fields.dates_and_times import TOO_EARLY
from portal.fields.email import normalize_email
from portal.fields.record_titles import RECORD_ID
from portal.fields.refused import Refused
from portal.records.policy import system_policy
from portal.records.reading.records import Records
from portal.records.writing.history import Author
from portal.texts import Words, _
from portal.views.forms.form_page import FormRow, Offer, Widget
from portal.views.forms.offers import OFFERED, fields_with_offers
from portal.web.form_input import posted_text

DAY = Date(name="day", type="date")
ALL, FROM, NEW = "all", "from", "new"
NAMES = ("profile", "access_from", "access_until", "visible", "records_from")
MOST_CARDS = 4


@dataclass(frozen=True)
class AccessInput:
    """What was posted: the values of an account, and the errors, by input."""

    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    errors: dict[str, Words] = dataclasses.field(default_factory=dict)


def posted_access(request: Request) -> dict[str, str]:
    """The posted inputs of an access form."""
    return {name: posted_text(request, name).strip() for name in NAMES}


def posted_name(request: Request) -> str:
    """The name of a person posted in a form for access, on one line."""
    return " ".join(posted_text(request, "name").split())


def posted_email(request: Request, account: Account | None) -> str:
    """The address in the sent access form. Only staff may change it: whoever reads mail at the new address gets in."""
    if account is None or not request.policy.staff or "email" not in request.POST:
        return account.email if account else ""
    return normalize_email(posted_text(request, "email"))


def access_inputs(request: Request, account: Account | None) -> dict[str, str]:
    """The inputs for the access of `account`, or the initial ones for a new account: as little as its giver has."""
    days = account or access_limits(request.identity)
    return {
        "profile": account.profile if account else request.policy.grants[0],
        "access_from": _typed(account.access_from) if account else "",
        "access_until": _typed(days.access_until),
        "visible": FROM if days.records_from else ALL,
        "records_from": _typed(days.records_from),
    }


def read_access(request: Request, inputs: Mapping[str, str], present: Account | None = None) -> AccessInput:
    """The values of an account; a profile or a day that the giver may not give is refused.

    So is an end in the past, usually a mistyped year; `present`, the account being changed, may keep its own.
    """
    access, reader = AccessInput(), request.reader
    if inputs["profile"] not in request.policy.grants:
        access.errors["profile"] = _("Choose one of the profiles that you may give.")
    access.values["profile"] = inputs["profile"]
    for name in ("access_from", "access_until"):
        _read_day(access, name, inputs[name], request)
    visible = inputs["visible"] or (FROM if inputs["records_from"] else ALL)
    access.values["records_from"] = reader.today if visible == NEW else None
    if visible == FROM:
        _read_day(access, "records_from", inputs["records_from"], request)
        if not inputs["records_from"]:
            access.errors["records_from"] = _("Enter a date.")
    first, last = access.values.get("access_from"), access.values.get("access_until")
    if first and last and last < first:
        access.errors["access_until"] = _("Access cannot end before it starts.")
    elif last and last < reader.today and (present is None or last != present.access_until):
        access.errors["access_until"] = TOO_EARLY % {"min": DAY.show(reader.today, reader)}
    _check_own_limits(access, request)
    return access


def _check_own_limits(access: AccessInput, request: Request) -> None:
    """Refuses access that lasts longer than the giver's own, or to older records than the giver sees."""
    own, reader = access_limits(request.identity), request.reader
    last, oldest = access.values.get("access_until"), access.values.get("records_from")
    if own.access_until and (last is None or last > own.access_until):
        day = DAY.show(own.access_until, reader)
        sentence = _("Choose ${date} or an earlier day: your own access ends then.", mapping={"date": day})
        access.errors.setdefault("access_until", sentence)
    if own.records_from and (oldest is None or oldest < own.records_from):
        day = DAY.show(own.records_from, reader)
        sentence = _("Choose ${date} or a later day: you do not see older records either.", mapping={"date": day})
        access.errors.setdefault("records_from", sentence)


def _read_day(access: AccessInput, name: str, text: str, request: Request) -> None:
    try:
        access.values[name] = DAY.parse(text, request.reader)
    except Refused as refused:
        access.errors[name] = refused.message


def _typed(day: Any) -> str:
    return day.isoformat() if day else ""


# -- the widgets -------------------------------------------------------------------------------------------------------


def access_rows(request: Request, inputs: Mapping[str, str], errors: Mapping[str, Words]) -> Iterator[FormRow]:
    """The rows of the form for giving access."""
    yield FormRow((_profile_widget(request, request.policy.grants, inputs["profile"], errors.get("profile", "")),))
    yield FormRow(
        (
            _day_widget("access_from", _("Access from"), _("Leave empty to start immediately."), inputs, errors),
            _day_widget("access_until", _("Access until"), _("The last day. Leave empty for no end."), inputs, errors),
        )
    )
    if not any(module.records_from for module in request.portal.declaration.modules.values()):
        return
    chosen = inputs["visible"] or ALL
    offers = (
        Offer(ALL, _("All"), chosen == ALL),
        Offer(FROM, _("From a certain day"), chosen == FROM),
        Offer(NEW, _("Only new ones"), chosen == NEW),
    )
    yield FormRow((Widget("visible", _("Records shown"), "cards", grouped=True, required=True, offers=offers),))
    first_day = _day_widget("records_from", _("First day shown"), "", inputs, errors)
    rule = f'["visible", "equal", ["{FROM}"], false]'
    yield FormRow((first_day._replace(show_when=rule, hidden=chosen != FROM and not first_day.error),))


def profile_offers(request: Request, profiles: Iterable[str], chosen: str) -> tuple[Offer, ...]:
    """The profiles that a form for access offers."""
    declared = request.portal.declaration.profiles
    return tuple(Offer(name, display_name(declared[name]), name == chosen) for name in profiles)


def _profile_widget(request: Request, profiles: tuple[str, ...], chosen: str, error: Words) -> Widget:
    offers = profile_offers(request, profiles, chosen)
    few = len(offers) <= MOST_CARDS
    return Widget(
        "profile", _("Profile"), "cards" if few else "select", grouped=few, required=True, offers=offers, error=error
    )


def _day_widget(
    name: str, label: Words, help_text: Words, inputs: Mapping[str, str], errors: Mapping[str, Words]
) -> Widget:
    error = errors.get(name, "")
    return Widget(name, label, type="date", value=inputs[name], help=help_text, error=error)


# -- the company -------------------------------------------------------------------------------------------------------


def chosen_company(request: Request, text: str) -> int | None:
    """The company in an input; readers who are not staff and have only one need not name it."""
    own = request.reader.companies
    if not text and not request.policy.staff and len(own) == 1:
        return int(own[0])
    organizations = request.portal.declaration.organizations
    if organizations is None or not RECORD_ID.fullmatch(text) or not may_manage_company(request.identity, int(text)):
        return None
    if not request.policy.staff:
        return int(text)
    seen = request.policy.access(organizations) is not None
    return int(text) if seen and Records(request.connection, request.policy, organizations).exists(int(text)) else None


def company_widget(request: Request, chosen: str, error: Words) -> Widget | None:
    """The choice of a company in a form for access; None if there is nothing to choose."""
    organizations, people = request.portal.declaration.organizations, request.portal.declaration.people
    if organizations is None or people is None:
        return None
    widget = Widget("company", _("Company"), "select", required=not request.policy.staff, error=error)
    if not request.policy.staff:
        everything = Records(request.connection, system_policy(request.portal.tables), organizations)
        own = everything.by_ids(request.reader.companies, [])
        offers = tuple(Offer(str(company.id), company.title, str(company.id) == chosen) for company in own)
        return widget._replace(offers=offers) if len(own) > 1 else None
    if request.policy.access(organizations) is None:
        return None
    companies = Records(request.connection, request.policy, organizations)
    titles = dict(companies.find("", OFFERED))
    if RECORD_ID.fullmatch(chosen):
        titles |= {company.id: company.title for company in companies.by_ids([int(chosen)], [])}
    offers = tuple(Offer(str(number), title, str(number) == chosen) for number, title in titles.items())
    return widget._replace(macro="link", offers=offers, find=_finder(request, people))


def _finder(request: Request, people: str) -> str:
    """The address for finding companies in a form for access: that of the link from people to them."""
    records = Records(request.connection, request.policy, people)
    link = records.module.organization
    return f"/{people}/find?field={link}" if link in fields_with_offers(records) else ""


def register_of(request: Request) -> Register:
    """The register that carries out an access form, in the name of the signed-in person."""
    account = request.identity.account
    author = Author(account.id, account.name)
    return Register(request.connection, request.portal.tables, request.now, author, account.person)
