"""`/-/view-as`: an administrator views the portal as a person or with a profile, read-only; and the way back."""

from dataclasses import dataclass

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from portal.accounts.accounts import Account, accounts_matching, accounts_per_profile, load_account
from portal.accounts.identity import Identity
from portal.accounts.keys_and_tokens import hash_token
from portal.accounts.viewing import start_viewing, stop_viewing, viewed_account_identity, viewed_profile_identity
from portal.declaration.shapes import display_name
from portal.records.reading.records import Records
from portal.texts import Words, _, ngettext
from portal.views.access.access_card import access_state
from portal.views.forms.submissions import refused_form
from portal.views.wording import initials, profile_label
from portal.web.addresses import explain_address, own_path, record_address
from portal.web.cookies import Cookie, read_cookie
from portal.web.form_input import posted_text
from portal.web.resources import ROW_ID, Administration
from portal.web.security import ADMINISTER

PAGE = "/-/view-as"
MOST = 50  # people on the page
LONGEST = 200  # characters of the search text


@dataclass(frozen=True)
class Viewable:
    """An account or a profile to view the portal as; `refused`: why this is not possible."""

    name: Words
    value: str
    input: str = "account"  # or profile
    initials: str = ""  # or an icon
    about: Words = ""
    refused: Words = ""
    url: str = ""  # what they see, and why


@dataclass(frozen=True)
class ViewAsPage:
    """view_as.pt, for administrators: whose view of the portal they can choose."""

    people: tuple[Viewable, ...]
    profiles: tuple[Viewable, ...]
    query: str = ""
    more: bool = False  # whether more people match
    error: Words = ""


@view_config(context=Administration, name="view-as", request_method="GET", renderer="view_as.pt", permission=ADMINISTER)
def show_view_as(context: Administration, request: Request) -> ViewAsPage:
    """`GET /-/view-as`: the people whose name or address contains `q`, and all profiles."""
    return _view_as_page(request, str(request.GET.get("q", "")).strip()[:LONGEST])


@view_config(
    context=Administration, name="view-as", request_method="POST", renderer="view_as.pt", permission=ADMINISTER
)
def view_as(context: Administration, request: Request) -> ViewAsPage | Response:
    """`POST /-/view-as`: shows the portal as an `account`, by id, or a `profile` sees it; `next`: the page."""
    viewed = _posted_identity(request)
    if viewed is None:
        return refused_form(request, _view_as_page(request, "", _("Choose someone who can sign in, or a profile.")))
    start_viewing(request.connection, request.portal.tables, _session_of(request), request.identity, viewed)
    return HTTPSeeOther(own_path(posted_text(request, "next")))


def leave_preview(request: Request) -> Response:
    """Ends this session's view as someone else; redirects to the person's record if the administrator sees it."""
    tables = request.portal.tables
    stop_viewing(request.connection, tables, _session_of(request))
    administrator, viewed = request.visitor.read_only_view.administrator, request.identity.account
    people = tables.declaration.people
    if viewed.person is not None and people is not None and administrator.policy.access(people) is not None:
        records = Records(request.connection, administrator.policy, people)
        if records.exists(viewed.person):
            return HTTPSeeOther(record_address(people, viewed.person))
    return HTTPSeeOther(PAGE)


def _view_as_page(request: Request, query: str, error: Words = "") -> ViewAsPage:
    connection, tables = request.connection, request.portal.tables
    accounts = accounts_matching(connection, tables, query, MOST + 1)
    numbers = accounts_per_profile(connection, tables)
    return ViewAsPage(
        people=tuple(_person(request, account) for account in accounts[:MOST]),
        profiles=tuple(_profile(request, name, numbers.get(name, 0)) for name in tables.declaration.profiles),
        query=query,
        more=len(accounts) > MOST,
        error=error,
    )


def _session_of(request: Request) -> str:
    return hash_token(read_cookie(request, Cookie.SESSION))


def _posted_identity(request: Request) -> Identity | None:
    tables, profile = request.portal.tables, posted_text(request, "profile")
    account_id = posted_text(request, "account") or request.GET.get("account", "")
    if profile:
        return viewed_profile_identity(tables, profile, request.identity)
    account = load_account(request.connection, tables, int(account_id)) if ROW_ID.fullmatch(account_id) else None
    if account is None or account.id == request.identity.account.id:
        return None
    return viewed_account_identity(request.connection, tables, account, request.identity)


def _person(request: Request, account: Account) -> Viewable:
    state, _tone = access_state(account, request)
    label = request.reader.text(profile_label(request.portal.declaration, account.profile))
    identity = viewed_account_identity(request.connection, request.portal.tables, account, request.identity)
    refused: Words = "" if identity else state
    if account.id == request.identity.account.id:
        refused = _("This is you")
    return Viewable(
        name=account.name,
        value=str(account.id),
        initials=initials(account.name),
        about=f"{account.email} · {label}",
        url=explain_address(account=account.id),
        refused=refused,
    )


def _profile(request: Request, name: str, number: int) -> Viewable:
    profile = request.portal.declaration.profiles[name]
    about = ngettext("${number} person has this profile", "${number} people have this profile", number)
    return Viewable(display_name(profile), name, "profile", about=about)
