"""The metrics that Prometheus reads at `/-/metrics`: requests of this process, and the backlog of the portal."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from portal.logs import Trace
from portal.web.health_probe import Health

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "portal_request_seconds", "Time to answer", ["page"], buckets=BUCKETS, registry=self._registry
        )
        self._answers = Counter("portal_answers", "Answers by status", ["status"], registry=self._registry)
        self._statements = Counter("portal_statements", "Statements of requests", registry=self._registry)
        self._database = Counter("portal_database_seconds", "Time of requests in the database", registry=self._registry)
        self._up = Gauge("portal_database_up", "Whether the database answers", registry=self._registry)
        self._behind = Gauge("portal_behind", "Whether something needs attention", ["what"], registry=self._registry)
        self._figures = {
            name: Gauge(f"portal_{name}", text, registry=self._registry)
            for name, text in (
                ("waiting_letters", "Emails that wait to be sent"),
                ("oldest_letter_seconds", "Age of the oldest of them, 0 without any"),
                ("waiting_news", "Events that nobody has been notified of yet"),
                ("oldest_news_seconds", "Age of the oldest of them, 0 without any"),
                ("waiting_webhooks", "Messages to webhooks that wait to be sent"),
                ("oldest_webhook_seconds", "Age of the oldest of them, 0 without any"),
                ("index_marks", "Work that the search index waits for"),
                ("worker_seen_seconds", "Time since a worker was last running, -1 if none ever did"),
                ("inbox_seen_seconds", "Time since portal inbox last could fetch mail, -1 if it never did"),
                ("free_space_bytes", "Free space of the portal's folders, -1 if they are not on this machine"),
            )
        }

    def count_request(self, page: str, status: int, seconds: float, trace: Trace) -> None:
        """Counts an answered request."""
        self._requests.labels(page).observe(seconds)
        self._answers.labels(str(status)).inc()
        self._statements.inc(trace.statements)
        self._database.inc(trace.seconds)

    def text(self, health: Health | None) -> bytes:
        """All metrics in Prometheus's format; without `health`, if the database did not answer, the last values."""
        self._up.set(health is not None)
        if health is not None:
            pending_work = health.pending_work
            values = {
                "waiting_letters": pending_work.letters,
                "oldest_letter_seconds": pending_work.oldest_letter or 0,
                "waiting_news": pending_work.news,
                "oldest_news_seconds": pending_work.oldest_news or 0,
                "waiting_webhooks": pending_work.webhooks,
                "oldest_webhook_seconds": pending_work.oldest_webhook or 0,
                "index_marks": pending_work.index_marks,
                "worker_seen_seconds": -1 if pending_work.worker_seen is None else pending_work.worker_seen,
                "inbox_seen_seconds": -1 if pending_work.inbox_seen is None else pending_work.inbox_seen,
                "free_space_bytes": -1 if health.free_space is None else health.free_space,
            }
            for name, value in values.items():
                self._figures[name].set(value)
            for name, is_behind in health.attention.items():
                self._behind.labels(name).set(is_behind)
        return generate_latest(self._registry)
