"""`location`: a place on a map, by latitude and longitude in degrees, each in a column of its own.

It is typed as one text, in any form that people have at hand: copied from a map, the address of a map, a device.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, ClassVar, Literal

import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.column_types import ExactDecimal
from portal.fields.numbers import without_zeros
from portal.fields.reader import Reader
from portal.fields.refused import Refused, filled, json_text, operator_refused
from portal.texts import _

PLACES = Decimal("0.000001")  # of a degree: a tenth of a meter; maps have more digits than that
KILOMETERS = Decimal("111.32")  # of one degree of latitude
EXAMPLE = "46.0637, 13.2446"
PARTS = ("latitude", "longitude")
LONGEST, LONGEST_PAIR = 2_000, 100  # characters: of the address of a map, of two numbers

_NUMBER = r"-?\d{1,3}(?:\.\d{1,20})?"
# Where the addresses of maps contain the place: a mark on the map takes precedence over its center.
_ADDRESSES = tuple(
    re.compile(pattern.replace("N", f"({_NUMBER})"))
    for pattern in (
        r"[?&]mlat=N&mlon=N",
        r"!3dN!4dN",
        r"[?&](?:q|ll|query|destination|daddr|center|cp)=(?:loc:)?N(?:,|%2C|~|%7E)(?:\+|%20)?N",
        r"/@N,N",
        r"#map=[\d.]+/N/N",
    )
)
_GEO = re.compile(rf"geo:({_NUMBER}),({_NUMBER})(?:[,;?].*)?", re.IGNORECASE)
_DECIMAL = r"\d{1,3}(?:[.,]\d{1,20})?"
_DEGREES = rf"(-?{_DECIMAL})\s*°?\s*(?:({_DECIMAL})\s*'\s*(?:({_DECIMAL})\s*\"\s*)?)?"  # with minutes and seconds
_BETWEEN = r"""(\s*[,;]\s*|\s+|(?<=[NSEW°'"]))"""
# A letter is before the degrees or after them.
_PAIR = re.compile(
    rf"([NSEW])?\s*{_DEGREES}(?(1)|([NSEW])?){_BETWEEN}([NSEW])?\s*{_DEGREES}(?(7)|([NSEW])?)", re.IGNORECASE
)
_ONE_NUMBER = re.compile(r"-?\d+,\d+")  # with a decimal comma: a latitude alone
_WITHIN = re.compile(r"(.*?)[\s,;]\s*(\d{1,5}(?:[.,]\d{1,3})?)\s*(k?)m", re.IGNORECASE | re.DOTALL)
# Different systems' symbols for degrees, minutes, seconds and minus.
_SIGNS = str.maketrans({"º": "°", "˚": "°", "’": "'", "′": "'", "‘": "'", "”": '"', "″": '"', "“": '"', "−": "-"})


@dataclass(frozen=True)
class Location:
    """Degrees north of the equator, and east of Greenwich."""

    latitude: Decimal
    longitude: Decimal

    @property
    def map_address(self) -> str:
        """The address of a map that shows it."""
        latitude, longitude = without_zeros(self.latitude), without_zeros(self.longitude)
        return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=16/{latitude}/{longitude}"


@dataclass(frozen=True)
class Area:
    """The area between two latitudes and, eastward, between two longitudes; around the poles all longitudes."""

    south: Decimal
    north: Decimal
    west: Decimal
    east: Decimal

    @classmethod
    def around(cls, place: Location, kilometers: Decimal) -> "Area":
        """The square whose sides are `kilometers` from `place`; 0: the place itself."""
        height = kilometers / KILOMETERS
        south, north = place.latitude - height, place.latitude + height
        furthest = max(abs(south), abs(north))
        narrowing = math.cos(math.radians(min(90.0, float(furthest))))
        if (width := height / Decimal(max(narrowing, 1e-9))) >= 180:
            return cls(south, north, Decimal(-180), Decimal(180))
        west, east = place.longitude - width, place.longitude + width
        return cls(south, north, west + 360 if west < -180 else west, east - 360 if east > 180 else east)

    def __contains__(self, place: Location) -> bool:
        if not self.south <= place.latitude <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= place.longitude <= self.east
        return place.longitude >= self.west or place.longitude <= self.east


class LocationField(Field):
    """A place on a map, by latitude and longitude, such as 46.0637, 13.2446."""

    type: Literal["location"]
    searchable: ClassVar[bool] = False  # the digits of a place are not words
    from_column: ClassVar[bool] = False
    widget: ClassVar[str] = "location"
    display: ClassVar[str] = "location"
    filter: ClassVar[str] = "near"
    sortable: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    examples: ClassVar[tuple[tuple[str, Any, str], ...]] = (
        (
            "geo:-33.8567844,151.213108",
            Location(Decimal("-33.856784"), Decimal("151.213108")),
            "-33.856784, 151.213108",
        ),
        ("0.0 0.0", Location(Decimal(0), Decimal(0)), "0, 0"),
        ("46,5, 13,25", Location(Decimal("46.5"), Decimal("13.25")), "46.5, 13.25"),
        ("N 48° 12' 29.52\", E 16° 22' 25.68\"", Location(Decimal("48.2082"), Decimal("16.3738")), "48.2082, 16.3738"),
        ("", None, ""),
    )
    rejects: ClassVar[tuple[str, ...]] = (
        "48.2", "91, 0", "0.5, 181", "N 48, N 16", "1,2,3", "46,13", "48° 61' N, 16° E", "-1 S, 2 E", "a\x00b",
        "https://maps.example/", "1" * 100_000,
    )  # fmt: skip

    @property
    def _latitude(self) -> str:
        return f"_{self.name}_latitude"

    @property
    def _longitude(self) -> str:
        return f"_{self.name}_longitude"

    def columns(self) -> list[sa.Column[Any]]:
        return [sa.Column(self._latitude, ExactDecimal()), sa.Column(self._longitude, ExactDecimal())]

    def store(self, value: Any) -> dict[str, Any]:
        return {self._latitude: value and value.latitude, self._longitude: value and value.longitude}

    def load(self, row: Mapping[str, Any]) -> Location | None:
        latitude, longitude = row[self._latitude], row[self._longitude]
        return None if latitude is None or longitude is None else Location(latitude, longitude)

    def expression(self, table: sa.FromClause) -> sa.ColumnElement[Any]:
        """The latitude: either both values exist, or neither."""
        return table.c[self._latitude]

    def parse(self, text: str, reader: Reader) -> Location | None:
        """“46.0637, 13.2446”, “46°3'49.3"N 13°14'40.6"E”, `geo:46.0637,13.2446`, or the address of a map."""
        if not (text := filled(text).translate(_SIGNS)):
            return None
        degrees = _degrees_in(text) if len(text) <= LONGEST else None
        if degrees is None:
            raise Refused(_("Enter latitude and longitude, such as ${example}.", mapping={"example": EXAMPLE}))
        latitude, longitude = map(_round, degrees)
        if abs(latitude) > 90 or abs(longitude) > 180:
            raise Refused(_("A latitude is between -90 and 90, a longitude between -180 and 180."))
        return Location(latitude, longitude)

    def show(self, value: Any, reader: Reader) -> str:
        """“46.0637, 13.2446”, which maps in every language accept."""
        return self.write(value)

    def write(self, value: Any) -> str:
        return f"{without_zeros(value.latitude)}, {without_zeros(value.longitude)}" if value else ""

    def to_json(self, value: Any) -> dict[str, str] | None:
        """Its degrees by name, as texts like all decimal numbers."""
        return {part: without_zeros(getattr(value, part)) for part in PARTS} if value else None

    def json_inputs(self, given: Any, present: Any, reader: Reader) -> dict[str, str | list[str]]:
        if given is None:
            return {self.name: ""}
        if not isinstance(given, Mapping) or set(given) != set(PARTS):
            raise Refused(_("This is not in the expected format."))
        return {self.name: " ".join(json_text(given[part]) for part in PARTS)}

    def json_schema(self, *, written: bool) -> dict[str, Any]:
        parts = {part: {"type": ["string", "number"] if written else "string"} for part in PARTS}
        shape = {"properties": parts, "required": list(PARTS), "additionalProperties": False}
        return {"type": ["object", "null"], **shape}

    def constant(self, raw: Any, reader: Reader) -> Area:
        """A place, or the area within a distance of one: “46.0637, 13.2446 10 km”, “… 500 m”."""
        text = " ".join(filled(str(raw)).split())
        within = _WITHIN.fullmatch(text) if len(text) <= LONGEST else None
        place = self.parse(within[1] if within else text, reader)
        if place is None:
            raise Refused(_("Enter a value."))
        if within is None:
            return Area.around(place, Decimal(0))
        return Area.around(place, Decimal(within[2].replace(",", ".")) / (1 if within[3] else 1_000))

    def default_value(self, raw: Any, reader: Reader) -> Location | None:
        """From a text as in a form."""
        return self.parse(str(raw), reader) if raw not in (None, "nothing") else None

    def compare(self, table: sa.FromClause, operator: str, value: Any) -> sa.ColumnElement[bool]:
        """`equal` to an area means every place in it."""
        if operator not in ("equal", "one_of", "empty"):
            raise operator_refused(operator)
        if operator != "equal":
            return super().compare(table, operator, value)
        value = _area(value)
        latitude, longitude = table.c[self._latitude], table.c[self._longitude]
        join = sa.and_ if value.west <= value.east else sa.or_
        around = join(longitude >= value.west, longitude <= value.east)
        return sa.and_(latitude >= value.south, latitude <= value.north, around)

    def matches(self, value: Any, operator: str, constant: Any) -> bool:
        if operator == "equal":
            return value is not None and value in _area(constant)
        return super().matches(value, operator, constant)


def _area(constant: Area | Location) -> Area:
    """The area that a condition on a location means; the constant may also be the place in another field of a form."""
    return Area.around(constant, Decimal(0)) if isinstance(constant, Location) else constant


def _degrees_in(text: str) -> tuple[Decimal, Decimal] | None:
    """Latitude and longitude in the typed text of a location; None if it has none."""
    if text.startswith(("http://", "https://")):
        match = next(filter(None, (pattern.search(text) for pattern in _ADDRESSES)), None)
    else:
        match = _GEO.fullmatch(text)
    return (Decimal(match[1]), Decimal(match[2])) if match else _pair_in(" ".join(text.split()))


def _pair_in(text: str) -> tuple[Decimal, Decimal] | None:
    pair = _PAIR.fullmatch(text) if len(text) <= LONGEST_PAIR else None
    if pair is None or _ONE_NUMBER.fullmatch(text):
        return None
    first, between, second = pair.groups()[:5], pair[6], pair.groups()[6:]
    if between.strip() == "," and ("," in first[1]) != ("," in second[1]):
        return None  # in “1,2,3”, it is unclear which comma is the decimal one
    axes = dict(map(_coordinate, (first, second), ("N", "E")))
    latitude, longitude = axes.get("N"), axes.get("E")
    return None if latitude is None or longitude is None else (latitude, longitude)


def _coordinate(parts: Sequence[str | None], usual: str) -> tuple[str, Decimal | None]:
    """Its axis, N or E, and its degrees, None if invalid. `usual`: its axis if there is no letter."""
    before, *numbers, behind = parts
    letter = (before or behind or "").upper()
    axis = {"S": "N", "W": "E"}.get(letter, letter or usual)
    degrees, minutes, seconds = (Decimal((number or "0").replace(",", ".")) for number in numbers)
    negative = (numbers[0] or "").startswith("-")
    if (letter and negative) or minutes >= 60 or seconds >= 60:
        return axis, None
    size = abs(degrees) + minutes / 60 + seconds / 3600
    return axis, -size if negative or letter in ("S", "W") else size


def _round(degrees: Decimal) -> Decimal:
    """The degrees of a location as they are stored, and never -0."""
    return degrees.quantize(PLACES, ROUND_HALF_EVEN).normalize() + 0
