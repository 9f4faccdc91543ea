"""One field of a form → the plain widget that widgets.pt draws. One function per kind of widget."""

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from portal.conditions import AnyOf, Comparison, Condition
from portal.fields.base import Field, Form
from portal.fields.link import RECORD_ID
from portal.fields.reader import PLAIN
from portal.records.reading.records import Records
from portal.records.writing.validation import asked, choices, depends_on, linked_records
from portal.texts import Text, _
from portal.views.parts import FormRow, Input, Offer, Widget

# So many records a link offers at once; of more, one finds by typing.
OFFERED = 200
# A choice of so many options at most, with a word of help at one of them, is drawn as cards.
CARDS = 4
# A link that stands alone, as in the step of a wizard, is drawn as cards when it offers so many records at most.
RECORD_CARDS = 12
ABOUT = 140  # letters of a record's description on its card


@dataclass(frozen=True)
class Filling:
    """A form as it stands: inputs as they were typed, values as they were understood, what is wrong."""

    records: Records
    inputs: Mapping[str, Any]
    values: Mapping[str, Any]
    errors: Mapping[str, str] = field(default_factory=dict)
    looked_for: Mapping[str, str] = field(default_factory=dict)  # without JavaScript: what to find, per link field
    kept: Mapping[str, Any] = field(default_factory=dict)  # what the record holds: its links may stay, offered or not

    def one(self, name: str) -> str:
        value = self.inputs.get(name, "")
        return value if isinstance(value, str) else next(iter(value), "")

    def many(self, name: str) -> list[str]:
        value = self.inputs.get(name, [])
        return [value] if isinstance(value, str) else list(value)


def typed(fields: list[Field], form: Form) -> dict[str, Any]:
    """The inputs of `fields` as they were posted, for showing them again unchanged; a file is no text."""
    names = [name for each in fields for name in each.inputs(None, PLAIN)]
    return {name: [text for text in form.getall(name) if isinstance(text, str)] for name in names if name in form}


def rows(filling: Filling, layout: tuple[Any, ...], fields: Mapping[str, Field]) -> tuple[FormRow, ...]:
    """The rows of a form layout, without what is not asked."""
    if len(layout) == 1 and layout[0] in fields:
        return (FormRow((described(filling, fields[layout[0]], widget(filling, fields[layout[0]])),)),)
    found = []
    for entry in layout:
        names = [entry] if isinstance(entry, str) else entry
        widgets = tuple(widget(filling, fields[name]) for name in names if name in fields)
        if widgets:
            found.append(FormRow(widgets))
    return tuple(found)


def widget(filling: Filling, each: Field) -> Widget:
    """The widget of one field, filled in."""
    base = Widget(
        name=each.name,
        label=each.title,
        macro=each.widget,
        type=each.input_type,
        value=filling.one(each.name),
        help=each.help or "",
        placeholder=each.placeholder or "",
        required=each.required,
        error=filling.errors.get(each.name, ""),
        max_length=each.length_limit,
        show_when=_rule(filling.records, each),
        hidden=not asked(filling.records, each, filling.values),
    )
    draw = WIDGETS.get(each.widget)
    return draw(filling, each, base) if draw else base


def _options(filling: Filling, each: Any, base: Widget) -> Widget:
    chosen = filling.many(each.name)
    offers = tuple(
        Offer(name, option.label, name in chosen, option.help or "", option.icon or "", option.tone or "")
        for name, option in each.offered.items()
    )
    cards = base.macro == "select" and len(offers) <= CARDS and any(offer.help for offer in offers)
    return replace(base, macro="cards" if cards else base.macro, offers=offers, empty=each.empty_label)


def _link(filling: Filling, each: Any, base: Widget) -> Widget:
    chosen, looked_for = filling.many(each.name), filling.looked_for.get(each.name, "")
    offers, many = _offered(filling, each, looked_for, [identity for identity in chosen if identity])
    if not each.multiple and not each.several_targets and not many:
        base = replace(base, value=next((identity for identity in chosen), ""))
    return replace(
        base,
        offers=tuple(Offer(identity, title, identity in chosen) for identity, title in offers.items()),
        many=many,
        find=f"/{filling.records.name}/find?field={each.name}",
        looked_for=looked_for,
        depends=tuple(depends_on(each)),
    )


def _offered(filling: Filling, each: Any, looked_for: str, chosen: list[str]) -> tuple[dict[str, str], bool]:
    """What a link offers, and whether there is more than is shown; what is chosen already is always there."""
    offers, many = {}, False
    for module in each.targets:
        records = (
            choices(filling.records, each, module, filling.values) if filling.records.policy.access(module) else None
        )
        if records is None:
            continue
        prefix = f"{module}:" if each.several_targets else ""
        label = f"{records.policy.reader.text(records.access.singular)}: " if prefix else ""
        found = records.find(looked_for, OFFERED + 1)
        many = many or len(found) > OFFERED
        offers |= {f"{prefix}{identity}": label + title for identity, title in found[:OFFERED]}
        missing = [value.removeprefix(prefix) for value in chosen if value.startswith(prefix) and value not in offers]
        ids = [int(identity) for identity in missing if RECORD_ID.fullmatch(identity)]
        offers |= {f"{prefix}{record.id}": label + record.title for record in records.rows(ids, [])}
    for link in each.links_in(filling.kept.get(each.name)):
        if each.link_value(link) in chosen:
            offers.setdefault(each.link_value(link), link.title)
    return offers, many or bool(looked_for)


