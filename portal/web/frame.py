"""The frame of every page: name, menu, breadcrumbs, person, languages. Plain values for templates/layout.pt.

Built once per request (`request.frame`), from the portal in force and the policy. Texts may be declared texts or
sentences of the interface: the renderer translates them for the reader.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from markupsafe import Markup
from pyramid.csrf import get_csrf_token
from pyramid.location import lineage
from pyramid.request import Request

from portal.accounts.identity import Identity, may_have_password
from portal.accounts.sign_ups import SignUps
from portal.declaration.declaration import Declaration
from portal.declaration.shapes import DEFAULT_ICON, Access, Button, display_name
from portal.texts import Words, _, locale_or_english
from portal.web.addresses import button_address, referring_page
from portal.web.flash import Notice, flash_message
from portal.web.package_menu import package_entries
from portal.web.read_only_view import ReadOnlyView
from portal.web.resources import Account, Administration, Inbox, Module, Record
from portal.web.security import may_handle_mail


class MenuItem(NamedTuple):
    label: Words
    icon: str
    url: str
    current: bool = False
    new: str = ""  # the number of its records that are new to the reader


@dataclass(frozen=True)
class Crumb:
    label: Words
    url: str = ""  # empty for the last one


@dataclass(frozen=True)
class Language:
    code: str
    name: str  # in that language: “Italiano”
    current: bool = False


class Frame(NamedTuple):
    name: Words
    static: Callable[[str], str]  # a name of web/assets.py → its address: "portal.css", "portal.js"
    icon: Callable[[str], Markup]  # Assets.icon: the name of an icon → its drawing
    logo: str  # Assets.logo
    csrf_token: str
    language: str = "en"
    direction: str = "ltr"  # ltr | rtl
    languages: tuple[Language, ...] = ()
    theme: str = ""  # "light" or "dark" as chosen by the person (cookie `theme`), "" to follow the system
    path: str = "/"  # path and query of this page, to which the language form returns
    person: str = ""  # the signed-in person's name; empty: nobody is signed in, and there is no menu
    menu: tuple[MenuItem, ...] = ()  # home first, then the modules in the profile's order
    own: tuple[MenuItem, ...] = ()  # the bottom of the menu: my company, my information, change my password
    dock: tuple[MenuItem, ...] = ()  # at most four items, for phones; “More” is added
    crumbs: tuple[Crumb, ...] = ()  # home first
    search: bool = True  # whether /search is offered
    read_only_view: ReadOnlyView | None = None  # the banner of a read-only portal
    notice: Notice | None = None  # shown once after a redirect: “Saved.”
    warning: Words = ""  # for administrators: the declarations have problems
    warning_url: str = ""
    warning_label: Words = ""  # the text of the link to them


HOME = MenuItem(_("Home"), "house", "/")
VIEWS = {
    "create": _("New"),
    "edit": _("Edit"),
    "delete": _("Delete"),
    "invite": _("Invite"),
    "access": _("Portal access"),
    "people": _("Portal access"),
    "revoke": _("End access"),
    "open": _("Invite everyone"),
    "waiting": _("Sign-ups"),
    "search": _("Search"),
    "problems": _("Problems"),
    "effect": _("Effect"),
    "outbox": _("Emails"),
    "history": _("History"),
    "view-as": _("View as"),
    "explain": _("Explain"),
    "map": _("Map"),
}
# The portal's own pages, for administrators: name and icon.
ADMINISTRATION_PAGES = {
    "problems": "triangle-alert", "effect": "git-compare", "outbox": "mail", "history": "history",
    "view-as": "scan-eye", "explain": "search-check", "map": "waypoints",
}  # fmt: skip
IN_DOCK = 4


def page_frame(request: Request) -> Frame:
    """The frame of this request's page: menu, breadcrumbs, person, languages."""
    portal, identity = request.portal, request.visitor.identity
    settings, language = portal.declaration.settings, request.reader.language
    bare = Frame(
        name=settings.name,
        static=portal.assets.url,
        icon=portal.assets.icon,
        logo=portal.assets.logo,
        csrf_token=get_csrf_token(request),
        language=language,
        direction=locale_or_english(language).text_direction,
        languages=_languages(request),
        theme=_theme(request),
        path=_path(request),
        read_only_view=request.visitor.read_only_view,
        notice=Notice(request.visitor.notice) if request.visitor.notice else flash_message(request),
    )
    return bare if identity is None else _signed_in(request, bare, identity)


def _signed_in(request: Request, bare: Frame, identity: Identity) -> Frame:
    if identity.must_set:
        return bare._replace(person=identity.account.name, search=False)
    packages = _package_items(request)
    menu, own = _menu(request, identity, packages)
    crumbs = (*_crumbs(request), *(Crumb(item.label) for item in packages if item.current))
    frame = bare._replace(person=identity.account.name, menu=menu, own=own, dock=menu[:IN_DOCK], crumbs=crumbs)
    report = request.registry.live.report
    if not identity.administrator or report.accepted or _view_name(request) in ("problems", "effect"):
        return frame
    if report.waiting is None:
        warning = _("The declarations have problems. The last valid version is in use.")
        return frame._replace(warning=warning, warning_url="/-/problems", warning_label=_("Show problems"))
    warning = _("The changes need a database update. Until then, the last valid version is used.")
    return frame._replace(warning=warning, warning_url="/-/effect", warning_label=_("Effect"))


def _languages(request: Request) -> tuple[Language, ...]:
    """The languages to choose from; none in a preview."""
    codes = () if request.visitor.read_only_view else request.portal.declaration.settings.languages
    return tuple(Language(code, _own_name(code), code == request.reader.language) for code in codes)


