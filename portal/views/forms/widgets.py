"""Turns a form field into the plain widget that widgets.pt draws, and registers all widgets.

A new widget is an entry of WIDGETS and a macro of the same name in templates/widgets.pt; a field type names it in its
`widget`. tests/unit/views/forms/test_widgets.py lists every place that is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.fields.address import AddressField
from portal.fields.base import Field
from portal.fields.byte_sizes import shown_size
from portal.fields.choice import HasOptions
from portal.fields.default_paths import value_path
from portal.fields.file import FileField, FileValue
from portal.fields.file_types import types_in_words
from portal.fields.lines import ROW_ID, UNTOUCHED, Lines, Row
from portal.fields.link import LinkLike
from portal.fields.money import MoneyField
from portal.fields.protocols import Form
from portal.fields.rating import Rating
from portal.fields.reader import Reader
from portal.fields.row_form import row_in
from portal.records.reading.rows_as_records import RowRecords, rows_of
from portal.records.writing.defaults import defaults
from portal.records.writing.form_conditions import (
    asks_server,
    depends_on,
    is_locked,
    is_offered,
    is_required,
    is_shown,
    limits,
)
from portal.records.writing.validation import typed_columns
from portal.texts import _
from portal.views.forms.computed import total_texts, with_formulas
from portal.views.forms.drafts import as_form
from portal.views.forms.form_content import FormContent, inputs_of
from portal.views.forms.form_page import (
    FormFile,
    FormRow,
    Input,
    LineCell,
    LineInputs,
    LineTotal,
    Offer,
    Reuse,
    RowInputs,
    UploadInput,
    Widget,
)
from portal.views.forms.offers import find_address, link_cards, link_offers
from portal.views.forms.rows_in_form import row_values_in_form, rows_in_form
from portal.views.forms.script_conditions import script_condition
from portal.views.parts import LineHead
from portal.web.addresses import record_address

# A choice with at most this many options, one of which has a help text, is drawn as cards.
CARDS = 4
NEW_ROW = "new"  # instead of the index, in the inputs that a script copies for a new row


MakeWidget = Callable[[FormContent, Any, Widget], Widget]


def _unchanged(content: FormContent, field: Field, base: Widget) -> Widget:
    return base


@dataclass(frozen=True)
class WidgetKind:
    """A way to fill in a field: the macro `name` in widgets.pt, and the function that completes its Widget."""

    name: str
    make: MakeWidget = _unchanged
    grouped: bool = False  # has several inputs with a common legend
    starts_empty: bool = False  # a transition that asks for it does not show the previous answer
    reuse: Reuse = "never"  # "filled": its macro only writes texts; "chosen": there are few choices


def form_rows(content: FormContent, layout: tuple[Any, ...], fields: Mapping[str, Field]) -> tuple[FormRow, ...]:
    """The inputs of a form in the rows of its layout, without fields that it neither asks for nor shows."""
    fields = {**fields, **content.records.module.formulas}
    names_of_rows = [[entry] if isinstance(entry, str) else entry for entry in layout]
    rows = [tuple(widget(content, fields[name]) for name in names if name in fields) for names in names_of_rows]
    if len(layout) == 1 and layout[0] in fields:
        rows = [(_alone(content, fields[layout[0]], rows[0][0]),)]
    return tuple(FormRow(widgets) for widgets in rows if widgets)


def widget(content: FormContent, field: Field) -> Widget:
    """The widget of one field, filled in."""
    kind, reader = WIDGETS[field.widget], content.records.policy.reader
    locked = is_locked(content.records, field, content.values)
    if locked:  # browsers do not send it
        own = {content.prefix + name: text for name, text in inputs_of([field], content.values, reader).items()}
        content = replace(content, inputs={**content.inputs, **own})
    base = Widget(
        name=content.prefix + field.name,
        label=field.title,
        macro=kind.name,
        grouped=kind.grouped,
        type=field.input_type,
        inputmode=field.inputmode,
        suffix=field.suffix,
        bounds=limits(content.records, field, content.values),
        value=content.one(field.name),
        help=field.help or "",
        placeholder=field.placeholder or "",
        required=is_required(content.records, field, content.values),
        required_when=script_condition(content, field.required_when),
        error=content.errors.get(content.prefix + field.name, ""),
        max_length=field.length_limit,
        offers=tuple(Offer(text, "", False) for text in field.suggested),
        read_only_when=script_condition(content, field.read_only_when),
        locked=locked,
        show_when=script_condition(content, field.show_when),
        hidden=not is_shown(content.records, field, content.values),
        asks_server=asks_server(content.records, field),
        reuse=kind.reuse,
    )
    made = kind.make(content, field, _with_followed(content, field, _with_bounds(content, field, base)))
    says_bounds = bool(made.error) and reader.text(made.error) == reader.text(made.bounds)
    return made._replace(bounds="") if says_bounds else made


def _with_followed(content: FormContent, field: Field, base: Widget) -> Widget:
    """The widget of a field whose default comes from the record of a link in the same form."""
    path = value_path(field.default)
    if path is None or not path.link or content.stored:
        return base
    module = content.records.module
    names = (path.link, *depends_on(module, module.field(path.link)))
    address = f"/{content.records.form_module}/followed?field={base.name}"
    return base._replace(follows=" ".join(content.prefix + name for name in names), followed=address)


def _with_bounds(content: FormContent, field: Field, base: Widget) -> Widget:
    """The widget with the minimum and maximum of a browser's inputs for dates and times, in their format."""
    if field.input_type not in ("date", "time", "datetime-local"):
        return base
    reader = content.records.policy.reader
    least, most = (str(field.inputs(bound, reader)[field.name]) for bound in field.bounds(reader))
    return base._replace(minimum=least, maximum=most)


