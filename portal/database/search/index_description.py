"""What determines a module's search index entries, formulas and stopwatches, as plain JSON.

If the description changes, they are rewritten.
"""

from collections.abc import Mapping
from typing import Any

from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module
from portal.fields.base import Field
from portal.texts import FOLDING_VERSION


def searched_description(declaration: Declaration, module: Module) -> dict[str, Any]:
    """Everything that determines the contents of a module's entries, as plain JSON."""
    description = {
        "owner": module.owner,
        "organization": module.organization,
        "fields": _searched_fields(declaration, module.fields),
        "comments": bool(module.comments),
        "folding": FOLDING_VERSION,
        **({"watchers": True} if module.watchers else {}),
        **({"reference": "with and without zeros"} if "{number:0" in module.reference else {}),
    }
    stopwatches = {name: field.stopwatch.recipe for name, field in module.fields.items() if field.stopwatch}
    computed = {"formulas": _formulas_description(module), "stopwatches": stopwatches}
    return description | {name: described for name, described in computed.items() if described}


def rows_description(rows: Module) -> dict[str, Any]:
    """Everything that determines the computed values in the rows of a `lines` field, as plain JSON."""
    return {"formulas": _formulas_description(rows)} if rows.formulas else {}


def _formulas_description(module: Module) -> dict[str, Any]:
    """Everything that determines the values of a module's formulas, as plain JSON."""
    return {
        name: [
            field.recipe,
            {source: module.field(source).value_type for source in field.sources},
        ]
        for name, field in module.formulas.items()
    }


def _searched_fields(declaration: Declaration, fields: Mapping[str, Field]) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for name, field in fields.items():
        if field.searched:
            titles = [declaration.modules[target].title_field.name for target in field.targets]
            options = {key: list(option.label) for key, option in field.declared_options.items()}
            described[name] = [field.type, field.internal, titles, options, *field.indexed_as]
            if field.searched_in_lists:  # by words of the portal's languages: months, labels of booleans
                described[name] += [*declaration.settings.languages, declaration.settings.time_zone, list(field.title)]
            if field.row_fields:
                described[name].append(_searched_fields(declaration, field.row_fields))
    return described
