"""The pages of one record, and their parts. Plain values, as in views/pages.py."""

from dataclasses import dataclass
from typing import Literal

from portal.views.access.access_parts import AccessCard
from portal.views.displays import Value
from portal.views.lists.list_parts import Column, RecordTable, Row
from portal.views.parts import Action, Files, TitledLink, Watchers
from portal.views.records.conversation_parts import Conversation
from portal.views.records.history_parts import History, HistoryLine, RecordNews
from portal.web.frame import Words

StageState = Literal["done", "current", "aside", "unreached", ""]


@dataclass(frozen=True)
class Stage:
    """A stage of the lifecycle; `aside`: the present state where it is beside the stages, which end `unreached`."""

    label: Words
    state: StageState = ""


@dataclass(frozen=True)
class StageBar:
    stages: tuple[Stage, ...]
    note: str = ""  # when and why the record left the stages


@dataclass(frozen=True)
class SectionShown:
    title: Words
    rows: tuple[tuple[Value, ...], ...]  # the values of a row are side by side


@dataclass(frozen=True)
class RelatedList(RecordTable):
    label: Words
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    count: str = ""
    all_url: str = ""
    create_url: str = ""
    create_label: Words = ""


@dataclass(frozen=True)
class DetailPage:
    """detail.pt"""

    heading: str
    about: Words  # “TT1042 · opened by Maria Anders on 19 November, 09:12”
    back_url: str
    previous_url: str = ""  # in the list from which the record was opened
    next_url: str = ""
    actions: tuple[Action, ...] = ()  # edit, delete, transitions
    stage_bar: StageBar | None = None
    sections: tuple[SectionShown, ...] = ()
    aside: tuple[Value, ...] = ()
    conversation: Conversation | None = None
    files: Files | None = None
    watchers: Watchers | None = None
    follow_ups: tuple[TitledLink, ...] = ()  # of a final record
    related: tuple[RelatedList, ...] = ()
    history: History | None = None
    access: AccessCard | None = None
    news: RecordNews | None = None
    workshop: tuple[Action, ...] = ()  # for administrators: who sees the record, and what its person sees


@dataclass(frozen=True)
class HistoryPage:
    """history.pt"""

    about: str  # “TT1042 · Printer on floor 2”
    back_url: str
    lines: tuple[HistoryLine, ...] = ()
    older_url: str = ""