def _options(content: FormContent, field: HasOptions, base: Widget) -> Widget:
    chosen, withheld = content.many(field.name), field.withheld.difference(content.stored_options(field))
    offers = tuple(_offer(content, field, name, name in chosen) for name in field.offered if name not in withheld)
    offers += tuple(Offer(name, label, name in chosen) for name, label in _removed_options(content, field))
    cards = base.macro == "select" and len(offers) <= CARDS and any(offer.help for offer in offers)
    drawn = _as_cards(base) if cards else base
    return drawn._replace(offers=offers, empty=field.empty_label, empty_last=field.default is not None)


def _offer(content: FormContent, field: HasOptions, name: str, chosen: bool) -> Offer:
    """An option in a widget. One that the record has stays, even if it is not available with the other values."""
    option, records = field.offered[name], content.records
    offer = Offer(name, option.label, chosen, option.help or "", option.icon or "")
    if option.show_when is None:
        return offer
    if name in content.stored_options(field) and not is_offered(records, field, name, content.stored):
        return offer
    hidden = not is_offered(records, field, name, content.values)
    return offer._replace(show_when=script_condition(content, option.show_when), hidden=hidden)


def _removed_options(content: FormContent, field: HasOptions) -> list[tuple[str, str]]:
    """The record's options that are no longer declared, for its widget: they stay until another one is chosen."""
    reader = content.records.policy.reader
    return [
        (name, reader.text(_("${option} (no longer offered)", mapping={"option": field.label_of(name, reader)})))
        for name in content.stored_options(field)
        if name and name not in field.offered
    ]


def _as_cards(base: Widget) -> Widget:
    return base._replace(macro="cards", grouped=WIDGETS["cards"].grouped)


def _link(content: FormContent, field: LinkLike, base: Widget) -> Widget:
    find_text, chosen = content.find_texts.get(base.name, ""), [value for value in content.many(field.name) if value]
    stored = content.stored.get(field.name)
    offers = link_offers(content.records, field, content.values, stored, find_text, chosen, known=content.row_offers)
    return base._replace(
        offers=tuple(Offer(value, title, value in chosen) for value, title in offers.titles.items()),
        many=offers.more or bool(find_text),
        find=find_address(content.records, base.name, content.values),
        find_text=find_text,
        depends=tuple(content.prefix + name for name in depends_on(content.records.module, field) if name != "id"),
    )


def _alone(content: FormContent, field: Field, drawn: Widget) -> Widget:
    """The widget of the only field of a form or step: a link that offers few records shows them as cards."""
    if drawn.macro != "link" or drawn.many:
        return drawn
    cards = link_cards(content.records, field, content.values, drawn.offers)
    return _as_cards(drawn)._replace(offers=cards) if cards else drawn


