"""The tools for assistants, offered and used within the rights of a token, also with a real client."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from portal.accounts import attempts
from tests.functional.assistant import Assistant
from tests.functional.world import ANNA, CARLA, NANCY

READING = {"list_modules", "describe_module", "search_records", "read_record"}
WRITING = {"create_record", "edit_record", "comment_on_record", "move_record"}


def assistant(world, person, **token) -> Assistant:
    return Assistant(world.program(person, **token))


async def converse(address, token, mode):
    """Creates, finds, pays and discusses an order."""

    async def use(client, tool, **arguments):
        answer = await client.call_tool(tool, arguments)
        return answer.is_error, json.loads(answer.content[0].text)

    http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})
    async with http, Client(streamable_http_client(address, http_client=http), mode=mode) as client:
        offered = (await client.list_tools()).tools
        for tool in offered:
            Draft202012Validator.check_schema(tool.input_schema)
        _error, described = await use(client, "describe_module", module="orders")
        refused, why = await use(client, "create_record", module="orders", values={"urgent": True})
        _error, made = await use(client, "create_record", module="orders", values={"name": f"Lamps {mode}"})
        _error, listed = await use(client, "search_records", module="orders", query=f"name:{mode}")
        paid = {"paid_on": "2026-03-05", "comment": "By bank"}
        _error, moved = await use(
            client, "move_record", module="orders", id=made["id"], transition="pay", values=paid, version=1
        )
        await use(client, "comment_on_record", module="orders", id=made["id"], text="Thank you")
        _error, read = await use(client, "read_record", module="orders", id=made["id"])
        return client.instructions, offered, described, (refused, why), made, listed, moved, read


def in_a_loop(conversation):
    """Runs in a thread of its own: in that of the tests, the browser may already have a loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, conversation).result()


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_assistant_works_with_records_in_the_name_of_its_person(lamp_shop, live_server, mode):
    token = lamp_shop.program(ANNA).token
    address = f"{live_server(lamp_shop.app)}/api/mcp"
    instructions, offered, described, refused, made, listed, moved, read = in_a_loop(converse(address, token, mode))
    assert "“Shop”" in instructions
    assert "Anna Rossi" in instructions
    assert {tool.name for tool in offered} == READING | WRITING
    assert described["create"]["properties"]["lines"]["items"]["properties"]["product"]["x-modules"] == ["products"]
    assert described["record"]["properties"]["status"]["x-labels"] == {"new": "New", "paid": "Paid", "sent": "Sent"}
    pay = described["transitions"]["pay"]
    assert (pay["from"], pay["to"], pay["values"]["required"]) == (["new"], "paid", ["paid_on"])
    assert refused == (True, {"error": "Nothing was saved: some values are not valid.", "fields": {
        "name": "Required", "reason": "Required"}})  # fmt: skip
    assert [record["id"] for record in listed["records"]] == [made["id"]]
    assert moved["status"] == "paid"
    assert [comment["text"] for comment in read["comments"]] == ["Thank you", "By bank"]
    assert read["record"]["_version"] == moved["_version"]
    assert read["files"] == []


@pytest.mark.sqlite_suffices
def test_what_is_offered_is_what_the_profile_may_do_and_a_token_that_reads_offers_reading(lamp_shop):
    anna, nancy = assistant(lamp_shop, ANNA), assistant(lamp_shop, NANCY)
    reader = assistant(lamp_shop, ANNA, read_only=True)
    customers, staffs = anna.tools(), nancy.tools()

    def modules(tools, name):
        return tools[name]["inputSchema"]["properties"]["module"]["enum"]

    assert modules(customers, "create_record") == modules(customers, "comment_on_record") == ["orders"]
    assert modules(customers, "read_record") == ["orders", "products", "companies", "people"]
    assert modules(staffs, "create_record") == ["orders", "products"]
    assert "internal" in staffs["comment_on_record"]["inputSchema"]["properties"]
    assert "internal" not in customers["comment_on_record"]["inputSchema"]["properties"]
    assert set(reader.tools()) == READING
    for name, tool in staffs.items():
        hints = tool["annotations"]
        assert hints["readOnlyHint"] is (name in READING)
        assert hints["destructiveHint"] is (name in ("edit_record", "move_record"))
    assert reader.refused("create_record", module="orders", values={"name": "x"}) == {
        "error": "This token may only read."
    }
    assert anna.refused("comment_on_record", module="orders", id=1, text="x", internal=True)["fields"] == {
        "internal": "This cannot be set here."
    }
    text = json.dumps([customers, anna.use("list_modules"), anna.use("describe_module", module="orders")])
    assert "margin" not in text
    assert "discount" not in text
    italian = reader.ask("tools/list", headers={"Accept-Language": "it"}).json["result"]["tools"]
    assert italian[0]["title"] == "Moduli"


