"""`/-/effect`, for administrators: the effect of a change to the files that waits for the database."""

import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from portal.accounts.effect import Effect, ProfileEffect, effect, place_of_change
from portal.declaration.declaration import Declaration
from portal.declaration.source.places import Places
from portal.records.audit.visibility_changes import VisibilityChange
from portal.records.reading.records import Records
from portal.texts import Words, _, ngettext
from portal.web.resources import Administration
from portal.web.security import ADMINISTER
from portal.workshop.changed_lines import ChangedFile, ComparedLine, changed_files
from portal.workshop.differences import Change


@dataclass(frozen=True)
class EffectExample:
    """A record that someone loses or gains; without `url` it cannot be opened yet."""

    label: str
    url: str
    people: str


@dataclass(frozen=True)
class EffectLine:
    """Something lost, gained or changed by a change to the files."""

    kind: str
    sentence: str
    place: str = ""  # profiles/customer.yaml:8:5
    changed: tuple[ComparedLine, ...] = ()  # the lines there, before and after
    examples: tuple[EffectExample, ...] = ()


@dataclass(frozen=True)
class EffectSection:
    """What changes for the people of a profile, or for everyone."""

    title: Words
    people: Words
    lines: tuple[EffectLine, ...]


@dataclass(frozen=True)
class EffectPage:
    """effect.pt, for administrators: the effect of files that wait for the database; without `sections`, none do."""

    sections: tuple[EffectSection, ...] = ()
    lost: str = ""
    gained: str = ""
    concerned: str = ""
    people: Words = ""  # the caption of `concerned`: of how many
    steps: tuple[str, ...] = ()
    has_problems: bool = False  # the files have mistakes
    files: tuple[ChangedFile, ...] = ()  # those that differ
    number: Words = ""  # how many
    command: str = ""  # puts them in force


@view_config(context=Administration, name="effect", request_method="GET", renderer="effect.pt", permission=ADMINISTER)
def show_effect(context: Administration, request: Request) -> Any:
    """`GET /-/effect`: rights, people and records before and after, as in `portal diff`."""
    live, portal = request.registry.live, request.portal
    report = live.report
    files = () if report.accepted else tuple(changed_files(portal.files, report.files))
    differing = ngettext("${number} file differs", "${number} files differ", len(files)) if files else ""
    if report.waiting is None:
        has_problems = any(not problem.warning for problem in report.problems)
        return EffectPage(has_problems=has_problems, files=files, number=differing)
    result = effect(portal.engine, portal.declaration, report.waiting, request.now)
    number = result.people or 0
    people = ngettext(
        "of ${number} person will notice the change", "of ${number} people will notice the change", number
    )
    return EffectPage(
        sections=tuple(_sections(request, result, report.waiting, files)),
        lost=f"{result.lost:,}",
        gained=f"{result.gained:,}",
        concerned=f"{result.concerned:,}",
        people=people,
        steps=report.missing,
        files=files,
        number=differing,
        command=f"portal apply --folder {shlex.quote(str(live.folder.absolute()))}",
    )


def _sections(
    request: Request, result: Effect, after: Declaration, files: Iterable[ChangedFile]
) -> Iterator[EffectSection]:
    places, by_name = Places(after.folder), {file.name: file for file in files}

    def line(change: Change, profile: str | None) -> EffectLine:
        place = place_of_change(change, profile, after, places)
        return EffectLine(change.kind, change.sentence, place, _changed(by_name, place))

    if result.common:
        yield EffectSection(_("For everyone"), "", tuple(line(change, None) for change in result.common))
    for profile in result.profiles:
        declared = after.profiles.get(profile.name) or request.portal.declaration.profiles[profile.name]
        number = profile.people or 0
        people = ngettext("${number} person", "${number} people", number)
        changes = (line(change, profile.name) for change in profile.changes)
        lines = (*_sights(request, profile), *changes)
        yield EffectSection(request.reader.text(declared.label) or profile.name, people, lines)


def _changed(files: Mapping[str, ChangedFile], place: str) -> tuple[ComparedLine, ...]:
    """Changed lines at a place such as “profiles/customer.yaml:8:5”, before and after, without common indentation."""
    name, _colon, rest = place.partition(":")
    lines = files[name].change_of(int(rest.partition(":")[0])) if name in files else ()
    texts = textwrap.dedent("\n".join(line.text for line in lines)).split("\n")
    return tuple(replace(line, text=text) for line, text in zip(lines, texts, strict=False))


def _sights(request: Request, profile: ProfileEffect) -> Iterator[EffectLine]:
    for sight in profile.sights:
        kind = "lost" if sight.lost else "gained"
        yield EffectLine(kind, sight.summary, examples=tuple(_examples(request, sight)))


def _examples(request: Request, sight: VisibilityChange) -> Iterator[EffectExample]:
    """Examples of records gained or lost by a change: links only to those that exist for this administrator."""
    if request.policy.access(sight.module) is None:
        return
    records = Records(request.connection, request.policy, sight.module)
    for example in sight.examples:
        if records.exists(example.record_id):
            label = " ".join(dict.fromkeys((example.reference, example.title)))
            yield EffectExample(label, f"/{sight.module}/{example.record_id}/", ", ".join(example.people))
