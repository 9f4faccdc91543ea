"""How much of what is wrong an editor underlines by the schemas alone, with the real yaml-language-server.

    npm install --prefix var/drill yaml-language-server
    .venv/bin/python -m tests.drills.editor [VARIANTS]

Opens every valid folder, in which nothing may be underlined, and single mistakes in the demo: at least 70 % of those
that `portal check` refuses must be. Exits 1 otherwise, 0 without having looked where there is no such program.
"""

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from portal.declaration.schema.files import schema_line, write_schemas
from tests.mutations import broken_variants

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "var/drill/node_modules/.bin/yaml-language-server"
FOLDERS = (ROOT, ROOT / "examples/northwind", *(ROOT / "tests/portals" / name for name in ("small", "wide", "post")))
ENOUGH = 0.7
CONFIGURATION = {"validate": True, "schemaStore": {"enable": False}}
NOT_OURS = ("Unused anchor",)  # what the server says of YAML itself


class LanguageServer:
    """yaml-language-server, spoken to over its standard input."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._opened = 0
        capabilities = {"workspace": {"configuration": True}, "textDocument": {"publishDiagnostics": {}}}
        self._send(id=0, method="initialize", params={"processId": None, "rootUri": None, "capabilities": capabilities})
        while self._receive().get("id") != 0:
            pass
        self._send(method="initialized", params={})

    def underlined(self, path: Path, text: str) -> list[str]:
        """What the server says about `text` in a file beside `path`."""
        self._opened += 1
        uri = path.with_name(f"opened-{self._opened}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                self._send(method="textDocument/didClose", params={"textDocument": {"uri": uri}})
                found = [diagnostic["message"] for diagnostic in message["params"]["diagnostics"]]
                return [sentence for sentence in found if not sentence.startswith(NOT_OURS)]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _send(self, **message: Any) -> None:
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(raw) + raw)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; what the server asks is answered."""
        while True:
            message = self._read()
            if "method" not in message or "id" not in message:
                return message
            asked = message.get("params", {}).get("items", [])
            answer = [CONFIGURATION if item.get("section") == "yaml" else {} for item in asked]
            self._send(id=message["id"], result=answer if message["method"] == "workspace/configuration" else None)

    def _read(self) -> dict[str, Any]:
        output, length = self._process.stdout, 0
        assert output is not None
        while header := output.readline().strip():
            name, _colon, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return json.loads(output.read(length))


def main(variants: int) -> int:
    """The exit status."""
    program = shutil.which("yaml-language-server") or (str(SERVER) if SERVER.exists() else None)
    if program is None:
        print("There is no yaml-language-server: npm install --prefix var/drill yaml-language-server")  # noqa: T201
        return 0
    server = LanguageServer(program)
    with tempfile.TemporaryDirectory() as folder:
        wrongly = [
            line for number, valid in enumerate(FOLDERS) for line in _wrongly(server, valid, Path(folder, str(number)))
        ]
        demo = Path(folder, "0")
        tried = list(itertools.islice(broken_variants(demo, Path(folder, "broken"), seed=1), variants))
        missed = [each for each in tried if not server.underlined(demo / each.file, each.text)]
    server.stop()
    print(*wrongly, *(f"not underlined: {variant.problem}" for variant in missed), sep="\n")  # noqa: T201
    seen = len(tried) - len(missed)
    print(f"{seen} of {len(tried)} mistakes underlined, {len(wrongly)} wrongly")  # noqa: T201
    return 0 if not wrongly and seen >= ENOUGH * len(tried) else 1


def _wrongly(server: LanguageServer, valid: Path, copy: Path) -> list[str]:
    """What is underlined in a valid folder."""
    copy.mkdir()
    for name in ("modules.yaml", "buttons.yaml", "logo.svg"):
        if (valid / name).exists():
            shutil.copy(valid / name, copy)
    shutil.copytree(valid / "profiles", copy / "profiles")
    write_schemas(copy)
    files = [path.relative_to(copy).as_posix() for path in sorted(copy.rglob("*.yaml"))]
    texts = {file: f"{schema_line(file)}\n{(copy / file).read_text()}" for file in files}
    return [
        f"{valid / file}: {sentence}"
        for file, text in texts.items()
        for sentence in server.underlined(copy / file, text)
    ]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
