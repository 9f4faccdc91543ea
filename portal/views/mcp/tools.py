"""The tools with which an assistant uses the portal, as far as the reader's profile and token allow.

There are few, each with the name of a module as an argument: five per module would be five hundred in a portal with a
hundred modules, too many for an assistant to choose from. A tool also describes a module when needed. Assistants
cannot delete anything.

Descriptions are read by models and are in English; titles, labels and refusals are read by people.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from portal.records.policy import Policy
from portal.texts import Words, _
from portal.views.api.input_error import UNEXPECTED, UNKNOWN
from portal.views.api.lists import LIMIT, MOST_RECORDS
from portal.views.mcp.api_requests import Api, RefusedCallError
from portal.web.addresses import API, api_address

Schema = dict[str, Any]
Arguments = Mapping[str, Any]
NAME, NOWHERE = re.compile(r"\w+"), "-"  # for modules and transitions; an address that never exists
KINDS: dict[str, type] = {"string": str, "integer": int, "boolean": bool, "object": dict}

MODULE: Schema = {"type": "string", "description": "The name of a module."}
ID: Schema = {"type": "integer", "description": "The `id` of the record, not its reference."}
VALUES: Schema = {
    "type": "object",
    "description": "Values by the names of fields, as describe_module gives their types. A link is the id of a record, "
    "or a text that names it: its reference or title.",
}
ONCE: Schema = {
    "type": "string",
    "description": "A text of your choice, new for each thing to be done. A call that is repeated with it, because no "
    "answer came, does nothing twice.",
}
VERSION: Schema = {
    "type": "integer",
    "description": "The `_version` of the record as you read it. If others have changed it since, nothing is saved.",
}
QUERY: Schema = {
    "type": "string",
    "description": "Words, and filters by names of fields: status:open -assignee:me (urgency:high or urgency:medium) "
    'company:"Acme Ltd" total:>=10 created:2026-01-01..2026-03-31. Without it: all records.',
}


def _all(policy: Policy) -> list[str]:
    return list(policy.modules)


def _where(action: str) -> Callable[[Policy], list[str]]:
    return lambda policy: [name for name in policy.modules if policy.may(name, action)]


def _with_transitions(policy: Policy) -> list[str]:
    modules = policy.modules
    return [name for name in modules if any(policy.may(name, one) for one in policy.module(name).transitions)]


def _with_comments(policy: Policy) -> list[str]:
    return [name for name in _where("comment")(policy) if policy.module(name).comments]


@dataclass(frozen=True)
class Tool:
    """A tool: its arguments, the modules that it may be used for, and its requests to the API."""

    name: str
    title: Words
    description: str
    run: Callable[[Api, Arguments], Any]
    arguments: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    modules: Callable[[Policy], list[str]] = _all
    reads: bool = True
    overwrites: bool = False
    for_staff: tuple[str, ...] = ()  # arguments

    def described(self, policy: Policy) -> Schema:
        """The tool in the protocol's format, for this reader."""
        arguments = {name: self.arguments[name] for name in self._names(policy)}
        if "module" in arguments:
            arguments["module"] = {**MODULE, "enum": self.modules(policy)}
        schema: Schema = {"type": "object", "properties": arguments, "additionalProperties": False}
        hints = {"readOnlyHint": self.reads, "destructiveHint": self.overwrites, "openWorldHint": False}
        return {
            "name": self.name,
            "title": policy.reader.text(self.title),
            "description": self.description,
            "inputSchema": {**schema, "required": list(self.required)},
            "annotations": hints,
        }

    def is_offered(self, policy: Policy, only_reads: bool) -> bool:
        """Whether this reader may use it for anything."""
        return (self.reads or not only_reads) and bool(self.modules(policy))

    def call(self, api: Api, policy: Policy, arguments: Arguments) -> Any:
        """The result of the tool. Raises RefusedCallError."""
        given = {name: value for name, value in arguments.items() if value is not None}
        names = self._names(policy)
        wrong = {name: UNKNOWN for name in given if name not in names}
        wrong |= {name: _("Required") for name in self.required if name not in given}
        wrong |= {
            name: UNEXPECTED
            for name, value in given.items()
            if name in names and type(value) is not KINDS[self.arguments[name]["type"]]
        }
        if wrong:
            text = policy.reader.text
            fields = {name: text(sentence) for name, sentence in wrong.items()}
            raise RefusedCallError({"error": text(WRONG_ARGUMENTS), "fields": fields})
        return self.run(api, given)

    def _names(self, policy: Policy) -> list[str]:
        return [name for name in self.arguments if policy.staff or name not in self.for_staff]


WRONG_ARGUMENTS = _("Nothing was done: some arguments are not valid.")


# -- what they do -----------------------------------------------------------------------------------------------


def _list_modules(api: Api, given: Arguments) -> Any:
    listed = api.get(API)
    return {**listed, "modules": [{name: one[name] for name in ("name", "label", "can")} for one in listed["modules"]]}


