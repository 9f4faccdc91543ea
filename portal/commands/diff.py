"""`portal diff`: say what a change to the declarations means for rights, people and records."""

import contextlib
import datetime
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from portal.accounts.effect import Effect, declared_effect, effect, place_of_change, table_effect
from portal.commands.database_errors import database_refusals_explained
from portal.commands.open_portal import load_declaration
from portal.commands.options import chosen_settings, common_options
from portal.database.engine import reach
from portal.declaration.declaration import Declaration
from portal.declaration.source.places import Places
from portal.records.audit.visibility_changes import VisibilityChange
from portal.settings import ProcessSettings
from portal.texts import plural
from portal.workshop.access_table import access_table
from portal.workshop.differences import Change
from portal.workshop.git_revisions import UnknownRevisionError, folder_at_revision

DIFFERENT = 3  # the exit code
SIGNS = {"lost": "-", "gained": "+", "changed": "~"}


@click.command("diff", short_help="Say what a change means for people.")
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--snapshot", type=click.Path(path_type=Path), metavar="FILE", help="Compare with a committed snapshot.")
@click.option("--write", is_flag=True, help="Write the snapshot instead of comparing with it.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--no-database", is_flag=True, help="Compare only the declarations.")
@common_options
def command(old: str | None, new: str | None, snapshot: Path | None, write: bool, form: str, no_database: bool) -> None:
    """Say what changes from OLD to NEW, for each profile: rights, and the records that people lose or gain.

    OLD and NEW are folders, or git revisions of the portal's folder; NEW defaults to the folder as it is now. With a
    database, the rights of everyone who can sign in are compared under both. Nothing is written to it.

    With --snapshot, the rights of each profile are compared with those in FILE, which --write writes: commit it, and
    compare before you accept a change.

    Exits 0 if nothing differs, 3 if something does, 1 if the declarations have mistakes.

    Example: portal diff HEAD~1
    """
    settings = chosen_settings()
    if (snapshot is None) is (old is None):
        raise click.UsageError("name what to compare with: a folder, a git revision, or --snapshot FILE")
    if write and snapshot is None:
        raise click.UsageError("--write writes a snapshot: name its file with --snapshot FILE")
    with contextlib.ExitStack() as opened:
        if snapshot is not None:
            result = _compare_snapshot(settings, snapshot, write)
        else:
            result = _compare(settings, str(old), new, no_database, opened)
        click.echo(json.dumps(result.as_json(), indent=2, ensure_ascii=False) if form == "json" else result.as_text())
    raise SystemExit(DIFFERENT if result.effect else 0)


@dataclass(frozen=True)
class DiffResult:
    """What `portal diff` prints: an effect, and the declaration after the change, which gives the places."""

    effect: Effect
    declaration: Declaration

    @cached_property
    def _places(self) -> Places:
        return Places(self.declaration.folder)

    def _place(self, change: Change, profile: str | None = None) -> str:
        return place_of_change(change, profile, self.declaration, self._places)

    def as_text(self) -> str:
        """The sentences that `portal diff` prints, one a line."""
        effect = self.effect
        lines = list(self._lines()) if effect else ["nothing differs"]
        if effect.people is not None:
            lines.append(
                f"{plural(effect.lost, 'record')} no longer visible, {plural(effect.gained, 'record')} newly visible; "
                f"{effect.concerned:,} of {plural(effect.people, 'person', 'people')} will notice the change"
            )
        return "\n".join(lines)

    def _lines(self) -> Iterator[str]:
        for change in self.effect.common:
            yield self._line(change)
        for profile in self.effect.profiles:
            who = "" if profile.people is None else f" ({plural(profile.people, 'person', 'people')})"
            yield f"profile {profile.name}{who}:{'' if profile else ' nothing changes'}"
            for change in profile.changes:
                yield f"  {self._line(change, profile.name)}"
            for sight in profile.sights:
                yield f"  {SIGNS['lost' if sight.lost else 'gained']} {sight.sentence}"

    def _line(self, change: Change, profile: str | None = None) -> str:
        place = self._place(change, profile)
        return f"{SIGNS[change.kind]} {change.sentence}{f'  ({place})' if place else ''}"

    def as_json(self) -> dict[str, Any]:
        """The same for programs: `portal diff --format json`."""
        effect = self.effect
        return {
            "differs": bool(effect),
            "people": effect.people,
            "concerned": effect.concerned,
            "records": {"lost": effect.lost, "gained": effect.gained},
            "common": [self._change(change) for change in effect.common],
            "profiles": [
                {
                    "profile": profile.name,
                    "people": profile.people,
                    "changes": [self._change(change, profile.name) for change in profile.changes],
                    "records": [_sight(sight) for sight in profile.sights],
                }
                for profile in effect.profiles
            ],
        }

    def _change(self, change: Change, profile: str | None = None) -> dict[str, Any]:
        place = self._place(change, profile) or None
        return {"kind": change.kind, "module": change.module or None, "sentence": change.sentence, "place": place}


def _sight(sight: VisibilityChange) -> dict[str, Any]:
    return {
        "kind": "lost" if sight.lost else "gained",
        "module": sight.module,
        "people": len(sight.people),
        "records": len(sight.records),
        "sentence": sight.sentence,
        "examples": [
            {"id": example.record_id, "reference": example.reference, "title": example.title, "people": example.people}
            for example in sight.examples
        ],
    }


def _compare_snapshot(settings: ProcessSettings, file: Path, write: bool) -> DiffResult:
    declaration = load_declaration(settings, settings.folder)
    table = access_table(declaration)
    try:
        if write:
            file.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            click.echo(f"{file}: the rights of {plural(len(table), 'profile')} written")
            raise SystemExit(0)
        before = json.loads(file.read_text(encoding="utf-8"))
        return DiffResult(table_effect(before, table, [declaration]), declaration)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{file} is not a snapshot that can be used: {error}") from None


def _compare(
    settings: ProcessSettings, old: str, new: str | None, no_database: bool, opened: contextlib.ExitStack
) -> DiffResult:  # fmt: skip
    try:
        before, after = (
            load_declaration(settings, opened.enter_context(folder_at_revision(name, settings.folder)))
            for name in (old, new or str(settings.folder))
        )
    except UnknownRevisionError as error:
        raise click.UsageError(str(error)) from None
    if no_database or not _has_database(settings):
        return DiffResult(declared_effect(before, after), after)
    with database_refusals_explained():
        engine = reach(settings.database_url)
        opened.callback(engine.dispose)
        return DiffResult(effect(engine, before, after, datetime.datetime.now(datetime.UTC)), after)


def _has_database(settings: ProcessSettings) -> bool:
    """Whether `portal diff` has a database to look at; opening an SQLite database would create its file."""
    kind, slashes, path = settings.database_url.partition(":///")
    return not kind.startswith("sqlite") or not slashes or Path(path).exists()
