"""`/-/effect`, for administrators: what a change of the files means that waits for the database."""

from collections.abc import Iterator
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.accounts.effect import Effect, ProfileEffect, effect, place_of, sight_summary
from portal.declaration.shapes import Declaration
from portal.declaration.source.places import Places
from portal.records.audit.effect import SightChange
from portal.records.reading.records import Records
from portal.texts import _, ngettext
from portal.views.administration.pages import EffectExample, EffectLine, EffectPage, EffectSection
from portal.web.resources import Administration
from portal.web.security import ADMINISTER


@view_config(context=Administration, name="effect", request_method="GET", renderer="effect.pt", permission=ADMINISTER)
def show_effect(context: Administration, request: Request) -> Any:
    """Rights, people and records before and after, as `portal diff` says them."""
    report, portal = request.registry.live.report, request.portal
    if report.waiting is None:
        has_problems = any(not problem.warning for problem in report.problems)
        return {"page": EffectPage(has_problems=has_problems)}
    result = effect(portal.engine, portal.declaration, report.waiting, request.now)
    page = EffectPage(
        sections=tuple(_sections(request, result, report.waiting)),
        lost=f"{result.lost:,}",
        gained=f"{result.gained:,}",
        concerned=f"{result.concerned:,}",
        people=result.people or 0,
        steps=report.missing,
    )
    return {"page": page}


def _sections(request: Request, result: Effect, after: Declaration) -> Iterator[EffectSection]:
    places = Places(after.folder)
    common = tuple(
        EffectLine(change.kind, change.sentence, place_of(change, None, after, places)) for change in result.common
    )
    if common:
        yield EffectSection(_("For everybody"), "", common)
    for profile in result.profiles:
        declared = after.profiles.get(profile.name) or request.portal.declaration.profiles[profile.name]
        number = profile.people or 0
        people = ngettext("${number} person", "${number} people", number)
        lines = tuple(_lines(request, profile, after, places))
        yield EffectSection(request.reader.text(declared.label) or profile.name, people, lines)


def _lines(request: Request, profile: ProfileEffect, after: Declaration, places: Places) -> Iterator[EffectLine]:
    for sight in profile.sights:
        kind = "lost" if sight.lost else "gained"
        yield EffectLine(kind, sight_summary(sight), examples=tuple(_examples(request, sight)))
    for change in profile.changes:
        yield EffectLine(change.kind, change.sentence, place_of(change, profile.name, after, places))


def _examples(request: Request, sight: SightChange) -> Iterator[EffectExample]:
    """Records that exist for this administrator are links, the others are left out."""
    if request.policy.access(sight.module) is None:
        return
    records = Records(request.connection, request.policy, sight.module)
    for example in sight.examples:
        if records.exists(example.record_id):
            label = " ".join(dict.fromkeys((example.reference, example.title)))
            yield EffectExample(label, f"/{sight.module}/{example.record_id}/", ", ".join(example.people))
