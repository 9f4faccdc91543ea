"""`/-/health`: what strangers and monitors learn."""

import datetime

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.jobs.worker import Worker
from tests.functional.world import ANNA, NANCY, Browser

SQLITE_SUFFICES = True
FIGURES = "oldest_letter"


@pytest.fixture
def post(post_world, post_rows):
    yield post_world
    post_world.put_back(post_rows)


def test_strangers_and_customers_learn_whether_it_works_and_nothing_else(post):
    for browser in (Browser(post.app), post[ANNA]):
        for address in ("/-/health", "/-/health?live"):
            answer = browser.get(address, headers={"Host": "10.0.0.7:6543"})
            assert set(answer.json) == {"status"}


def test_administrators_see_what_is_behind(post):
    for values in ({"state": "waiting", "created": post.clock.now}, {"state": "sent", "created": post.clock.now}):
        with writing(post.portal.engine) as connection:
            connection.execute(sa.insert(post.portal.tables.outbox).values(values))
    post.clock.now += datetime.timedelta(minutes=20)
    health = post[NANCY].get("/-/health").json
    assert (health["letters"], health["oldest_letter"], health["worker_seen"]) == (1, 20 * 60, None)
    tables = post.portal.tables
    worker = Worker(post.portal.engine, lambda: tables, post.clock, lambda tables: "https://care.example", None)
    worker.turn()
    post.clock.now += datetime.timedelta(minutes=6)
    health = post[NANCY].get("/-/health").json
    assert (health["worker_seen"], health["behind"], health["status"]) == (6 * 60, ["worker"], "behind")
    assert health["free_space"] > 0


def test_a_token_opens_the_figures(make_app):
    app = make_app(on_loopback=False, monitor_token="open sesame")
    assert FIGURES not in app.get("/-/health").json
    assert FIGURES not in app.get("/-/health", headers={"Authorization": "Bearer open"}).json
    assert FIGURES in app.get("/-/health", headers={"Authorization": "Bearer open sesame"}).json
