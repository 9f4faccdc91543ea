"""`/-/health`, `/-/metrics` and the log: what strangers and monitors can see."""

import datetime
import re

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.jobs.pending_work import INBOX, record_heartbeat
from portal.jobs.worker import Worker
from tests.functional.conftest import fill_in
from tests.functional.world import ANNA, NANCY, Browser

pytestmark = pytest.mark.sqlite_suffices
FIGURES = "oldest_letter"


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
    assert "is not running, or its log says why" not in post[NANCY].get("/-/inbox")
    with writing(post.portal.engine) as connection:
        record_heartbeat(connection, tables, INBOX, post.clock.now)
    post.clock.now += datetime.timedelta(minutes=16)
    health = post[NANCY].get("/-/health").json
    assert (health["inbox_seen"], "inbox" in health["behind"]) == (16 * 60, True)
    assert "is not running, or its log says why" in post[NANCY].get("/-/inbox")
    post.account(NANCY, must_change=True)
    assert set(post[NANCY].get("/-/health").json) == {"status"}


def test_a_token_opens_the_figures(make_app):
    app = make_app(on_loopback=False, monitor_token="open sesame")
    assert FIGURES not in app.get("/-/health").json
    assert FIGURES not in app.get("/-/health", headers={"Authorization": "Bearer open"}).json
    assert app.get("/-/metrics", status="*").status_int != 200
    bearer = {"Authorization": "Bearer open sesame"}
    assert FIGURES in app.get("/-/health", headers=bearer).json
    metrics = app.get("/-/metrics", headers={**bearer, "Host": "10.0.0.7:6543"}).text
    for line in (
        'portal_answers_total{status="200"} ',
        "portal_waiting_letters 0.0",
        'portal_behind{what="declarations"} 0.0',
    ):
        assert line in metrics
    assert 'page="Administration/health"' in metrics


def test_customers_see_no_metrics_and_no_address_becomes_a_name_there(post):
    assert post[ANNA].get("/-/metrics", status="*").status_int == 404
    post[NANCY].get("/tickets/invented", status=404)
    metrics = post[NANCY].get("/-/metrics").text
    assert "invented" not in metrics
    assert 'page="none"' in metrics


def test_an_error_page_shows_the_id_under_which_the_log_has_the_rest(make_app, caplog, monkeypatch):
    app = make_app(slow_page=0.000_001, log="json")
    monkeypatch.setattr(app.app.registry, "passwords", None)
    with caplog.at_level("INFO"):
        answer = fill_in(app, "/login", {"email": "a", "password": "b"}, status=500)
    number = answer.headers["X-Request-Id"]
    assert number in answer.text
    logged = [record for record in caplog.records if record.name == "portal.views.errors"]
    assert number in logged[0].getMessage()
    slow = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Slow page")]
    assert any("POST /login" in line and re.search(r"the slowest took [\d.]+ s: [A-Z]+ ", line) for line in slow)
    facts = [
        record.facts for record in caplog.records if record.name == "portal.web.tracing" and hasattr(record, "facts")
    ]
    assert (facts[-1]["path"], facts[-1]["status"], facts[-1]["page"]) == ("/login", 500, "Login")


def test_the_log_holds_no_token_of_a_link(make_app, caplog):
    app, token = make_app(log="json"), "t" * 43
    with caplog.at_level("INFO"):
        app.get(f"/password/reset/{token}?q=secret", status="*")
    written = [str(record.__dict__) for record in caplog.records if record.name == "portal.web.tracing"]
    assert written
    assert not any(token in line or "secret" in line for line in written)