def _money(content: FormContent, field: MoneyField, base: Widget) -> Widget:
    currency = f"{field.name}.currency"
    code = content.one(currency) or field.currency or content.records.policy.reader.currency
    inputs = Input(base.name, _("Amount"), base.value), Input(content.prefix + currency, _("Currency"), code)
    return base._replace(inputs=inputs)


def _day_and_time(content: FormContent, field: Field, base: Widget) -> Widget:
    time = f"{field.name}.time"
    clock = Input(content.prefix + time, _("Time (optional)"), content.one(time))
    return base._replace(inputs=(Input(base.name, _("Date"), base.value), clock))


def _address(content: FormContent, field: AddressField, base: Widget) -> Widget:
    inputs = (
        Input(f"{base.name}.{part}", label, content.one(f"{field.name}.{part}"), autocomplete)
        for part, (label, autocomplete) in field.parts.items()
    )
    return base._replace(inputs=tuple(inputs))


def _rating(content: FormContent, field: Rating, base: Widget) -> Widget:
    stored = content.stored.get(field.name) or 0  # may exceed the current maximum
    return base._replace(most_stars=max(stored, int(field.bounds(content.records.policy.reader)[1])))


def _file(content: FormContent, field: FileField, base: Widget) -> Widget:
    """The widget of a field of files, each of which can be removed, and the input for others."""
    reader, value = content.records.policy.reader, content.values.get(field.name)
    largest = min(field.max_size, content.largest_file)
    size = shown_size(largest, reader)
    limits = _("Up to ${size}", mapping={"size": size})
    if field.multiple:
        limits = _("Up to ${size} each, ${count} in all", mapping={"size": size, "count": field.most})
    upload = UploadInput(
        field.name,
        limits=limits,
        max_size=largest,
        shown_size=size,
        max_count=field.most,
        accept=",".join(field.accepted),
        types=types_in_words(field.accepted, reader),
        files=tuple(_form_file(field, file, reader) for file in field.files_in(value) if file.name),
    )
    return base._replace(upload=upload)


def _form_file(field: FileField, value: FileValue, reader: Reader) -> FormFile:
    url = record_address(value.module, value.record, "files", str(value.id)) if value.id else ""
    preview_url = f"{url}/preview" if url and field.shows_picture(value) else ""
    return FormFile(value.token, value.name, shown_size(value.size, reader), url, preview_url)


def _tags(content: FormContent, field: Field, base: Widget) -> Widget:
    return base._replace(value=", ".join(content.many(field.name)))


def _lines(content: FormContent, field: Lines, base: Widget) -> Widget:
    """The widget of a `lines` field: the inputs of each row. Required rows are there from the start."""
    of_rows, form = rows_of(content.records, field), as_form(content.inputs)
    columns = list(of_rows.module.fields.values())
    by_id = {str(row.id): row for row in content.stored.get(field.name) or ()}
    rows = [
        _row(content, of_rows, f"{base.name}.{index}.", number, row_form, by_id.get(row_form.get(ROW_ID)))
        for number, (index, row_form) in enumerate(field.rows_in(form).items(), start=1)
    ]
    new = inputs_of(columns, defaults(of_rows), content.records.policy.reader)
    least = max(field.min, int(field.required or not content.stored))
    for index in (*range(len(rows), least), NEW_ROW):
        prefix = f"{base.name}.{index}."
        inputs = {prefix + name: value for name, value in new.items()}
        inputs |= {prefix + ROW_ID: UNTOUCHED} if index != NEW_ROW else {}
        blank = replace(content, inputs=inputs, errors={}, stored={})
        number = len(rows) + 1
        rows.append(_row(blank, of_rows, prefix, number, row_in(as_form(inputs), prefix), None))
    *shown, template = rows
    heads = tuple(LineHead(column.title, column.help or "", column.has_sum, column.required) for column in columns)
    full = field.max is not None and len(shown) >= field.max
    lines = LineInputs(heads, tuple(shown), template, full, field.max, _line_totals(content, field, columns, form))
    return base._replace(bounds=base.bounds or field.number_hint(content.records.policy.reader), lines=lines)