@pytest.mark.sqlite_suffices
def test_a_call_is_refused_as_the_api_refuses_it(lamp_shop):
    anna, nancy = assistant(lamp_shop, ANNA), assistant(lamp_shop, NANCY)
    made = nancy.use("create_record", module="orders", values={"name": "Foreign"})
    missing = anna.refused("read_record", module="orders", id=99999)
    for arguments in (
        {"module": "orders", "id": made["id"]}, {"module": "invented", "id": 1}, {"module": "../account", "id": 1},
        {"module": "orders/1/files", "id": 1}, {"module": "orders", "id": -1},
    ):  # fmt: skip
        assert anna.refused("read_record", **arguments) == missing, arguments
    for tool, more in (
        ("edit_record", {"values": {"name": "x"}}), ("comment_on_record", {"text": "x"}),
        ("move_record", {"transition": "pay", "values": {"paid_on": "2026-03-05"}}),
    ):  # fmt: skip
        assert anna.refused(tool, module="orders", id=made["id"], **more) == missing
    assert anna.refused("move_record", module="orders", id=made["id"], transition="../files") == missing
    for module in ("", ".", "..", "openapi.json", "\ud800", "-"):
        for tool, more in (("search_records", {}), ("describe_module", {}), ("create_record", {"values": {}})):
            assert anna.refused(tool, module=module, **more) == missing, (tool, module)
    assert "not text" in anna.refused("search_records", module="orders", query="\ud800")["error"]
    assert anna.refused("read_record", module=["orders"], id="1", more=1)["fields"] == {
        "module": "This is not in the expected format.", "id": "This is not in the expected format.",
        "more": "This cannot be set here.",
    }  # fmt: skip
    assert anna.refused("read_record", module="orders")["fields"] == {"id": "Required"}
    nancy.use("edit_record", module="orders", id=made["id"], values={"name": "Changed"}, version=1)
    late = nancy.refused("edit_record", module="orders", id=made["id"], values={"name": "Lost"}, version=1)
    assert "latest version" in late["error"]
    assert list(anna.refused("search_records", module="orders", query="status:huge", sort="x")["fields"]) == [
        "q", "sort",
    ]  # fmt: skip
    products = {"module": "products", "values": {"name": "Exact", "price": 12345678901234.56}}
    assert nancy.use("create_record", **products)["price"] == "12345678901234.56 EUR"


@pytest.mark.sqlite_suffices
def test_no_tool_sends_messages_to_the_tools_again(lamp_shop):
    anna = assistant(lamp_shop, ANNA)
    missing = anna.refused("read_record", module="invented", id=1)
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert anna.refused("create_record", module="mcp", values=message) == missing


def test_what_is_called_twice_is_done_once_and_a_list_leads_through_all_its_pages(lamp_shop):
    anna = assistant(lamp_shop, CARLA)
    values = {"name": "Once and again"}
    first, again = (anna.use("create_record", module="orders", values=values, once="new") for _ in range(2))
    assert again == first
    for _ in range(2):
        anna.use("comment_on_record", module="orders", id=first["id"], text="Once", once="said")
        anna.use("move_record", module="orders", id=first["id"], transition="pay", once="paid",
            values={"paid_on": "2026-03-05"})  # fmt: skip
    assert len(anna.use("read_record", module="orders", id=first["id"])["comments"]) == 1
    for number in range(4):
        anna.use("create_record", module="orders", values={"name": f"Once {number}"})
    names, more = [], {}
    while more is not None:
        page = anna.use("search_records", module="orders", query="once", sort="name", limit=2, **more)
        names += [record["name"] for record in page["records"]]
        more = page["next"] and {"after": page["next"]}
    assert names == ["Once 0", "Once 1", "Once 2", "Once 3", "Once and again"]


