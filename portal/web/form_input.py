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


def posted_once_key(request: Request) -> str:
    """The form's one-time key within the account: nobody can learn or take that of another person."""
    return account_key(request, posted_text(request, "_once"))


def account_key(request: Request, key: str) -> str:
    """A key of a form or of its draft within the account; empty without one."""
    return f"{request.visitor.own_account}:{key[:64]}" if key else ""
