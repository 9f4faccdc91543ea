"""The pages of one record, and their parts: conversation, files, history, watchers, stages.

Plain values, as in views/parts.py.
"""

from dataclasses import dataclass
from typing import Literal

from portal.texts import Words
from portal.views.access.access_parts import AccessCard
from portal.views.displays import Value
from portal.views.forms.form_parts import DraftForm, Offer, UploadInput
from portal.views.lists.list_parts import Column, RecordTable, Row
from portal.views.parts import Action, Moment, TitledLink
from portal.views.records.linked_text import Piece


@dataclass(frozen=True)
class FileShown:
    """One file of a record."""

    name: str
    url: str
    size: str
    kind: str  # “PDF”
    author: Words  # “You” where it is the reader
    at: Moment
    icon: str = "file"
    preview_url: str = ""  # of a picture
    remove_url: str = ""
    remove_once: str = ""
    comment_url: str = ""  # the comment that it came with
    internal: bool = False


@dataclass(frozen=True)
class Files:
    """The card of a record's files."""

    files: tuple[FileShown, ...]
    url: str
    more: tuple[FileShown, ...] = ()  # shown on request
    once: str = ""
    input: UploadInput | None = None  # None: nothing can be added
    refused: tuple[Words, ...] = ()  # one sentence per file


@dataclass(frozen=True)
class Note:
    """One comment."""

    id: int
    author: Words  # “You” where it is the reader
    initials: str
    at: Moment
    text: tuple[Piece, ...]
    mine: bool = False
    internal: bool = False
    side: Words = ""  # “Support”, “Customer”
    channel: Words = ""  # “by email”
    channel_icon: str = ""
    files: tuple[FileShown, ...] = ()
    folded: str = ""  # what a mail quotes and its signature
    corrected: bool = False
    edit_url: str = ""  # as long as its author may change and withdraw it
    withdraw_url: str = ""


@dataclass(frozen=True)
class Thread:
    """Comments, in the order of their module."""

    notes: tuple[Note, ...]
    oldest_first: bool = False
    earlier_url: str = ""  # of those before them, where there are some

    @property
    def first_id(self) -> int:
        """The id of the oldest comment that is shown; 0 where no comment is older."""
        return min(note.id for note in self.notes) if self.earlier_url else 0


@dataclass(frozen=True)
class Composer:
    """The form for a new comment."""

    url: str
    once: str
    draft: DraftForm
    text: str = ""
    error: Words = ""
    may_be_internal: bool = False
    internal: bool = False
    only_internal: bool = False  # the record is final: the customer is not written to any more
    files: UploadInput | None = None
    answers: tuple[Offer, ...] = ()  # canned ones, for staff
    answer_url: str = ""  # gives a script their texts


@dataclass(frozen=True)
class Conversation:
    """The card on the page of a record: the newest comments, and the form for a new one."""

    thread: Thread
    count: int  # of all comments
    composer: Composer | None = None  # of a closed one it holds what was written too late
    closed: Words = ""  # why nothing can be written any more
    top: bool = True


@dataclass(frozen=True)
class CommentsPage:
    """comments.pt: comments that are no longer on the page of their record."""

    about: str  # “TT1042 · Printer on floor 2”
    back_url: str
    thread: Thread


@dataclass(frozen=True)
class ChangeShown:
    """A field that changed; without `has_values` nothing more is known than that."""

    label: Words
    before: str = ""
    after: str = ""
    has_values: bool = False


@dataclass(frozen=True)
class HistoryLine:
    """One event."""

    at: Moment
    author: Words  # “You” where it is the reader
    sentence: Words = ""
    detail: str = ""  # what it is about: the name of a file, of a person
    url: str = ""  # where that leads
    changes: tuple[ChangeShown, ...] = ()
    channel: Words = ""  # where it is not the portal itself
    channel_icon: str = ""
    internal: bool = False
    record: Words = ""  # among the events of all records
    record_url: str = ""


@dataclass(frozen=True)
class History:
    """The card on the page of a record."""

    lines: tuple[HistoryLine, ...]
    all_url: str = ""  # where there are more


@dataclass(frozen=True)
class Watcher:
    """One person who watches a record."""

    id: int
    name: str
    initials: str
    url: str = ""  # of the person, where the reader may see them
    mine: bool = False
    removable: bool = False


@dataclass(frozen=True)
class Watchers:
    """The card of a record's watchers."""

    people: tuple[Watcher, ...]
    url: str
    may_add: bool = False
    mine: str = ""  # the reader's own id, where they may add themselves

    @property
    def follows(self) -> bool:
        return any(person.mine for person in self.people)


@dataclass(frozen=True)
class RecordNews:
    """What the page of a record says of its news."""

    seen_url: str = ""  # where “seen” is sent; empty: nothing is new
    key: str = ""  # of the state that the page shows
    hide_url: str = ""
    hidden: bool = False


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
