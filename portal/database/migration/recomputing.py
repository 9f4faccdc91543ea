"""What is recomputed from the records after a migration: the search index, and changed formulas.

The steps only mark the modules; records/indexing works off the marks, a few records per transaction.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from portal.database.migration.difference import Changes
from portal.database.migration.plan_steps import PlanStep
from portal.database.migration.row_counts import RowCounts
from portal.fields.table_names import is_rows


def computed_steps(changes: Changes, left: Mapping[str, Any], counts: RowCounts) -> Iterator[PlanStep]:
    """The steps for modules with records whose formulas or search index entries are out of date."""
    outdated: list[str] = []
    formulas: dict[str, str] = {}  # module.field → module
    # Without a backlog, it is unknown which entries are out of date: it is created with the index, or by an upgrade.
    unknown = not {"portal_search", "portal_backlog"}.isdisjoint(changes.difference.tables)
    for name, module in changes.new["modules"].items():
        if name in changes.difference.tables:
            continue
        before = changes.old["modules"].get(name)
        anew = unknown or before is None or name in left["modules"]
        if (anew or before["search"] != module["search"]) and counts.rows(name) != 0:
            formulas |= dict.fromkeys(_changed_formulas(changes, name), name.partition("$")[0])
            if not is_rows(name) and (anew or _search_texts(before) != _search_texts(module)):
                outdated.append(name)
    if formulas:
        modules = tuple(dict.fromkeys(formulas.values()))
        yield PlanStep(f"compute {', '.join(formulas)} again", needed=False, modules_to_index=modules)
    if outdated:
        sentence = f"fill the search index of {', '.join(outdated)} again: what is searched there has changed"
        yield PlanStep(sentence, needed=False, modules_to_index=tuple(outdated))


def _changed_formulas(changes: Changes, module: str) -> Iterator[str]:
    before = changes.old["modules"].get(module, {"search": {}})["search"].get("formulas", {})
    for name, formula in changes.new["modules"][module]["search"].get("formulas", {}).items():
        if before.get(name) != formula:
            yield f"{module}.{name}"


def _search_texts(module: Mapping[str, Any]) -> dict[str, Any]:
    """What determines the texts of a module in the search index, apart from its formulas."""
    return {**module["search"], "formulas": None}
