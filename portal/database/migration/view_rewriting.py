"""Renames fields and options in saved views: in columns, orders and filters."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from portal.fields.base import Field
from portal.texts import fold

# The word before a colon in a search, and quoted texts, which contain no names.
NAME_IN_SEARCH = re.compile(r'"[^"]*"|(?<![\w:])[a-z][a-z0-9_]*(?=:)')
# The same, and filters: their names, and the text after the colon.
FILTER_IN_SEARCH = re.compile(r'(?<![\w:])([^\s:()"-][^\s:()"]*):("[^"]*"|[^\s()"]+)|"[^"]*"')
Pairs = list[list[str]]  # the parameters in the address of a list


def rename_fields_in_views(connection: sa.Connection, views: sa.Table, module: str, renames: Mapping[str, str]) -> None:
    """Renames the fields of a module in saved views; `renames`: new name → old name."""
    names = {before: after for after, before in renames.items()}

    def renamed(parameters: Pairs) -> Pairs:
        return [_renamed_parameter(name, value, names) for name, value in parameters]

    def columns(chosen: list[str] | None) -> list[str] | None:
        return None if chosen is None else [names.get(name, name) for name in chosen]

    _rewrite(connection, views, module, renamed, columns)


def rename_options_in_views(
    connection: sa.Connection, views: sa.Table, module: str, field: Field, renames: Mapping[str, str]
) -> None:
    """Renames options in the filters of saved views; `renames`: new name → old name."""
    names = {before: after for after, before in renames.items()}
    new_names = {fold(before): after for before, after in names.items()}
    called = {_as_typed(text) for text in (field.name, *field.title)}

    def renamed_filter(match: re.Match[str]) -> str:
        name, value = match.groups()
        option = new_names.get(fold(value.strip('"'))) if name and _as_typed(name) in called else None
        if option is None:
            return match[0]
        is_word = re.fullmatch(r"[\w-]+", option) and '"' not in value
        return f"{name}:{option}" if is_word else f'{name}:"{option}"'

    def renamed(parameters: Pairs) -> Pairs:
        return [[name, renamed_value(name, value)] for name, value in parameters]

    def renamed_value(name: str, value: str) -> str:
        if name == "q":
            return FILTER_IN_SEARCH.sub(renamed_filter, value)
        return names.get(value, value) if name == field.name else value

    _rewrite(connection, views, module, renamed, lambda chosen: chosen)


def _as_typed(name: str) -> str:
    """The common form of names and labels that mean the same field in the search of a saved view."""
    return fold(name).replace("-", " ").replace("_", " ")


def _renamed_parameter(name: str, value: str, names: Mapping[str, str]) -> list[str]:
    """A saved view's parameter with the new name of a field: `status`, `due.min`, `sort=-status`, `q=status:open`."""
    field, dot, part = name.partition(".")
    if name == "sort":
        descending = "-" if value.startswith("-") else ""
        bare = value.removeprefix("-")
        return [name, f"{descending}{names.get(bare, bare)}"]
    if name == "q":
        return [name, NAME_IN_SEARCH.sub(lambda match: names.get(match[0], match[0]), value)]
    return [f"{names.get(field, field)}{dot}{part}", value]


def _rewrite(
    connection: sa.Connection,
    views: sa.Table,
    module: str,
    parameters: Callable[[Pairs], Pairs],
    columns: Callable[[Any], Any],
) -> None:
    if not sa.inspect(connection).has_table(views.name):
        return  # an older version of the portal has none
    query = sa.select(views.c["key"], views.c["parameters"], views.c["columns"]).where(views.c["module"] == module)
    for key, before, chosen in connection.execute(query).all():
        after = {"parameters": parameters(before), "columns": columns(chosen)}
        if after != {"parameters": before, "columns": chosen}:
            connection.execute(sa.update(views).where(views.c["key"] == key).values(after))
