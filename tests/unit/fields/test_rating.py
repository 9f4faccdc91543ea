"""Half stars: chosen from a list, stored exactly, shown as a half and exported with a point."""

from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.fields.base import Field
from portal.fields.reader import PLAIN, Reader
from portal.fields.refused import Refused
from tests.unit.fields.test_contract import table_of

STARS = Field.types["rating"].model_validate({"name": "stars", "type": "rating", "max": 3, "halves": True})


def test_half_stars_are_offered_and_nothing_between():
    offered = {name: str(option.label) for name, option in STARS.offered.items()}
    assert offered == {"0.5": "½", "1": "1", "1.5": "1½", "2": "2", "2.5": "2½", "3": "3"}
    assert (STARS.widget, STARS.parse(" 2.5", Reader()), STARS.read("2.0")) == ("select", Decimal("2.5"), 2)
    assert (STARS.show(Decimal("2.5"), PLAIN), STARS.write(Decimal("2.50")), STARS.show(Decimal(3), PLAIN)) == (
        "2½",
        "2.5",
        "3",
    )
    for text in ("0", "0.25", "2,5", "3.5"):
        with pytest.raises(Refused):
            STARS.parse(text, Reader())


def test_half_stars_are_stored_and_ordered(database):
    table = table_of(database, STARS)
    for number, stars in enumerate(("2.5", "0.5", "3"), 1):
        database.execute(table.insert().values(id=number, **STARS.store(Decimal(stars))))
    rows = database.execute(sa.select(table.c["stars"]).order_by(STARS.order(table))).mappings()
    assert [STARS.load(row) for row in rows] == [Decimal("0.5"), Decimal("2.5"), Decimal(3)]
    at_least = sa.select(table.c["id"]).where(STARS.compare(table, "min", STARS.constant(2.5, PLAIN)))
    assert sorted(database.scalars(at_least)) == [1, 3]
