"""The portal's addresses, as the declaration language promises them. Those of pages are only paths: the reader's
host applies. The portal's own host is needed for letters, and to recognize requests from elsewhere.
"""

import functools
from collections.abc import Iterable, Mapping
from urllib.parse import quote_plus, urlsplit

from pyramid.request import Request

from portal.declaration.shapes import Button

API = "/api/"
API_ROUTE = "api"
MCP = "/api/mcp"
MCP_ROUTE = "mcp"


def list_address(module: str, parameters: Iterable[tuple[str, str]] | Mapping[str, str] = ()) -> str:
    """The address of a module's list, with its search, filters and order."""
    return f"/{module}/{_query_string(parameters)}"


def chart_address(module: str, panel: int) -> str:
    """The address of a chart of the reader's home page; `panel`: its place among the panels, from 1."""
    return f"/{module}/chart{_query_string([('panel', str(panel))])}"


def export_address(module: str, suffix: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The address of a module's list as a file; `suffix`: csv or xlsx."""
    return f"/{module}/export.{suffix}{_query_string(parameters)}"


def import_address(module: str, parameters: Iterable[tuple[str, str]], page: str = "import") -> str:
    """The address for importing records; `parameters`: the file, and where its columns go."""
    return f"/{module}/{page}{_query_string(parameters)}"


def imported_address(module: str, key: str = "") -> str:
    """The address of the page about the import of the file with this key."""
    return f"/{module}/imported{_query_string([('file', key)] if key else [])}"


def many_records_address(module: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The address of what is done with many records of a module's list."""
    return f"/{module}/bulk{_query_string(parameters)}"


def arranging_address(module: str, name: str, parameters: Iterable[tuple[str, str]]) -> str:
    """The address for changing `columns` or `views` of a module's list."""
    return f"/{module}/{name}{_query_string(parameters)}"


def record_address(module: str, record_id: int, *more: str) -> str:
    """The address of a record's page, or of `more` below it: `edit`, `move`/TRANSITION, `comments`."""
    return f"/{module}/{record_id}/" + "/".join(more)


def api_address(module: str, record_id: int | None = None, *more: str) -> str:
    """The API address of a module's records, or of one of them."""
    return API + "/".join((module, *(() if record_id is None else (str(record_id),)), *more))


def history_address(parameters: Iterable[tuple[str, str]] = ()) -> str:
    """The address of the history of all records."""
    return f"/-/history{_query_string(list(parameters))}"


def explain_address(**parameters: str | int) -> str:
    """The address of the page that says who sees the record `id` of a `module` and why, or what an `account` sees."""
    return f"/-/explain{_query_string({name: str(value) for name, value in parameters.items()})}"


def create_address(module: str, parameters: Mapping[str, str] | None = None) -> str:
    """The address of the form for a new record, with some fields filled in."""
    return f"/{module}/create{_query_string(parameters or ())}"


def compute_address(module: str) -> str:
    """The address from which a script gets the computed values of a new record's form."""
    return f"/{module}/computed"


def invite_address(people: str, company: int) -> str:
    """The address of the form that invites someone to a company; `people`: the people module."""
    return f"/{people}/invite?company={company}"


def code_address(parameters: Mapping[str, str]) -> str:
    """The address that asks for the second-factor code during sign-in."""
    return f"/login/code{_query_string(parameters)}"


def single_sign_on_address(following: str) -> str:
    """The address that starts signing in with the identity provider; `following`: the page to show afterwards."""
    return f"/login/oidc{_query_string({'next': following} if following != '/' else {})}"


def button_address(button: Button) -> str:
    """The address that a home button leads to."""
    if button.url:
        return button.url
    module, _slash, create = (button.opens or "").partition("/")
    if create:
        return create_address(module, {"_button": button.name} if button.set else None)
    parameters = {"tab": button.tab} if button.tab else {}
    if button.where is not None:
        parameters["button"] = button.name
    return list_address(module, parameters)


def _query_string(parameters: Iterable[tuple[str, str]] | Mapping[str, str]) -> str:
    pairs = list(parameters.items() if isinstance(parameters, Mapping) else parameters)
    return f"?{'&'.join([f'{_quoted(name)}={_quoted(value)}' for name, value in pairs])}" if pairs else ""


# A page has dozens of addresses that differ in one parameter.
_quoted = functools.lru_cache(maxsize=1_000)(quote_plus)


def own_address(request: Request) -> str:
    """The portal's address for links in letters, without a trailing slash; never from a foreign Host header."""
    base_url = request.portal.declaration.settings.base_url
    return (base_url or request.host_url).rstrip("/")


def own_url(request: Request, address: str) -> str:
    """The full URL of an address of this portal, for use outside it."""
    return own_address(request) + address


def own_origins(request: Request) -> set[str]:
    """The values of the Origin header that are this portal's."""
    scheme, _colon, rest = own_address(request).partition("://")
    return {request.host_url.lower(), f"{scheme}://{rest.partition('/')[0]}".lower()}


def own_path(address: str | None) -> str:
    """`address` if it is a path of this portal, else "/": “//evil.example” and “/\\evil.example” are not."""
    if not address or not address.startswith("/") or address[1:2] in ("/", "\\"):
        return "/"
    if any(not 33 <= ord(character) < 127 or character == "\\" for character in address):
        return "/"
    return address


def referring_page(request: Request) -> str:
    """The page that the request came from (Referer), if it is one of this portal's; else home."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    if f"{parts.scheme}://{parts.netloc}".lower() not in own_origins(request):
        return "/"
    return own_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)
