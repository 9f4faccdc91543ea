"""`portal lsp`: run a language server, with which editors show problems as you type.

It reports what `portal check` reports. Completion and hover come from the schemas of `portal schema`.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from portal.commands.options import chosen_settings, common_options
from portal.declaration.declaration_draft import MODULES
from portal.declaration.declared_files import PROFILES
from portal.declaration.load import load
from portal.declaration.problem_kinds import cure_of, kind_of
from portal.declaration.source.problems import Problem, RelatedPlace
from portal.declaration.version import VERSION
from portal.workshop.problem_formats import end_of

PAUSE = 0.2  # seconds without a keystroke before a changed text is read
# What editors report about a document; its folder is checked each time.
EVENTS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_SAVE,
    types.TEXT_DOCUMENT_DID_CLOSE,
)


@click.command("lsp", short_help="Show problems in an editor.")
@common_options
def command() -> None:
    """Run a language server on standard input and output; editors start and stop it.

    It shows what `portal check` finds while you type, in every file of a folder that has an open file.

    Example: portal lsp
    """
    _make_server(chosen_settings().declared).start_io()


class PortalServer(LanguageServer):
    """Checks the folder of each document that is open. `overrides`: settings that win over modules.yaml."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        super().__init__("portal", str(VERSION), text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.overrides = overrides
        self._waiting: dict[Path, asyncio.TimerHandle] = {}
        self._published: dict[Path, set[str]] = {}  # files of a folder that have problems in the editor

    def check_soon(self, uri: str) -> None:
        """Checks the folder of a document once nobody has typed for a moment."""
        folder = _folder_of(_document_path(uri))
        if folder is None:
            return
        if folder in self._waiting:
            self._waiting.pop(folder).cancel()
        self._waiting[folder] = asyncio.get_running_loop().call_later(PAUSE, self._check, folder)

    def _check(self, folder: Path) -> None:
        self._waiting.pop(folder, None)
        problems = load(folder, self.overrides, self._unsaved(folder)).problems
        by_file: dict[str, list[Problem]] = {file: [] for file in self._published.get(folder, ())}
        for problem in problems:
            by_file.setdefault(problem.file, []).append(problem)
        for file, problems_of_file in by_file.items():
            uri = (folder / file).as_uri()
            diagnostics = [_diagnostic(folder, problem) for problem in problems_of_file]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics))
        self._published[folder] = {file for file, problems_of_file in by_file.items() if problems_of_file}

    def _unsaved(self, folder: Path) -> dict[str, bytes]:
        """The texts of the documents that are open in this folder, by their paths in it."""
        texts = {_document_path(uri): document.source for uri, document in self.workspace.text_documents.items()}
        return {
            path.relative_to(folder).as_posix(): text.encode("utf-8", "surrogatepass")
            for path, text in texts.items()
            if _folder_of(path) == folder
        }


def _make_server(overrides: Mapping[str, str]) -> PortalServer:
    """The server, which `start_io` runs until the editor ends it."""
    server = PortalServer(overrides)

    def check(params: Any) -> None:
        server.check_soon(params.text_document.uri)

    for event in EVENTS:
        server.feature(event)(check)
    return server


def _document_path(uri: str) -> Path:
    """The path of a document that an editor names by its address."""
    return Path(unquote(urlsplit(uri).path))


def _folder_of(path: Path) -> Path | None:
    """The declaration folder that a file in the editor belongs to, None for other files."""
    folder = path.parent.parent if path.parent.name == PROFILES else path.parent
    return folder if path.suffix == ".yaml" and (folder / MODULES).is_file() else None


def _diagnostic(folder: Path, problem: Problem) -> types.Diagnostic:
    """A problem as editors show it, with its code, its cure and the places that explain it."""
    cure = cure_of(problem)
    related = [
        types.DiagnosticRelatedInformation(types.Location((folder / place.file).as_uri(), _range(place)), place.note)
        for place in problem.related
    ]
    return types.Diagnostic(
        range=_range(problem),
        message=f"{problem.statement}\n{cure[:1].upper()}{cure[1:]}.",
        severity=types.DiagnosticSeverity.Warning if problem.warning else types.DiagnosticSeverity.Error,
        code=kind_of(problem).code,
        source="portal",
        related_information=related,
    )


def _range(place: Problem | RelatedPlace) -> types.Range:
    line = place.line - 1
    ends = (place.column - 1, end_of(place) - 1)
    start, end = (types.Position(line, _units(place.lines, column)) for column in ends)
    return types.Range(start, end)


def _units(lines: tuple[str, ...], column: int) -> int:
    """A column counted in characters, converted to UTF-16 units, as editors count."""
    return len(lines[-1][:column].encode("utf-16-le", "surrogatepass")) // 2 if lines else column
