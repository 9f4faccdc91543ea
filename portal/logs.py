"""Logs of all processes, as text or JSON: every line caused by a request has its id; and what made pages slow.

Nothing here knows requests: web/tracing.py begins a `Trace` for each, and database/engine.py adds statements to it.
"""

import contextvars
import datetime
import json
import logging
import sys
from dataclasses import dataclass

PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
PLAIN_WITH_REQUEST = "%(asctime)s %(levelname)s %(name)s [%(request)s]: %(message)s"
LONGEST_STATEMENT = 2_000  # characters in the log
QUIET = {"alembic": logging.WARNING, "mail.log": logging.WARNING}  # mail.log has every line of LMTP


@dataclass
class Trace:
    """The trace of one request, for the log. Statements contain no values: those are parameters."""

    id: str
    statements: int = 0
    seconds: float = 0.0  # in the database
    slowest: float = 0.0
    slowest_statement: str = ""

    def add_statement(self, statement: str, seconds: float) -> None:
        """Records an executed statement."""
        self.statements += 1
        self.seconds += seconds
        if seconds > self.slowest:
            self.slowest, self.slowest_statement = seconds, statement


current_trace: contextvars.ContextVar[Trace | None] = contextvars.ContextVar("current_trace", default=None)


class PlainFormatter(logging.Formatter):
    """One line of text, with the id of the request if there is one."""

    def __init__(self) -> None:
        super().__init__(PLAIN)
        self._with_request = logging.Formatter(PLAIN_WITH_REQUEST)

    def format(self, record: logging.LogRecord) -> str:
        trace = current_trace.get()
        if trace is None:
            return super().format(record)
        record.request = trace.id
        return self._with_request.format(record)


class JsonFormatter(logging.Formatter):
    """A log of JSON objects, one per line: time, level, logger, message, request, exception, `extra={"facts": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        trace = current_trace.get()
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        entry = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({"request": trace.id} if trace else {}),
            **record.__dict__.get("facts", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def set_up_logging(kind: str) -> None:
    """Sends the log of this process to standard error; `kind`: "plain" or "json"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if kind == "json" else PlainFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=kind == "json")
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
