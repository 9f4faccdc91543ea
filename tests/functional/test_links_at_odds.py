"""Links in a circle, a name that two records have, a transition that leads back to its own state."""

import pytest
import sqlalchemy as sa

from portal.database.engine import reading, writing
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.jobs.worker import Worker
from portal.records.policy import system_policy
from portal.records.reading.records import Query, Records
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.conftest import fill_in, served
from tests.functional.test_signing_in import ANNA
from tests.portal_files import change

pytestmark = pytest.mark.sqlite_suffices
LINKS = """      published: boolean
      part_of: {type: link, to: articles, on_delete: cascade}
      needs: {type: link, to: articles}
      see_also: {type: links, to: articles}
"""


def at_odds(portal_folder):
    manual = "      cost: money\n      manual: {type: link, to: articles, default: Guide}\n"
    nag = "        nag: {from: waiting, to: waiting, after: 3 days, ask: {comment: required}}\n        ask_back:"
    change(portal_folder, "      published: boolean\n", LINKS)
    change(portal_folder, "      cost: money\n", manual)
    change(portal_folder, "        ask_back:", nag)


@pytest.fixture(scope="module")
def small_portal(request):
    with served(request, at_odds) as portal:
        yield portal


@pytest.fixture
def app(shared_app):
    return shared_app


class Articles:
    """The records of one module, written and read by the portal itself."""

    def __init__(self, app, clock, name="articles"):
        self.live, self.clock, self.name = app.app.registry.live, clock, name

    def records(self, connection):
        tables = self.live.current().tables
        return Records(connection, system_policy(tables, tables.declaration.reader(now=self.clock())), self.name)

    def write(self, work):
        with writing(self.live.engine) as connection:
            return work(Writer(self.records(connection), Author(name="Portal")))

    def add(self, title, **values):
        return Linked(self.write(lambda writer: writer.create({"title": title, **values})), self.name)

    def change(self, article, **values):
        def change(writer):
            record = writer.records.get(article.id)
            writer.change(record, values, record.version)

        self.write(change)

    def delete(self, article):
        self.write(lambda writer: writer.delete(writer.records.get(article.id)))

    def found(self, text=""):
        with reading(self.live.engine) as connection:
            return [record.title for record in self.records(connection).page(Query(text=text), []).records]


@pytest.fixture
def articles(app, clock):
    return Articles(app, clock)


def test_records_that_link_to_each_other_are_deleted_together(articles):
    first = articles.add("First")
    second = articles.add("Second", part_of=first, needs=first)
    third = articles.add("Third", part_of=first)
    articles.change(second, part_of=third, needs=None)
    articles.change(first, part_of=second, needs=first)
    articles.delete(first)
    assert articles.found() == []


def test_a_record_that_others_need_stays_though_it_links_to_itself(articles):
    first = articles.add("First")
    articles.change(first, needs=first)
    second = articles.add("Second", needs=first)
    with pytest.raises(Refused, match="still linked"):
        articles.delete(first)
    articles.delete(second)
    articles.delete(first)
    assert articles.found() == []


def test_what_linked_to_a_deleted_record_is_not_found_by_its_title(articles):
    zebra = articles.add("Zebra")
    articles.add("Stripes", see_also=(zebra,))
    assert articles.found("zebra") == ["Stripes", "Zebra"]
    articles.delete(zebra)
    assert articles.found("zebra") == []
    assert articles.found("stripes") == ["Stripes"]


def test_a_default_means_the_first_of_two_records_of_its_name(articles, sign_in):
    guide = articles.add("Guide")
    articles.add("Guide")
    anna = sign_in(ANNA)
    fill_in(anna, "/tickets/create", {"title": "Printer jams"})
    manual = articles.live.current().tables.module("tickets").c["manual"]
    with reading(articles.live.engine) as connection:
        assert connection.execute(sa.select(manual)).scalars().all() == [guide.id]


def test_a_transition_that_leads_back_to_its_state_is_due_once_in_each_period(app, clock):
    tickets = Articles(app, clock, "tickets")
    tickets.add("Printer jams", status="waiting")
    live = app.app.registry.live
    worker = Worker(live.engine, lambda: live.current().tables, clock, lambda _tables: "https://care.example", None)
    comments = sa.select(sa.func.count()).select_from(live.current().tables.comment)
    numbers = []
    for days in (2, 2, 0, 2, 2):
        clock.pass_by(days=days, minutes=2)
        worker.turn()
        with reading(live.engine) as connection:
            numbers.append(connection.execute(comments).scalar_one())
    assert numbers == [0, 1, 1, 1, 2]
