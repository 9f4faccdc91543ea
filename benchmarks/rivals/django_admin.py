"""Django's admin on the same tickets: the list with the same columns, its search, one ticket. Staff see all.

`python django_admin.py DATABASE SECONDS`, DATABASE a file of SQLite or "FOLDER NAME" of PostgreSQL; prints JSON.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import django
from django.apps import AppConfig
from django.conf import settings
from django.core.management import call_command
from django.db import connections, models
from django.urls import path

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.measuring import measure, memory, wsgi_call
from benchmarks.words import COMMON, NOWHERE, RARE


def database(argument: str) -> dict[str, Any]:
    """Django's way of saying which database."""
    if argument.startswith("/") and argument.endswith(".sqlite"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": argument}
    folder, name = argument.split(" ")
    return {"ENGINE": "django.db.backends.postgresql", "HOST": folder, "NAME": name, "USER": "portal"}


class Router:
    """Tickets are in the database that is measured, Django's own tables beside it."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return "tickets" if model._meta.app_label == "benchmark" else "default"

    db_for_write = db_for_read


class Benchmark(AppConfig):
    """The application that this file is."""

    name, label, path = "__main__", "benchmark", str(Path(__file__).parent)


own = Path(tempfile.mkdtemp()) / "own.sqlite"
settings.configure(
    DEBUG=False, DEBUG_PROPAGATE_EXCEPTIONS=True,
    SECRET_KEY="benchmark", ALLOWED_HOSTS=["localhost"], ROOT_URLCONF=__name__, USE_TZ=False,  # noqa: S106
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(own)},
               "tickets": {**database(sys.argv[1]), "CONN_MAX_AGE": None}},
    DATABASE_ROUTERS=[f"{__name__}.Router"], STATIC_URL="/static/",
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages", "__main__.Benchmark"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth",
                                                   "django.template.context_processors.request",
                                                   "django.contrib.messages.context_processors.messages"]}}],
)  # fmt: skip
django.setup()

from django.contrib import admin  # noqa: E402 Django wants its settings first
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402


class Contact(models.Model):
    name = models.TextField()

    class Meta:
        app_label, managed, db_table = "benchmark", False, "contacts"

    def __str__(self) -> str:
        return self.name


class Ticket(models.Model):
    reference = models.TextField()
    title = models.TextField()
    description = models.TextField()
    serial_number = models.TextField()
    order_number = models.TextField()
    status = models.TextField(choices=[(name, name) for name in ("new", "assigned", "waiting", "resolved", "closed")])
    urgency = models.TextField(choices=[(name, name) for name in ("low", "normal", "high")])
    assignee = models.ForeignKey(Contact, models.DO_NOTHING, db_column="assignee")
    due = models.DateTimeField()
    modified = models.DateTimeField()
    comments = models.IntegerField()

    class Meta:
        app_label, managed, db_table = "benchmark", False, "tickets"


class Tickets(admin.ModelAdmin):
    list_display = ("reference", "title", "status", "urgency", "assignee", "due", "modified", "comments")
    list_filter = ("status", "urgency")
    list_select_related = ("assignee",)
    list_per_page = 25
    ordering = ("-modified",)
    search_fields = ("reference", "title", "description", "serial_number", "order_number")
    raw_id_fields = ("assignee",)


admin.site.register(Ticket, Tickets)
urlpatterns = [path("admin/", admin.site.urls)]


def main() -> None:
    call_command("migrate", verbosity=0)
    user = User.objects.create_superuser("staff")
    session = SessionStore()
    session.update({"_auth_user_id": str(user.pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                    "_auth_user_hash": user.get_session_auth_hash()})  # fmt: skip
    session.create()
    application, cookie, seconds = get_wsgi_application(), f"sessionid={session.session_key}", float(sys.argv[2])
    newest = Ticket.objects.order_by("-modified").values_list("id", flat=True)[:20]
    base = "/admin/benchmark/ticket/"
    pages = {
        "list": [base],
        "search, rare word": [f"{base}?q={RARE}"],
        "search, common word": [f"{base}?q={COMMON}"],
        "search, no hit": [f"{base}?q={NOWHERE}"],
        "filter": [f"{base}?urgency__exact=high"],
        "detail": [f"{base}{identity}/change/" for identity in newest],
    }
    timings: dict[str, Any] = {}
    for name, paths in pages.items():
        calls = [lambda path=path: len(wsgi_call(application, path, cookie)) for path in paths]
        timings[name] = measure(calls, seconds, least=3).as_row()
    connections.close_all()
    json.dump({**timings, "memory": memory()}, sys.stdout)


if __name__ == "__main__":
    main()
