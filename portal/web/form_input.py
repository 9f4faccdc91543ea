"""The inputs of a posted form as text; a file sent instead of text counts as missing."""

from pyramid.request import Request


def posted_text(request: Request, name: str) -> str:
    """The value of an input of the posted form; empty if missing."""
    value = request.POST.get(name, "")
    return value if isinstance(value, str) else ""


def whole_number(text: str) -> int | None:
    """The number in an input; None if it is not a number, or has more than the 9 digits that any column can store."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def posted_once_key(request: Request) -> str:
    """The form's one-time key within the account: nobody can learn or use that of another person."""
    return account_key(request, posted_text(request, "_once"))


def account_key(request: Request, key: str) -> str:
    """A key of a form or of its draft within the account; empty without one."""
    return f"{request.visitor.own_account}:{key[:64]}" if key else ""
