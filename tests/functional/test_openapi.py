"""The description of the API: valid OpenAPI for a token's rights, used to make requests and check answers."""

from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.functional.world import ANNA, NANCY

pytestmark = pytest.mark.sqlite_suffices


def described(program) -> dict:
    return program.call("GET", "openapi.json", status=200).json


def check(description, schema, value):
    """Checks a value with a schema of the description."""
    registry = Registry().with_resource("urn:api", DRAFT202012.create_resource(description))
    at_components = {"$ref": schema["$ref"].replace("#", "urn:api#")} if "$ref" in schema else schema
    Draft202012Validator(at_components, registry=registry).validate(value)


def example(description, schema):
    """A value that fits the schema of a body."""
    if "$ref" in schema:
        return example(description, description["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "enum" in schema:
        return schema["enum"][0]
    kind = (
        next((kind for kind in schema["type"] if kind != "null"), "")
        if isinstance(schema["type"], list)
        else schema["type"]
    )
    if kind == "object" and "id" in schema.get("properties", {}):  # a link
        return {"id": 1}
    if kind == "object":
        names = set(schema["properties"]) - {"_row", "_version", "discount", "reason", "order"}
        return {name: example(description, schema["properties"][name]) for name in sorted(names)}
    if kind == "array":
        return [example(description, schema["items"])]
    title = schema.get("title", "")
    text = "2026-03-05" if title.endswith(" on") else "5" if title in ("Price", "Margin") else f"Example {title}"
    return {"string": text, "integer": 5, "boolean": False}[kind]


@pytest.mark.parametrize("person", [ANNA, NANCY])
def test_requests_made_by_the_description_work_and_answers_fit_it(lamp_shop, person):
    program = lamp_shop.program(person)
    description = described(program)
    OpenAPIV31SpecValidator(description).validate()
    paths = description["paths"]
    assert paths["/api/"]["get"]
    create = paths["/api/orders"]["post"]
    sent = create["requestBody"]["content"]
    assert set(sent) == {"application/json", "multipart/form-data"}
    body = example(description, sent["application/json"]["schema"])
    check(description, sent["application/json"]["schema"], body)
    made = program.call("POST", "orders", body, status=201).json
    check(description, create["responses"]["201"]["content"]["application/json"]["schema"], made)
    one = paths["/api/orders/{id}"]
    assert ("delete" in one) is (person == NANCY)
    edited = example(description, one["patch"]["requestBody"]["content"]["application/json"]["schema"])
    program.call("PATCH", f"orders/{made['id']}", edited, status=200)
    move = paths["/api/orders/{id}/move/pay"]["post"]
    answers = example(description, move["requestBody"]["content"]["application/json"]["schema"])
    moved = program.call("POST", f"orders/{made['id']}/move/pay", answers, status=200).json
    check(description, move["responses"]["200"]["content"]["application/json"]["schema"], moved)
    comments = program.call("GET", f"orders/{made['id']}/comments").json
    in_page = paths["/api/orders/{id}/comments"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    check(description, in_page["properties"]["comments"]["items"], comments["comments"][0])
    refused = program.call("POST", "orders", {"invented": 1}, status=422).json
    check(description, create["responses"]["4XX"]["content"]["application/json"]["schema"], refused)


def test_every_parameter_of_a_list_that_is_described_is_taken(world):
    program = world.program(ANNA)
    description = described(program)
    for schema in description["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for module in ("things", "requests"):
        parameters = description["paths"][f"/api/{module}"]["get"]["parameters"]
        values = {
            one["name"]: one["schema"].get("const") or (one["schema"].get("enum") or ["1"])[0] for one in parameters
        }
        assert len(values) > 40
        answer = program.call("GET", f"{module}?{urlencode({name: values[name] for name in values if name != 'sort'})}")
        assert "There is no such parameter." not in answer.text


def test_the_description_holds_what_the_profile_reads_and_writes_and_nothing_else(lamp_shop, world):
    text = str(described(lamp_shop.program(ANNA)))
    for hidden in ("margin", "Margin", "discount", "cost", "delete-orders", "move-send", "create-products"):
        assert hidden not in text, hidden
    for known in ("margin", "discount", "cost", "delete-orders", "move-send", "create-products"):
        assert known in str(described(lamp_shop.program(NANCY))), known
    assert "ledgers" not in str(described(world.program(ANNA)))
    assert "secret" not in str(described(world.program(ANNA)))
