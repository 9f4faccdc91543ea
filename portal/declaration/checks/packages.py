"""Checks the packages that add field types and pages, so that unusable ones are noticed."""

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.packages import left_out


def check_packages(draft: DeclarationDraft) -> None:
    """Warns about what is left out of a package, unless a field of its type has already been reported."""
    reported = {problem.message for problem in draft.problems}
    for sentence in left_out():
        if sentence not in reported:
            draft.at(MODULES).warn(sentence)
