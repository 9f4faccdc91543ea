"""Problems as people read them in a terminal: the line with a mark below, the cure and the code.

Used by the commands that check declarations. The first line of a problem is the one that the language prescribes, from
which scripts and editors find the place.
"""

from collections.abc import Iterator

import click

from portal.declaration.load import Loaded
from portal.declaration.problem_kinds import cure_of, kind_of
from portal.declaration.source.excerpts import excerpt
from portal.declaration.source.problems import ALSO, Problem, RelatedPlace
from portal.packages import installed_packages
from portal.texts import plural


def problem_in_words(problem: Problem) -> str:
    """A problem as a terminal shows it, on several lines, with colors that a pipe does not show."""
    tone = "yellow" if problem.warning else "red"
    first, *others = str(problem).split(": ", 1 if problem.warning else 0)
    lines = [click.style(f"{first}: ", fg=tone, bold=True) + others[0] if others else click.style(first, bold=True)]
    lines += _excerpt(problem, tone)
    for place in problem.related:
        if place.note != ALSO:  # those are named in the first line
            lines += [f"  {place.note}: {place}", *_excerpt(place, "blue")]
    lines.append(f"  = {click.style(kind_of(problem).code, fg='cyan')}: {cure_of(problem)}")
    return "\n".join([*lines, ""])


def summary_in_words(loaded: Loaded) -> str:
    """The last line of a check: the number of mistakes and how to look up a code, or what was checked."""
    errors, warnings = len(loaded.errors), len(loaded.problems) - len(loaded.errors)
    hint = "; `portal explain-problem CODE` explains a code" if loaded.problems else ""
    declaration = loaded.declaration
    if errors or declaration is None:
        return ", ".join([plural(errors, "error"), *([plural(warnings, "warning")] if warnings else [])]) + hint
    buttons = [name for name in declaration.buttons if not name.startswith("module:")]
    counts = [
        plural(len(declaration.modules), "module"),
        plural(len(declaration.profiles), "profile"),
        plural(len(buttons), "button"),
    ]
    but = f" ({plural(warnings, 'warning')})" if warnings else ""
    packages = f", with {', '.join(installed_packages())}" if installed_packages() else ""
    return f"No mistakes{but}: {', '.join(counts)}{packages}"


def _excerpt(place: Problem | RelatedPlace, tone: str) -> Iterator[str]:
    shown = excerpt(place)
    if shown is None:
        return
    width = max(4, len(str(place.line)) + 2)
    for number, line in enumerate(shown.lines, shown.first):
        yield f"{number:>{width}} | {line}".rstrip()
    yield f"{'':>{width}} | {shown.before_mark}{click.style('^' * shown.mark, fg=tone, bold=True)}"
