"""What surrounds every page: name, menu, person, languages. Plain values for templates/layout.pt.

Made once per request (`request.shell`, see web/frame.py). Texts may be declared texts or sentences of the interface:
the renderer translates them for the reader.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from portal.texts import Text
from portal.web.preview import Preview

Words = str | Text


class MenuItem(NamedTuple):
    label: Words
    icon: str
    url: str
    current: bool = False
    new: str = ""  # how many of its records are new to the reader


@dataclass(frozen=True)
class Crumb:
    label: Words
    url: str = ""  # the last one leads nowhere


@dataclass(frozen=True)
class Language:
    code: str
    name: str  # in that language: “Italiano”
    current: bool = False


@dataclass(frozen=True)
class Shell:
    name: Words
    static: Callable[[str], str]  # a name of web/assets.py → its address: "portal.css", "portal.js"
    icon: Callable[[str], Markup]  # Assets.icon: the name of an icon → its drawing
    logo: str  # Assets.logo
    csrf_token: str
    language: str = "en"
    direction: str = "ltr"  # ltr | rtl
    languages: tuple[Language, ...] = ()
    theme: str = ""  # "light" or "dark" as the person chose it (cookie `theme`), "" as the system has it
    path: str = "/"  # path and query of this page: where the language form returns to
    person: str = ""  # the signed-in person's name; empty: no one is signed in, and there is no menu
    menu: tuple[MenuItem, ...] = ()  # home first, then the modules in the profile's order
    own: tuple[MenuItem, ...] = ()  # the foot of the menu: my company, my information, change my password
    dock: tuple[MenuItem, ...] = ()  # at most four of them, for phones; “More” is added
    crumbs: tuple[Crumb, ...] = ()  # home first
    search: bool = True  # whether /search is offered
    preview: Preview | None = None  # the banner of a portal that is only looked at
    notice: Words = ""  # shown once after a redirect: “Saved.”
    warning: Words = ""  # for administrators: the declarations have problems
    warning_url: str = ""
    warning_label: Words = ""  # of the link there
