"""The records of other modules that link to a record, as lists on its page."""

from collections.abc import Iterable, Iterator

from portal.conditions import AnyOf, Comparison
from portal.declaration.shapes import Related
from portal.fields.linked import Linked
from portal.records.reading.records import Query, Records
from portal.records.writing.validation import names_in
from portal.views.lists.page import count_text, list_rows, new_label, plain_column, widest_tab
from portal.views.pages import RelatedList
from portal.web.addresses import create_address, list_address
from portal.web.resources import Record

RELATED_ROWS = 10


def related_lists(resource: Record, layout: Iterable[Related]) -> Iterator[RelatedList]:
    """The records of other modules that link here, as far as the profile has those modules."""
    for related in layout:
        if resource.records.policy.access(related.module) is not None:
            records = resource.records.of(related.module)
            if linking := linking_fields(records, resource.module_name):
                yield related_list(resource, records, related, linking)


def related_list(resource: Record, records: Records, related: Related, linking: list[str]) -> RelatedList:
    """The newest of the `records` that link here by one of the fields `linking`."""
    policy = records.policy
    here = Linked(resource.record.id, resource.module_name)
    query = Query(condition=AnyOf(tuple(Comparison((name,), "equal", here) for name in linking)), size=RELATED_ROWS)
    columns = related_columns(records, related, linking)
    page = records.page(query, columns)
    in_form = names_in(records.access.create) if policy.may(records.name, "create") else ()
    filled = next((name for name in linking if name in in_form), None)
    return RelatedList(
        label=records.access.label or records.name,
        columns=tuple(plain_column(records, name) for name in columns),
        rows=tuple(list_rows(records, page.records, columns)),
        count=count_text(records.count(query), policy.reader),
        all_url=list_of_linking(records, linking, here) if page.next else "",
        create_url=create_address(records.name, {filled: link_value(records, filled, here)}) if filled else "",
        create_label=new_label(records),
    )


def list_of_linking(records: Records, linking: list[str], here: Linked) -> str:
    """The list of all records that link to `here`; empty where the reader may not filter by a field that does."""
    readable_names = records.policy.readable(records.name)
    name = next((name for name in linking if name in readable_names), None)
    if name is not None:
        return list_address(records.name, {**widest_tab(records), f"{name}.id": link_value(records, name, here)})
    reader = records.policy.reader
    mine = {reader.people: [reader.person], reader.organizations: reader.companies}.get(here.module, ())
    # What is the reader's own is the whole list, for who sees nothing else.
    return list_address(records.name, widest_tab(records)) if here.id in mine else ""


def link_value(records: Records, name: str, here: Linked) -> str:
    """`here` as the input of a link has it."""
    return records.module.field(name).link_value(here)


def related_columns(records: Records, related: Related, linking: list[str]) -> list[str]:
    """The declared columns, else those of the module's list, without the fields that lead back here."""
    readable_names = records.policy.readable(records.name)
    columns = [name for name in related.columns or records.access.list.columns or () if name in readable_names]
    return [name for name in columns if name not in linking] or columns


def linking_fields(records: Records, target: str) -> list[str]:
    """The links of a module that lead to `target`: readable ones, and those that say whose a record is."""
    module = records.module
    allowed = {*records.policy.readable(records.name), module.owner, module.organization}
    return [
        name
        for name, field in module.fields.items()
        if target in field.targets and not field.computed and name in allowed
    ]
