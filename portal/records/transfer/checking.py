"""A file's rows → drafts of records, or what is wrong with them: every bad cell, each with its line. Writes nothing.

Rows are taken in batches, so that links, keys and unique values are asked for in a few queries per batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from portal.fields.base import Field, Refused
from portal.fields.linked import Linked
from portal.records.reading.records import Records
from portal.records.transfer.columns import SETTABLE, Column
from portal.records.transfer.drafts import EMPTY, Bad, Draft, Form
from portal.records.transfer.formulas import unprotected
from portal.records.transfer.names import Names, by_value, names_in, stored, value_of, ways
from portal.records.transfer.source import Row, Rows
from portal.records.writing.defaults import defaults
from portal.records.writing.validation import asked, depends_on
from portal.texts import _, ngettext

BATCH = 1000
IDENTITY = ("reference", "number")  # given once, when a record is made
Called = dict[Draft, list[tuple[str, list[Linked]]]]  # the names in a cell, and the records that each may mean


class Checking:
    """Checks the rows of one file for one module, as the portal itself sees it."""

    def __init__(self, system: Records, source: Rows, columns: Sequence[Column], key: str | None = None) -> None:
        self.system, self.source, self.columns, self.key = system, source, columns, key
        self.module, self.reader, self.names = system.module, system.policy.reader, Names(system)
        self.drafts: list[Draft] = []
        self.bad: list[Bad] = []
        self._fields = {column.field.name: column.field for column in columns}
        self._headers = {column.field.name: column.header for column in reversed(columns)}
        links = (each for each in self._fields.values() if each.targets)
        self._links = sorted(links, key=lambda each: bool(depends_on(each)))  # what others depend on comes first
        self._defaults = defaults(system.connection, system.policy, system.module)
        self._ways = ways(self.module)
        self._start = self.module.lifecycle.field if self.module.lifecycle else None
        self._wrong: dict[int, set[str]] = {}
        self._seen: dict[tuple[str, Any], int] = {}

    def check(self, told: Callable[[int], None] = lambda line: None) -> None:
        """Fills `drafts` and `bad` with the whole file. `told`: the line that was reached."""
        rows = self.source.rows()
        while batch := list(islice(rows, BATCH)):
            drafts = [draft for row in batch if (draft := self._draft(row))]
            self._find(drafts)
            for draft in drafts:
                self._read(draft)
            for each in self._links:
                self._link(each, drafts)
            for draft in drafts:
                self._check_needed(draft)
                draft.cells = {}
            for each in self._watched():
                self._check_unique(each, drafts)
            self.drafts += drafts
            told(batch[-1].line)
        self._find_later()
        self.drafts = [draft for draft in self.drafts if draft.line not in self._wrong]
        self.bad.sort(key=lambda bad: bad.line)

    def _refuse(self, line: int, name: str, reason: str) -> None:
        """Notes what is wrong; `name` is a field's, or "" for the row."""
        self.bad.append(Bad(line, self._headers.get(name, name), reason))
        self._wrong.setdefault(line, set()).add(name)

    # -- cells ------------------------------------------------------------------------------------------------------

    def _draft(self, row: Row) -> Draft | None:
        trouble = row.trouble or self._misshapen(row)
        if trouble:
            self._refuse(row.line, "", trouble)
            return None
        cells: dict[str, dict[str, str]] = {}
        for column in self.columns:
            name = f"{column.field.name}.{column.part}" if column.part else column.field.name
            cells.setdefault(column.field.name, {})[name] = unprotected(row.cells[column.index])
        return Draft(row.line, cells)

    def _misshapen(self, row: Row) -> str | None:
        headers = self.source.headers
        if len(row.cells) > len(headers):
            return ngettext(
                "The row has ${number} cell, the header ${headers}. Does a text contain the delimiter?",
                "The row has ${number} cells, the header ${headers}. Does a text contain the delimiter?",
                len(row.cells),
                headers=len(headers),
            )
        if len(row.cells) < len(headers):
            return ngettext(
                "The row has ${number} cell, the header ${headers}.",
                "The row has ${number} cells, the header ${headers}.",
                len(row.cells),
                headers=len(headers),
            )
        nameless = (cell for header, cell in zip(headers, row.cells, strict=True) if not header and cell)
        return next(
            (_("“${cell}” is in a column without a header", mapping={"cell": cell[:80]}) for cell in nameless), None
        )

    def _find(self, drafts: Iterable[Draft]) -> None:
        """The records that `--key` finds."""
        if self.key is None:
            return
        names = {draft: draft.cells[self.key][self.key].strip() for draft in drafts}
        found = by_value(self.system, self._fields[self.key], {name for name in names.values() if name})
        ids = sorted({identity for several in found.values() for identity in several})
        records = {record.id: record for record in self.system.by_ids(ids, self.module.everything)}
        for draft, name in names.items():
            ids = found.get(name, [])
            if not name:
                self._refuse(draft.line, self.key, _("Required, because it identifies the record"))
            elif len(ids) > 1:
                self._refuse(
                    draft.line,
                    self.key,
                    ngettext("${number} record has this value.", "${number} records have this value.", len(ids)),
                )
            elif ids:
                draft.record = records[ids[0]]

    def _read(self, draft: Draft) -> None:
        """The values that stand in the cells themselves; the rest from the declared defaults."""
        if draft.record is None:
            draft.values |= self._defaults
        for name, each in self._fields.items():
            if each.targets:
                continue
            try:
                value = self._value(draft, each)
            except Refused as refused:
                self._refuse(draft.line, name, refused.message)
                continue
            # Where the file is silent the portal gives these by itself.
            if value not in EMPTY or not (name == self._start or name in SETTABLE):
                draft.values[name] = value

    def _value(self, draft: Draft, each: Field) -> Any:
        cells = draft.cells[each.name]
        if list(cells) == [each.name]:
            value = each.read(cells[each.name], self.reader)
        else:
            known = each.inputs(draft.record.values[each.name], self.reader) if draft.record else {}
            value = each.parse_form(Form({**known, **cells}), self.reader)
        if draft.record and each.name in IDENTITY:
            kept = draft.record.values[each.name]
            if value not in (None, kept):
                raise Refused(_("This cannot change. The record has ${value}.", mapping={"value": kept}))
            return None
        return value

    # -- links ------------------------------------------------------------------------------------------------------

    def _link(self, each: Field, drafts: Iterable[Draft]) -> None:
        """The values of one link field, for a whole batch."""
        names: dict[Draft, list[str]] = {}
        for draft in drafts:
            try:
                names[draft] = names_in(each, draft.cells[each.name][each.name])
            except Refused as refused:
                self._refuse(draft.line, each.name, refused.message)
        wanted = dict.fromkeys(name for several in names.values() for name in several)
        self.names.look_up(pair for name in wanted for pair in self.names.wanted(each, name))
        found = {name: self.names.found(each, name) for name in wanted}
        called: Called = {draft: [(name, found[name]) for name in several] for draft, several in names.items()}
        if depends_on(each):
            called = self._offered(each, called)
        for draft, several in called.items():
            links = [link for name, some in several if (link := self._the_one(draft, each, name, some))]
            draft.values[each.name] = tuple(dict.fromkeys(links)) if each.multiple else next(iter(links), None)

    def _the_one(self, draft: Draft, each: Field, name: str, found: list[Linked]) -> Linked | None:
        facts = {"module": ", ".join(each.targets), "name": name[:80]}
        if len(found) > 1:
            several = ngettext(
                "${number} record in ${module} is named “${name}”.",
                "${number} records in ${module} are named “${name}”.",
                len(found),
                module=facts["module"],
                name=facts["name"],
            )
            self._refuse(draft.line, each.name, several)
        elif not found and self.system.name in each.targets:
            draft.called.setdefault(each.name, []).append(name)
        elif not found:
            self._refuse(draft.line, each.name, _("No record in ${module} is named “${name}”.", mapping=facts))
        return found[0] if len(found) == 1 else None

    def _offered(self, each: Field, called: Called) -> Called:
        """What the field's `where` leaves, which names other fields of the record by `$`.

        A condition without `$` is not asked: it says what is offered today, and files bring what was chosen before.
        """
        beside = {draft: {name: draft.whole().get(name) for name in depends_on(each)} for draft in called}
        groups: dict[tuple[Any, ...], tuple[Draft, set[Linked]]] = {}
        for draft, found in called.items():
            key = tuple(beside[draft].values())
            groups.setdefault(key, (draft, set()))[1].update(link for _name, some in found for link in some)
        for draft, links in groups.values():
            for module in each.targets:
                ids = [link.id for link in links if link.module == module]
                self.names.look_up_offered(each, module, beside[draft], ids)
        kept: Called = {}
        for draft, found in called.items():
            kept[draft] = []
            for name, some in found:
                offered = [link for link in some if self.names.offered(each, link, beside[draft])]
                if some and not offered:
                    facts = {"name": name[:80], "fields": ", ".join(beside[draft])}
                    text = _("“${name}” does not belong to this row's ${fields}.", mapping=facts)
                    self._refuse(draft.line, each.name, text)
                else:
                    kept[draft].append((name, offered))
        return kept

    def _find_later(self) -> None:
        """Names that no record has, but a row of this file. A row is bad when one that it links to is."""
        waiting = [draft for draft in self.drafts if draft.called]
        own = self._own_names() if waiting else {}
        for draft in waiting:
            for name, called in draft.called.items():
                draft.later[name] = [other for each in called if (other := self._the_row(draft, name, each, own))]
        again = bool(waiting)
        while again:
            again = False
            for draft in waiting:
                bad = [other.line for several in draft.later.values() for other in several if other.line in self._wrong]
                if bad and draft.line not in self._wrong:
                    self._refuse(
                        draft.line, "", _("It links to line ${line}, which has an error.", mapping={"line": bad[0]})
                    )
                    again = True

    def _the_row(self, draft: Draft, name: str, called: str, own: dict[tuple[str, Any], list[Draft]]) -> Draft | None:
        keys = ((way.name, value_of(self.system, way, called)) for way in self._ways)
        found = next((own[key] for key in keys if key in own), [])
        facts = {"module": self.system.name, "name": called[:80]}
        if len(found) > 1:
            several = ngettext(
                "${number} row of the file is named “${name}”.",
                "${number} rows of the file are named “${name}”.",
                len(found),
                name=facts["name"],
            )
            self._refuse(draft.line, name, several)
        elif not found:
            self._refuse(draft.line, name, _("No record in ${module} is named “${name}”.", mapping=facts))
        return found[0] if len(found) == 1 else None

    def _own_names(self) -> dict[tuple[str, Any], list[Draft]]:
        own: dict[tuple[str, Any], list[Draft]] = {}
        for draft in self.drafts:
            for way in self._ways:
                value = draft.values.get(way.name)
                if value not in EMPTY:
                    own.setdefault((way.name, way.store(value)[way.name]), []).append(draft)
        return own

    # -- whole rows -------------------------------------------------------------------------------------------------

    def _check_needed(self, draft: Draft) -> None:
        """What is required, and what `show_when` leaves empty."""
        if self.key in self._wrong.get(draft.line, ()):
            return  # nobody knows whether this is a new record
        values = draft.whole()
        for name, each in (self._fields if draft.record else self.module.fields).items():
            if each.computed or not each.stored or name in self._wrong.get(draft.line, ()):
                continue
            later = name in draft.called
            empty = values.get(name) in EMPTY and not later
            if each.show_when is not None and not asked(self.system, each, values):
                if name in self._fields and not empty:
                    self._refuse(
                        draft.line, name, _("This must be empty because of the row's other values (show_when).")
                    )
                elif not draft.record:
                    draft.values[name] = None
            elif each.required and not later and each.is_missing(values.get(name)):
                self._refuse(draft.line, name, _("Required"))

    def _watched(self) -> Iterator[Field]:
        """Fields of which no two rows may have the same value."""
        for name, each in {**self.module.fields, **self._fields}.items():
            if each.unique or name in IDENTITY or name == self.key:
                yield each

    def _check_unique(self, each: Field, drafts: Iterable[Draft]) -> None:
        """Compared with the rows before, and with the records."""
        asked_for: dict[Any, Draft] = {}
        for draft in drafts:
            value = draft.values.get(each.name)
            if each.name in IDENTITY and draft.record:
                value = draft.record.values[each.name]
            if value in EMPTY:
                continue
            value = each.store(value)[each.name]
            first = self._seen.setdefault((each.name, value), draft.line)
            if first != draft.line:
                self._refuse(draft.line, each.name, _("Line ${line} has the same value.", mapping={"line": first}))
            else:
                asked_for[value] = draft
        if each.unique or each.name in IDENTITY:
            for value, identity in stored(self.system, each, asked_for):
                record = asked_for[value].record
                if record is None or record.id != identity:
                    self._refuse(asked_for[value].line, each.name, _("This value is already in use."))
