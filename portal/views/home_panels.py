"""The panels of the home page with records or a text, and the notices at the top."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup
from pyramid.request import Request

from portal.conditions import AllOf, without_records
from portal.declaration.home_shapes import Panel
from portal.declaration.shapes import display_name
from portal.fields.markdown import Markdown
from portal.records.reading.records import Query, Records
from portal.texts import Words
from portal.views.charts import list_parameters
from portal.views.displays import Value, shown
from portal.views.lists.columns import Column, plain_column
from portal.views.lists.list_rows import ListRow, RecordTable, list_rows
from portal.web.addresses import list_address, record_address

ROWS = 5
MOST_COLUMNS = 5
MOST_NOTICES = 3
MARKDOWN = Markdown(name="text", type="markdown")


@dataclass(frozen=True)
class PanelList(RecordTable):
    """The first records of a list."""

    heading: Words
    url: str
    columns: tuple[Column, ...]
    rows: tuple[ListRow, ...]


@dataclass(frozen=True)
class PanelText:
    heading: Words
    html: Markup  # sanitized


@dataclass(frozen=True)
class Notice:
    """A record shown at the top until the reader dismisses it."""

    title: str
    url: str
    text: Value | None
    dismiss_url: str


def panel_list(request: Request, panel: Panel) -> PanelList | None:
    """The first records of a panel's list; None if the profile does not have the module."""
    if panel.list is None or request.policy.access(panel.list) is None:
        return None
    records = Records(request.connection, request.policy, panel.list)
    columns = _columns(records)
    page = records.page(Query(condition=AllOf((panel.where, request.news.shown(records))), size=ROWS), columns)
    return PanelList(
        heading=panel.label or display_name(records.access),
        url=list_address(records.name, list_parameters(records, panel)),
        columns=tuple(plain_column(records, name) for name in columns),
        rows=tuple(list_rows(records, page.records, columns)),
    )


def _columns(records: Records) -> list[str]:
    """The columns of a panel's list: those of the module's list that fit, including the title and the state."""
    columns = list(records.access.list.columns or ())
    needed = [name for name in (records.module.title_field.name, records.module.state_field) if name in columns]
    others = [name for name in columns if name not in needed][: MOST_COLUMNS - len(needed)]
    return [name for name in columns if name in needed or name in others]


def panel_text(request: Request, panel: Panel) -> PanelText:
    """The text of a panel, written in Markdown."""
    return PanelText(panel.label or "", Markup(MARKDOWN.html(request.reader.text(panel.text))))  # noqa: S704 - sanitized


def notices(request: Request) -> Iterator[Notice]:
    """The notices of all panels, without those that the reader has dismissed."""
    for panel in request.policy.profile.home.declared_panels:
        if panel.notices is not None and request.policy.access(panel.notices) is not None:
            records = Records(request.connection, request.policy, panel.notices)
            condition = AllOf((panel.where, without_records(request.news.dismissed(records))))
            field = records.module.first_long_text
            names = [field.name] if field and field.name in request.policy.readable(records.name) else []
            for record in records.page(Query(condition=condition, size=MOST_NOTICES), names).records:
                yield Notice(
                    title=record.title,
                    url=record_address(records.name, record.id),
                    text=shown(field, record.values.get(field.name), request.reader) if field and names else None,
                    dismiss_url=record_address(records.name, record.id, "dismiss"),
                )
