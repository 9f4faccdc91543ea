"""Random portals: made from a number, valid in the language, with names and texts as odd as it allows.

For test_any_portal.py. The same number makes the same portal; nothing here knows what a portal does with it.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# Words from SQL, Python and templates; and two that could each be mistaken for a part of the other.
NAMES = (
    *("order", "from", "class", "keys", "items", "select", "values", "index", "count", "metadata", "self"),
    *("table", "any", "column", "c", "name", "label", "user", "group"),
    *("where", "rowid", "none", "limit", "primary", "joins", "title"),
    *("status", "parent", "position", "request", "window", "line_number", "order_line"),
)
TEXTS = (
    *("Ticket", "Order <b>line</b>", 'What\'s "up" & ${name}'),
    *({"en": "Ticket", "ar": "تذكرة", "zh": "工单"}, {"he": "בקשה"}),
)
OPTIONS = (
    *("new", "1", "007", "1.10", "in progress", "it's", 'say "hi"', "🔥"),
    *("''", "no", "null", "a,b", "%", "<b>x</b>", "نعم"),
)


@dataclass(frozen=True)
class Kind:
    """A type of field: its possible keys, what may be typed, and possible conditions."""

    typed: tuple[Any, ...]
    asked: tuple[Any, ...] = ()
    keys: tuple[Mapping[str, Any], ...] = ()


KINDS = {
    "text": Kind(("alpha", "Größe 42", "工单 x", "${name}"), ("alpha", ["a", "b"], {"contains": "%"}, {"not": "a"})),
    "longtext": Kind(("two\nlines", "żółw"), ({"contains": "zolw"},)),
    "markdown": Kind(("**b** [l](https://x.example)",), ({"contains": "b"},)),
    "html": Kind(("<p>x</p><script>y</script>",), ({"contains": "x"},)),
    "email": Kind(("a@x.example", "b@x.example"), ("a@x.example",)),
    "phone": Kind(("+39 06 123456", "123"), ({"contains": "06"},)),
    "url": Kind(("https://x.example/?a=1&b=2",)),
    "integer": Kind(("0", "3", "-5"), (3, [1, 3], {"min": 1, "max": 3}, {"not": 3}), ({"min": -5, "max": 1000},)),
    "decimal": Kind(("0", "2"), ({"before": 3, "after": 1}, 2), ({"places": 0}, {"places": 6})),
    "money": Kind(("5", "0"), ({"min": 2},), ({"currency": "JPY"},)),
    "percent": Kind(("15",), ({"max": 20},)),
    "boolean": Kind(("true",), (True, False, {"not": True}), ({"default": True},)),
    "date": Kind(
        ("2026-03-05",),
        ("today", {"within": "30 days"}, {"before": "today - 1 week"}),
        ({"default": "today + 7d"},),
    ),
    "datetime": Kind(("2026-03-05T12:00",), ({"within": "2 weeks"}, {"after": "today"}), ({"default": "now + 4 h"},)),
    "time": Kind(("08:30", "23:00"), ({"min": "08:00"},)),
    "duration": Kind(("90 min", "1:30"), ({"min": "1 h"},)),
    "tags": Kind(("a, b", "x y"), ("a", {"contains": "a"})),
    "rating": Kind(("1", "5"), (5, {"min": 3}), ({"halves": True},)),
    "ip": Kind(("10.0.0.1", "2001:db8::1", "10.0.0.3-10.0.0.9"), ({"contains": "10.0.0.0/8"}, {"min": "10.0.0.0"})),
    "color": Kind(("#ff0000",), ("#ff0000",)),
    "elapsed": Kind((), ({"min": "1 h"},), ({"from": "created", "to": "modified"},)),
    "timeliness": Kind((), ("met", ["overdue", "missed"], {"not": "met"}), ({"of": "created", "to": "modified"},)),
    "choice": Kind(()),
    "choices": Kind(()),
    "link": Kind((), ({"contains": "a"}, {"not": "Some name"}, {"empty": False})),
    "links": Kind((), ({"contains": "a"}, "Some name")),
    "address": Kind((), ({"contains": "a"},)),
    "location": Kind(("46.06, 13.24", "geo:-33.8,151.2"), ("46 13 10 km", {"empty": False})),
    "signature": Kind(("Anna Moretti",), ({"contains": "anna"}, {"empty": True})),
    "json": Kind(('{"a": [1, null]}', "[]"), ({"contains": "a"},)),
    "formula": Kind((), ({"min": 2}, {"not": 3}), ({"of": "1 + 2"},)),
}
COMPUTED = ("elapsed", "formula", "timeliness")
NOT_SORTED = ("json", "location", "lookup", "lines")
NOT_COMPARED = ("lookup", "lines", "file", "files", "image")


class AnyPortal:
    """`modules`, `profiles` and `buttons` as in the YAML."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.names = self.random.sample(NAMES, 3) + [f"long_{'x' * 43}"]
        self.people, self.organizations = self.names[:2] if seed % 3 else (None, None)
        self.modules: dict[str, dict[str, Any]] = {name: {"fields": self._fields(name)} for name in self.names}
        for name in self.names:
            self._look_up(name)
            self._rights(name)
        for name in self.names:
            self._module(name)
        self.profiles = {"staff": self._staff(), **({"customer": self._customer()} if self.people else {})}
        self.buttons = {
            f"button_{index}": {"label": self._text(), "opens": name, "where": self._condition(name), "count": True}
            for index, name in enumerate(self.names)
        }
        self.profiles["staff"]["home"] = {"buttons": list(self.buttons), "panels": ["activity"]}
        self.top: dict[str, Any] = {}
        self.settings: dict[str, Any] = {}

    def write(self, folder: Path) -> Path:
        """Writes the files of the portal to `folder`."""
        settings = {"name": self._text(), "languages": ["en", "ar", "he", "it"], **self.settings}
        top = {"portal": settings, "modules": self.modules, **self.top}
        if self.people:
            top |= {"people": self.people, "organizations": self.organizations}
        files = {"modules": top, "buttons": {"buttons": self.buttons}}
        files |= {f"profiles/{name}": profile for name, profile in self.profiles.items()}
        (folder / "profiles").mkdir(parents=True)
        for name, content in files.items():
            (folder / f"{name}.yaml").write_text(yaml.dump(content, allow_unicode=True, sort_keys=False, Dumper=Plain))
        return folder

    def typed(self, module: str, name: str) -> list[tuple[str, str]]:
        """Inputs for a field, with an acceptable value; links are left to callers who know what they offer."""
        field = self.modules[module]["fields"][name]
        if field["type"] in ("choice", "choices"):
            return [(name, self.random.choice(list(field["options"])))]
        if field["type"] == "address":
            return [(f"{name}.street", "Rue d'Ys 1"), (f"{name}.city", "Łódź")]
        values = KINDS[field["type"]].typed if field["type"] in KINDS else ()
        return [(name, self.random.choice(values))] if values else []

    # -- the parts --------------------------------------------------------------------------------------------------

    def _text(self) -> Any:
        return self.random.choice(TEXTS)

    def _fields(self, module: str) -> dict[str, Any]:
        names = self.random.sample([*NAMES, "y" * 48], self.random.choice([2, 6, 14]))
        fields = {name: self._field(self.random.choice(list(KINDS)), module) for name in names}
        if module == self.people:
            fields["mail"] = {"type": "email", "unique": True}
            fields["employer"] = {"type": "link", "to": self.organizations}
        return {"company_name": "text", **fields} if module == self.organizations else fields

    def _field(self, kind: str, module: str) -> Any:
        field = {"type": kind, **self.random.choice([*([] if kind in COMPUTED else [{}]), *KINDS[kind].keys])}
        if self._chance(0.3):
            field |= {"label": self._text(), "help": self._text()}
        if kind in ("choice", "choices"):
            options = self.random.sample(OPTIONS, 4)
            field["options"] = options if self._chance(0.5) else {each: {"label": self._text()} for each in options}
        if kind in ("link", "links"):
            field["to"] = self.random.choice([module, self.people or module, self.organizations or module, *self.names])
        if kind == "link" and self._chance(0.2):
            field["to"] = self.random.sample(self.names, 2)
        if kind not in COMPUTED and self._chance(0.1):
            field["internal"] = True
        return field

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _of(self, module: str) -> dict[str, dict[str, Any]]:
        fields = self.modules[module]["fields"]
        return {name: {"type": field} if isinstance(field, str) else field for name, field in fields.items()}

    def _look_up(self, module: str) -> None:
        """A lookup along the first link; fields in short form get their long form."""
        fields = self._of(module)
        link = next((name for name in self._links(fields) if fields[name]["type"] == "link"), None)
        if link:
            fields = {**fields, f"look_{link}"[:48]: {"type": "lookup", "of": f"{link}.created"}}
            can_be_looked_up = [
                name for name, field in self._of(fields[link]["to"]).items() if field["type"] not in ("links", "lookup")
            ]
            for number, name in enumerate(self.random.sample(can_be_looked_up, min(3, len(can_be_looked_up)))):
                fields[f"seen_{number}_{link}"[:48]] = {"type": "lookup", "of": f"{link}.{name}"}
            beyond = next(
                (name for name, field in self._of(fields[link]["to"]).items() if field["type"] == "link"), None
            )
            if beyond:
                fields[f"far_{link}"[:48]] = {"type": "lookup", "of": f"{link}.{beyond}"}
        self.modules[module]["fields"] = fields

    def _links(self, fields: Mapping[str, Any], to: str | None = None) -> list[str]:
        """The links to one module."""
        links = {name: each["to"] for name, each in fields.items() if each["type"] in ("link", "links")}
        return [name for name, target in links.items() if isinstance(target, str) and to in (None, target)]

    def _rights(self, module: str) -> None:
        """Who owns its records, also two links away."""
        fields, entry = self._of(module), self.modules[module]
        for key, to in (("owner", self.people), ("organization", self.organizations)):
            ways = self._links(fields, to) if to and module != to else []
            if to and module not in (self.people, self.organizations):
                single = [link for link in self._links(fields) if fields[link]["type"] == "link"]
                ends = {link: self._links(self._of(fields[link]["to"]), to) for link in single}
                ways += [f"{link}.{other}" for link, others in ends.items() for other in others]
            if ways:
                entry[key] = self.random.choice(ways)
        if module == self.people:
            entry.pop("owner", None)
            entry["organization"] = "employer"

    def _module(self, name: str) -> None:
        entry, fields = self.modules[name], self._of(name)
        entry |= {"label": self._text(), "singular": self._text(), "comments": True}
        entry["reference"] = self.random.choice(["{number}", "{year}-{number:05}", "<{number}>", "R'{number}\""])
        shown = list(fields)
        odd = ("date", "integer", "link", "choice", "money", "duration")
        titles = [each for each in shown if fields[each]["type"] in odd and not fields[each].get("internal")]
        if titles and name not in (self.people, self.organizations):
            entry["title"] = self.random.choice(titles)
        tabs = {tab: {"where": self._condition(name)} for tab in ("order", "mine")}
        columns = self.random.sample(shown, min(4, len(shown)))
        sortable = [each for each in shown if fields[each]["type"] not in NOT_SORTED]
        sort = [self.random.choice(["", "-"]) + each for each in self.random.sample(sortable, min(2, len(sortable)))]
        entry["list"] = {"columns": [*columns, "created_by"], "sort": sort, "page_size": 4, "tabs": {**tabs, "all": {}}}
        states = [each for each, field in fields.items() if field["type"] == "choice" and not field.get("internal")]
        if states:
            options = list(fields[states[0]]["options"])
            go = {"to": options[1], "from": options[0], "ask": {"comment": "optional"}}
            moves = {"go": go, "back": {"to": options[0]}}
            answers = {"customer": {"to": options[2]}, "staff": {"from": options[2], "to": options[3]}}
            entry["lifecycle"] = {"field": states[0], "transitions": moves, "on_comment": answers}
        asked = [each for each in shown if fields[each]["type"] in ("text", "integer", "boolean", "date", "rating")]
        if len(asked) > 1:
            fields[asked[0]]["show_when"] = {asked[1]: self._test(fields[asked[1]]["type"], fields[asked[1]])}

    def _condition(self, module: str, depth: int = 0) -> dict[str, Any]:
        fields = {name: each for name, each in self._of(module).items() if each["type"] not in NOT_COMPARED}
        name = self.random.choice(list(fields))
        path, field = name, fields[name]
        if isinstance(field.get("to"), str) and field["type"] in ("link", "links"):
            others = {key: each for key, each in self._of(field["to"]).items() if each["type"] not in NOT_COMPARED}
            name = self.random.choice(list(others))
            path, field = f"{path}.{name}", others[name]
        found = {path: self._test(field["type"], field)}
        return found if depth > 1 or self._chance(0.5) else {"any": [found, self._condition(module, depth + 1)]}

    def _test(self, kind: str, field: Mapping[str, Any]) -> Any:
        if "options" in field:
            first, second = list(field["options"])[:2]
            return self.random.choice([first, [first, second], {"not": first}, {"empty": True}])
        people = [{"not": "me"}, "me"] if self.people and field.get("to") == self.people else []
        return self.random.choice([*KINDS[kind].asked, *people, {"empty": True}, "nothing"])

    def _can(self, name: str) -> list[str]:
        moves = self.modules[name].get("lifecycle", {}).get("transitions", {})
        return ["create", "edit", "comment", "export", *moves]

    def _staff(self) -> dict[str, Any]:
        return {"staff": True, "modules": {name: {"see": "all", "can": self._can(name)} for name in self.names}}

    def _customer(self) -> dict[str, Any]:
        accesses: dict[str, Any] = {}
        for name in self.names:
            entry = self.modules[name]
            mine = "owner" in entry or name == self.people
            see = "own" if mine else "organization" if "organization" in entry or name == self.organizations else "all"
            narrower = self._condition(name) if self._chance(0.2) else {}
            accesses[name] = {"see": see, "can": self._can(name), "where": narrower}
        return {"modules": accesses}


class Plain(yaml.SafeDumper):
    """YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
