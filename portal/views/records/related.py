"""The records of other modules that link to a record, as lists on its page.

A column such as `accounts.role` belongs to their `lines`, and shows the values of the rows that link to the record.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from portal.conditions import AnyOf, Comparison
from portal.declaration.layout_shapes import Related
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import display_name
from portal.fields.base import Field
from portal.fields.linked_value import Linked
from portal.records.reading.records import Query, Records
from portal.records.reading.records import Record as RecordRead
from portal.texts import Words
from portal.views.displays import Value
from portal.views.lists.columns import Column, plain_column
from portal.views.lists.list_rows import ListRow, RecordTable, cell_maker, list_rows
from portal.views.lists.tabs import widest_tab
from portal.views.wording import count_text, new_label
from portal.web.addresses import create_address, list_address
from portal.web.resources import Record

RELATED_ROWS = 10

Path = tuple[str, ...]  # the names that lead to a link


@dataclass(frozen=True)
class RelatedList(RecordTable):
    label: Words
    columns: tuple[Column, ...]
    rows: tuple[ListRow, ...]
    count: str = ""
    all_url: str = ""
    create_url: str = ""
    create_label: Words = ""


def related_lists(resource: Record, layout: Iterable[Related]) -> Iterator[RelatedList]:
    """The records that link here from other modules that the profile has."""
    for related in layout:
        if resource.records.policy.access(related.module) is not None:
            records = resource.records.of(related.module)
            if linking := _linking_paths(records, resource.module_name):
                yield _related_list(resource, records, related, linking)


def _related_list(resource: Record, records: Records, related: Related, linking: list[Path]) -> RelatedList:
    """The newest of the `records` that link here through one of the paths `linking`."""
    policy = records.policy
    here = Linked(resource.record.id, resource.module_name)
    query = Query(condition=AnyOf(tuple(Comparison(path, "equal", here) for path in linking)), size=RELATED_ROWS)
    columns = _related_columns(records, related, linking)
    plain = [name for name in columns if "." not in name]
    page = records.page(query, list(dict.fromkeys(name.partition(".")[0] for name in columns)))
    in_rows = {name: _cells_in_rows(records, name, linking, here) for name in columns if "." in name}
    rows = []
    for record, row in zip(page.records, list_rows(records, page.records, plain), strict=True):
        cells = iter(row.cells)
        both = [in_rows[name](record) if name in in_rows else next(cells) for name in columns]
        rows.append(row._replace(cells=tuple(both)))
    in_form = form_layout_fields(records.access.create) if policy.may(records.name, "create") else ()
    typed = (path for path in linking if len(path) == 1 or not _link(records, path).read_only)
    filled = next((path for path in typed if path[0] in in_form), None)
    return RelatedList(
        label=display_name(records.access),
        columns=tuple(_head(records, name) for name in columns),
        rows=tuple(rows),
        count=count_text(records.count(query), policy.reader),
        all_url=_list_of_linking(records, linking, here) if page.next else "",
        create_url=create_address(records.name, {_input(filled): _link_value(records, filled, here)}) if filled else "",
        create_label=new_label(records),
    )


def _head(records: Records, name: str) -> Column:
    lines, _dot, column = name.partition(".")
    return Column(name, records.module.field(lines).row_fields[column].title) if column else plain_column(records, name)


def _cells_in_rows(records: Records, name: str, linking: list[Path], here: Linked) -> Callable[[RecordRead], Value]:
    """The function that makes a record's cell in a column of its lines, from all rows that link `here`."""
    lines, column = name.split(".")
    fields = records.module.field(lines).row_fields
    links = [fields[path[1]] for path in linking if path[0] == lines and len(path) > 1]
    make = cell_maker(fields[column], records.policy.reader)

    def cell(record: RecordRead) -> Value:
        rows = record.values.get(lines) or ()
        leading = [row for row in rows if any(here in link.links_in(row.get(link.name)) for link in links)]
        cells = [made for row in leading if not (made := make(row.get(column))).empty]
        return cells[0] if len(cells) == 1 else Value(fields[column].title, text=", ".join(made.text for made in cells))

    return cell


def _list_of_linking(records: Records, linking: list[Path], here: Linked) -> str:
    """The list of all records that link to `here`; empty if the reader may not filter by such a field."""
    readable_names = records.policy.readable(records.name)
    path = next((path for path in linking if len(path) == 1 and path[0] in readable_names), None)
    if path is not None:
        return list_address(records.name, {**widest_tab(records), f"{path[0]}.id": _link_value(records, path, here)})
    reader = records.policy.reader
    mine = {reader.people: [reader.person], reader.organizations: reader.companies}.get(here.module, ())
    # For readers who only see their own records, that is the whole list.
    return list_address(records.name, widest_tab(records)) if here.id in mine else ""


def _link_value(records: Records, path: Path, here: Linked) -> str:
    """The value of a link's input for the record `here`."""
    return _link(records, path).link_value(here)


def _link(records: Records, path: Path) -> Field:
    field = records.module.field(path[0])
    return field if len(path) == 1 else field.row_fields[path[1]]


def _input(path: Path) -> str:
    """The input with which “New …” next to a related list names this record; in lines, that of the first row."""
    return ".0.".join(path)


def _related_columns(records: Records, related: Related, linking: list[Path]) -> list[str]:
    """The declared columns, or those of the module's list, without the fields that link back here."""
    readable_names, declared = records.policy.readable(records.name), related.columns or records.access.list.columns
    columns = [name for name in declared or () if _may_read(records, name, readable_names)]
    return [name for name in columns if (name,) not in linking] or columns


def _may_read(records: Records, name: str, readable_names: Collection[str]) -> bool:
    lines, _dot, column = name.partition(".")
    columns = records.policy.columns(records.module.field(lines))
    return lines in readable_names and (not column or column in columns)


def _linking_paths(records: Records, target: str) -> list[Path]:
    """The links of a module that lead to `target`: readable ones, and those that say who owns a record.

    A link in rows of a `lines` field has two names: that of the field, and that of the column.
    """
    module = records.module
    allowed = {*records.policy.readable(records.name), module.owner, module.organization}
    return [
        path
        for name, field in module.fields.items()
        if name in allowed
        for path, link in _links(records, name, field)
        if target in link.targets and not link.computed
    ]


def _links(records: Records, name: str, field: Field) -> Iterator[tuple[Path, Field]]:
    yield (name,), field
    for column, link in records.policy.columns(field).items():
        yield (name, column), link
