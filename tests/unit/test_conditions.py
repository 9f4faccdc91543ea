"""The where-language: what is accepted, what is refused and where, and what is true."""

import datetime

import pytest

from portal.condition_texts import condition_key
from portal.conditions import (
    ALWAYS,
    AllOf,
    AnyOf,
    Comparison,
    ConditionError,
    FieldValue,
    ParsedValue,
    all_of,
    holds,
    parse,
    replace_form_values,
)
from portal.conditions import comparisons as comparisons

READ = [
    ({"status": "new"}, Comparison(("status",), "equal", "new")),
    ({"status": ["new", "old"]}, Comparison(("status",), "one_of", ("new", "old"))),
    ({"status": {"not": "new"}}, Comparison(("status",), "equal", "new", negated=True)),
    ({"status": {"not": ["new", "old"]}}, Comparison(("status",), "one_of", ("new", "old"), negated=True)),
    ({"status": None}, Comparison(("status",), "empty", True)),
    ({"status": "nothing"}, Comparison(("status",), "empty", True)),
    ({"status": {"not": "nothing"}}, Comparison(("status",), "empty", True, negated=True)),
    ({"status": ["nothing", None]}, Comparison(("status",), "empty", True)),
    (
        {"who": ["me", "nothing"]},
        AllOf((AnyOf((Comparison(("who",), "one_of", ("me",)), Comparison(("who",), "empty", True))),)),
    ),
    (
        {"who": {"not": ["me", "nothing"]}},
        AllOf(
            (
                AllOf(
                    (
                        Comparison(("who",), "one_of", ("me",), negated=True),
                        Comparison(("who",), "empty", True, negated=True),
                    )
                ),
            )
        ),
    ),
    ({"status": {"empty": False}}, Comparison(("status",), "empty", False)),
    ({"service.owner.name": "Anna"}, Comparison(("service", "owner", "name"), "equal", "Anna")),
    ({"amount": {"before": 3}}, Comparison(("amount",), "before", 3)),
    ({"name": {"contains": "x"}}, Comparison(("name",), "contains", "x")),
    ({"due": {"within": "30 days"}}, Comparison(("due",), "within", datetime.timedelta(days=30))),
    ({"due": {"within": "1 hour"}}, Comparison(("due",), "within", datetime.timedelta(hours=1))),
    ({"due": {"within": "7d"}}, Comparison(("due",), "within", datetime.timedelta(days=7))),
    ({"due": {"within": "15 min"}}, Comparison(("due",), "within", datetime.timedelta(minutes=15))),
    ({"due": {"within": "2 months"}}, Comparison(("due",), "within", datetime.timedelta(seconds=2 * 2629746))),
    ({"service": "$service"}, Comparison(("service",), "equal", FieldValue("service"))),
    ({"service": ["$service", "x"]}, Comparison(("service",), "one_of", (FieldValue("service"), "x"))),
    ({"spent": {"over": "$budget"}}, Comparison(("spent",), "after", FieldValue("budget"))),
    ({"price": "$5"}, Comparison(("price",), "equal", "$5")),
    ({"ready": True}, Comparison(("ready",), "equal", True)),
    ({"from": 1, "class": 2}, AllOf((Comparison(("from",), "equal", 1), Comparison(("class",), "equal", 2)))),
]


@pytest.mark.parametrize(("written", "meant"), READ)
def test_a_line_is_read(written, meant):
    assert parse(written) == (meant if isinstance(meant, AllOf) else AllOf((meant,)))


def test_several_comparisons_of_one_field_must_all_hold():
    assert parse({"amount": {"min": 1, "max": 5}}) == AllOf(
        (Comparison(("amount",), "min", 1), Comparison(("amount",), "max", 5))
    )


def test_any_holds_when_one_part_does():
    condition = parse({"any": [{"a": 1}, {"b": 2, "c": 3}]})
    assert isinstance(condition.parts[0], AnyOf)
    assert [test.path for test in comparisons(condition)] == [("a",), ("b",), ("c",)]


def test_nothing_written_always_holds():
    assert parse({}) == ALWAYS
    assert holds(parse({}), lambda test: False)
    assert holds(None, lambda test: False)


