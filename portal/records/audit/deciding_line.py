"""The lines of the declaration that decided a step of an explanation, including those of extended profiles.

Called by `portal explain` and the pages of administrators. A profile's key replaces that of the profile it extends and
that of the module, so the nearest file with the key decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import MODULES
from portal.declaration.declared_files import profile_file
from portal.declaration.source.places import Places
from portal.declaration.source.problems import KeyPath
from portal.records.audit.explain import ExplainStep


@dataclass(frozen=True)
class Line:
    """A line of the declaration: `file:line:column`, and what it says."""

    place: str
    text: str

    def __str__(self) -> str:
        return self.place

    @property
    def spot(self) -> str:
        """`file:line`, for people."""
        return self.place.rpartition(":")[0]


def deciding_lines(places: Places, declaration: Declaration, step: ExplainStep, profile: str | None) -> list[Line]:
    """The line that decided; for joined conditions, one line per profile."""
    paths = (_joined_places if step.joined else _deciding_place)(places, declaration, step, profile)
    return [Line(places.line(*place), places.text(*place)) for place in paths]


def _joined_places(
    places: Places, declaration: Declaration, step: ExplainStep, profile: str | None
) -> Iterator[tuple[str, KeyPath]]:
    """Every place in a profile where one of the keys of an explanation's step is written."""
    for keys in step.profile_keys:
        files = _profile_files(places, declaration, profile, keys[:2])
        yield from ((file, keys) for file in files if places.has(file, keys))


def _deciding_place(
    places: Places, declaration: Declaration, step: ExplainStep, profile: str | None
) -> Iterator[tuple[str, KeyPath]]:
    """The place of the first of the step's keys that is written, and that names the step's word if it has one."""
    for keys in step.profile_keys:
        files = list(_profile_files(places, declaration, profile, keys[:2]))
        # What a profile enables is only written in profiles; layouts and scopes are in modules.yaml too.
        files += [MODULES] if len(keys) > 2 else []
        nearest = next((file for file in files if places.has(file, keys)), None)
        path = places.find(nearest, keys, step.word) if nearest is not None else None
        if nearest is not None and path is not None:
            yield nearest, path
            return
    paths: Iterator[KeyPath] = (("modules", *keys) for keys in step.module_keys)
    yield from [(MODULES, keys) for keys in paths if places.has(MODULES, keys)][:1]


def _profile_files(
    places: Places, declaration: Declaration, profile: str | None, module: tuple[str, ...]
) -> Iterator[str]:
    """The files of a profile and of those it extends, nearest first, up to the one that takes the module away."""
    while profile in declaration.profiles:
        file = profile_file(profile)
        yield file
        if places.value(file, module) is False:
            return
        profile = declaration.profiles[profile].extends
