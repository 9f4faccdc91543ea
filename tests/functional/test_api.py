"""What programs read and write through the API: under the rules of the forms, within the rights of their accounts."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.fields.linked_value import Linked
from tests.functional.world import ANNA, BRUNO, CARLA, NANCY, linked

pytestmark = pytest.mark.sqlite_suffices

FORM = "multipart/form-data; boundary=cut"


def order(program, **values) -> dict:
    return program.call("POST", "orders", {"name": "Lamps", **values}, status=201).json


def form(*parts: tuple[str, str, str]) -> bytes:
    """A form with files: name, file name ("" for a text), content."""
    text = ""
    for name, filename, content in parts:
        file = f'; filename="{filename}"\r\nContent-Type: text/plain' if filename else ""
        text += f'--cut\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{content}\r\n'
    return (text + "--cut--\r\n").encode()


THING = {
    "name": "Lamp", "prose": "Two\nlines", "mark": "*a*", "rich": "<p>b</p>", "mail": "a@b.example",
    "phone": "+39 06 1234567", "site": "https://b.example/", "amount": 5, "weight": "1.125", "price": "19.90 USD",
    "share": "3.5", "ready": True, "day": "2026-03-05", "moment": "2026-03-05T13:30:00Z",
    "ended": "2026-03-05T14:30:00Z", "clock": "14:30", "effort": "1 h 30 min", "size": "small",
    "colours": ["red", "blue"], "words": ["a", "b c"], "stars": 4, "tint": "#ff0000", "secret": "hush",
    "place": {"street": "Via Roma 1", "postal_code": "", "city": "Roma", "region": "", "country": ""},
}  # fmt: skip


def test_values_of_every_type_are_read_as_they_were_written(world):
    nancy, acme = world.program(NANCY), world.the("companies", "Acme")
    links = {"owner": acme.id, "makers": ["Globex", "1"], "either": "people:anna@acme.example"}
    made = nancy.call("POST", "things", {**THING, **links}, status=201)
    assert made.location == f"http://localhost/api/things/{made.json['id']}"
    read = nancy.call("GET", f"things/{made.json['id']}", status=200)
    assert read.json == made.json
    assert {name: read.json[name] for name in THING} == THING
    assert read.json["owner"] == {"id": acme.id, "reference": "1", "title": "Acme"}
    assert [link["title"] for link in read.json["makers"]] == ["Globex", "Acme"]
    assert (read.json["either"]["module"], read.json["either"]["title"]) == ("people", "Anna Rossi")
    same = nancy.call("PATCH", f"things/{made.json['id']}", read.json, status=200)
    assert same.json == read.json  # not even a new version
    empty = dict.fromkeys((*THING, *links), None) | {"name": "Lamp"}
    cleared = nancy.call("PATCH", f"things/{made.json['id']}", empty, status=200).json
    nothing = {"ready": False, "colours": [], "words": [], "makers": []}
    assert {name: cleared[name] for name in empty} == empty | nothing


def test_what_is_given_must_have_the_form_of_its_field(world):
    nancy = world.program(NANCY)
    wrong = {
        "amount": 1.5, "weight": "1,5", "price": {"amount": 1}, "ready": "perhaps", "day": "5.3.2026", "size": "huge",
        "colours": "red", "words": [["a"]], "owner": 999, "either": True, "place": {"town": "Roma"},
        "makers": ["Globex"] * 1_001,
        "stars": 9, "mail": "a\u0000@b.example", "moment": "soon", "name": ["x"], "city": "Roma", "invented": 1,
    }  # fmt: skip
    refused = nancy.call("POST", "things", wrong, status=422).json
    assert set(refused["fields"]) == set(wrong)
    assert refused["fields"]["makers"] == "You sent more than the portal accepts at once."
    wrong["makers"] = [0]
    assert set(nancy.call("POST", "things", wrong, status=422).json["fields"]) == set(wrong)
    assert refused["fields"]["day"] == "Enter a date such as 2024-03-31."
    assert refused["fields"]["city"] == refused["fields"]["invented"] == "This cannot be set here."


def test_rows_are_a_list_and_keep_what_is_not_named(lamp_shop):
    nancy = lamp_shop.program(NANCY)
    rows = [{"product": "Lamp", "quantity": 2, "price": "10", "discount": "5"}, {"product": "Lamp", "price": "1.50"}]
    made = order(nancy, lines=rows)
    assert (made["total"], [row["quantity"] for row in made["lines"]]) == ("21.50 EUR", [2, 1])  # 1 is the default
    first, second = made["lines"]
    address = f"orders/{made['id']}"
    kept = nancy.call("PATCH", address, {"lines": [{"_row": second["_row"], "quantity": 3}, first]}, status=200).json
    assert [(row["_row"], row["quantity"], row["price"]) for row in kept["lines"]] == [
        (second["_row"], 3, "1.50 EUR"), (first["_row"], 2, "10.00 EUR"),
    ]  # fmt: skip
    nancy.call("PATCH", address, {"lines": [{**first, "_row": ["x"]}]}, status=422)  # a new row: totals cannot be set
    wrong = nancy.call("PATCH", address, {"lines": [{"quantity": 0, "colour": "red"}, "Lamp"]}, status=422).json
    assert set(wrong["fields"]) == {"lines"}
    wrong = nancy.call("PATCH", address, {"lines": [{"quantity": 0, "colour": "red"}]}, status=422).json["fields"]
    assert set(wrong) >= {"lines.0.quantity", "lines.0.colour"}
    assert nancy.call("PATCH", address, {"lines": []}, status=200).json["lines"] == []
    assert nancy.call("PATCH", address, {"lines": rows[:1] * 4}, status=422).json["fields"]["lines"] == (
        "Enter at most 3 lines."
    )


def test_what_staff_alone_may_read_or_set_does_not_exist_for_a_customer(lamp_shop):
    nancy, anna = lamp_shop.program(NANCY), lamp_shop.program(ANNA)
    made = order(anna, lines=[{"product": "Lamp"}])
    row = {"_row": made["lines"][0]["_row"]}
    nancy.call("PATCH", f"orders/{made['id']}", {"margin": "hush", "lines": [{**row, "discount": 5}]}, status=200)
    read = anna.call("GET", f"orders/{made['id']}", status=200)
    assert "margin" not in read.json
    assert set(read.json["lines"][0]) == {"_row", "product", "quantity", "price", "amount"}
    for body in (
        {"margin": "x"}, {"margin": "hush"}, {"status": "paid"}, {"total": "1"},
        {"lines": [{"product": "Lamp", "discount": 1}]}, {"lines": [{**row, "discount": "5"}]},
    ):  # fmt: skip
        assert list(anna.call("PATCH", f"orders/{made['id']}", body, status=422).json["fields"].values()) == [
            "This cannot be set here."
        ] * 1  # fmt: skip
    for method, address in (("DELETE", f"orders/{made['id']}"), ("POST", "products"), ("GET", "ledgers")):
        assert anna.call(method, address, status=404).json == nancy.call("GET", "invented", status=404).json
    internal = anna.call("POST", f"orders/{made['id']}/comments", {"text": "x", "internal": True}, status=422)
    assert list(internal.json["fields"]) == ["internal"]


def test_a_new_record_is_made_by_the_rules_of_its_form(lamp_shop):
    anna, nancy = lamp_shop.program(ANNA), lamp_shop.program(NANCY)
    made = order(anna)
    assert (made["caller"]["title"], made["company"]["title"], made["status"]) == ("Anna Rossi", "Acme", "new")
    carla = order(nancy, caller="Carla Neri")
    assert carla["company"]["title"] == "Globex"  # it follows the caller
    assert order(nancy, caller="Carla Neri", company=None)["company"] is not None
    missing = anna.call("POST", "orders", {"urgent": True}, status=422).json
    assert missing["fields"] == {"name": "Required", "reason": "Required"}
    hidden = anna.call("POST", "orders", {"name": "x", "reason": "y"}, status=422).json
    assert hidden["fields"] == {"reason": "This cannot be set here."}
    taken = nancy.call("POST", "products", {"name": "Lamp"}, status=422).json["fields"]
    assert taken["name"].startswith("This value is already in use.")
    foreign = anna.call("POST", "orders", {"name": "x", "caller": "Carla Neri"}, status=422).json
    missing = anna.call("POST", "orders", {"name": "x", "caller": "Nobody"}, status=422).json
    assert foreign["fields"]["caller"].replace("Carla Neri", "Nobody") == missing["fields"]["caller"]
    by_id = [lamp_shop.the("people", "Carla Neri").id, 999]
    told = [anna.call("POST", "orders", {"name": "x", "caller": number}, status=422).text for number in by_id]
    assert told[0] == told[1]


def test_the_second_of_two_editors_of_a_record_is_warned(lamp_shop):
    anna, nancy = lamp_shop.program(ANNA), lamp_shop.program(NANCY)
    made = order(anna)
    address = f"orders/{made['id']}"
    tag = anna.call("GET", address).headers["ETag"]
    assert nancy.call("PATCH", address, {"name": "More lamps"}, status=200, **{"If-Match": tag}).json["_version"] == 2
    assert (
        "latest version" in anna.call("PATCH", address, {"name": "Mine"}, status=412, **{"If-Match": tag}).json["error"]
    )
    for version in (made["_version"], 2**80):
        anna.call("PATCH", address, {"name": "Mine", "_version": version}, status=409)
    anna.call("POST", f"{address}/move/pay", {"paid_on": "2026-03-05"}, status=412, **{"If-Match": tag})
    assert nancy.call("DELETE", address, status=412, **{"If-Match": tag})
    assert anna.call("GET", address).json["name"] == "More lamps"
    assert anna.call("PATCH", address, {"name": "Mine", "_version": 2}, status=200).json["name"] == "Mine"


def test_a_record_is_moved_with_what_its_transition_asks(lamp_shop):
    anna, nancy = lamp_shop.program(ANNA), lamp_shop.program(NANCY)
    address = f"orders/{order(anna)['id']}"
    assert anna.call("POST", f"{address}/move/pay", {}, status=422).json["fields"] == {"paid_on": "Required"}
    anna.call("POST", f"{address}/move/send", {"comment": "x"}, status=404)
    answers = {"paid_on": "2026-03-05", "comment": "By bank"}
    moved = anna.call("POST", f"{address}/move/pay", answers, status=200).json
    assert (moved["status"], moved["paid_on"]) == ("paid", "2026-03-05")
    assert "status" in anna.call("POST", f"{address}/move/pay", answers, status=409).json["error"]
    assert nancy.call("POST", f"{address}/move/send", {}, status=422).json["fields"] == {"comment": "Enter a comment."}
    nancy.call("POST", f"{address}/move/send", {"comment": "Today"}, status=200)
    (said, paid) = anna.call("GET", f"{address}/comments", status=200).json["comments"]
    assert [(one["text"], one["staff"], one["channel"]) for one in (said, paid)] == [
        ("Today", True, "api"), ("By bank", False, "api"),
    ]  # fmt: skip
    closed = anna.call("PATCH", address, {"name": "x"}, status=409).json
    assert closed == {"error": "This record is closed and can no longer be edited."}
    page = lamp_shop[NANCY].get(f"/{address}/history")
    assert page.text.count("API") >= 4
    anna.call("POST", f"{address}/comments", {"text": "Too late"}, status=409)


def test_files_come_with_records_and_comments_or_alone(lamp_shop):
    anna = lamp_shop.program(ANNA)
    record = form(("record", "", '{"name": "Lamps"}'), ("order", "order.txt", "ten"), ("files", "a.txt", "first"))
    made = anna.call("POST", "orders", record, status=201, **{"Content-Type": FORM}).json
    address = f"orders/{made['id']}"
    assert (made["order"]["name"], made["order"]["size"]) == ("order.txt", 3)
    said = form(("record", "", '{"text": "See"}'), ("files", "b.txt", "second"))
    comment = anna.call("POST", f"{address}/comments", said, status=201, **{"Content-Type": FORM}).json
    assert [file["name"] for file in comment["files"]] == ["b.txt"]
    (raw,) = anna.call(
        "POST", f"{address}/files?name=c.txt", b"third", status=201, **{"Content-Type": "text/plain"}
    ).json["files"]
    listed = anna.call("GET", f"{address}/files", status=200).json["files"]
    assert [(file["name"], file["comment"]) for file in listed] == [
        ("c.txt", None), ("b.txt", comment["id"]), ("a.txt", None),
    ]  # fmt: skip
    for file_id, content in ((raw["id"], b"third"), (made["order"]["id"], b"ten")):
        assert anna.call("GET", f"{address}/files/{file_id}", status=200).body == content
    replaced = anna.call(
        "PATCH", address, form(("order", "new.txt", "eleven")), status=200, **{"Content-Type": FORM}
    ).json
    assert (replaced["name"], replaced["order"]["name"]) == ("Lamps", "new.txt")
    assert anna.call("PATCH", address, {"order": None}, status=200).json["order"] is None
    for sent in (form(("order", "x.zip", "PK\x03\x04")), form(("name", "x.txt", "x")), form(("record", "", "[]"))):
        assert anna.call("POST", "orders", sent, **{"Content-Type": FORM}).status_int in (400, 422)
    refused = anna.call("POST", f"{address}/files?name=x.zip", b"PK\x03\x04", status=422, **{"Content-Type": "a/b"})
    assert "x.zip" in refused.json["fields"]["files"]
    anna.call("POST", f"{address}/files", b"third", status=422, **{"Content-Type": "text/plain"})
    assert len(anna.call("GET", f"{address}/files").json["files"]) == 3


def test_media_types_may_be_written_in_capitals(lamp_shop):
    anna = lamp_shop.program(ANNA)
    made = anna.call("POST", "orders", {"name": "Loud"}, status=201, **{"Content-Type": "Application/JSON"}).json
    sent, kind = form(("files", "a.txt", "first")), {"Content-Type": "Multipart/Form-Data; boundary=cut"}
    assert anna.call("POST", f"orders/{made['id']}/files", sent, status=201, **kind).json["files"][0]["name"] == "a.txt"
    anna.call("POST", "orders", {"name": "x"}, status=415, **{"Content-Type": "text/plain"})


def test_authors_correct_and_withdraw_comments_and_remove_files(lamp_shop):
    anna, nancy = lamp_shop.program(ANNA), lamp_shop.program(NANCY)
    address = f"orders/{order(anna)['id']}"
    sent = form(("record", "", '{"text": "Ten lanps"}'), ("files", "a.txt", "first"))
    said = anna.call("POST", f"{address}/comments", sent, status=201, **{"Content-Type": FORM}).json
    alone = anna.call("POST", f"{address}/files?name=b.txt", b"second", status=201, **{"Content-Type": "a/b"}).json
    comment = f"{address}/comments/{said['id']}"
    for method, body in (("PATCH", {"text": "Forged"}), ("DELETE", None)):
        nancy.call(method, comment, body, status=404)  # it is not hers
    assert anna.call("PATCH", comment, {"text": " Ten lamps "}, status=200).json["text"] == "Ten lamps"
    wrong = anna.call("PATCH", comment, {"text": 1, "internal": False}, status=422).json["fields"]
    assert set(wrong) == {"text", "internal"}
    assert anna.call("PATCH", comment, {"text": "\u200b"}, status=200).json["text"] == ""  # it has a file
    unseen = anna.call("POST", f"{address}/comments", {"text": "\u200b"}, status=422).json["fields"]
    assert unseen == {"text": "Enter a comment."}
    anna.call("DELETE", f"{address}/files/{alone['files'][0]['id']}", status=204)
    assert [file["name"] for file in anna.call("GET", f"{address}/files").json["files"]] == ["a.txt"]
    anna.call("DELETE", comment, status=204)
    assert anna.call("GET", f"{address}/comments").json["comments"] == []
    assert anna.call("GET", f"{address}/files").json["files"] == []
    anna.call("DELETE", comment, status=404)
    with_field = form(("record", "", '{"name": "Lamps"}'), ("order", "order.txt", "ten"))
    made = anna.call("POST", "orders", with_field, status=201, **{"Content-Type": FORM}).json
    anna.call("DELETE", f"orders/{made['id']}/files/{made['order']['id']}", status=404)  # a value of the record


def test_a_comment_can_be_corrected_as_long_as_declared(lamp_shop):
    anna = lamp_shop.program(ANNA)
    address = f"orders/{order(anna)['id']}/comments"
    said = anna.call("POST", address, {"text": "x"}, status=201).json
    lamp_shop.clock.pass_by(hours=2)
    anna.call("PATCH", f"{address}/{said['id']}", {"text": "y"}, status=404)
    lamp_shop.clock.pass_by(hours=-2)


def test_watchers_are_added_and_taken_off(lamp_shop):
    anna, bruno, nancy = (lamp_shop.program(person) for person in (ANNA, BRUNO, NANCY))
    address = f"orders/{order(anna)['id']}"
    bruno.call("GET", address, status=404)
    added = anna.call("POST", f"{address}/watchers", {"address": BRUNO}, status=201).json["watchers"]
    assert [person["name"] for person in added] == ["Bruno Verdi"]
    assert bruno.call("GET", f"{address}/watchers", status=200).json["watchers"] == added
    carla = lamp_shop.the("people", "Carla Neri").id
    for body, field in (
        ({"person": carla}, "person"), ({"person": 99999}, "person"), ({"person": [carla]}, "person"),
        ({"address": CARLA}, "address"), ({}, "address"), ({"id": carla}, "id"),
    ):  # fmt: skip
        assert list(anna.call("POST", f"{address}/watchers", body, status=422).json["fields"]) == [field], body
    nancy.call("POST", f"{address}/watchers", {"person": carla}, status=201)
    assert anna.call("GET", f"{address}/watchers").json["watchers"] == added  # of other companies nobody is told
    anna.call("DELETE", f"{address}/watchers/{carla}", status=404)
    bruno.call("DELETE", f"{address}/watchers/{added[0]['id']}", status=204)
    bruno.call("GET", address, status=404)
    nancy.call("DELETE", f"{address}/watchers/{carla}", status=204)
    assert nancy.call("GET", f"{address}/watchers").json == {"watchers": []}


def test_what_is_sent_twice_with_one_key_is_done_once(lamp_shop):
    anna, key = lamp_shop.program(ANNA), {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first = anna.call("POST", "orders", {"name": "Once"}, status=201, **key)
    again = anna.call("POST", "orders", {"name": "Once"}, status=303, **key)
    assert again.location == first.location
    assert (
        lamp_shop.program(NANCY).call("POST", "orders", {"name": "Once"}, **key).status_int == 201
    )  # a key is one's own
    address = f"orders/{first.json['id']}"
    for text in ("a", "b"):
        for status in (201, 303):
            anna.call("POST", f"{address}/comments", {"text": text}, status=status, **{"Idempotency-Key": text})
    assert len(anna.call("GET", f"{address}/comments").json["comments"]) == 2
    paid = {"If-Match": first.headers["ETag"], "Idempotency-Key": "paid"}
    for status in (200, 303):
        anna.call("POST", f"{address}/move/pay", {"paid_on": "2026-03-05"}, status=status, **paid)
    anna.call("POST", "orders", {}, status=422, **{"Idempotency-Key": "wrong"})
    anna.call("POST", "orders", {"name": "Right"}, status=201, **{"Idempotency-Key": "wrong"})


def test_what_is_sent_at_once_with_one_key_is_done_once(lamp_shop):
    programs = [lamp_shop.program(ANNA) for _number in range(4)]

    def send(program):
        return program.call("POST", "orders", {"name": "At once"}, **{"Idempotency-Key": "at once"})

    with ThreadPoolExecutor(len(programs)) as pool:
        answers = list(pool.map(send, programs))
    assert sorted(answer.status_int for answer in answers) == [201, 303, 303, 303]
    assert len({answer.location for answer in answers}) == 1


def test_a_list_has_the_parameters_of_its_page_and_leads_through_all_of_it(world):
    acme, anna = world.the("companies", "Acme"), world.the("people", "Anna Rossi")
    for number in range(7):
        world.add("things", name=f"Lamp {number}", amount=number, owner=acme, makers=linked("companies", acme.id))
    program = world.program(ANNA)
    found, address = [], "things?q=lamp&amount.min=1&sort=-amount&_limit=2"
    while address:
        page = program.call("GET", address, status=200).json
        found += [record["amount"] for record in page["records"]]
        address = page["next"] and page["next"].partition("/api/")[2]
    assert found == [6, 5, 4, 3, 2, 1]
    assert program.call("GET", page["previous"].partition("/api/")[2]).json["records"][0]["amount"] == 4
    assert program.call("GET", "things?owner.id=" + str(acme.id)).json["records"][0]["owner"]["title"] == "Acme"
    for project in ("open", "resolved"):
        values = {"caller": anna, "body": "x", "status": {"open": "new"}.get(project, project)}
        world.add("requests", name=project, service=Linked(world.add("services", name=project), "services"), **values)
    names = {query: [one["name"] for one in program.call("GET", f"requests{query}").json["records"]] for query in (
        "", "?tab=open", "?q=resolved")}  # fmt: skip
    assert names == {"": ["resolved", "open"], "?tab=open": ["open"], "?q=resolved": ["resolved"]}
    for address in ("things?after=x", "things?q=lamp&after=999"):  # the last record of a page may be gone
        assert list(program.call("GET", address, status=400).json["fields"]) == ["after"]
    wrong = "q=size:huge&unlisted=x&amount=x&sort=unlisted&tab=mine&_limit=0&invented=1&button=x"
    wrong += "&owner.name=x&name.min=a&owner.empty=true"
    fields = program.call("GET", f"things?{wrong}", status=400).json["fields"]
    assert set(fields) == {"q", "unlisted", "amount", "sort", "tab", "_limit", "invented", "button"} | {
        "owner.name", "name.min", "owner.empty"}  # fmt: skip
    listed = program.call("GET", "", status=200).json
    assert [one["name"] for one in listed["modules"]][:2] == ["requests", "things"]
    assert "ledgers" not in [one["name"] for one in listed["modules"]]


def test_a_name_means_what_the_form_would_offer(world):
    nancy = world.program(NANCY)
    services = [Linked(world.add("services", name=name), "services") for name in ("Printing", "Scanning")]
    papers = [world.add("categories", name="Paper", service=service) for service in services]
    request = {"name": "x", "body": "x", "category": "Paper", "service": "Scanning"}
    assert nancy.call("POST", "requests", request, status=201).json["category"]["id"] == papers[1]
    refused = nancy.call("POST", "requests", {**request, "service": None}, status=422).json["fields"]
    assert refused["category"] == "2 records in categories are named “Paper”."
    other = nancy.call("POST", "requests", {**request, "category": papers[0]}, status=422).json["fields"]
    assert other["category"] == "Choose a record from the list."