def _package_items(request: Request) -> list[MenuItem]:
    path = _path(request).partition("?")[0]
    return [MenuItem(*entry, current=entry.url == path) for entry in package_entries(request)]


def _menu(
    request: Request, identity: Identity, packages: list[MenuItem]
) -> tuple[tuple[MenuItem, ...], tuple[MenuItem, ...]]:
    """The modules and buttons in the profile's order, then `packages`; separately, the person's own pages, for the
    bottom of the menu."""
    declaration, policy = request.portal.declaration, identity.policy
    resources = _lineage(request)
    home = MenuItem(HOME.label, HOME.icon, HOME.url, current=len(resources) == 1 and _view_name(request) == "")
    names = policy.profile.menu or ()
    buttons = {name: _button_item(request, declaration.buttons[name]) for name in names if name not in policy.modules}
    current = next((resource.module_name for resource in resources if isinstance(resource, Module)), None)
    waiting = _waiting_items(request, identity)
    if any(item.current for item in (*buttons.values(), *waiting, *packages)):
        current = None  # a page with its own entry, not the module's
    menu, own = [home], list[MenuItem]()
    for name in names:
        if name in buttons:
            menu.append(buttons[name])
            continue
        access = policy.modules[name]
        label, icon = display_name(access), access.icon or DEFAULT_ICON
        item = MenuItem(label, icon, f"/{name}/", current=name == current, new=_new(request, name))
        (own if _about_oneself(declaration, name, access) else menu).append(item)
    menu += packages
    own += waiting
    return tuple(menu), (*own, *_portal_items(identity, resources, _view_name(request)))


def _new(request: Request, module: str) -> str:
    """The number next to a module in the menu: how many of its records are new to the reader; empty if none."""
    count = request.news.counts().get(module)
    return f"{count.number}{'+' if count.more else ''}" if count else ""


def _button_item(request: Request, button: Button) -> MenuItem:
    url = button_address(button)
    return MenuItem(display_name(button), button.icon, url, current=url == _path(request))


def _waiting_items(request: Request, identity: Identity) -> list[MenuItem]:
    """The menu entry for sign-ups that wait for approval, for those who may approve them."""
    if not identity.policy.grants or request.exception is not None:
        return []
    number = SignUps(request.connection, request.portal.tables, request.now).count_waiting(identity)
    if not number and not (identity.policy.staff and request.portal.declaration.sign_up):
        return []
    url = f"/{request.portal.declaration.people}/waiting"
    count = str(number) if number else ""
    return [MenuItem(_("Sign-ups"), "user-plus", url, current=url == _path(request), new=count)]


def _portal_items(identity: Identity, resources: list[Any], view_name: str) -> tuple[MenuItem, ...]:
    """The portal's own pages, at the end of the menu."""
    has_password = may_have_password(identity.policy.declaration, identity.account)
    at_account = any(isinstance(resource, Account) for resource in resources)
    everyone: tuple[MenuItem, ...] = (
        MenuItem(_("My account"), "user-round-cog", "/account/", current=at_account),
        *([MenuItem(_("Change password"), "key-round", "/password")] if has_password else []),
    )
    if identity.policy.declaration.inbox is not None and may_handle_mail(identity):
        at_inbox = any(isinstance(resource, Inbox) for resource in resources)
        everyone = (*everyone, MenuItem(_("Incoming mail"), "inbox", "/-/inbox", current=at_inbox))
    if not identity.administrator:
        return everyone
    here = view_name if any(isinstance(resource, Administration) for resource in resources) else ""
    items = ADMINISTRATION_PAGES.items()
    return (*everyone, *(MenuItem(VIEWS[name], icon, f"/-/{name}", current=name == here) for name, icon in items))


def _about_oneself(declaration: Declaration, name: str, access: Access) -> bool:
    scopes = {declaration.people: ("own",), declaration.organizations: ("own", "organization")}
    return access.see in scopes.get(name, ())


def _crumbs(request: Request) -> tuple[Crumb, ...]:
    crumbs = [Crumb(HOME.label, "/")]
    for resource in _lineage(request):
        if isinstance(resource, Module):
            crumbs.append(Crumb(display_name(resource.access), resource.path))
        elif isinstance(resource, Inbox):
            crumbs.append(Crumb(_("Incoming mail"), "/-/inbox"))
        elif isinstance(resource, Account):
            crumbs.append(Crumb(_("My account"), resource.path))
        elif isinstance(resource, Record):
            crumbs.append(Crumb(resource.record.title or resource.record.reference, resource.path))
    if request.exception is None and _view_name(request) in VIEWS:
        crumbs.append(Crumb(VIEWS[request.view_name]))
    return tuple(crumbs)


def _lineage(request: Request) -> list[Any]:
    """The resources from the root to the one shown, for breadcrumbs; empty before traversal and for static files."""
    context = getattr(request, "context", None)
    return list(lineage(context))[::-1] if hasattr(context, "__parent__") else []


def _view_name(request: Request) -> str:
    """The name of the page's view within its resource, for the frame; empty before traversal."""
    return getattr(request, "view_name", "")


@functools.cache
def _own_name(code: str) -> str:
    name = locale_or_english(code).get_display_name() or code
    return name[:1].upper() + name[1:]


def _theme(request: Request) -> str:
    theme = request.cookies.get("theme", "")
    return theme if theme in ("light", "dark") else ""


def _path(request: Request) -> str:
    """The page that the language form in the frame returns to: this one, if a GET can open it again."""
    if request.method not in ("GET", "HEAD"):
        return referring_page(request)
    try:
        return request.path_qs
    except UnicodeDecodeError:
        return "/"
