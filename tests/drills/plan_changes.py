"""The changes that plan_matrix.py tries: types of fields with values, and all else that a declaration may change.

All are about `things`, in addition to companies and people.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.fields.lines import Row
from portal.fields.linked_value import Linked

OTHERS = """\
companies: {fields: {name: text}}
people: {fields: {name: text, thing: {type: link, to: things}}}
"""
F = frozenset({("things", "f")})


@dataclass(frozen=True)
class Change:
    """The modules before and after, as YAML, and the values of `things` between.

    `touched`: fields, with their module, whose values may be others afterwards. `renamed`: what has another name, by
    (module, field), or (module, "") for a whole module. `refused`: the check refuses it, with the cure.
    """

    name: str
    before: str
    after: str
    values: list[dict[str, Any]] = field(default_factory=lambda: [{"f": "alpha"}, {"f": "12"}, {}])
    touched: frozenset[tuple[str, str]] = F
    renamed: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    top: str = ""
    top_after: str | None = None
    refused: bool = False


def things(fields: str = "", more: str = "") -> str:
    """The modules, where `things` have these fields; `more`: other keys of it, one a line."""
    given = "".join(f", {entry}" for entry in (fields,) if entry)
    text = f"things:\n  fields: {{name: text, company: {{type: link, to: companies}}{given}}}\n"
    return OTHERS + text + textwrap.indent(textwrap.dedent(more).strip("\n"), "  ")


TYPES = {
    **{kind: "" for kind in (
        "text", "longtext", "markdown", "html", "email", "phone", "url", "integer", "decimal", "money", "percent",
        "boolean", "date", "datetime", "time", "duration", "tags", "signature", "address", "location", "rating",
        "color", "file", "files", "image", "json", "ip",
    )},
    "choice": "options: [low, high, '12', 'true', Acme]",
    "choices": "options: [low, high, '12', Acme]",
    "elapsed": "from: created, to: modified",
    "formula": "of: 1 + 2",
    "lookup": "of: company.name",
    "link": "to: companies",
    "link to several": "to: [people, companies]",
    "link to people": "to: people",
    "links": "to: companies",
    "links to people": "to: people",
    "lines": "fields: {what: text, n: integer}",
    "rollup": "of: count(people)",
    "timeliness": "of: created, to: modified",
}  # fmt: skip


def _field(kind: str) -> str:
    return "{type: " + kind.partition(" ")[0] + (f", {TYPES[kind]}" if TYPES[kind] else "") + "}"


FIELDS = {kind: things(f"f: {_field(kind)}") for kind in TYPES}
WORDS = ("alpha", "12", "3.50", "2026-03-05", "08:30", "true", "low", "Acme", "a@x.example", "#ff0000", "a, b", "1 h")
VALUES: dict[str, tuple[Any, ...]] = {
    "text": WORDS,
    "longtext": (*WORDS, "two\nlines", "2026-03-05T12:00"),
    "markdown": (*WORDS, "**b**\n\n- x"),
    "html": ("<p>alpha</p>", "<p>12</p>", "<p>two</p><p>lines &amp; more</p>"),
    "email": ("a@x.example",),
    "phone": ("+39 06 123456", "123"),
    "url": ("https://x.example/?a=1&b=2",),
    "integer": ("12", "0", "-5", "4"),
    "decimal": ("3.50", "12", "-1"),
    "money": ("5", "0.5"),
    "percent": ("15", "4"),
    "boolean": ("true", "false"),
    "date": ("2026-03-05",),
    "datetime": ("2026-03-05T12:00",),
    "time": ("08:30",),
    "duration": ("90 min", "12"),
    "tags": ("a, b", "low", "12"),
    "signature": ("Anna Moretti",),
    "rating": ("1", "5"),
    "color": ("#ff0000",),
    "ip": ("10.0.0.1",),
    "json": ('{"a": [1, null]}', "12", '"text"'),
    "choice": ("low", "12", "true", "Acme"),
    "choices": ("low", "low, high", "Acme", "12"),
    "link": (Linked(1, "companies"), Linked(2, "companies")),
    "link to several": (Linked(1, "companies"), Linked(2, "people")),
    "link to people": (Linked(1, "people"),),
    "links": ((Linked(1, "companies"),), (Linked(2, "companies"), Linked(1, "companies"))),
    "links to people": ((Linked(1, "people"),), (Linked(2, "people"), Linked(1, "people"))),
    "lines": ((Row({"what": "a", "n": 1}), Row({"what": "b", "n": None})), (Row({"what": "12"}),)),
}


def every_type_from(old: str) -> Change:
    """Fields of one type, each of which becomes another one, but for lines and links, which cannot become the other."""
    names = {f"f{number}": new for number, new in enumerate(FIELDS) if {old[:5], new[:5]} != {"links", "lines"}}
    before = things(", ".join(f"{name}: {_field(old)}" for name in names))
    after = things(", ".join(f"{name}: {_field(new)}" for name, new in names.items()))
    values = [dict.fromkeys(names, value) for value in (*VALUES.get(old, ()), None)]
    return Change(f"{old} to every type", before, after, values, frozenset(("things", name) for name in names))


def _f(keys: str) -> str:
    return things("f: {" + keys + "}")


def _pair(name: str, before: str, after: str, *values: Any, **options: Any) -> Change:
    """A change of the keys of the field `f`."""
    given = [{"f": value} for value in values]
    return Change(f"f: {name}", _f(before), _f(after), given or [{"f": "alpha"}, {"f": "12"}, {}], **options)


NOTHING: frozenset[tuple[str, str]] = frozenset()
STATES = "f: {type: choice, options: [new, open, done]}"
MOVES = "lifecycle: {field: f, transitions: {go: {from: new, to: open}, end: {from: open, to: done}}}"
IN_STATES = [{"f": "new"}, {"f": "open"}, {"f": "done"}, {}]
ROWS = ((Row({"what": "a", "n": 1}), Row({"what": "b", "n": 2})), (Row({"what": "12", "n": None}),), ())
OF_OPTIONS = "n: {type: choice, options: [a, b]}"
LINE = "type: lines, fields: "
CHANGES = (
    # -- keys of a field
    _pair("required", "type: text", "type: text, required: true", touched=NOTHING),
    _pair("no longer required", "type: text, required: true", "type: text", touched=NOTHING),
    _pair("required with a default", "type: text", "type: text, required: true, default: x", touched=NOTHING),
    _pair("unique", "type: text", "type: text, unique: true", touched=NOTHING),
    _pair("no longer unique", "type: text, unique: true", "type: text", touched=NOTHING),
    _pair("unique with doubles", "type: text", "type: text, unique: true", "a", "A", None, touched=NOTHING),
    _pair("unique number with doubles", "type: integer", "type: integer, unique: true", "1", "1", touched=NOTHING),
    _pair("unique and another type", "type: text", "type: integer, unique: true", "1", "2", "x"),
    _pair("unique and another type, doubles", "type: text", "type: integer, unique: true", "1", "01", "x"),
    _pair("unique link", "type: link, to: companies", "type: link, to: companies, unique: true",
          Linked(1, "companies"), Linked(2, "companies"), None, touched=NOTHING),
    _pair("default", "type: text", "type: text, default: x", touched=NOTHING),
    _pair("another default", "type: text, default: x", "type: text, default: y", touched=NOTHING),
    _pair("default of a number", "type: integer", "type: integer, default: 3", "1", None, touched=NOTHING),
    _pair("shorter", "type: text", "type: text, max_length: 3", "abc", "abcdef", touched=NOTHING),
    _pair("longer than an index takes", "type: text", "type: text, max_length: 100000", "x" * 200, touched=NOTHING),
    _pair("no longer long", "type: text, max_length: 100000", "type: text", "x" * 9000, "x", touched=NOTHING),
    _pair("pattern", "type: text", "type: text, pattern: '[a-z]+'", touched=NOTHING),
    _pair("fewer places", "type: decimal, places: 4", "type: decimal, places: 2", "1.5", "1.2345"),
    _pair("more places", "type: decimal, places: 2", "type: decimal, places: 6", "1.5", "1.25", touched=NOTHING),
    _pair("fewer digits", "type: decimal, digits: 18", "type: decimal, digits: 4", "12.5", "123456.5"),
    _pair("more digits", "type: decimal, digits: 4", "type: decimal, digits: 28", "12.5", touched=NOTHING),
    _pair("min", "type: integer", "type: integer, min: 5", "1", "9", touched=NOTHING),
    _pair("percent places", "type: percent, places: 4", "type: percent, places: 0", "15", "15.5"),
    _pair("currency", "type: money", "type: money, currency: JPY", "5", "7", touched=NOTHING),
    _pair("rating max", "type: rating, max: 5", "type: rating, max: 3", "2", "5"),
    _pair("rating max up", "type: rating, max: 3", "type: rating, max: 9", "2", "3", touched=NOTHING),
    _pair("internal", "type: longtext", "type: longtext, internal: true", touched=NOTHING),
    _pair("not searched", "type: text", "type: text, search: false", touched=NOTHING),
    _pair("searched", "type: integer", "type: integer, search: true", "12", touched=NOTHING),
    _pair("index", "type: integer", "type: integer, index: true", "12", touched=NOTHING),
    _pair("no index", "type: integer, index: true", "type: integer, index: false", "12", touched=NOTHING),
    _pair("read only", "type: text", "type: text, read_only: true", touched=NOTHING),
    _pair("shown when", "type: text", "type: text, show_when: {name: x}", touched=NOTHING),
    # -- options
    *(Change(f"options of {kind}: {name}", _f(f"type: {kind}, options: {before}"),
             _f(f"type: {kind}, options: {after}"), [{"f": "a"}, {"f": "b"}, {}], touched=F if renames else NOTHING,
             refused=name == "changed places")
      for kind in ("choice", "choices")
      for name, before, after, renames in (
          ("added", "[a, b]", "[a, b, c]", False),
          ("removed", "[a, b]", "[a]", False),
          ("all removed", "[a, b]", "[c]", False),
          ("other order", "[a, b]", "[b, a]", False),
          ("with labels", "[a, b]", "{a: An A, b: {label: B, tone: good}}", False),
          ("renamed", "{a: A, b: B}", "{z: {label: Z, formerly: a}, b: B}", True),
          ("changed places", "{a: A, b: B}", "{a: {formerly: b}, b: {formerly: a}}", True),
          ("renamed onto a removed one", "{a: A, b: B}", "{b: {formerly: a}}", True),
      )),
    # -- fields and modules come, go and get another name
    Change("field added", things(), things("f: text"), [{}, {}]),
    *(Change(f"{kind} added", things(), FIELDS[kind], [{}, {}]) for kind in TYPES),
    *(Change(f"{kind} removed", FIELDS[kind], things(), [{"f": value} for value in VALUES.get(kind, (None,))])
      for kind in TYPES),
    *(Change(f"{kind} renamed", FIELDS[kind], FIELDS[kind].replace(" f: {", " g: {formerly: f, "),
             [{"f": value} for value in VALUES.get(kind, (None,))], touched=NOTHING,
             renamed={("things", "f"): ("things", "g")}) for kind in TYPES),
    Change("renamed with another type", _f("type: text"), things("g: {type: integer, formerly: f}")),
    Change("renamed and unique", _f("type: text"), things("g: {type: text, unique: true, formerly: f}"),
           touched=NOTHING, renamed={("things", "f"): ("things", "g")}),
    Change("names change places", things("f: text, g: text"),
           things("f: {type: text, formerly: g}, g: {type: text, formerly: f}"),
           [{"f": "a", "g": "b"}], refused=True),
    Change("another field takes the name", things("f: text"), things("g: {type: text, formerly: f}, f: integer"),
           refused=True),
    Change("a title of another name", things("f: text", "title: f"), things("f: text", "title: name"), touched=NOTHING),
    Change("a column of many", things("f: text"), things("f: text, " + ", ".join(f"x{n}: text" for n in range(60))),
           touched=NOTHING),
    Change("module added", things(), things() + "\nmore: {fields: {x: {type: link, to: things}}}", [{}]),
    Change("module removed", things() + "\nmore: {fields: {x: text}}", things(), [{}]),
    Change("module with records removed", things("f: text"), OTHERS,
           touched=frozenset({("things", "f"), ("things", "name"), ("things", "company")})),
    Change("module that is linked to removed", things("f: {type: link, to: people}"),
           "companies: {fields: {name: text}}\n" + things("f: text").split("\n", 2)[2],
           [{"f": Linked(1, "people")}], frozenset({("things", "f"), ("people", "name")})),
    Change("module renamed", things("f: text"), things("f: text").replace("things:", "goods:\n  formerly: things"),
           touched=NOTHING, renamed={("things", ""): ("goods", "")}),
    Change("module and field renamed", things("f: text"),
           things("g: {type: text, formerly: f}").replace("things:", "goods:\n  formerly: things"),
           touched=NOTHING, renamed={("things", ""): ("goods", ""), ("things", "f"): ("goods", "g")}),
    Change("linked module renamed", things(),
           things().replace("companies:", "firms:").replace("to: companies", "to: firms").replace(
               "firms: {", "firms: {formerly: companies, "),
           [{}], frozenset({("things", "company")}), renamed={("companies", ""): ("firms", "")}),
    Change("modules change names", things("f: text"),
           "companies: {formerly: people, fields: {name: text}}\npeople: {formerly: companies, fields: {name: text}}\n"
           + things("f: text").split("\n", 2)[2].replace("to: companies", "to: people"),
           refused=True),
    # -- links
    _pair("to another module", "type: link, to: companies", "type: link, to: people",
          Linked(1, "companies"), Linked(2, "companies")),
    _pair("on delete clear", "type: link, to: people", "type: link, to: people, on_delete: clear",
          Linked(1, "people"), touched=NOTHING),
    _pair("on delete cascade", "type: link, to: people", "type: link, to: people, on_delete: cascade",
          Linked(1, "people"), touched=NOTHING),
    _pair("links to another module", "type: links, to: companies", "type: links, to: people",
          (Linked(1, "companies"),), ()),
    _pair("several targets in another order", "type: link, to: [people, companies]",
          "type: link, to: [companies, people]", Linked(1, "companies"), Linked(1, "people"), touched=NOTHING),
    # -- lines
    _pair("links become lines", "type: links, to: companies", LINE + "{what: text}", (Linked(1, "companies"),), ()),
    _pair("lines become links", LINE + "{what: text}", "type: links, to: companies", (Row({"what": "a"}),), ()),
    *(_pair(f"lines: {name}", LINE + before, LINE + after, *ROWS) for name, before, after in (
        ("column added", "{what: text, n: integer}", "{what: text, n: integer, m: text}"),
        ("column removed", "{what: text, n: integer}", "{what: text}"),
        ("column renamed", "{what: text, n: integer}", "{what: text, m: {type: integer, formerly: n}}"),
        ("column of another type", "{what: text, n: integer}", "{what: integer, n: text}"),
        ("column required", "{what: text, n: integer}", "{what: text, n: {type: integer, required: true}}"),
        ("column unique", "{what: text, n: integer}", "{what: {type: text, unique: true}, n: integer}"),
        ("link added", "{what: text, n: integer}", "{what: text, n: integer, who: {type: link, to: people}}"),
        ("links added", "{what: text, n: integer}", "{what: text, n: integer, who: {type: links, to: people}}"),
        ("formula added", "{what: text, n: integer}", "{what: text, n: integer, twice: {type: formula, of: n * 2}}"),
        ("total", "{what: text, n: integer}", "{what: text, n: integer}, total: [n]"),
        ("at most", "{what: text, n: integer}", "{what: text, n: integer}, max: 1"),
        ("all columns others", "{what: text, n: integer}", "{a: text, b: date}"),
    )),
    Change("lines and module renamed", _f(LINE + "{what: text, n: integer}"),
           things("g: {formerly: f, " + LINE + "{what: text, n: integer}}").replace(
               "things:", "goods:\n  formerly: things"),
           [{"f": rows} for rows in ROWS], NOTHING,
           renamed={("things", ""): ("goods", ""), ("things", "f"): ("goods", "g")}),
    # -- formulas and lookups
    Change("another formula", things("n: integer, f: {type: formula, of: n * 2}"),
           things("n: integer, f: {type: formula, of: n * 3}"), [{"n": "2"}, {}]),
    Change("a table of options instead", things(f"{OF_OPTIONS}, f: {{type: formula, of: {{n: {{a: x}}}}}}"),
           things(f"{OF_OPTIONS}, f: {{type: formula, of: {{n: {{a: y, b: z}}}}}}"), [{"n": "a"}, {}]),
    Change("a table of numbers", things(f"{OF_OPTIONS}, f: {{type: formula, of: {{n: {{a: x, b: y}}}}}}"),
           things(f"{OF_OPTIONS}, f: {{type: formula, of: {{n: {{a: 1, b: 2}}}}}}"), [{"n": "a"}, {}]),
    Change("a formula of what gets another type", things("n: text"),
           things("n: integer, f: {type: formula, of: n * 2}"), [{"n": "2"}, {"n": "x"}], frozenset({("things", "n")})),
    Change("a formula of what goes", things("n: integer, f: {type: formula, of: n * 2}"),
           things("f: {type: formula, of: 2}"), [{"n": "2"}], frozenset({("things", "n")})),
    Change("another lookup", _f("type: lookup, of: company.name"), _f("type: lookup, of: company.created"), [{}]),
    # -- lifecycles
    Change("lifecycle", things(STATES), things(STATES, MOVES), IN_STATES, NOTHING),
    Change("no lifecycle", things(STATES, MOVES), things(STATES), IN_STATES, NOTHING),
    Change("a state less", things(STATES, MOVES),
           things(STATES.replace(", done", ""), MOVES.replace(", to: done", ", to: new")),
           IN_STATES, NOTHING),
    Change("a state of another name", things(STATES.replace("[new, open, done]", "{new: N, open: O, done: D}"), MOVES),
           things(STATES.replace("[new, open, done]", "{new: N, open: O, over: {formerly: done}}"),
                  MOVES.replace("to: done", "to: over")), IN_STATES),
    Change("state field of another name", things(STATES, MOVES),
           things(STATES.replace("f: {", "g: {formerly: f, "), MOVES.replace("field: f", "field: g")), IN_STATES,
           NOTHING, renamed={("things", "f"): ("things", "g")}),
    Change("another state field", things(STATES + ", g: {type: choice, options: [new, open, done]}", MOVES),
           things(STATES + ", g: {type: choice, options: [new, open, done]}", MOVES.replace("field: f", "field: g")),
           IN_STATES, frozenset({("things", "f"), ("things", "g")})),
    Change("a start", things(STATES, MOVES), things(STATES, MOVES.replace("field: f", "field: f, start: open")),
           IN_STATES, NOTHING),
    # -- keys of modules
    *(Change(f"module: {name}", things("f: text", before), things("f: text", after), touched=NOTHING)
      for name, before, after in (
          ("reference", "", 'reference: "T{number}"'),
          ("another reference", 'reference: "T{number}"', 'reference: "X-{year}-{number:05}"'),
          ("comments", "", "comments: true"),
          ("no comments", "comments: true", "comments: false"),
          ("attachments", "", "attachments: true"),
          ("watchers", "", "comments: true"),
          ("columns of a list", "", "list: {columns: [f, company], sort: -f}"),
          ("tabs", "", "list: {tabs: {a: {where: {f: x}}, b: {where: {company.name: Acme}}}}"),
          ("no columns", "list: {columns: [f, company], sort: [f, -name]}", ""),
          ("see", "", "see: all"),
          ("records from", "", "records_from: true"),
      )),
    Change("people", things("f: {type: link, to: people}", "see: all"),
           things("f: {type: link, to: people}", "owner: f\nwatchers: true"), [{"f": Linked(1, "people")}, {}], NOTHING,
           top_after="people: people"),
    Change("no people", things("f: {type: link, to: people}", "owner: f\nwatchers: true"),
           things("f: {type: link, to: people}", "see: all"), [{"f": Linked(1, "people")}, {}], NOTHING,
           top="people: people", top_after=""),
    Change("organizations", things(), things(more="organization: company"), [{}], NOTHING,
           top_after="organizations: companies"),
    Change("other people", things("f: {type: link, to: people}", "owner: f"),
           things("f: {type: link, to: people}", "owner: company"), [{"f": Linked(1, "people")}], NOTHING,
           top="people: people", top_after="people: companies"),
    Change("unique within the company", things("f: text", "organization: company"),
           things("f: {type: text, unique: organization}", "organization: company"), touched=NOTHING,
           top="organizations: companies"),
    Change("unique within the company, doubles", things("f: text", "organization: company"),
           things("f: {type: text, unique: organization}", "organization: company"), [{"f": "a"}, {"f": "A"}],
           NOTHING, top="organizations: companies"),
    Change("languages", things("f: text"), things("f: text"), touched=NOTHING, top="portal: {languages: [en]}",
           top_after="portal: {languages: [it, en]}"),
    Change("another currency", _f("type: money"), _f("type: money"), [{"f": "5"}], NOTHING,
           top="portal: {currency: EUR}", top_after="portal: {currency: JPY}"),
    Change("another time zone", _f("type: datetime"), _f("type: datetime"), [{"f": "2026-03-05T12:00"}], NOTHING,
           top_after="portal: {time_zone: Asia/Tokyo}"),
)  # fmt: skip
