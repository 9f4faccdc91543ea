"""The lines of the log."""

import json
import logging
import sys

import pytest

from portal.logs import JsonFormatter, PlainFormatter, Trace, current_trace


@pytest.fixture
def trace():
    token = current_trace.set(Trace("a1b2"))
    yield current_trace.get()
    current_trace.reset(token)


def record(message, *arguments, **more):
    made = logging.LogRecord("portal.web", logging.WARNING, "", 0, message, arguments, more.pop("exc_info", None))
    made.__dict__.update(more)
    return made


def test_lines_bear_the_id_of_their_request(trace):
    assert PlainFormatter().format(record("%s is %s", "x", "y\n")).endswith("WARNING portal.web [a1b2]: x is y\n")
    line = JsonFormatter().format(record("two\nlines", facts={"status": 200}))
    entry = json.loads(line)
    assert "\n" not in line
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "warning", "logger": "portal.web", "message": "two\nlines", "request": "a1b2", "status": 200
    }  # fmt: skip


def test_an_exception_is_part_of_its_line():
    try:
        raise ValueError("wrong")
    except ValueError:
        line = JsonFormatter().format(record("failed", exc_info=sys.exc_info()))
    assert "ValueError: wrong" in json.loads(line)["exception"]
    assert "request" not in json.loads(line)


def test_the_slowest_statement_of_a_request_is_kept(trace):
    for statement, seconds in (("SELECT 1", 0.5), ("SELECT 2", 1.5), ("SELECT 3", 1.0)):
        trace.add_statement(statement, seconds)
    assert (trace.statements, trace.seconds, trace.slowest_statement) == (3, 3.0, "SELECT 2")
