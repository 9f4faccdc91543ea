"""Random portals that use the whole language; for test_valid_means_valid.py. AnyPortal has their core.

What is added is nearly always valid; the test skips what `portal check` refuses.
"""

from collections.abc import Mapping
from typing import Any

from tests.functional.any_portal import KINDS, AnyPortal

TONES = ("info", "good", "warn", "bad", "calm", "primary")
NUMBERS = ("integer", "decimal", "rating")
COLUMNS = ("text", "longtext", "integer", "money", "date", "duration", "boolean", "percent", "email", "tags")
TEXTS = ("text", "longtext", "email", "phone", "url")
SHORT = ("text", "integer", "decimal", "date", "email")
LIMITS: dict[str, tuple[dict[str, Any], ...]] = {
    "text": ({"max_length": 60, "pattern": ".{3,}"}, {"min_length": 2}, {"max_length": 100_000}),
    "longtext": ({"max_length": 500},),
    "markdown": ({"max_length": 500},),
    "html": ({"max_length": 500},),
    "decimal": ({"digits": 9, "places": 4}, {"digits": 28, "places": 0}),
    "link": tuple({"on_delete": word} for word in ("refuse", "clear", "cascade")),
}
DEFAULTS = {
    "text": "given",
    "longtext": "two\nlines",
    "integer": 3,
    "time": "08:30",
    "tags": ["a", "b"],
    "duration": "1 h",
}
STOCK = "stock", "existing_rows"  # a module, and the table below it, which is not the portal's own
EXISTING_ROWS = f"""
CREATE TABLE {STOCK[1]} (code TEXT PRIMARY KEY, "what is it" TEXT, amount INTEGER, bought DATE, whose INTEGER);
INSERT INTO {STOCK[1]} VALUES ('A/1', 'alpha & <b>beta</b>', 3, '2026-03-01', 1), ('ż', NULL, NULL, NULL, 7);
"""


