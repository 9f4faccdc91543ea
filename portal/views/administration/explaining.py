"""`/-/explain`: who sees a record and may do what with it, or what someone sees, and the deciding lines."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.accounts.accounts import Account, find_account_of_person, load_account
from portal.accounts.identity import Identity, NotAdmitted, admit, admit_everyone
from portal.accounts.viewing import viewed_profile_identity
from portal.condition_texts import condition_text
from portal.declaration.shapes import Module, display_name
from portal.declaration.source.places import Places
from portal.fields.record_titles import RECORD_ID
from portal.records.audit.audience import Outcome, outcomes
from portal.records.audit.deciding_line import Line
from portal.records.audit.explain import explain, steps_of_rights
from portal.records.policy import Policy
from portal.records.reading import records as reading
from portal.records.reading.named_records import find_records
from portal.records.reading.records import Query, Records
from portal.records.writing.lifecycle import is_for_reader
from portal.texts import Words, _
from portal.views.administration.reasons import Reason, shown_reasons
from portal.views.administration.rights_in_words import ACTION_LABELS, can_words, scope_words
from portal.views.forms.form_page import Offer
from portal.views.parts import Action, TitledLink
from portal.views.wording import count_text, module_label, profile_label, reference_in_words
from portal.web.addresses import explain_address, record_address
from portal.web.resources import ROW_ID, Administration, Record
from portal.web.security import ADMINISTER

NAMED = 3  # people of a group shown initially
MOST_NAMED = 300  # and when it is expanded
LONGEST = 200  # characters of a reference
SEEING: tuple[Outcome, ...] = ("sees", "watches")
# What distinguishes groups: the profile, what decides, with the first visible day or why nobody may sign in, and
# whether a transition is reserved for these people.
Group = tuple[str, str, bool]


@dataclass(frozen=True)
class ReasonGroup:
    """People with the same deciding reasons: `number` of them, the first ones by name, `others` behind a click."""

    people: tuple[TitledLink, ...]
    others: tuple[TitledLink, ...]
    number: int
    profile: Words
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Audience:
    """Who sees a record, and who does not."""

    reference: str
    title: str
    url: str
    seeing: tuple[ReasonGroup, ...]
    blind: tuple[ReasonGroup, ...]
    sees: int = 0
    does_not: int = 0


@dataclass(frozen=True)
class ModuleRights:
    """What someone may see and do in a module; without a `scope`, they do not have it."""

    label: Words
    scope: Words = ""
    where: str = ""  # as declared
    can: Words = ""
    count: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class PersonRights:
    """What an account sees and does; `refused`: why it may not sign in."""

    name: str
    about: Words
    account: str
    modules: tuple[ModuleRights, ...] = ()
    refused: Words = ""


@dataclass(frozen=True)
class ExplainPage:
    """explain.pt, for administrators: who sees a record and why, or what a person sees."""

    modules: tuple[Offer, ...]
    reference: str = ""
    subjects: tuple[Offer, ...] = ()  # what can be asked about the record
    error: Words = ""
    audience: Audience | None = None
    person: PersonRights | None = None


@view_config(context=Administration, name="explain", request_method="GET", renderer="explain.pt", permission=ADMINISTER)
def show_explanation(context: Administration, request: Request) -> ExplainPage:
    """`GET /-/explain`: who sees a record of a `module` (`id`, or `record`: its reference or title) and may do `what`;
    or what the `account` of an id sees."""
    module, record_id, account_id = (request.GET.get(name, "") for name in ("module", "id", "account"))
    page = ExplainPage(tuple(_modules(request, module)), request.GET.get("record", "").strip()[:LONGEST])
    if ROW_ID.fullmatch(account_id):
        account = load_account(request.connection, request.portal.tables, int(account_id))
        return replace(page, person=_person_rights(request, account)) if account else page
    if not page.reference and not record_id:
        return page
    records = Records(request.connection, request.policy, module) if request.policy.access(module) else None
    record = _record(records, record_id, page.reference) if records else None
    if records is None or record is None:
        return replace(page, error=_("There is no such record, or you cannot see it yourself."))
    subjects = tuple(_subjects(request, records.module))
    subject = next((offer.value for offer in subjects if offer.chosen), None)
    about = _shown_audience(request, records, record, subject)
    return replace(page, reference=record.reference, subjects=subjects, audience=about)


def links_to_explaining(resource: Record, request: Request) -> Iterator[Action]:
    """The buttons from a record to `/-/explain`, for administrators: who sees it, and what a person sees."""
    if not request.identity.administrator:
        return
    url = explain_address(module=resource.module_name, id=resource.record.id)
    yield Action(_("Who can see this"), url, "search-check")
    if resource.module_name != request.portal.declaration.people:
        return
    account = find_account_of_person(request.connection, request.portal.tables, resource.record.id)
    if account is None:
        return
    yield Action(_("What they can see"), explain_address(account=account.id), "eye")
    if account.id != request.identity.account.id:
        yield Action(_("View as"), f"/-/view-as?account={account.id}", "scan-eye", post=True)


# -- of a record -------------------------------------------------------------------------------------------------------


def _shown_audience(request: Request, records: Records, record: reading.Record, subject: str | None) -> Audience:
    """Who sees a record: everyone who has an account, in groups with the same deciding reasons, and the profiles that
    nobody has."""
    groups, policies = _groups(request, records, record, subject)
    places = Places(request.registry.live.folder)

    def reasons_of(policy: Policy) -> list[Reason]:
        """For a yes, all reasons except that the profile has the module; for a no, the one that decides."""
        steps = list(explain(request.connection, policy, records.name, record.id, subject))
        return shown_reasons(request, policy, steps[1:] if steps[-1].holds else steps[-1:], places)

    shown = []
    for (profile, decides, _alone), accounts in groups.items():
        policy = policies.get(accounts[0].id)
        reasons = reasons_of(policy) if policy else [Reason(decides, holds=False)]
        shown.append(_group(request, profile, accounts, reasons))
    for name in request.portal.declaration.profiles.keys() - {profile for profile, _decides, _alone in groups}:
        identity = viewed_profile_identity(request.portal.tables, name, request.identity)
        shown += [_group(request, name, [], reasons_of(identity.policy))] if identity else []
    seeing = tuple(group for group in shown if group.reasons[-1].holds)
    blind = tuple(group for group in shown if not group.reasons[-1].holds)
    return Audience(
        reference=reference_in_words(record),
        title=record.title,
        url=record_address(records.name, record.id),
        seeing=seeing,
        blind=blind,
        sees=sum(group.number for group in seeing),
        does_not=sum(group.number for group in blind),
    )


def _groups(
    request: Request, records: Records, record: reading.Record, subject: str | None
) -> tuple[dict[Group, list[Account]], dict[int, Policy]]:
    """The accounts in groups with the same deciding reasons, and the rights of those that may sign in."""
    admitted = list(admit_everyone(request.connection, request.portal.tables, **_reading(request)))
    policies = {account.id: admission.policy for account, admission in admitted if isinstance(admission, Identity)}
    decided = outcomes(request.connection, policies, records.name, record)
    transition = records.module.transitions.get(subject or "")
    groups: dict[Group, list[Account]] = defaultdict(list)
    for account, admission in admitted:
        if isinstance(admission, NotAdmitted):
            reason = _("Cannot sign in: “${reason}”", mapping={"reason": request.reader.text(admission.reason)})
            groups[account.profile, request.reader.text(reason), False].append(account)
            continue
        outcome, alone = decided[account.id], False
        if transition and transition.only and outcome in SEEING:
            alone = is_for_reader(Records(request.connection, admission.policy, records.name), record, transition)
        day = admission.policy.records_from if records.module.records_from else None
        groups[account.profile, f"{outcome} {day}", alone].append(account)
    return groups, policies


def _group(request: Request, profile: str, accounts: list[Account], reasons: list[Reason]) -> ReasonGroup:
    people = [TitledLink(account.name, explain_address(account=account.id)) for account in accounts]
    return ReasonGroup(
        people=tuple(people[:NAMED]),
        others=tuple(people[NAMED : NAMED + MOST_NAMED]),
        number=len(people),
        profile=profile_label(request.portal.declaration, profile),
        reasons=tuple(reasons),
    )


def _record(records: Records, record_id: str, reference: str) -> reading.Record | None:
    """The record to explain, by id, reference or title, if the administrator sees it."""
    ids = [int(record_id)] if RECORD_ID.fullmatch(record_id) else find_records(records, reference)
    return next(iter(records.by_ids(ids[:1], [])), None)


# -- of a person -------------------------------------------------------------------------------------------------------


def _person_rights(request: Request, account: Account) -> PersonRights:
    admitted = admit(request.connection, request.portal.tables, account, **_reading(request))
    rights = PersonRights(
        name=account.name,
        about=f"{account.email} · {request.reader.text(profile_label(request.portal.declaration, account.profile))}",
        account=str(account.id),
    )
    if isinstance(admitted, NotAdmitted):
        return replace(rights, refused=admitted.reason)
    return replace(rights, modules=tuple(_module_rights(request, admitted.policy)))


def _module_rights(request: Request, policy: Policy) -> Iterator[ModuleRights]:
    declaration, reader, places = request.portal.declaration, request.reader, Places(request.registry.live.folder)
    for name, module in declaration.modules.items():
        access = policy.access(name)
        if access is None:
            yield ModuleRights(module_label(module, reader))
            continue
        reasons = shown_reasons(request, policy, steps_of_rights(policy, name), places)
        yield ModuleRights(
            label=module_label(module, reader),
            scope=scope_words(declaration, access, reader),
            where=condition_text(access.where),
            can=can_words(module, access, reader),
            count=count_text(Records(request.connection, policy, name).count(Query()), reader),
            lines=tuple({line.spot: line for reason in reasons for line in reason.lines}.values()),
        )


# -- what can be asked -------------------------------------------------------------------------------------------------


def _modules(request: Request, chosen: str) -> Iterator[Offer]:
    for name in request.policy.modules:
        yield Offer(name, module_label(request.portal.declaration.modules[name], request.reader), chosen=name == chosen)


def _subjects(request: Request, module: Module) -> Iterator[Offer]:
    """What the page can explain about a record: the record itself, its actions and transitions, its fields."""
    what, reader = request.GET.get("what", ""), request.reader
    labels: dict[str, Any] = dict(ACTION_LABELS)
    labels |= {name: display_name(transition) for name, transition in module.transitions.items()}
    yield Offer("", _("See the record"))
    for name, label in labels.items():
        yield Offer(name, _("Action: ${name}", mapping={"name": reader.text(label)}), chosen=name == what)
    for name, field in module.fields.items():
        if name not in labels:
            yield Offer(name, _("Field: ${name}", mapping={"name": reader.text(field.title)}), chosen=name == what)


def _reading(request: Request) -> dict[str, Any]:
    return {"language": request.reader.language, "region": request.reader.region, "now": request.now}
