"""The inputs of a posted form as text; a file sent in place of a text counts as missing."""

from pyramid.request import Request


def posted_text(request: Request, name: str) -> str:
    """The value of an input of the posted form; empty where it is missing."""
    value = request.POST.get(name, "")
    return value if isinstance(value, str) else ""


def whole_number(text: str) -> int | None:
    """The number that an input holds; None for what is not a number, or has more than the 9 digits that any column
    stores."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
