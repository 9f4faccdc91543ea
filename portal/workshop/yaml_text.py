"""Adds entries to a YAML file as its author would: all else, including comments and line ends, stays as it is."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from portal.declaration.source.document import Document
from portal.declaration.source.problems import KeyPath
from portal.declaration.source.yaml_reader import read

BYTE_ORDER_MARK = "\ufeff"
_LINE_BREAK = re.compile("\r\n|\n|\r")


class CannotBeEditedError(ValueError):
    """Nothing can be added to the file because of its style; the message says what to do instead."""


@dataclass(frozen=True)
class YamlText:
    """The text of a YAML file to add entries to, without its byte order mark, and its parsed content."""

    file: str
    text: str
    byte_order_mark: str = ""

    @classmethod
    def read(cls, folder: Path, file: str) -> "YamlText":
        """The text of a UTF-8 file. Raises CannotBeEditedError and OSError."""
        try:
            text = (folder / file).read_bytes().decode()
        except UnicodeDecodeError:
            raise CannotBeEditedError(f"{file} is not text in UTF-8: `portal check` says where") from None
        marked = text.startswith(BYTE_ORDER_MARK)
        return cls(file, text.removeprefix(BYTE_ORDER_MARK), BYTE_ORDER_MARK if marked else "")

    @property
    def raw(self) -> bytes:
        """The bytes of the file."""
        return (self.byte_order_mark + self.text).encode()

    @property
    def document(self) -> Document:
        """The parsed text of the YAML file."""
        return read(self.text.encode(), self.file)

    def with_first(self, line: str) -> "YamlText":
        """Adds an entry before all others in the file, after the comments at its top."""
        root = self.document.root
        if root is None or not root.keys:
            return self._replaced(len(self.text), len(self.text), self._lines([line]))
        mark = min(root.keys.values(), key=lambda mark: mark.index)
        if self._is_braced(()):
            return self._replaced(mark.index, mark.index, f"{line}, ")
        return self._replaced(mark.index, mark.index, self._lines([line, ""]))

    def with_scalar(self, path: KeyPath, value: str) -> "YamlText":
        """Replaces the plain value at `path`."""
        node = self.document.node(path)
        if node is None or not node.plain or node.source_text is None:
            raise CannotBeEditedError(f"write {value} after {'.'.join(map(str, path))}:")
        return self._replaced(node.mark.index, node.mark.index + len(node.source_text), value)

    def with_entry(self, path: KeyPath, lines: list[str], short: str) -> "YamlText":
        """Adds an entry at the end of the mapping at `path`.

        `lines` are the entry as a block, without indentation; `short` is the same for a mapping in braces.
        """
        if self._is_braced(path):
            return self._in_brackets(path, short)
        return self._below(path, lines)

    def with_item(self, path: KeyPath, item: str) -> "YamlText":
        """Adds an item at the end of the list at `path`."""
        if self._starts_with("[", path):
            return self._in_brackets(path, item)
        return self._below(path, [f"- {item}"])

    # -- where things stand -----------------------------------------------------------------------------------------

    def _starts_with(self, bracket: str, path: KeyPath) -> bool:
        node = self.document.node(path)
        return node is not None and self.text[node.mark.index : node.mark.index + 1] == bracket

    def _is_braced(self, path: KeyPath) -> bool:
        return self._starts_with("{", path)

    def _in_brackets(self, path: KeyPath, short: str) -> "YamlText":
        node = self.document.node(path)
        if node is None:
            raise CannotBeEditedError(f"{'.'.join(map(str, path))} is not in the file")
        end = _closing(self.text, node.mark.index)
        inside = self.text[node.mark.index + 1 : end].rstrip()
        place = node.mark.index + 1 + len(inside)
        comma = "" if not inside or inside.endswith(",") else ","
        space = " " if inside else ""
        return self._replaced(place, place, f"{comma}{space}{short}")

    def _below(self, path: KeyPath, lines: list[str]) -> "YamlText":
        document = self.document
        node = document.node(path)
        if node is None or (node.source_text is not None and node.source_text.strip()):
            raise CannotBeEditedError(f"{'.'.join(map(str, path))} holds no entries below each other")
        column, last = self._entries(document, path)
        if column is None:  # a key without a value
            key_line, key_column = document.place(path, key=True)
            column, last = key_column + 1, key_line - 1
        present = self._split()
        end = _end_of_block(present, last, column)
        indented = [f"{' ' * column}{line}" if line else "" for line in lines]
        before = "" if end == 0 or _LINE_BREAK.search(present[end - 1]) else self.newline
        place = sum(map(len, present[:end]))
        return self._replaced(place, place, before + self._lines(indented))

    def _entries(self, document: Document, path: KeyPath) -> tuple[int | None, int]:
        """The column of the entries at `path`, and the line where the last one starts; both from 0."""
        node = document.node(path)
        if node is None or not node.children:
            return None, 0
        if node.keys:
            marks = list(node.keys.values())
            return marks[0].column, max(mark.line for mark in marks)
        items = list(node.children.values())
        dash = self._split()[items[0].mark.line].find("-")
        return dash, max(item.mark.line for item in items)

    @property
    def newline(self) -> str:
        """How this file ends its lines."""
        match = _LINE_BREAK.search(self.text)
        return match[0] if match else "\n"

    def _split(self) -> list[str]:
        """The lines of the YAML text to add entries to, with their line ends."""
        ends = [match.end() for match in _LINE_BREAK.finditer(self.text)]
        return [self.text[start:end] for start, end in zip([0, *ends], [*ends, len(self.text)], strict=True)]

    def _lines(self, lines: list[str]) -> str:
        return "".join(line + self.newline for line in lines)

    def _replaced(self, start: int, end: int, text: str) -> "YamlText":
        return replace(self, text=self.text[:start] + text + self.text[end:])


def _end_of_block(lines: list[str], last: int, column: int) -> int:
    """The line before which to add an entry to a YAML file: after the last one and everything indented below it."""
    end = last + 1
    for number in range(last + 1, len(lines)):
        content = lines[number].strip()
        indent = len(lines[number]) - len(lines[number].lstrip())
        if content and indent <= column and not (content.startswith("#") and indent == column and column):
            break
        end = number + 1 if content else end
    return end


def _closing(text: str, start: int) -> int:
    """Where the bracket at `start` of a YAML text is closed; quoted texts and comments may contain brackets."""
    depth, quote, index = 0, "", start
    while index < len(text):
        character = text[index]
        if quote:
            index += character == "\\" and quote == '"'
            quote = "" if text[index] == quote and character != "\\" else quote
        elif character in "\"'" and text[index - 1] in " \t\n\r,:[{":
            quote = character
        elif character == "#" and text[index - 1] in " \t\n\r":
            index = text.find("\n", index) if "\n" in text[index:] else len(text)
        else:
            depth += (character in "[{") - (character in "]}")
            if depth == 0:
                return index
        index += 1
    raise CannotBeEditedError("a bracket is not closed")
