"""The files that pages need: one style sheet, one script, one icon sprite and the logo, bundled at startup.

The address of each contains its content's hash, so that browsers may cache it forever; all are kept in memory, with a
gzip copy. An instance belongs to one portal in force, with its icons, accent and logo.
"""

import functools
import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from portal.colors import tokens
from portal.web import icons

STATIC = Path(__file__).parents[1] / "static"
# The first file declares the CSS layers; the others follow by name.
FIRST_STYLES = ("tokens.css", "base.css", "layout.css")
# Separate sheets for the home page, and for pages about the declarations, so that no other page has to load them.
HOME_STYLES = ("home.css", "charts.css")
WORKSHOP_STYLES = ("effect.css", "explain.css", "map.css", "problems.css")
FIRST_SCRIPT = "attach.js"
MARK = "sparkles"  # the icon used as the logo if none is declared
LOGO_TYPES = {
    ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".webp": "image/webp", ".gif": "image/gif", ".ico": "image/x-icon",
}  # fmt: skip
# Icons that point in the reading direction, mirrored in right-to-left languages.
DIRECTIONAL = {
    "arrow-left", "arrow-right", "chevron-left", "chevron-right", "log-out", "log-in", "send", "undo-2",
    "corner-down-right",
}  # fmt: skip
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
REMARK = re.compile(r"^\s*//[^\n]*\n|^\s*/\*\*.*?\*/\n|[ \t]+// [^\n]*$", re.MULTILINE | re.DOTALL)
EXPORT = re.compile(r"^export ", re.MULTILINE)
INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
# In scripts, where no text in quotes contains any of these.
NEEDLESS = re.compile(r"(?<=[;{(,\[\n])\n|(?<=\)) (?={)| (=>|={1,3}|!==|&&|\|\||\?\??) ")
AROUND_SIGNS = re.compile(r"\s*([{};])\s*|(?<=[:,])\s+")


@dataclass(frozen=True)
class Asset:
    content_type: str
    body: bytes
    gzipped: bytes


class Assets:
    """`declared`: icon names of the declaration; `accent`: #rrggbb; `logo`: a file, or None for the built-in mark."""

    def __init__(self, declared: Iterable[str] = (), accent: str = "#2457d6", logo: Path | None = None) -> None:
        drawings = icons.drawings([*declared, MARK])
        self._icons = frozenset(drawings)
        self._files: dict[str, Asset] = {}
        self._addresses: dict[str, str] = {}
        self._markup: dict[str, Markup] = {}
        self._add("portal.css", "text/css; charset=utf-8", _style_sheet(_common_styles()) + tokens(accent).encode())
        self._add("home.css", "text/css; charset=utf-8", _style_sheet(HOME_STYLES))
        self._add("workshop.css", "text/css; charset=utf-8", _style_sheet(WORKSHOP_STYLES))
        self._add("portal.js", "text/javascript; charset=utf-8", _script())
        self._add("icons.svg", "image/svg+xml", icons.sprite(drawings).encode())
        self._add("mark.svg", "image/svg+xml", _default_logo(accent, drawings[MARK]).encode())
        self._logo = "mark.svg"
        if logo and logo.suffix.lower() in LOGO_TYPES and logo.is_file():
            self._logo = f"logo{logo.suffix.lower()}"
            self._add(self._logo, LOGO_TYPES[logo.suffix.lower()], logo.read_bytes())

    @property
    def logo(self) -> str:
        """The address of the logo."""
        return self.url(self._logo)

    def url(self, name: str) -> str:
        """The address of "portal.css", "portal.js", "icons.svg" …; raises KeyError."""
        return self._addresses[name]

    def get(self, path: str) -> Asset | None:
        """The asset at `HASH/NAME`. An old hash gives the current content: pages drawn before a reload need it."""
        return self._files.get(path.rpartition("/")[2])

    def icon(self, name: str) -> Markup:
        """The markup of an icon, hidden from screen readers; an unknown name is a square."""
        cached = self._markup.get(name)
        if cached is not None:
            return cached
        shown = name if name in self._icons else icons.UNKNOWN
        classes = "icon turns" if shown in DIRECTIONAL else "icon"
        markup = Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
            classes, self.url("icons.svg"), shown
        )
        if name in self._icons:
            self._markup[name] = markup
        return markup

    def _add(self, name: str, content_type: str, body: bytes) -> None:
        self._files[name] = _asset(content_type, body)
        self._addresses[name] = f"/static/{hashlib.sha256(body).hexdigest()[:16]}/{name}"


@functools.lru_cache(maxsize=32)
def _asset(content_type: str, body: bytes) -> Asset:
    """An asset, made once for all portals in the process that use the same content."""
    return Asset(content_type, body, gzip.compress(body, 9, mtime=0))


def _common_styles() -> list[str]:
    """The files of static/css in order, except those of separate sheets."""
    names = {path.name for path in (STATIC / "css").glob("*.css")}
    return [*FIRST_STYLES, *sorted(names.difference(FIRST_STYLES, HOME_STYLES, WORKSHOP_STYLES))]


def _style_sheet(names: Iterable[str]) -> bytes:
    """The style sheet: these files of static/css as one, without comments and superfluous spaces."""
    return _shortened_styles("\n".join((STATIC / "css" / name).read_text(encoding="utf-8") for name in names))


@functools.lru_cache(maxsize=3)
def _shortened_styles(text: str) -> bytes:
    return AROUND_SIGNS.sub(r"\1", COMMENT.sub("", text)).encode()


def _script() -> bytes:
    """The modules of static/js as one script, without comments and indentation: the shared one first, each of the
    others in a block of its own, whose failure does not stop the rest.
    """
    paths = sorted((STATIC / "js").glob("*.js"), key=lambda path: (path.name != FIRST_SCRIPT, path.name))
    return _joined_scripts(tuple(path.read_text(encoding="utf-8") for path in paths))


@functools.lru_cache(maxsize=1)
def _joined_scripts(codes: tuple[str, ...]) -> bytes:
    texts = [EXPORT.sub("", IMPORT.sub("", INDENTATION.sub("", REMARK.sub("", code)))) for code in codes]
    texts = [NEEDLESS.sub(r"\1", text) for text in texts]
    return "\n".join(
        [texts[0], *(f"try {{\n{text}}} catch (error) {{\nreportError(error);\n}}" for text in texts[1:])]
    ).encode()


def _default_logo(accent: str, sparkle: str) -> str:
    """The drawing of the icon MARK on the accent color."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><defs><linearGradient id="g" x2="1" y2="1">'
        f'<stop stop-color="{accent}" stop-opacity=".75"/><stop offset="1" stop-color="{accent}"/></linearGradient>'
        '</defs><rect width="32" height="32" rx="9" fill="#fff"/><rect width="32" height="32" rx="9" fill="url(#g)"/>'
        '<g transform="translate(7 7) scale(.75)" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" '
        f'stroke-linejoin="round">{sparkle}</g></svg>'
    )
