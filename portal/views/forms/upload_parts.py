"""Where a form asks for files. Plain values, as in parts.py."""

from dataclasses import dataclass

from portal.web.frame import Words


@dataclass(frozen=True)
class HeldFile:
    """A file that a form has already: one of the record, or one that was sent before."""

    token: str  # what the input holds
    name: str
    size: str
    url: str = ""  # of a file of the record
    preview_url: str = ""


@dataclass(frozen=True)
class UploadInput:
    """Where files are chosen, dropped or pasted."""

    limits: Words  # “Up to 25 MB each”
    max_size: int  # bytes
    max_count: int
    too_large: Words  # for the script: “…: it has SIZE, the limit is …”
    accept: str = ""  # as the attribute of an input
    name: str = "files"
    kept: str = "files.kept"  # the input with the tokens of what the form has already
    held: tuple[HeldFile, ...] = ()  # what the form has already; each can be taken off
    refused: tuple[str, ...] = ()  # one sentence for each file that was not taken
