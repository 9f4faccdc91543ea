"""Files on pages: the card of a record, those of a comment, and the input for files."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pyramid.request import Request

from portal.fields.byte_sizes import shown_size
from portal.fields.linked_text import Pictures
from portal.records.reading.files import StoredFile, files
from portal.records.writing.files import may_detach
from portal.records.writing.form_keys import one_time_key
from portal.records.writing.lifecycle import is_final
from portal.texts import Words, _
from portal.views.displays import moment
from portal.views.forms.form_page import UploadInput
from portal.views.forms.uploads import upload_input
from portal.views.parts import Moment
from portal.web.resources import Record

SHOWN = 6  # so that they do not push away the details on a phone
ICONS = {
    "image": "file-image",
    "application/pdf": "file-text",
    "text": "file-text",
    "application/zip": "file-archive",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "file-spreadsheet",
    "text/csv": "file-spreadsheet",
}


@dataclass(frozen=True)
class FileShown:
    """One file of a record."""

    name: str
    url: str
    size: str
    kind: str  # “PDF”
    author: Words  # “You” for the reader
    at: Moment
    icon: str = "file"
    preview_url: str = ""  # of a picture
    remove_url: str = ""
    remove_once: str = ""
    comment_url: str = ""  # the comment that it belongs to
    internal: bool = False


@dataclass(frozen=True)
class FilesCard:
    """The card of a record's files."""

    files: tuple[FileShown, ...]
    url: str
    more: tuple[FileShown, ...] = ()  # shown on demand
    once: str = ""
    input: UploadInput | None = None  # None: nothing can be added
    refused: tuple[Words, ...] = ()  # one sentence per file


def files_card(
    resource: Record, request: Request, stored: Sequence[StoredFile], refused: Iterable[str], first_comment: int
) -> FilesCard | None:
    """Every file of the record, including those of comments, and the input for more while adding is allowed; None if
    there is nothing of this.

    `first_comment`: the id of the oldest one on the page.
    """
    records, record = resource.records, resource.record
    is_open = not is_final(records, record)
    shown = tuple(shown_files(resource, request, stored, is_open, first_comment))
    upload = upload_input(records, request) if is_open else None
    sentences = tuple(refused)
    if not (shown or upload or sentences):
        return None
    return FilesCard(
        files=shown[:SHOWN],
        more=shown[SHOWN:],
        url=f"{resource.path}files",
        once=one_time_key(),
        input=upload,
        refused=sentences,
    )


def record_files(resource: Record) -> list[StoredFile]:
    """The files of the record that its reader may have; none if the module accepts none."""
    return files(resource.records, resource.record) if resource.module.attachments else []


def shown_files(
    resource: Record, request: Request, stored: Iterable[StoredFile], removable: bool = False, first_comment: int = 0
) -> Iterator[FileShown]:
    """Files in lists. `removable`: with a button for those that the reader may remove.

    `first_comment`: the id of the oldest one on the page.
    """
    records, reader = resource.records, request.reader
    author = request.writer(records).author
    for file in stored:
        url = f"{resource.path}files/{file.id}"
        may_remove = removable and may_detach(records, file, author)
        yield FileShown(
            name=file.name,
            url=url,
            size=shown_size(file.size, reader),
            kind=PurePath(file.name).suffix[1:7].upper(),
            author=_("You") if author.account is not None and file.account == author.account else file.author,
            at=moment(file.created, reader),
            icon=ICONS.get(file.media_type) or ICONS.get(file.media_type.partition("/")[0], "file"),
            preview_url=f"{url}/preview" if file.preview else "",
            remove_url=f"{url}/remove" if may_remove else "",
            remove_once=one_time_key() if may_remove else "",
            comment_url=_comment_url(resource.path, file.comment, first_comment) if file.comment else "",
            internal=file.internal,
        )


def _comment_url(record_url: str, comment_id: int, first_comment: int) -> str:
    page = "" if comment_id >= first_comment else f"{record_url}comments?before={comment_id + 1}"
    return f"{page}#comment-{comment_id}"


def pictures_of(resource: Record, stored: Iterable[StoredFile]) -> Pictures:
    """Those of the files that are pictures, for a text that may contain them."""
    url = f"{resource.path}files"
    return {file.name: (f"{url}/{file.id}", f"{url}/{file.id}/preview") for file in stored if file.preview}