def _line_totals(content: FormContent, field: Lines, columns: list[Field], form: Form) -> tuple[LineTotal, ...]:
    """The totals below each column in the widget of a `lines` field; empty if no column has one."""
    rows = rows_in_form(content.records, field, form, content.stored.get(field.name))
    texts = total_texts(content.records, field, rows.values())
    totals = tuple(
        LineTotal(column.title, f"{field.name}.{column.name}", texts.get(column.name, "")) for column in columns
    )
    return totals if any(total.text for total in totals) else ()


def _row(
    content: FormContent, of_rows: RowRecords, prefix: str, number: int, form: Form, before: Row | None
) -> RowInputs:
    """The widgets of one row of a `lines` field; computed values as text."""
    reader, values = content.records.policy.reader, row_values_in_form(of_rows, form, before)
    typed = {column.name for column in typed_columns(of_rows, new=before is None)}
    of_row = replace(content, records=of_rows, values=values, stored=before.values if before else {}, prefix=prefix)
    cells: list[LineCell] = []
    for name, column in of_rows.module.fields.items():
        label = column.title
        if name not in typed:
            text = column.show(values.get(name), reader)
            cells.append(LineCell(label, None, text, number=column.has_sum, name=prefix + name))
            continue
        drawn = widget(of_row, column)._replace(help="", bounds="")
        if drawn.macro == "cards":
            drawn = drawn._replace(macro="select", grouped=False)
        cells.append(LineCell(label, _named_for_its_row(drawn, column, number, reader), number=column.has_sum))
    untouched = UNTOUCHED if form.get(ROW_ID) == UNTOUCHED else ""
    row_id = str(before.id) if before else untouched
    return RowInputs(prefix.removesuffix("."), number, tuple(cells), row_id)


def _named_for_its_row(drawn: Widget, column: Field, number: int, reader: Reader) -> Widget:
    """The widget of a cell, labeled with its column and its row."""
    facts = {"column": reader.text(column.title), "number": number}
    return drawn._replace(label=_("${column}, line ${number}", mapping=facts))


def _computed(content: FormContent, field: Field, base: Widget) -> Widget:
    records, form, values = content.records, as_form(content.inputs), dict(content.values)
    for name, lines in records.module.fields.items():
        if lines.row_fields and name in values:
            values[name] = tuple(rows_in_form(records, lines, form, content.stored.get(name)).values())
    values = with_formulas(records, values, content.stored)
    return base._replace(value=field.show(values.get(field.name), records.policy.reader))


def _signature(content: FormContent, field: Field, base: Widget) -> Widget:
    name, drawing = field.name, f"{field.name}.drawing"
    inputs = (Input(name, _("Your name"), content.one(name), "name"), Input(drawing, "", content.one(drawing)))
    return base._replace(inputs=inputs)


WIDGETS = {
    kind.name: kind
    for kind in (
        WidgetKind("input", reuse="filled"),
        WidgetKind("computed", _computed),
        WidgetKind("textarea", reuse="filled"),
        WidgetKind("markdown", reuse="filled"),
        WidgetKind("html", reuse="filled"),
        WidgetKind("json", reuse="filled"),
        WidgetKind("signature", _signature, grouped=True, starts_empty=True),
        WidgetKind("color"),
        WidgetKind("location", reuse="filled"),
        WidgetKind("tags", _tags, reuse="filled"),
        WidgetKind("checkbox", reuse="chosen"),
        WidgetKind("select", _options, reuse="chosen"),
        WidgetKind("cards", _options, grouped=True, reuse="chosen"),
        WidgetKind("checkboxes", _options, grouped=True, reuse="chosen"),
        WidgetKind("link", _link),
        WidgetKind("links", _link, grouped=True),
        WidgetKind("money", _money, grouped=True, reuse="filled"),
        WidgetKind("day_and_time", _day_and_time, grouped=True, reuse="filled"),
        WidgetKind("address", _address, grouped=True, reuse="filled"),
        WidgetKind("rating", _rating, grouped=True, starts_empty=True),
        WidgetKind("file", _file),
        WidgetKind("lines", _lines, grouped=True),
    )
}