REFUSED = [
    ([], "a condition is a mapping", ()), ("x", "a condition is a mapping", ()), (None, "a condition is a mapping", ()),
    ({"Bad": 1}, "is not the name of a field", ("Bad",)), ({1: 1}, "is not the name of a field", (1,)),
    ({"a.": 1}, "is not the name of a field", ("a.",)), ({"a": {}}, "an empty comparison", ("a",)),
    ({"a": {"like": 1}}, "unknown comparison", ("a", "like")),
    ({"a": {"not": {"min": 1}}}, "not: needs a value", ("a", "not")),
    ({"a": {"min": [1]}}, "needs one value", ("a", "min")), ({"a": {"min": None}}, "needs one value", ("a", "min")),
    ({"a": {"empty": "yes"}}, "needs true or false", ("a", "empty")), ({"a": [[1]]}, "single values", ("a",)),
    ({"a": {"within": "soon"}}, "is not a period", ("a", "within")),
    ({"a": {"within": "-3 days"}}, "is not a period", ("a", "within")),
    ({"a": {"within": "3000 years"}}, "longer than 1,000 years", ("a", "within")),
    ({"any": []}, "needs a list", ("any",)), ({"any": {"a": 1}}, "needs a list", ("any",)),
    ({"any": [{"a": {"like": 1}}]}, "unknown comparison", ("any", 0, "a", "like")),
]  # fmt: skip


@pytest.mark.parametrize(("written", "message", "path"), REFUSED)
def test_a_mistake_is_told_with_its_place(written, message, path):
    with pytest.raises(ConditionError, match=message) as caught:
        parse(written)
    assert caught.value.path == path


def test_a_typed_value_takes_the_place_of_its_name():
    condition = replace_form_values(parse({"a": "$x", "b": ["$y", 1], "any": [{"c": "$x"}]}), {"x": 7, "y": 8}.get)
    assert [test.value for test in comparisons(condition)] == [7, (8, 1), 7]


def test_two_conditions_are_joined_by_and():
    first, second = parse({"a": 1}), parse({"b": 2})
    assert all_of(None, second) is second
    assert all_of(first, None) is first
    assert all_of(None, None) is None
    assert all_of(first, second) == AllOf((first, second))


@pytest.mark.parametrize(("a", "b", "expected"), [(1, 1, True), (1, 0, True), (0, 0, False), (0, 1, True)])
def test_negation_and_any_are_decided_here(a, b, expected):
    values = {"a": a, "b": b}
    condition = parse({"any": [{"a": 1}, {"b": {"not": 0}}]})
    found = holds(condition, lambda test: values[test.path[0]] == test.value)
    assert found is expected


def test_conditions_with_parsed_values_are_keys_of_dictionaries():
    by_ids = Comparison(("a",), "equal", ParsedValue([1]))
    same, other = Comparison(("a",), "equal", ParsedValue([1])), Comparison(("a",), "equal", ParsedValue("x"))
    assert {by_ids, same, other} == {by_ids, other}


@pytest.mark.parametrize("values", [(1, True), (0, False), (1, 1.0), ((1,), (True,)), ("1", 1), (0, None)])
def test_values_of_two_types_make_two_conditions(values):
    first, second = (AllOf((Comparison(("a",), "equal", value),)) for value in values)
    assert first != second
    assert len({first, second}) == 2


@pytest.mark.parametrize(
    ("data", "needs_clock"),
    [
        ({"a": {"within": "3 days"}}, True),
        ({"a": {"before": "now"}}, True),
        ({"a": ["now", "x"]}, True),
        ({"any": [{"b": 1}, {"a": {"not": "now"}}]}, True),
        ({"a": {"max": "now + 4 h"}}, True),
        ({"a": "today + 1 day"}, False),
        ({"a": "me"}, False),
        ({}, False),
    ],
)
def test_a_condition_says_whether_it_needs_the_clock(data, needs_clock):
    assert parse(data).needs_clock is needs_clock


@pytest.mark.parametrize(("value", "needs_reader"), [
    ("me", False), ("x", False), (("a", 1, None), False), (ParsedValue("x"), True), (FieldValue("x"), False),
    (("a", ParsedValue("x")), True), ([1, 2], True),
])  # fmt: skip
def test_a_condition_says_whether_it_holds_what_one_reader_typed(value, needs_reader):
    comparison = Comparison(("a",), "equal", value)
    assert comparison.needs_reader is needs_reader
    assert AnyOf((comparison,)).needs_reader is needs_reader


def test_different_conditions_have_different_keys():
    values = [1, 1.0, True, "1", "true", "$total", "a, b", ["a", "b"], ["a, b"], {"min": 1}, {"not": 1}, {"max": 1}]
    conditions = [parse({"total": value}) for value in values]
    conditions += [ALWAYS, parse({"any": [{"total": 1}, {"total": 2}]}), parse({"company.total": 1})]
    assert len({condition_key(condition) for condition in conditions}) == len(conditions)


def test_the_key_of_a_condition_names_nothing_of_the_code():
    """It is part of addresses, and stored: a renamed class must not change it."""
    condition = parse({"status": ["open", "new"], "total": {"min": "$limit"}})
    assert condition_key(condition) == (
        '["all", [["status"], "one_of", ["open", "new"], false], [["total"], "min", {"field": "limit"}, false]]'
    )
