"""The portal's addresses, as the declaration language promises them. Paths only: the host is the reader's own."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from portal.declaration.shapes import Button


def list_address(module: str, parameters: Iterable[tuple[str, str]] | Mapping[str, str] = ()) -> str:
    """The list of a module, with its search, filters and order."""
    pairs = list(parameters.items() if isinstance(parameters, Mapping) else parameters)
    return f"/{module}/" + (f"?{urlencode(pairs)}" if pairs else "")


def record_address(module: str, identity: int, *more: str) -> str:
    """A record's page, or what `more` names below it: `edit`, `move`/TRANSITION, `comments`."""
    return f"/{module}/{identity}/" + "/".join(more)


def create_address(module: str, parameters: Mapping[str, str] | None = None) -> str:
    """The form for a new record, with some of its fields filled in."""
    return f"/{module}/create" + (f"?{urlencode(parameters)}" if parameters else "")


def button_address(button: Button) -> str:
    """Where a home button leads."""
    if button.url:
        return button.url
    module, _slash, create = (button.opens or "").partition("/")
    if create:
        return create_address(module, {"_button": button.name} if button.set else None)
    parameters = {"tab": button.tab} if button.tab else {}
    if button.where is not None:
        parameters["button"] = button.name
    return list_address(module, parameters)
