"""Places: read in the usual notations, and compared with the surroundings of a place."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.location import Location
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from tests.unit.fields.test_contract import table_of

SITE = Field.types["location"].model_validate({"name": "site", "type": "location"})


def place(latitude: str, longitude: str) -> Location:
    return Location(Decimal(latitude), Decimal(longitude))


@pytest.mark.parametrize(
    ("typed", "latitude", "longitude"),
    [
        ("46.0637,13.2446", "46.0637", "13.2446"),
        ("46,0637 13,2446", "46.0637", "13.2446"),
        ("46,06; 13,24", "46.06", "13.24"),
        ("\u221233.85 151.2", "-33.85", "151.2"),
        ("46°3′49.32″N 13°14′40.56″E", "46.0637", "13.2446"),
        ("46° 3.6' N, 13° 14.4' E", "46.06", "13.24"),
        ("13.24 E, 46.06 N", "46.06", "13.24"),
        ("S46.06 W13.24", "-46.06", "-13.24"),
        ("46.06N13.24E", "46.06", "13.24"),
        ("geo:46.06,13.24;u=35?z=11", "46.06", "13.24"),
        ("https://www.openstreetmap.org/?mlat=46.1&mlon=13.2#map=12/46.0/13.0", "46.1", "13.2"),
        ("https://www.openstreetmap.org/#map=12/46.0611/-13.2345", "46.0611", "-13.2345"),
        ("https://www.google.com/maps/place/X/@46.07,13.2,13z/data=!3d46.5!4d13.2345794", "46.5", "13.234579"),
        ("https://www.google.com/maps/@46.07,13.2,13z?entry=ttu", "46.07", "13.2"),
        ("https://maps.google.com/?q=46.07,13.2", "46.07", "13.2"),
        ("https://maps.apple.com/?ll=46.07,13.2&z=3", "46.07", "13.2"),
        ("https://www.bing.com/maps?cp=46.07%7E13.2&lvl=11", "46.07", "13.2"),
    ],
)  # fmt: skip
def test_a_place_is_read_as_maps_and_devices_write_it(typed, latitude, longitude):
    assert SITE.parse(typed, Reader(language="it")) == place(latitude, longitude)


@pytest.mark.parametrize("typed", ["46,13", "46.06, 13,24", "46.06 N", "N 46 N 13", "46 60' N, 13 E", "46 N -13 E"])
def test_what_may_mean_two_places_or_none_is_refused(typed):
    with pytest.raises(Refused):
        SITE.parse(typed, PLAIN)


@pytest.mark.parametrize(
    ("around", "found"),
    [
        ("46.06, 13.24", ["Udine"]),
        ("46.06, 13.25", []),
        ("46.06, 13.25 1 km", ["Udine"]),
        ("46.06, 13.25 900 m", ["Udine"]),
        ("46.06, 13.25 500m", []),
        ("46,06 13,24 100 km", ["Udine", "Trieste"]),
        ("0, 179.95, 10km", ["Here", "There"]),
        ("89.9, 0 50 km", ["Pole"]),
    ],
)
def test_places_are_found_around_a_place(database, around, found):
    places = {
        "Udine": place("46.06", "13.24"), "Trieste": place("45.65", "13.77"), "Here": place("0.01", "179.99"),
        "There": place("-0.01", "-179.97"), "Pole": place("89.8", "-120"), "Nowhere": None,
    }  # fmt: skip
    table = table_of(database, SITE)
    names = dict(enumerate(places, 1))
    for number, name in names.items():
        database.execute(table.insert().values(id=number, **SITE.store(places[name])))
    operator, area = SITE.parse_filter(around, PLAIN)
    ids = database.scalars(sa.select(table.c["id"]).where(SITE.compare(table, operator, area)).order_by("id"))
    assert [names[number] for number in ids] == found
    assert [name for name, value in places.items() if SITE.matches(value, operator, area)] == found
