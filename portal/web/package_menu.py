"""Menu entries for pages of other packages: each is shown to those who may open its page."""

from typing import NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.security import view_execution_permitted
from pyramid.traversal import traverse

from portal.texts import Words
from portal.web.resources import Root


class PackageEntry(NamedTuple):
    label: Words
    icon: str
    url: str


def includeme(config: Configurator) -> None:
    """Gives packages the directive `config.add_menu_entry`."""
    config.registry.package_menu = []
    config.add_directive("add_menu_entry", add_menu_entry)


def add_menu_entry(config: Configurator, label: Words, icon: str, url: str) -> None:
    """Puts the page at `url` into the menu, after the modules; `icon` is a Lucide name."""
    entry = PackageEntry(label, icon, url)
    config.action(("menu entry", url), lambda: config.registry.package_menu.append(entry))


def package_entries(request: Request) -> list[PackageEntry]:
    """The entries whose pages the signed-in person may open."""
    return [entry for entry in request.registry.package_menu if _may_open(request, entry.url)]


def _may_open(request: Request, url: str) -> bool:
    reached = traverse(Root(request), url)
    if reached["subpath"]:  # the path contains a module that the profile does not have
        return False
    try:
        return bool(view_execution_permitted(reached["context"], request, reached["view_name"]))
    except (TypeError, HTTPNotFound):  # there is no such page
        return False