@pytest.mark.sqlite_suffices
def test_the_address_takes_messages_of_programs_with_a_token_alone(lamp_shop):
    program = lamp_shop.program(ANNA)
    ping = {"jsonrpc": "2.0", "id": "a", "method": "ping"}
    assert program.call("POST", "mcp", ping).json == {"jsonrpc": "2.0", "id": "a", "result": {}}
    assert program.call("POST", "mcp", ping, **{"Content-Type": "Application/JSON"}).status_int == 200
    for method in ("GET", "DELETE", "PUT"):
        assert program.call(method, "mcp", status=405).headers["Allow"] == "POST"
    nobody = program.call("POST", "mcp", ping, status=401, Authorization="Bearer portal_invented")
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    assert nobody.json == {"error": "This token is not valid."}
    browser = lamp_shop[ANNA].post_json("/api/mcp", ping, status=401)
    assert "token" in browser.json["error"]
    assert program.call("POST", "mcp", ping, Origin="https://evil.example").status_int == 403
    assert program.call("POST", "mcp", ping, Host="evil.example").status_int == 400
    assert program.call("POST", "mcp", ping, **{"Content-Type": "text/plain"}).status_int == 415
    for body in (b"", b"{", json.dumps([ping]).encode(), b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}'):
        assert program.call("POST", "mcp", body).status_int == 400
    assert program.call("POST", "mcp", b" " * 2_000_001).status_int == 413
    for silent in ({"method": "notifications/initialized"}, {"id": 1, "result": {}}):
        assert program.call("POST", "mcp", {"jsonrpc": "2.0", **silent}, status=202).body == b""


@pytest.mark.sqlite_suffices
def test_versions_are_negotiated_and_unknown_ones_are_reported(lamp_shop):
    anna = assistant(lamp_shop, ANNA)
    for wanted, agreed in (("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), ("soon", "2025-11-25")):
        assert anna.ask("initialize", protocolVersion=wanted).json["result"]["protocolVersion"] == agreed
    assert anna.ask("resources/list").json["error"]["code"] == -32601
    assert anna.ask("tools/call", name="delete_record").json["error"]["code"] == -32602

    def discover(version="2026-07-28", method="server/discover", status=200, **headers):
        meta = {"protocolVersion": version, "clientCapabilities": {}}
        stated = {"MCP-Protocol-Version": version, "Mcp-Method": method, **headers}
        params = {"_meta": {f"io.modelcontextprotocol/{name}": value for name, value in meta.items()}}
        return anna.ask(method, status=status, headers=stated, **params).json

    assert discover()["result"]["supportedVersions"] == ["2026-07-28"]
    assert discover("2030-01-01", status=400)["error"]["data"] == {
        "supported": ["2026-07-28"], "requested": "2030-01-01",
    }  # fmt: skip
    assert discover(method="resources/list", status=404)["error"]["code"] == -32601
    for headers in ({"Mcp-Method": "tools/list"}, {"MCP-Protocol-Version": "2030-01-01"}):
        assert discover(status=400, **headers)["error"]["code"] == -32020
    bare = anna.ask("tools/list", status=400, headers={"MCP-Protocol-Version": "2026-07-28"})
    assert bare.json["error"]["code"] == -32602


@pytest.mark.sqlite_suffices
def test_an_assistant_that_runs_wild_is_slowed_down_and_may_go_on_reading(world, monkeypatch):
    monkeypatch.setattr("portal.web.api.API_CHANGES", attempts.Limit("api-changes", 2, 300))
    carla = assistant(world, CARLA)
    for _number in range(2):
        carla.use("create_record", module="things", values={"name": "Lamp"})
    assert "Try again" in carla.refused("create_record", module="things", values={"name": "Lamp"})["error"]
    assert len(carla.use("search_records", module="things")["records"]) == 2
