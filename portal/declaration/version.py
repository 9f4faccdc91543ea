"""The version of the declaration language, which `version:` in modules.yaml names."""

from collections.abc import Mapping
from typing import Any

from portal.declaration.declaration_draft import MODULES, DeclarationDraft

VERSION = 1


def version_problem(version: Any) -> str | None:
    """Why a folder of this version cannot be used, or None."""
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        return f"must be {VERSION}, the version of the language that this portal understands"
    if version > VERSION:
        return (
            f"this folder is written in version {version} of the language, and this portal understands versions up to"
            f" {VERSION}: install a newer portal"
        )
    return None


def is_of_another_version(draft: DeclarationDraft) -> bool:
    """Whether modules.yaml names another version of the language, which is reported.

    Then nothing else is worth reporting: everything unknown to this version would look wrong.
    """
    at = draft.at(MODULES)
    if not isinstance(at.value, Mapping) or "version" not in at:
        return False
    if problem := version_problem(at["version"].value):
        at["version"].wrong(problem)
    return problem is not None