def described(filling: Filling, each: Any, drawn: Widget) -> Widget:
    """A link as cards with what the records say about themselves, if it offers few records of one module."""
    if drawn.macro != "link" or drawn.many or not 0 < len(drawn.offers) <= RECORD_CARDS or each.several_targets:
        return drawn
    told = _told(
        choices(filling.records, each, each.targets[0], filling.values), [int(offer.value) for offer in drawn.offers]
    )
    return replace(
        drawn, macro="cards", offers=tuple(replace(offer, help=told.get(offer.value, "")) for offer in drawn.offers)
    )


def _told(records: Records, ids: list[int]) -> dict[str, str]:
    """By id, the beginning of the first text that the reader may read and that is not the title."""
    readable, title = records.policy.readable(records.name), records.module.title_field.name
    texts = (
        name
        for name, field in records.module.fields.items()
        if field.searched and field.input_type == "text" and field.widget in ("textarea", "input")
    )
    name = next((name for name in texts if name in readable and name != title), None)
    rows = records.rows(ids, [name]) if name else []
    reader, field = records.policy.reader, name and records.module.field(name)
    return {
        str(row.id): textwrap.shorten(field.show(row.values[name], reader), ABOUT, placeholder=" …") for row in rows
    }


def _money(filling: Filling, each: Any, base: Widget) -> Widget:
    currency = f"{each.name}.currency"
    code = filling.one(currency) or each.currency or filling.records.policy.reader.currency
    return replace(
        base,
        inputmode="decimal",
        inputs=(Input(each.name, _("Amount"), base.value), Input(currency, _("Currency"), code)),
    )


ADDRESS = {
    "street": (_("Street"), "street-address"),
    "postal_code": (_("Postal code"), "postal-code"),
    "city": (_("City"), "address-level2"),
    "region": (_("Region"), "address-level1"),
    "country": (_("Country"), "country-name"),
}


def _address(filling: Filling, each: Any, base: Widget) -> Widget:
    inputs = (
        Input(f"{each.name}.{part}", label, filling.one(f"{each.name}.{part}"), autocomplete)
        for part, (label, autocomplete) in ADDRESS.items()
    )
    return replace(base, inputs=tuple(inputs))


def _input(filling: Filling, each: Any, base: Widget) -> Widget:
    return replace(base, inputmode=each.inputmode, suffix=each.suffix)


def _rating(filling: Filling, each: Any, base: Widget) -> Widget:
    return replace(base, most=each.bounds(filling.records.policy.reader)[1])


def _tags(filling: Filling, each: Any, base: Widget) -> Widget:
    return replace(base, value=", ".join(filling.many(each.name)))


WIDGETS: dict[str, Callable[[Filling, Any, Widget], Widget]] = {
    "input": _input,
    "select": _options,
    "cards": _options,
    "checkboxes": _options,
    "link": _link,
    "links": _link,
    "money": _money,
    "address": _address,
    "rating": _rating,
    "tags": _tags,
}


def _rule(records: Records, each: Field) -> str:
    """`show_when` for a script: {"all": […]}, {"any": […]} or [field, operator, [values], negated]; empty: always."""
    return "" if each.show_when is None else json.dumps(_as_json(records, each.show_when))


def _as_json(records: Records, condition: Condition) -> Any:
    if not isinstance(condition, Comparison):
        return {"any" if isinstance(condition, AnyOf) else "all": [_as_json(records, part) for part in condition.parts]}
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    other = records.module.field(condition.path[0])
    words = [word for value in values for word in _words(records, other, condition.operator, value)]
    # Of a link a form holds the id alone, so what its title contains is for the server to say.
    operator = "" if condition.operator == "contains" and other.targets else condition.operator
    return [other.name, operator, words, condition.negated]


def _words(records: Records, other: Any, operator: str, value: Any) -> list[str]:
    """What the form's inputs hold where they mean `value`."""
    if other.targets and operator in ("equal", "one_of") and value not in (None, ""):
        found = linked_records(records, other, "equal", value)
        return [other.link_value(link) for link in found]
    return ["" if value is None else "true" if value is True else "false" if value is False else str(value)]


def label_of(records: Records, singular: bool = False) -> Text | str:
    """What the profile calls the module, or one record of it."""
    access = records.access
    return (access.singular if singular else access.label) or records.name
