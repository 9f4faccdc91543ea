"""A simulated AI assistant: it sends Model Context Protocol messages with a token."""

import json
from dataclasses import dataclass
from typing import Any

from webtest import TestResponse

from tests.functional.world import Program


@dataclass(frozen=True)
class Assistant:
    """Uses the protocol version 2025-11-25, whose requests need no envelope."""

    program: Program

    def ask(self, method: str, status: int = 200, headers: dict[str, str] | None = None, **params: Any) -> TestResponse:
        """The answer to a message."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.program.call("POST", "mcp", message, status=status, **(headers or {}))

    def tools(self) -> dict[str, dict[str, Any]]:
        """The offered tools, by name."""
        return {tool["name"]: tool for tool in self.ask("tools/list").json["result"]["tools"]}

    def use(self, tool: str, **arguments: Any) -> Any:
        """The result of a tool."""
        result = self.ask("tools/call", name=tool, arguments=arguments).json["result"]
        assert not result["isError"], result
        return json.loads(result["content"][0]["text"])

    def refused(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Why a tool refuses."""
        result = self.ask("tools/call", name=tool, arguments=arguments).json["result"]
        assert result["isError"], result
        return json.loads(result["content"][0]["text"])
