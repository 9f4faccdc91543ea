"""The lines of the declaration that decided a step of an explanation, also through profiles that others extend.

Called by `portal explain`. A key that a profile writes replaces that of the profile which it extends and that of the
module, so the nearest file with the key decides.
"""

from collections.abc import Iterator

from portal.declaration.draft import MODULES, profile_file
from portal.declaration.shapes import Declaration
from portal.declaration.source.places import Places
from portal.records.audit.explain import Step


def deciding_lines(places: Places, declaration: Declaration, step: Step, profile: str | None) -> list[str]:
    """The place that decided, as `file:line:column`; of conditions that are joined, one of each profile."""
    if not step.joined:
        line = _deciding_line(places, declaration, step, profile)
        return [] if line is None else [line]
    return [
        places.line(file, keys)
        for keys in step.profile_keys
        for file in _profile_files(places, declaration, profile, keys[:2])
        if places.has(file, keys)
    ]


def _deciding_line(places: Places, declaration: Declaration, step: Step, profile: str | None) -> str | None:
    """`file:line:column` of the first of the step's keys that is written and names the step's word, if it has one."""
    for keys in step.profile_keys:
        files = list(_profile_files(places, declaration, profile, keys[:2]))
        # What a profile enables is written in profiles alone; layouts and scopes in modules.yaml too.
        files += [MODULES] if len(keys) > 2 else []
        nearest = next((file for file in files if places.has(file, keys)), None)
        path = places.find(nearest, keys, step.word) if nearest is not None else None
        if nearest is not None and path is not None:
            return places.line(nearest, path)
    written = (("modules", *keys) for keys in step.module_keys)
    return next((places.line(MODULES, keys) for keys in written if places.has(MODULES, keys)), None)


def _profile_files(
    places: Places, declaration: Declaration, profile: str | None, module: tuple[str, ...]
) -> Iterator[str]:
    """The files of a profile and those that it extends, the nearest first, up to where the module was taken away."""
    while profile in declaration.profiles:
        file = profile_file(profile)
        yield file
        if places.value(file, module) is False:
            return
        profile = declaration.profiles[profile].extends
