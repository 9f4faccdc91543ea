"""A long conversation: the page of its record has the newest comments, and links to the earlier ones."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from portal.database.engine import writing
from portal.views.records.conversation import ON_PAGE
from tests.functional.world import ANNA, CARLA, NANCY, NOW, World

pytestmark = pytest.mark.sqlite_suffices
INTERNAL = 3  # comments, the oldest of all
COMMENTS = INTERNAL + 2 * ON_PAGE + 5
EARLIER = re.compile(r'href="([^"]*)" data-earlier')


@pytest.fixture(scope="module")
def path(post_world: World, post_rows: dict) -> Iterator[str]:
    """The path of a ticket by Anna whose comments have the ids from 1 on; her oldest one has a file."""
    tables, caller = post_world.portal.tables, post_world.the("people", "Anna Rossi")
    ticket = post_world.add("tickets", title="Printer on floor 2", caller=caller)
    account = sa.select(tables.account.c["id"]).where(tables.account.c["email"] == ANNA)
    comment = {"module": "tickets", "record": ticket, "author": "Anna Rossi", "created": NOW, "channel": "portal"}
    file = {"module": "tickets", "record": ticket, "name": "print.txt", "stored": "x", "media_type": "text/plain"}
    with writing(post_world.portal.engine) as connection:
        comment["account"] = connection.execute(account).scalar_one()
        comments = [
            {**comment, "id": number, "text": f"Number {number}", "internal": number <= INTERNAL, "staff": False}
            for number in range(1, COMMENTS + 1)
        ]
        connection.execute(sa.insert(tables.comment), comments)
        facts = {"size": 1, "author": "Anna Rossi", "created": NOW, "staff": False, "internal": False}
        connection.execute(sa.insert(tables.file).values({**file, **facts, "comment": INTERNAL + 1}))
    yield f"/tickets/{ticket}"
    post_world.put_back(post_rows)


def numbers(page) -> list[int]:
    return [int(number) for number in re.findall(r'id="comment-(\d+)"', page.text)]


def earlier(page) -> str:
    link = EARLIER.search(page.text)
    return link[1] if link else ""


def test_the_page_of_the_record_has_the_newest_comments_and_the_number_of_all(post_world, path):
    page = post_world[ANNA].get(f"{path}/")
    assert numbers(page) == list(range(COMMENTS, COMMENTS - ON_PAGE, -1))
    assert f'<span class="count new">{COMMENTS - INTERNAL}</span>' in page.text
    assert f'<span class="count new">{COMMENTS}</span>' in post_world[NANCY].get(f"{path}/").text


@pytest.mark.parametrize(("reader", "first"), [(ANNA, INTERNAL + 1), (NANCY, 1)])
def test_the_links_lead_to_each_comment_that_one_may_read_once(post_world, path, reader, first):
    page = post_world[reader].get(f"{path}/")
    shown = numbers(page)
    while address := earlier(page):
        page = post_world[reader].get(address)
        shown += numbers(page)
    assert shown == list(range(COMMENTS, first - 1, -1))


def test_a_link_to_an_old_comment_leads_to_the_page_that_has_it(post_world, path):
    first = INTERNAL + 1
    (address,) = re.findall(rf'href="([^"]*#comment-{first})"', post_world[ANNA].get(f"{path}/").text)
    assert numbers(post_world[ANNA].get(address)) == [first]
    assert address in post_world[ANNA].get(f"{path}/comments/{first}/edit").text
    newest = post_world[ANNA].get(f"{path}/comments/{COMMENTS}/edit").text
    assert f'href="{path}/#comment-{COMMENTS}"' in newest


@pytest.mark.parametrize("before", ["", "0", "x", "-1", "9" * 30, "٣"])
def test_an_invalid_key_shows_the_newest_comments(post_world, path, before):
    assert numbers(post_world[ANNA].get(f"{path}/comments", {"before": before}))[0] == COMMENTS


def test_customers_write_no_internal_notes(post_world, path):
    assert "Save note" not in post_world[ANNA].get(f"{path}/").text
    assert "Save note" in post_world[NANCY].get(f"{path}/").text


def test_the_conversation_of_a_foreign_record_is_not_found(post_world, path):
    assert post_world[CARLA].see(f"{path}/comments?before=9").status_int == 404
    assert numbers(post_world[ANNA].get(f"{path}/comments?before=1")) == []
