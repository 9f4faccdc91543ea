"""Where in the files something stands, for whoever finds a mistake only after the declaration was read."""

from pathlib import Path

from portal.declaration.source.problems import Problem
from portal.declaration.source.reader import Document, read

Keys = tuple[str | int, ...]


class Places:
    """The files of one folder, each read again when it is first asked about."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._documents: dict[str, Document] = {}

    def problem(self, file: str, keys: Keys, message: str, warning: bool = False) -> Problem:
        """What is wrong at `keys` of `file`."""
        return self._document(file).problem(keys, message, warning=warning)

    def has(self, file: str, keys: Keys) -> bool:
        """Whether something is written at `keys` of `file`."""
        here = self._document(file).data
        for key in keys:
            inside = key in here if isinstance(here, dict) else isinstance(here, list) and isinstance(key, int)
            if not inside or (isinstance(here, list) and key >= len(here)):
                return False
            here = here[key]
        return True

    def line(self, file: str, keys: Keys) -> str:
        """`file:line:column` of the name of what stands at `keys`."""
        line, column = self._document(file).place(keys, key=True)
        return f"{file}:{line}:{column}"

    def _document(self, file: str) -> Document:
        if file not in self._documents:
            path = self._folder / file
            self._documents[file] = read(path.read_bytes() if path.is_file() else b"", file)
        return self._documents[file]
