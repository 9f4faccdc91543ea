"""The OpenAPI description of a module: the addresses of its records, with requests and responses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from portal.declaration.layout_shapes import FormLayout
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Transition, display_name
from portal.fields.base import Field
from portal.fields.lines import ROW_ID
from portal.records.reading.as_json import TITLE, VERSION
from portal.records.reading.filters import filter_inputs, filterable
from portal.records.reading.records import Records
from portal.records.reading.rows_as_records import rows_of
from portal.records.writing.comments import may_comment
from portal.records.writing.defaults import defaults
from portal.records.writing.files import may_attach
from portal.records.writing.lifecycle import transition_fields
from portal.records.writing.validation import typed_columns, typed_fields
from portal.records.writing.watching import may_watch
from portal.texts import Words, _
from portal.views.api.body import FORM, JSON, RECORD
from portal.views.api.lists import LIMIT, MOST_RECORDS
from portal.views.forms.uploads import attachments_input
from portal.web.addresses import api_address

Schema = dict[str, Any]
TEXT, NUMBER, YES_OR_NO = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
NEXT = {"type": ["string", "null"], "format": "uri"}
BYTES = {"contentMediaType": "application/octet-stream"}
IF_MATCH = {"name": "If-Match", "in": "header", "schema": TEXT}
ONCE = {"name": "Idempotency-Key", "in": "header", "schema": TEXT}
REFUSED = _("Refused, with the reason.")


def component(schema: str) -> Schema:
    """A reference to a schema among the components of the description of the API."""
    return {"$ref": f"#/components/schemas/{schema}"}


def response(schema: Schema | None, description: str = "OK", media_type: str = JSON) -> Schema:
    """The OpenAPI description of a response, with a body of this schema, or without a body."""
    return {"description": description, **({"content": {media_type: {"schema": schema}}} if schema else {})}


def _in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": NUMBER}


@dataclass(frozen=True)
class ModuleDescription:
    """The OpenAPI description of the module of `records`, for a reader who may write only unless `only_reads`."""

    records: Records
    only_reads: bool

    def paths(self) -> Schema:
        """The addresses of the module, each with its methods."""
        name, path_of_record = self.records.name, f"{api_address(self.records.name)}/{{id}}"
        module = self.records.module
        described = {
            api_address(name): {"get": self._list(), **self._written("create", "post", self._create)},
            f"{api_address(name)}/schema": {
                "get": self._operation("describe", _("Fields and forms"), response({"type": "object"}))
            },
            path_of_record: {
                "get": self._operation("read", _("One record"), response(component(name))),
                **self._written("edit", "patch", self._edit),
                **self._written("delete", "delete", self._delete),
            },
            **{
                f"{path_of_record}/move/{transition.name}": {"post": self._move(transition)}
                for transition in self._transitions
            },
        }
        for path in described:
            described[path]["parameters"] = [self._id] if "{id}" in path else []
        if module.comments:
            described[f"{path_of_record}/comments"] = self._comments()
            if corrected := self._corrections():
                described[f"{path_of_record}/comments/{{comment}}"] = corrected
        if module.attachments:
            described[f"{path_of_record}/files"] = self._files()
        if module.attachments or any(field.by_upload for field in module.fields.values()):
            described[f"{path_of_record}/files/{{file}}"] = self._file()
        if module.watchers:
            described |= self._watchers(f"{path_of_record}/watchers")
        return described

    def schemas(self) -> Schema:
        """The schemas of a record as read, and of the body that writes it."""
        name, access = self.records.name, self.records.access
        schemas = {name: self._record()}
        if self._may("create"):
            schemas[f"{name}.create"] = self._body(self._fields_of(access.create), self._required)
        if self._may("edit"):
            edited = self._body(self._fields_of(access.edit))
            edited["properties"][VERSION] = NUMBER
            schemas[f"{name}.edit"] = edited
        for transition in self._transitions:
            fields = transition_fields(self.records, transition)
            schema = self._body(fields, [field.name for field in fields if field.required])
            if "comment" in transition.ask:
                schema["properties"]["comment"] = TEXT
            schemas[f"{name}.move.{transition.name}"] = schema
        return schemas

    def summary(self) -> Schema:
        """The module alone: its tabs, its records as read, and the bodies that write them."""
        name, access, text = self.records.name, self.records.access, self.records.policy.reader.text
        schemas = self.schemas()
        of_forms = {action: schemas.get(f"{name}.{action}") for action in ("create", "edit")}
        transitions = {
            transition.name: {
                "label": text(display_name(transition)),
                "from": transition.from_,
                "to": transition.to,
                "values": schemas[f"{name}.move.{transition.name}"],
            }
            for transition in self._transitions
        }
        return {
            "name": name,
            "label": text(display_name(access)),
            "tabs": list(access.list.tabs or ()),
            "comments": bool(self.records.module.comments),
            "record": schemas[name],
            **{action: schema for action, schema in of_forms.items() if schema},
            "transitions": transitions,
        }

    # -- rights ---------------------------------------------------------------------------------------------------

    def _may(self, action: str) -> bool:
        return not self.only_reads and self.records.policy.may(self.records.name, action)

    @cached_property
    def _transitions(self) -> list[Transition]:
        return [transition for name, transition in self.records.module.transitions.items() if self._may(name)]

    def _fields_of(self, layout: FormLayout) -> list[Field]:
        return typed_fields(self.records, form_layout_fields(layout))

    @property
    def _required(self) -> list[str]:
        """The fields that are required to create a record, whatever the other values."""
        given = defaults(self.records)
        fields = self._fields_of(self.records.access.create)
        always = [
            field
            for field in fields
            if field.required and field.default is None and field.show_when is None and field.read_only_when is None
        ]
        return [field.name for field in always if field.is_missing(given.get(field.name)) and not field.by_upload]

    # -- operations -----------------------------------------------------------------------------------------------

    @property
    def _id(self) -> Schema:
        return _in_path("id")

    def _operation(self, verb: str, summary: Words, success: Schema, status: str = "200", **more: Any) -> Schema:
        text = self.records.policy.reader.text
        return {
            "operationId": f"{verb}-{self.records.name}",
            "summary": text(summary),
            "tags": [text(display_name(self.records.access))],
            "responses": {status: success, "4XX": response(component("portal_error"), text(REFUSED))},
            **more,
        }

    def _written(self, action: str, method: str, describe: Any) -> Schema:
        return {method: describe()} if self._may(action) else {}

    def _list(self) -> Schema:
        page = {"records": {"type": "array", "items": component(self.records.name)}, "next": NEXT, "previous": NEXT}
        schema = {"type": "object", "properties": page, "required": list(page)}
        return self._operation("list", _("The records"), response(schema), parameters=list(self._parameters()))

    def _parameters(self) -> Iterator[Schema]:
        """The parameters of the list: search, tab, order, page, and the filters."""
        size = {"type": "integer", "minimum": 1, "maximum": MOST_RECORDS}
        tabs = {"tab": {"enum": list(self.records.access.list.tabs)}} if self.records.access.list.tabs else {}
        known = {"q": TEXT, **tabs, "sort": TEXT, "after": TEXT, "before": TEXT, LIMIT: size}
        for field in filterable(self.records):
            known |= dict.fromkeys(filter_inputs(field), TEXT) | {f"{field.name}.empty": {"const": "1"}}
        for name, schema in known.items():
            yield {"name": name, "in": "query", "schema": schema}

    def _create(self) -> Schema:
        layout, name = self.records.access.create, self.records.name
        body = self._request(f"{name}.create", self._fields_of(layout), layout.files)
        created = response(component(name))
        return self._operation("create", _("A new record"), created, "201", requestBody=body, parameters=[ONCE])

    def _edit(self) -> Schema:
        layout, name = self.records.access.edit, self.records.name
        body = self._request(f"{name}.edit", self._fields_of(layout), layout.files)
        changed = response(component(name))
        return self._operation("edit", _("Change a record"), changed, requestBody=body, parameters=[IF_MATCH])

    def _delete(self) -> Schema:
        return self._operation("delete", _("Delete a record"), response(None), "204", parameters=[IF_MATCH])

    def _move(self, transition: Transition) -> Schema:
        name = f"{self.records.name}.move.{transition.name}"
        body = self._request(name, transition_fields(self.records, transition), "comment" in transition.ask)
        moved = response(component(self.records.name))
        verb, label = f"move-{transition.name}", display_name(transition)
        return self._operation(verb, label, moved, requestBody=body, parameters=[IF_MATCH, ONCE])

    def _comments(self) -> Schema:
        page = {"comments": {"type": "array", "items": component("portal_comment")}, "next": NEXT}
        schema = {"type": "object", "properties": page, "required": list(page)}
        before = {"name": "before", "in": "query", "schema": TEXT}
        described = {"get": self._operation("list-comments", _("Comments"), response(schema), parameters=[before])}
        if may_comment(self.records) and not self.only_reads:
            internal = {"internal": YES_OR_NO} if self.records.policy.staff else {}
            text: Schema = {"type": "object", "properties": {"text": TEXT, **internal}, "additionalProperties": False}
            body = self._contents(text, [], may_attach(self.records))
            added = response(component("portal_comment"))
            described["post"] = self._operation(
                "comment", _("Comment"), added, "201", requestBody=body, parameters=[ONCE]
            )
        return {**described, "parameters": [self._id]}

    def _files(self) -> Schema:
        schema = {"type": "object", "properties": {"files": {"type": "array", "items": component("portal_file")}}}
        described = {"get": self._operation("list-files", _("Files"), response(schema))}
        if may_attach(self.records) and not self.only_reads:
            several: Schema = {"type": "array", "items": BYTES}
            form: Schema = {"type": "object", "properties": {attachments_input(self.records.module): several}}
            contents = {"content": {"application/octet-stream": {"schema": BYTES}, FORM: {"schema": form}}}
            parameters = [{"name": "name", "in": "query", "schema": TEXT}, ONCE]
            described["post"] = self._operation(
                "attach", _("Add files"), response(schema), "201", requestBody=contents, parameters=parameters
            )
        return {**described, "parameters": [self._id]}

    def _file(self) -> Schema:
        described = {"get": self._operation("download", _("One file"), response(BYTES, media_type="*/*"))}
        if may_attach(self.records) and not self.only_reads:
            described["delete"] = self._operation("detach", _("Remove"), response(None), "204")
        return {**described, "parameters": [self._id, _in_path("file")]}

    def _corrections(self) -> Schema:
        """What authors may do with their comments, if the module declares for how long."""
        declared = self.records.module.conversation.correct is not None
        if not declared or self.only_reads or not may_comment(self.records):
            return {}
        text: Schema = {"type": "object", "properties": {"text": TEXT}, "additionalProperties": False}
        body, corrected = self._contents(text, [], attachments=False), response(component("portal_comment"))
        return {
            "patch": self._operation("correct-comment", _("Change your comment"), corrected, requestBody=body),
            "delete": self._operation("withdraw-comment", _("Withdraw"), response(None), "204"),
            "parameters": [self._id, _in_path("comment")],
        }

    def _watchers(self, address: str) -> Schema:
        person = {"type": "object", "properties": {"id": NUMBER, "name": TEXT}, "required": ["id", "name"]}
        listed = response({"type": "object", "properties": {"watchers": {"type": "array", "items": person}}})
        described = {"get": self._operation("list-watchers", _("Watchers"), listed)}
        if may_watch(self.records) and not self.only_reads:
            chosen = {
                "type": "object",
                "properties": {"person": NUMBER, "address": TEXT},
                "additionalProperties": False,
            }
            body = self._contents(chosen, [], attachments=False)
            described["post"] = self._operation("watch", _("Add a watcher"), listed, "201", requestBody=body)
        paths: Schema = {address: {**described, "parameters": [self._id]}}
        if not self.only_reads:
            removed = self._operation("unwatch", _("Remove"), response(None), "204")
            paths[f"{address}/{{person}}"] = {"delete": removed, "parameters": [self._id, _in_path("person")]}
        return paths

    # -- schemas --------------------------------------------------------------------------------------------------

    def _request(self, schema: str, fields: list[Field], attachments: bool) -> Schema:
        return self._contents(component(schema), fields, attachments and may_attach(self.records))

    def _contents(self, schema: Schema, fields: list[Field], attachments: bool) -> Schema:
        """The body: JSON, or with files a form with the JSON as one part."""
        several: Schema = {"type": "array", "items": BYTES}
        files: Schema = {field.name: several if field.multiple else BYTES for field in fields if field.by_upload}
        files |= {attachments_input(self.records.module): several} if attachments else {}
        form = {FORM: {"schema": {"type": "object", "properties": {RECORD: schema, **files}}}} if files else {}
        return {"content": {JSON: {"schema": schema}, **form}}

    def _record(self) -> Schema:
        """The fields that the profile may read."""
        readable, module = self.records.policy.readable(self.records.name), self.records.module
        own = {"id": NUMBER, "reference": TEXT, TITLE: TEXT, VERSION: NUMBER}
        fields = {
            name: self._field(field, written=False) for name, field in module.everything.items() if name in readable
        }
        return {"type": "object", "properties": {**own, **fields}, "required": ["id"]}

    def _body(self, fields: list[Field], required: Iterable[str] = ()) -> Schema:
        properties = {field.name: self._field(field, written=True) for field in fields}
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {**schema, "required": list(required)}

    def _field(self, field: Field, *, written: bool) -> Schema:
        text = self.records.policy.reader.text
        help_text = {"description": text(field.help)} if field.help else {}
        schema = self._rows(field, written=written) if field.row_fields else field.json_schema(written=written)
        labels = {name: text(option.label) for name, option in field.offered.items() if name in field.declared_options}
        targets = [name for name in field.targets if self.records.policy.access(name) is not None]
        more = {"x-labels": labels, "x-modules": targets}
        return {"title": text(field.title), **help_text, **schema, **{key: of for key, of in more.items() if of}}

    def _rows(self, lines: Field, *, written: bool) -> Schema:
        of_rows = rows_of(self.records, lines)
        columns = typed_columns(of_rows, new=True) if written else self.records.policy.columns(lines).values()
        parts = {column.name: self._field(column, written=written) for column in columns}
        row: Schema = {"type": "object", "properties": {ROW_ID: {"type": ["integer", "null"]}, **parts}}
        return {"type": "array", "items": {**row, **({"additionalProperties": False} if written else {})}}
