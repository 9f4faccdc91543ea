"""The parts of pages that show the conversation on a record. Plain values, as those of parts.py."""

from dataclasses import dataclass

from portal.views.forms.upload_parts import UploadInput
from portal.views.parts import DraftForm, FileShown, Moment, Offer
from portal.views.records.linked_text import Piece
from portal.web.frame import Words


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
    """The card on the page of a record: the newest comments, and where one writes."""

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
