"""An empty shop into which files are imported, and the files that fill it."""

from collections.abc import Iterator

import pytest

from tests.functional.shop import Shop, make_shop
from tests.functional.world import Rows, put_back, rows_of

PEOPLE = "name,email,boss\nAda,ada@acme.example,\nBob,bob@acme.example,ada@acme.example\n"
USED = "This value is already in use. Capitals and accents make no difference."
EVERYTHING = (
    "title,code,body,page,rich,mail,phone,site,amount,weight,price,share,ready,day,moment,clock,length,"
    "kind,colours,tags,service,category,owners,about,place.street,place.city,stars,colour,solved,secret,state,created\n"
    '"=SUM(A1)",A-1,"two\nlines","# Head","<p>a <b>b</b></p>",x@acme.example,+39 051 555,https://acme.example,-7,1.125,'
    "-12.5 EUR,22.5,true,2024-02-29,2024-03-05T14:30+01:00,08:15,1 h 30 min,"
    'small,"red, ""dark, blue""","one, two words",Printing,Jam,"Ada; Bob",people:Ada,"Main street 1, left",Łódź,'
    "4,#ffaa00,2024-03-06T10:00Z,'quoted,done,2020-01-02T03:04Z\n"
    "plain,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n"
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory) -> Iterator[tuple[Shop, Rows]]:
    folder = tmp_path_factory.mktemp("opened")
    shop = make_shop(folder / "shop", f"sqlite:///{folder / 'portal.sqlite'}")
    yield shop, rows_of(shop)
    shop.engine.dispose()


@pytest.fixture
def shop(opened) -> Iterator[Shop]:
    """The portal without records; each test is rolled back."""
    shop, rows = opened
    yield shop
    put_back(shop, rows)


@pytest.fixture
def filled(shop) -> Shop:
    shop.loaded("people", PEOPLE)
    shop.loaded("services", "name\nPrinting\nNetwork\n")
    shop.loaded("categories", "name,service\nJam,Printing\nOther,Printing\nOther,Network\n")
    return shop
