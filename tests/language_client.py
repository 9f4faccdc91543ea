"""A simulated editor for a language server: opens texts and reads what is underlined, over stdio."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

CONFIGURATION = {"validate": True, "schemaStore": {"enable": False}}  # of yaml-language-server


class LanguageClient:
    """Speaks to the language server that `command` starts."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._versions = itertools.count(1)  # a server may remember what it said about a version
        capabilities = {"workspace": {"configuration": True}, "textDocument": {"publishDiagnostics": {}}}
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
        self.tell("initialized", {})

    def open(self, path: Path, text: str) -> list[dict[str, Any]]:
        """What is underlined in a text opened as `path`, whatever the content of the file."""
        self.tell(
            "textDocument/didOpen", {"textDocument": {**self._document(path), "languageId": "yaml", "text": text}}
        )
        return self.diagnostics(path)

    def change(self, path: Path, text: str) -> None:
        """Replaces the whole text."""
        self.tell("textDocument/didChange", {"textDocument": self._document(path), "contentChanges": [{"text": text}]})

    def close(self, path: Path) -> None:
        self.tell("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})

    def diagnostics(self, path: Path) -> list[dict[str, Any]]:
        """Waits for the next diagnostics of a file."""
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == path.as_uri():
                return message["params"]["diagnostics"]

    def ask(self, method: str, params: Any) -> Any:
        """The answer of the server."""
        self._send(id=method, method=method, params=params)
        while (message := self._receive()).get("id") != method:
            pass
        return message["result"]

    def tell(self, method: str, params: Any) -> None:
        self._send(method=method, params=params)

    def stop(self) -> None:
        """Ends the server as editors do."""
        self.ask("shutdown", None)
        self.tell("exit", None)
        self._process.communicate(timeout=120)

    def _send(self, **message: Any) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(raw) + raw)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; answers the server's requests."""
        while True:
            message = self._read()
            if "method" not in message or "id" not in message:
                return message
            asked = (message.get("params") or {}).get("items", [])
            answer = [CONFIGURATION if item.get("section") == "yaml" else {} for item in asked]
            self._send(id=message["id"], result=answer if message["method"] == "workspace/configuration" else None)

    def _read(self) -> dict[str, Any]:
        output, length = self._process.stdout, 0
        assert output is not None
        while header := output.readline().strip():
            name, _colon, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        return json.loads(output.read(length))

    def _document(self, path: Path) -> dict[str, Any]:
        return {"uri": path.as_uri(), "version": next(self._versions)}
