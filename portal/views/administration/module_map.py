"""`/-/map`: the modules and their links as a drawing, and who may do what in each, for administrators and auditors."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyramid.request import Request
from pyramid.view import view_config

from portal.condition_texts import condition_text
from portal.declaration.declaration import Declaration
from portal.declaration.declared_files import profile_file
from portal.declaration.shapes import Module, Profile, display_name
from portal.fields.base import Field
from portal.records.reading.records import Query, Records
from portal.texts import Words, _
from portal.views.administration.graph_layout import WIDTH, Graph, GraphDrawing, GraphLink, draw, row_y
from portal.views.administration.rights_in_words import can_words, scope_words
from portal.views.displays import moment
from portal.views.parts import Moment
from portal.views.wording import count_text, module_label
from portal.web.resources import Administration
from portal.web.security import ADMINISTER

# Pixels of a drawing that is scaled down on a narrower page; a wider one scrolls, a narrower one keeps its size.
LEAST_SHRUNK, MOST_SHRUNK = 850, 1_160
LONGEST_LABEL, LONGEST_LINK = 20, 24  # characters that fit into a box


@dataclass(frozen=True)
class MapLink:
    """A row of a box; `y`: its middle."""

    name: str
    y: int
    decides: bool


@dataclass(frozen=True)
class MapBox:
    """A module in the drawing, in pixels; `core`: people and companies."""

    name: str
    label: str
    count: str
    x: int
    y: int
    height: int
    core: bool
    links: tuple[MapLink, ...]


@dataclass(frozen=True)
class MapLine:
    """A link in the drawing; `decides`: someone sees records through it."""

    path: str
    decides: bool


@dataclass(frozen=True)
class ProfileColumn:
    label: Words
    file: str
    staff: bool
    administers: bool


@dataclass(frozen=True)
class RightsCell:
    """What a profile may do in a module; without a `scope`, it does not have it."""

    profile: Words
    scope: Words = ""
    can: Words = ""
    where: str = ""  # as declared


@dataclass(frozen=True)
class ModuleRow:
    """A module in the table, with its links in words."""

    name: str
    label: str
    links: tuple[Words, ...]
    cells: tuple[RightsCell, ...]


@dataclass(frozen=True)
class MapPage:
    """map.pt, for administrators: the modules drawn with their links, and who may do what."""

    width: int
    height: int
    box_width: int
    fits: bool  # whether it may be scaled down to fit the page
    boxes: tuple[MapBox, ...]
    lines: tuple[MapLine, ...]
    profiles: tuple[ProfileColumn, ...]
    modules: tuple[ModuleRow, ...]
    links: int
    since: Moment


@view_config(context=Administration, name="map", request_method="GET", renderer="map.pt", permission=ADMINISTER)
def show_map(context: Administration, request: Request) -> MapPage:
    """`GET /-/map`: all modules of the declaration in force, whether or not the administrator has them."""
    declaration = request.portal.declaration
    links = {name: list(_links_of(module)) for name, module in declaration.modules.items()}
    drawing = draw(_graph(declaration, links))
    return MapPage(
        width=round(drawing.width),
        height=round(drawing.height),
        box_width=WIDTH,
        fits=LEAST_SHRUNK < drawing.width <= MOST_SHRUNK,
        boxes=tuple(_boxes(request, drawing, links)),
        lines=tuple(
            MapLine(path, _decides_sight(declaration, link.source, links[link.source][link.row][0]))
            for link, path in drawing.paths.items()
        ),
        profiles=tuple(_profiles(declaration)),
        modules=tuple(_modules(request, links)),
        links=sum(map(len, links.values())),
        since=moment(request.portal.since, request.reader),
    )


def _links_of(module: Module) -> Iterator[tuple[str, Field]]:
    """The links of a module on the map by name, those in its lines as `lines.product`; without lookups."""
    for name, field in module.fields.items():
        columns = {f"{name}.{column}": inner for column, inner in field.row_fields.items()}
        for path, link in {name: field, **columns}.items():
            if link.targets and not link.computed:
                yield path, link


def _decides_sight(declaration: Declaration, module: str, field: str) -> bool:
    """Whether a link in the map decides who sees a record: the path to an owner or organization, or a `through`."""
    declared = declaration.modules[module]
    ways = {path.partition(".")[0] for path in (declared.owner, declared.organization) if path}
    return field in ways or any(access.through == field for _profile, access in declaration.accesses(module))


# -- the drawing -------------------------------------------------------------------------------------------------------


def _graph(declaration: Declaration, links: Mapping[str, list[tuple[str, Field]]]) -> Graph:
    """The graph of the map, people first: modules linked with them both ways are on their right, as companies are."""
    names = sorted(links, key=lambda name: name != declaration.people)
    leading = [
        GraphLink(name, row, target)
        for name in names
        for row, (_path, field) in enumerate(links[name])
        for target in dict.fromkeys(field.targets)
    ]
    return Graph({name: len(links[name]) for name in names}, leading)


def _boxes(request: Request, drawing: GraphDrawing, links: Mapping[str, list[tuple[str, Field]]]) -> Iterator[MapBox]:
    declaration = request.portal.declaration
    for name, module in declaration.modules.items():
        place = drawing.places[name]
        yield MapBox(
            name=name,
            label=_shortened(module_label(module, request.reader), LONGEST_LABEL),
            count=_count(request, name),
            x=round(place.x),
            y=round(place.y),
            height=round(place.height),
            core=name in (declaration.people, declaration.organizations),
            links=tuple(
                MapLink(
                    _shortened(path + (" ↺" if name in field.targets else ""), LONGEST_LINK),
                    round(place.y + row_y(row)),
                    _decides_sight(declaration, name, path),
                )
                for row, (path, field) in enumerate(links[name])
            ),
        )


def _count(request: Request, module: str) -> str:
    """How many records of a module on the map the administrator sees; empty if they do not have it."""
    if request.policy.access(module) is None:
        return ""
    return count_text(Records(request.connection, request.policy, module).count(Query()), request.reader)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


# -- the table ---------------------------------------------------------------------------------------------------------


def _profiles(declaration: Declaration) -> Iterator[ProfileColumn]:
    for name, profile in declaration.profiles.items():
        yield ProfileColumn(
            label=display_name(profile),
            file=profile_file(name),
            staff=profile.staff,
            administers=name in declaration.settings.administrators,
        )


def _modules(request: Request, links: Mapping[str, list[tuple[str, Field]]]) -> Iterator[ModuleRow]:
    declaration, reader = request.portal.declaration, request.reader
    for name, module in declaration.modules.items():
        yield ModuleRow(
            name=name,
            label=module_label(module, reader),
            links=tuple(
                _("${link} to ${modules}", mapping={"link": path, "modules": _targets(request, field)})
                for path, field in links[name]
            ),
            cells=tuple(_cell(request, module, profile) for profile in declaration.profiles.values()),
        )


def _targets(request: Request, field: Field) -> str:
    modules = request.portal.declaration.modules
    return request.reader.listed(module_label(modules[target], request.reader) for target in field.targets)


def _cell(request: Request, module: Module, profile: Profile) -> RightsCell:
    access, reader = profile.modules.get(module.name), request.reader
    label = display_name(profile)
    if access is None:
        return RightsCell(label)
    scope = scope_words(request.portal.declaration, access, reader)
    return RightsCell(label, scope, can_words(module, access, reader), condition_text(access.where))