class WidePortal(AnyPortal):
    """An AnyPortal with lines, formulas, files, forms in steps, letters, watchers, menus, a profile that extends …"""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        for name in self.names:
            self._more_fields(name)
            self._conversation(name)
            self._more_lifecycle(name)
            self._layouts(name)
            self._letters(name)
        if self._chance(0.3):
            self.modules[self.names[0]]["formerly"] = "of_old"
        self._more_buttons()
        for profile in self.profiles.values():
            self._more_accesses(profile)
        if "customer" in self.profiles:
            self._extend()
        self.top = self._top()
        if self._chance(0.3):
            self._existing()
        self.settings = self._settings()

    def typed(self, module: str, name: str) -> list[tuple[str, str]]:
        field = self.modules[module]["fields"][name]
        if field["type"] == "lines":
            return [
                (f"{name}.0.{column}", self.random.choice(KINDS[kind["type"]].typed))
                for column, kind in field["fields"].items()
                if kind["type"] in COLUMNS
            ]
        return super().typed(module, name)

    # -- modules ------------------------------------------------------------------------------------------------------

    def _add(self, module: str, name: str, field: Mapping[str, Any]) -> None:
        self.modules[module]["fields"][name] = dict(field)

    def _some(self, module: str, *kinds: str) -> list[str]:
        return [name for name, field in self._of(module).items() if field["type"] in kinds]

    def _more_fields(self, module: str) -> None:
        fields = self.modules[module]["fields"] = self._of(module)
        if self._chance(0.4):
            self._add(module, "rows", self._lines())
        if (numbers := self._some(module, *NUMBERS)) and self._chance(0.6):
            one, other = self.random.choice(numbers), self.random.choice(numbers)
            of = self.random.choice([f"{one} * 2", f"{one} + {other}", f"({one} - 1) / {other}"])
            self._add(module, "worked_out", {"type": "formula", "of": of})
        if (choices := self._some(module, "choice")) and self._chance(0.4):
            options = list(fields[choices[0]]["options"])
            table = {option: self.random.choice(["low", "high"]) for option in options}
            self._add(module, "ranked", {"type": "formula", "of": {choices[0]: table}})
        if self._chance(0.3):
            kinds = [{"type": "file"}, {"type": "files", "max_count": 3}, {"type": "image", "max_size": "1 MB"}]
            self._add(module, "scan", self.random.choice(kinds))
        for name, field in fields.items():
            if field["type"] in KINDS and not field.get("show_when"):
                self._more_keys(module, name, field)
                self._limits(module, name, field)

    def _lines(self) -> dict[str, Any]:
        kinds = self.random.sample(COLUMNS, 3)
        columns: dict[str, Any] = {f"c{number}": {"type": kind} for number, kind in enumerate(kinds)}
        columns["amount"] = {"type": "integer", "required": self._chance(0.5)}
        columns["twice"] = {"type": "formula", "of": "amount * 2"}
        field = {"type": "lines", "fields": columns, "total": self.random.choice([["amount"], ["amount", "twice"], []])}
        return {**field, "max": 5} if self._chance(0.5) else field

    def _more_keys(self, module: str, name: str, field: dict[str, Any]) -> None:
        kind = field["type"]
        computed = kind in ("elapsed", "formula")
        if self._chance(0.1):
            field["placeholder"] = self._text()
        if kind in SHORT and not computed and self._chance(0.1):
            field["unique"] = True
        if kind in TEXTS and not field.get("internal") and self._chance(0.15):
            field["required"] = True
        elif (
            kind in SHORT and self._chance(0.1) and (others := [o for o in self._some(module, "boolean") if o != name])
        ):
            field["required_when"] = {others[0]: True}
        if not computed and not field.get("required") and self._chance(0.08):
            field["read_only"] = self.random.choice([True, "once"])
        elif (
            not computed and (others := [o for o in self._some(module, "boolean") if o != name]) and self._chance(0.08)
        ):
            field["read_only_when"] = {others[0]: True}
        if self._chance(0.1):
            field["search"] = self.random.choice([True, False])
        if self._chance(0.1):
            field["index"] = self.random.choice([True, False])

    def _limits(self, module: str, name: str, field: dict[str, Any]) -> None:
        """Limits of what is typed, what happens with a link to what is deleted, a default, and a name of before."""
        kind, to = field["type"], field.get("to")
        if kind in LIMITS and self._chance(0.3):
            field |= self.random.choice(LIMITS[kind])
        given: dict[Any, list[Any]] = {kind: [DEFAULTS[kind]] if kind in DEFAULTS else []}
        if self.people and self.people == to:
            given["link"] = ["me"]
        if self.organizations and self.organizations == to:
            given["link"] = ["my organization"]
        if self.people and kind == "email":
            given["email"] = ["me.mail"]
        if kind == "choice":
            given["choice"] = [next(iter(field["options"]))]
        lifecycle = self.modules[module].get("lifecycle", {})
        if given.get(kind) and not field.get("unique") and name != lifecycle.get("field") and self._chance(0.2):
            field["default"] = self.random.choice(given[kind])
        if self._chance(0.1):
            field["formerly"] = f"was_{name}"[:48]
        if isinstance(field.get("options"), dict) and self._chance(0.2):
            next(iter(field["options"].values()))["formerly"] = "of old"

    def _conversation(self, module: str) -> None:
        entry = self.modules[module]
        answers = [other for other in self.names if self._some(other, "longtext", "markdown", "html")]
        comments: dict[str, Any] = {"order": self.random.choice(["oldest", "newest"])}
        if answers and self._chance(0.5):
            comments["answers"] = self.random.choice(answers)
        if self._chance(0.5):
            comments["correct"] = "15 min"
        entry["comments"] = self.random.choice([True, comments, comments])
        entry["attachments"] = self.random.choice(
            [False, True, {"max_size": "1 MB", "max_count": 2, "types": ["image/*"]}]
        )
        if self.people and self._chance(0.5):
            entry["watchers"] = True
        if self._chance(0.3):
            entry["records_from"] = self.random.choice([True, False])
        if self._chance(0.5):
            entry["icon"] = self.random.choice(["life-buoy", "users"])

    def _more_lifecycle(self, module: str) -> None:
        lifecycle = self.modules[module].get("lifecycle")
        if lifecycle is None:
            return
        fields = self._of(module)
        options = list(fields[lifecycle["field"]]["options"])
        go, back = lifecycle["transitions"]["go"], lifecycle["transitions"]["back"]
        go |= {"label": self._text(), "icon": "check", "tone": self.random.choice(TONES)}
        if self._chance(0.3):
            lifecycle["start"] = self.random.choice(options[:3])
        asked = [name for name in self._some(module, *SHORT) if fields[name].get("read_only") != "once"]
        if asked:
            go["ask"] = {"comment": "optional", self.random.choice(asked): self.random.choice(["required", "optional"])}
        if dates := self._some(module, "datetime"):
            go["set"] = {dates[0]: self.random.choice(["now", "nothing"])}
        if self._chance(0.4):
            back["confirm"] = self._text()
        if self._chance(0.3):
            back["bulk"] = False
        people = self._links(fields, self.people) if self.people else []
        if people and self._chance(0.3):
            back["only"] = self.random.choice(people)
        self._more_transitions(module, lifecycle, options)

    def _more_transitions(self, module: str, lifecycle: dict[str, Any], options: list[str]) -> None:
        lifecycle["transitions"]["end"] = {"from": [options[1], options[2]], "to": options[3]}
        if self._chance(0.5):
            lifecycle["transitions"]["by_itself"] = {"from": options[2], "to": options[0], "after": "3 days"}
        if self._chance(0.5):
            lifecycle["stages"] = options[:3]
        if self._chance(0.4):
            self._add(module, "follows", {"type": "link", "to": module, "read_only": True})
            lifecycle["follow_up"] = "follows"
        if self._chance(0.4):
            del lifecycle["transitions"]["back"]  # then there are final states

    def _layouts(self, module: str) -> None:
        entry, fields = self.modules[module], self._of(module)
        names = list(fields)
        if self._chance(0.5):
            shown = self.random.sample(names, min(5, len(names)))
            rows = [shown[:2], *shown[2:]] if len(shown) > 2 else shown
            entry["detail"] = {
                "sections": [{"title": self._text(), "fields": rows}],
                "aside": self.random.sample([*names, "created", "channel"], 3),
                "comments": self.random.choice(["top", "bottom"]),
                "history": self._chance(0.5),
            }
        linking = [other for other in self.names if self._links(self._of(other), module)]
        if linking and self._chance(0.4):
            related = [{"module": other, "columns": list(self._of(other))[:3]} for other in linking[:1]]
            entry.setdefault("detail", {})["related"] = [*related, *linking[1:]]
        fillable = [
            name
            for name, field in fields.items()
            if field["type"] not in ("elapsed", "formula", "lookup")
            and not field.get("read_only")
            and name != entry.get("lifecycle", {}).get("field")
        ]
        if fillable and self._chance(0.5):
            cut = len(fillable) // 2 + 1
            steps = [{"title": self._text(), "fields": fillable[:cut]}, {"fields": fillable[cut:]}]
            steps = [step for step in steps if step["fields"]]
            if entry["attachments"]:
                steps[-1]["fields"] = [*steps[-1]["fields"], "attachments"]
            entry["create"] = {"steps": steps} if self._chance(0.6) else {"fields": fillable}
        editable = [name for name in fillable if fields[name].get("read_only") != "once"]
        if editable and self._chance(0.3):
            entry["edit"] = {"fields": self.random.sample(editable, min(4, len(editable)))}
        entry["list"]["export"] = self._chance(0.8)
        multiple = [name for name, field in fields.items() if isinstance(field.get("to"), list)]
        unsorted = [*multiple, *self._some(module, "json", "lines")]
        entry["list"]["sort"] = [name for name in entry["list"]["sort"] if name.removeprefix("-") not in unsorted]
        entry["list"]["sort"] = entry["list"]["sort"] or "-modified"

    def _letters(self, module: str) -> None:
        entry, fields = self.modules[module], self._of(module)
        mail: dict[str, Any] = {"created": self.random.choice([True, False])}
        mail["moved"] = self.random.choice(
            [True, {"subject": "About {reference}", "text": "{title}: {link} {" + next(iter(fields)) + "}"}]
        )
        people = self._links(fields, self.people) if self.people else []
        if people:
            mail["assigned"] = self.random.choice(people)
        if self._chance(0.3):
            mail["desk"] = self.random.choice(["staff", "desk@x.example"])
        if "lifecycle" in entry and "owner" in entry and self._chance(0.5):
            options = list(fields[entry["lifecycle"]["field"]]["options"])
            mail["remind"] = {options[0]: "1 day"}
        if self._chance(0.6):
            entry["mail"] = mail

    # -- buttons, profiles, and what stands beside modules ----------------------------------------------------------

    def _more_buttons(self) -> None:
        for index, name in enumerate(self.names):
            self.buttons[f"make_{index}"] = {
                "label": self._text(), "text": self._text(), "icon": "plus", "tone": self.random.choice(TONES),
                "opens": f"{name}/create",
            }  # fmt: skip
            self.buttons[f"tab_{index}"] = {"opens": name, "tab": "mine", "count": self._chance(0.5)}
        self.buttons["away"] = {"label": self._text(), "url": "https://x.example/?a=1&b=2"}
        self.profiles["staff"]["home"] = {"buttons": list(self.buttons), "panels": ["activity"]}
        if self._chance(0.5):
            names = [*self.names, *self.random.sample(list(self.buttons), 3)]
            self.profiles["staff"]["menu"] = self.random.sample(names, len(names))

    def _more_accesses(self, profile: dict[str, Any]) -> None:
        for name, access in profile["modules"].items():
            entry, fields = self.modules[name], self._of(name)
            moves = [move for move in access["can"] if move in entry.get("lifecycle", {}).get("transitions", {})]
            actions = [action for action in access["can"] if action in ("create", "edit", "comment", "export")]
            access["can"] = [*actions, *moves, *(["end"] if "lifecycle" in entry else [])]
            if self._chance(0.5):
                access["can"].append("delete")
            if entry["attachments"]:
                access["can"].append("attach")
            if entry.get("watchers"):
                access["can"].append("watch")
            if name == self.people and self._chance(0.7):
                access["can"].append("grant")
                if self._chance(0.5):
                    access["grants"] = ["customer"]
            self._see_through(name, access)
            if (choices := self._some(name, "choice", "choices")) and self._chance(0.4):
                field = self.random.choice(choices)
                access["options"] = {field: {list(fields[field]["options"])[0]: self._text()}}
            if self._chance(0.3):
                access |= {"label": self._text(), "singular": self._text(), "icon": "users"}
            texts = [text for text in self._some(name, "text") if "show_when" not in fields[text]]
            if texts and self._chance(0.2) and not fields[texts[0]].get("unique"):
                access["set"] = {texts[0]: "given"}

    def _see_through(self, module: str, access: dict[str, Any]) -> None:
        """Sometimes the scope follows a link to a module that comes earlier, so that there is no circle."""
        fields, earlier = self._of(module), self.names[: self.names.index(module)]
        links = [link for link in self._links(fields) if fields[link]["to"] in earlier]
        if links and access["see"] != "all" and self._chance(0.3):
            access["see"] = {"through": self.random.choice(links)}

    def _extend(self) -> None:
        seen = {"as": "customer@x.example", "module": self.names[0], "sees": ["1"], "hides": ["2", "3"]}
        self.profiles["power"] = {
            "label": self._text(),
            "extends": "customer",
            "expect": [seen],
            "modules": {
                self.names[-1]: {
                    "can": ["create"],
                    "list": {"tabs": {"late": {"where": self._condition(self.names[-1])}}},
                }
            },
        }

    def _top(self) -> dict[str, Any]:
        top: dict[str, Any] = {"version": 1}
        if not self.people:
            return top
        texts = {name: self._some(name, "text") for name in self.names}
        made = [
            name for name, found in texts.items() if found and self.modules[name].get("owner") and name != self.people
        ]
        if made and self._chance(0.6):
            unknown = self.random.choice(["keep", "create"])
            top["inbox"] = {"address": "help@x.example", "creates": made[0], "title": texts[made[0]][0]}
            top["inbox"]["unknown"] = unknown
        if self._chance(0.6):
            top["sign_up"] = {"profile": "customer", "approve": self._chance(0.5)}
            if self._chance(0.5):
                top["sign_up"]["domains"] = {"x.example": "Acme", "y.example": "Nobody's"}
        return top

    def _existing(self) -> None:
        """A module over an existing table."""
        name, table = STOCK
        fields: dict[str, Any] = {
            "what": {"type": "text", "column": "what is it"}, "amount": {"type": "integer"},
            "bought": {"type": "date"},
        }  # fmt: skip
        if self.people:
            fields["whose"] = {"type": "link", "to": self.people}
        self.modules[name] = {"table": table, "key": "code", "see": "all", "comments": True, "fields": fields}
        for profile in ("staff", "customer") if self.people else ("staff",):
            can = self.random.sample(["create", "edit", "delete", "comment", "export"], self.random.randint(0, 5))
            self.profiles[profile]["modules"][name] = {"can": can}

    def _settings(self) -> dict[str, Any]:
        given = {
            "accent": "#aa3300", "currency": self.random.choice(["USD", "JPY", "PLN"]), "remember_days": 3,
            "time_zone": self.random.choice(["Asia/Tokyo", "America/New_York"]), "support_address": "help@x.example",
            "sign_in": ["password", "link"], "base_url": "http://localhost", "administrators": ["staff"],
            "letters": {"footer": self._text(), "reply_above": self._text()},
        }  # fmt: skip
        return {key: value for key, value in given.items() if self._chance(0.5)}
