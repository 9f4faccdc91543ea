"""Checks the packages that bring field types and pages: those that cannot be used do not go unnoticed."""

from portal.declaration.declaration_draft import MODULES, DeclarationDraft
from portal.packages import left_out


def check_packages(draft: DeclarationDraft) -> None:
    """Warns of what is left out of a package, unless a field of its type has been reported already."""
    reported = {problem.message for problem in draft.problems}
    for sentence in left_out():
        if sentence not in reported:
            draft.at(MODULES).warn(sentence)