def _describe_module(api: Api, given: Arguments) -> Any:
    return api.get(_address(given, "schema"))


def _search_records(api: Api, given: Arguments) -> Any:
    names = {"q": "query", "tab": "tab", "sort": "sort", "after": "after", LIMIT: "limit"}
    page = api.get(_address(given), **{name: given.get(argument) for name, argument in names.items()})
    return {"records": page["records"], "next": _parameter(page["next"], "after")}


def _read_record(api: Api, given: Arguments) -> Any:
    answer: Schema = {"record": api.get(_address(given))}
    if page := api.find(_address(given, "comments"), before=given.get("before")):
        answer |= {"comments": page["comments"], "before": _parameter(page["next"], "before")}
    return {**answer, **api.find(_address(given, "files"))}


def _create_record(api: Api, given: Arguments) -> Any:
    return api.send("POST", _address(given), given["values"], once=given.get("once"))


def _edit_record(api: Api, given: Arguments) -> Any:
    return api.send("PATCH", _address(given), given["values"], version=given.get("version"))


def _comment(api: Api, given: Arguments) -> Any:
    comment = {name: given[name] for name in ("text", "internal") if name in given}
    return api.send("POST", _address(given, "comments"), comment, once=given.get("once"))


def _move_record(api: Api, given: Arguments) -> Any:
    address = _address(given, "move", given["transition"])
    return api.send("POST", address, given.get("values", {}), given.get("version"), given.get("once"))


def _address(given: Arguments, *more: str) -> str:
    """The address that a tool requests: below a module, or below the named record. Anything that is not a name leads
    nowhere: not to siblings of a module, such as `..` and `openapi.json`."""
    module, *parts = (quote(name) if NAME.fullmatch(name) else NOWHERE for name in (given["module"], *more))
    return "/".join((api_address(module, given.get("id")), *parts))


def _parameter(address: str | None, name: str) -> str | None:
    """A parameter for a tool's next call, from the address of another page that the API has answered."""
    return parse_qs(urlsplit(address).query)[name][0] if address else None


TOOLS = (
    Tool(
        "list_modules",
        _("Modules"),
        "The modules of this portal, their labels, and what may be done in each.",
        _list_modules,
    ),
    Tool(
        "describe_module",
        _("Fields and forms"),
        "What a module consists of: its tabs, the fields of its records with their types, labels and options, the "
        "fields of new records and of changes, and its transitions with what they ask.",
        _describe_module,
        {"module": MODULE},
        ("module",),
    ),
    Tool(
        "search_records",
        _("Search"),
        "A page of the records of a module that you may see, with all their fields. `next` of the answer is the "
        "`after` of the following page.",
        _search_records,
        {
            "module": MODULE,
            "query": QUERY,
            "tab": {"type": "string", "description": "One of the `tabs` of the module. Without it: all records."},
            "sort": {"type": "string", "description": "A field to sort by; with - before it, the greatest first."},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_RECORDS, "description": "Records on a page."},
            "after": {"type": "string", "description": "The `next` of the page before, with the same other arguments."},
        },
        ("module",),
    ),
    Tool(
        "read_record",
        _("One record"),
        "A record with its conversation, the newest comments first, and the names of its files.",
        _read_record,
        {
            "module": MODULE,
            "id": ID,
            "before": {"type": "string", "description": "The `before` of an answer, for older comments."},
        },
        ("module", "id"),
    ),
    Tool(
        "create_record",
        _("A new record"),
        "Creates a record. Fields that are not given have their defaults.",
        _create_record,
        {"module": MODULE, "values": VALUES, "once": ONCE},
        ("module", "values"),
        _where("create"),
        reads=False,
    ),
    Tool(
        "edit_record",
        _("Change a record"),
        "Changes the given fields of a record, and no others. Others may be notified.",
        _edit_record,
        {"module": MODULE, "id": ID, "values": VALUES, "version": VERSION},
        ("module", "id", "values"),
        _where("edit"),
        reads=False,
        overwrites=True,
    ),
    Tool(
        "comment_on_record",
        _("Comment"),
        "Adds a comment to the conversation of a record, which the people who see it get by email.",
        _comment,
        {
            "module": MODULE,
            "id": ID,
            "text": {"type": "string"},
            "internal": {"type": "boolean", "description": "Whether only staff may read it."},
            "once": ONCE,
        },
        ("module", "id", "text"),
        _with_comments,
        reads=False,
        for_staff=("internal",),
    ),
    Tool(
        "move_record",
        _("Change the status"),
        "Does a transition of a record, such as solving or closing it.",
        _move_record,
        {
            "module": MODULE,
            "id": ID,
            "transition": {"type": "string", "description": "One of the `transitions` of the module."},
            "values": {**VALUES, "description": "What the transition asks, `comment` among it."},
            "version": VERSION,
            "once": ONCE,
        },
        ("module", "id", "transition"),
        _with_transitions,
        reads=False,
        overwrites=True,
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
