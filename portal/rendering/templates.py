"""Chameleon for our pages: finds templates by name, gives them what every page has, and translates their texts.

A view names its template (`renderer="list.pt"`) and returns its page, which the template calls `page`. Every declared
text and every sentence of the interface that a template shows is translated into the reader's language on output. Only
files of templates/ and of packages are rendered: no text of an administrator or a customer ever becomes a template.
"""

import functools
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.path import AssetResolver
from translationstring import TranslationString

from portal.fields.reader import Reader
from portal.rendering.cells import CellRenderer, CellTemplates
from portal.rendering.template_cache import TemplateCache
from portal.rendering.template_names import PlainPython, Template
from portal.texts import Text
from portal.texts import translate as translate_sentence
from portal.web.frame import Frame

TEMPLATES = Path(__file__).parents[1] / "templates"
# Attributes without a value: a template sets them to true or false.
BOOLEAN_ATTRIBUTES = frozenset({"checked", "selected", "disabled", "required", "multiple", "hidden", "open"})
# Templates with macros, which every page can use by name.
MACROS = (
    "layout", "parts", "widgets", "displays", "filters", "files", "conversation", "watchers", "access", "why",
    "arrange", "charts",
)  # fmt: skip


class Templates:
    """The templates of one process; `reload`: rereads changed files (development)."""

    def __init__(self, reload: bool = False) -> None:
        self._reload = reload
        self._loaded: dict[str, Template] = {}
        self.cache = TemplateCache(" ".join([*sorted(BOOLEAN_ATTRIBUTES), PlainPython.__name__]))
        self._cell_templates = CellTemplates()

    def __getitem__(self, name: str) -> Template:
        if name not in self._loaded:
            template = Template(str(TEMPLATES / name), auto_reload=self._reload, boolean_attributes=BOOLEAN_ATTRIBUTES)
            template.loader = self.cache
            self._loaded[name] = template
        return self._loaded[name]

    def load(self) -> None:
        """Loads all templates now, so that no visitor has to wait."""
        for path in TEMPLATES.glob("*.pt"):
            self[path.name].cook_check()

    @cached_property
    def macros(self) -> Mapping[str, Template]:
        """The templates whose macros every page may use."""
        return {name: self[f"{name}.pt"] for name in MACROS}

    def render(self, name: str, values: Mapping[str, Any], reader: Reader, frame: Frame) -> str:
        """The page `name` as HTML; `values` contains at least `page`."""
        names = {**self.macros, "reader": reader, "frame": frame, "icon": frame.icon}
        names |= {"translate": _translation(reader), "target_language": reader.language}
        cells = CellRenderer(
            CellTemplates() if self._reload else self._cell_templates,  # a changed template shows immediately
            lambda template, **more: self[template](**names, **more),
            (frame.static("icons.svg"), reader.locale_name, reader.language, reader.default_language),
        )
        return self[name](**names, **values, token=_token(frame), draw=cells)


@functools.cache
def shared_templates(reload: bool) -> Templates:
    """The Templates of this process: creating them takes longer than a start, and tests start many applications."""
    return Templates(reload)


def load_templates(reload: bool, compiled: Path | None) -> None:
    """Loads the templates before they are needed; `compiled` is the folder in which they are stored."""
    templates = shared_templates(reload)
    if compiled is not None:
        templates.cache.store_in(compiled)
    if not reload:
        templates.load()


def includeme(config: Configurator) -> None:
    """Makes `renderer="NAME.pt"` refer to a template of ours; requests provide `reader` and `frame`."""
    templates = shared_templates(config.get_settings()["reload_templates"])

    class Renderer:
        def __init__(self, info: Any) -> None:
            self.name = _template_path(info)

        def __call__(self, value: Any, system: Mapping[str, Any]) -> str:
            request = system["request"]
            values = {"request": request, "context": system.get("context")}
            values |= value if isinstance(value, dict) else {"page": value}  # a package may pass more values
            return templates.render(self.name, values, request.reader, request.frame)

    config.add_renderer(".pt", Renderer)


def _template_path(info: Any) -> str:
    """The name of a template of ours; for a template in another package's folder, the whole path."""
    ours = info.package.__name__.partition(".")[0] == "portal" and ":" not in info.name
    return info.name if ours else str(AssetResolver(info.package).resolve(info.name).abspath())


def _token(frame: Frame) -> Markup:
    """The `token` of templates: the hidden CSRF input of every posting form."""
    return Markup('<input type="hidden" name="_csrf" value="{}">').format(frame.csrf_token)


def _translation(reader: Reader) -> Any:
    def translate(message: Any, domain: Any = None, mapping: Any = None, default: Any = None, **others: Any) -> Any:
        """Called for every text of a template, and for every value that is neither a text nor a number."""
        if message is None:
            return default
        if isinstance(message, TranslationString | Text):
            return reader.text(message)
        if not isinstance(message, str):
            return str(message)
        if mapping:
            return reader.text(TranslationString(message, domain=domain, mapping=mapping, default=default or None))
        return _sentence(message, domain, default or None, reader.language)

    return translate


@functools.lru_cache(maxsize=5_000)
def _sentence(message: str, domain: str | None, default: str | None, language: str) -> str:
    """A sentence of a template, translated once for all readers of the language."""
    return translate_sentence(TranslationString(message, domain=domain, default=default), language)
