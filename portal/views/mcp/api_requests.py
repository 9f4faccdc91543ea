"""How tools use the API: with requests that the same process answers.

So token, rights, limits, retries, transactions and refusals are those of the API, and no tool has its own way to
records.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import webob
from pyramid.request import Request

from portal.views.api.body import JSON
from portal.web.addresses import own_address

HANDED_ON = ("Authorization", "Accept-Language")
OF_A_TOOL = "portal.of_a_tool"  # in the environ of a tool's request
SEE_OTHER, REFUSED, NOT_FOUND = 303, 400, 404


class RefusedCallError(Exception):
    """The API refused a tool's request; `content` is its JSON, which says why."""

    def __init__(self, content: Mapping[str, Any], status: int = 422) -> None:
        super().__init__(content.get("error"))
        self.content, self.status = content, status


class Api:
    """The API with the token of `request`. Its methods raise RefusedCallError."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def get(self, address: str, **parameters: Any) -> dict[str, Any]:
        """The response at an address; parameters without a value are not sent."""
        pairs = {name: value for name, value in parameters.items() if value is not None}
        query = urlencode(pairs, errors="surrogatepass")  # lone surrogates: the API rejects them as not being text
        return self._send("GET", f"{address}?{query}" if pairs else address)

    def find(self, address: str, **parameters: Any) -> dict[str, Any]:
        """Like `get`, but empty for modules that do not have it."""
        try:
            return self.get(address, **parameters)
        except RefusedCallError as refused:
            if refused.status != NOT_FOUND:
                raise
            return {}

    def send(
        self, method: str, address: str, body: Mapping[str, Any], version: int | None = None, once: str | None = None
    ) -> dict[str, Any]:
        """The response to JSON for the `version` of a record; for a repeated request, the result of the first."""
        headers = {"If-Match": f'"{version}"'} if version is not None else {}
        headers |= {"Idempotency-Key": once} if once else {}
        return self._send(method, address, body, headers)

    def _send(
        self, method: str, address: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        outer = self._request
        handed_on = {name: outer.headers[name] for name in HANDED_ON if name in outer.headers}
        request = webob.Request.blank(
            address,
            base_url=outer.application_url,
            method=method,
            headers={**handed_on, **(headers or {})},
            environ={"REMOTE_ADDR": outer.remote_addr or "", OF_A_TOOL: True},
        )
        if body is not None:
            request.content_type = JSON
            request.body = json.dumps(body, default=str).encode()  # decimal numbers as texts, to stay exact
        response = request.get_response(outer.registry.application)
        if response.status_code == SEE_OTHER:
            return self.get(response.location.removeprefix(own_address(outer)))
        content: dict[str, Any] = response.json
        if response.status_code >= REFUSED:
            raise RefusedCallError(content, response.status_code)
        return content
