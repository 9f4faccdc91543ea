"""A bare Pyramid page of the same size: a Chameleon template, 25 rows of 8 cells, no database, no sign-in, no rights.

`python -m benchmarks.bare BYTES SECONDS` prints JSON: what the libraries alone take.
"""

import json
import sys
from pathlib import Path
from typing import Any

from chameleon import PageTemplateFile
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router

from benchmarks.measuring import measure, memory, wsgi_call

COLUMNS = ("Reference", "Title", "Status", "Urgency", "Assigned to", "Expected by", "Modified", "Comments")
ROWS = [[f"{column} {number}" for column in COLUMNS] for number in range(25)]


def application(size: int) -> Router:
    """The application; its page has about `size` bytes."""
    template = PageTemplateFile(str(Path(__file__).parent / "bare.pt"))
    values: dict[str, Any] = {"title": "Tickets", "menu": COLUMNS, "columns": COLUMNS, "rows": ROWS, "padding": ""}
    values["padding"] = "." * max(0, size - len(template(**values)))

    def page(request: Request) -> Response:
        return Response(template(**values))

    config = Configurator()
    config.add_view(page, name="tickets")
    return config.make_wsgi_app()


if __name__ == "__main__":
    bare = application(int(sys.argv[1]))
    timing = measure([lambda: len(wsgi_call(bare, "/tickets"))], float(sys.argv[2]))
    json.dump({"list": timing.as_row(), "memory": memory()}, sys.stdout)
