"""`/api/openapi.json`: the API described with OpenAPI 3.1, as far as the reader's token goes."""

from typing import Any

from pyramid.request import Request

from portal.records.reading.records import Records
from portal.views.api.module_description import ModuleDescription, component, response
from portal.views.api.responses import api_view_config
from portal.web.addresses import API, own_address
from portal.web.resources import Module, Root

VERSION = "1"  # changes if programs written for this version would not understand the next
ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["error"],
}
FILE = {
    "type": "object",
    "properties": {
        **{name: {"type": "integer"} for name in ("id", "size")},
        **{name: {"type": "string"} for name in ("name", "media_type", "author")},
        "comment": {"type": ["integer", "null"]},
        "created": {"type": "string", "format": "date-time"},
    },
    "required": ["id", "name", "size"],
}
COMMENT = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        **{name: {"type": "string"} for name in ("author", "text", "channel")},
        **{name: {"type": "boolean"} for name in ("staff", "internal")},
        "created": {"type": "string", "format": "date-time"},
        "files": {"type": "array", "items": component("portal_file")},
    },
    "required": ["id", "author", "text", "files"],
}


@api_view_config(context=Root, name="openapi.json", request_method="GET")
def describe_api(root: Root, request: Request) -> dict[str, Any]:
    """`GET /api/openapi.json`: what a program can request and send, as far as the profile of its account allows."""
    policy = request.policy
    modules = [_description(request, Records(request.connection, policy, name)) for name in policy.modules]
    listed = {"type": "object", "properties": {"modules": {"type": "array", "items": {"type": "object"}}}}
    own = {API: {"get": {"operationId": "list-modules", "responses": {"200": response(listed)}}}}
    schemas = {"portal_file": FILE, "portal_comment": COMMENT, "portal_error": ERROR}
    return {
        "openapi": "3.1.0",
        "info": {"title": request.reader.text(policy.declaration.settings.name), "version": VERSION},
        "servers": [{"url": own_address(request)}],
        "security": [{"token": []}],
        "paths": own | {path: item for module in modules for path, item in module.paths().items()},
        "components": {
            "schemas": schemas | {name: schema for module in modules for name, schema in module.schemas().items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


@api_view_config(context=Module, name="schema", request_method="GET")
def describe_module(module: Module, request: Request) -> dict[str, Any]:
    """`GET /api/MODULE/schema`: the same for one module, without the addresses."""
    return _description(request, module.records).summary()


def _description(request: Request, records: Records) -> ModuleDescription:
    return ModuleDescription(records, only_reads=request.visitor.read_only_view is not None)
