"""Names for media types such as `image/*` and `application/pdf`: pictures, PDF."""

import mimetypes
from collections.abc import Iterable

from portal.fields.reader import Reader
from portal.texts import _

GROUPS = {"image": _("pictures"), "audio": _("sound"), "video": _("videos"), "text": _("text")}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
# Types that Python's own table lacks or names differently; the tables of the machine are not used, since they differ.
_ENDINGS = {
    f"{_OFFICE}.wordprocessingml.document": "DOCX",
    f"{_OFFICE}.spreadsheetml.sheet": "XLSX",
    f"{_OFFICE}.presentationml.presentation": "PPTX",
    f"{_OPEN}.text": "ODT",
    f"{_OPEN}.spreadsheet": "ODS",
    f"{_OPEN}.presentation": "ODP",
    "application/gzip": "GZ",
    "application/x-7z-compressed": "7Z",
    "application/xml": "XML",
    "image/jpeg": "JPEG",
    "image/webp": "WebP",
}
_TABLE = mimetypes.MimeTypes()


def types_in_words(media_types: Iterable[str], reader: Reader) -> str:
    """“pictures, PDF, TXT”; empty where every type is accepted."""
    return reader.listed(dict.fromkeys(_in_words(media_type, reader) for media_type in media_types))


def may_be_picture(name: str) -> bool:
    """Whether a file of this name may be a picture: not if its ending says otherwise."""
    media_type = _TABLE.guess_type(name, strict=False)[0]
    return media_type is None or media_type.startswith("image/")


def _in_words(media_type: str, reader: Reader) -> str:
    group, _slash, kind = media_type.partition("/")
    if kind == "*":
        return reader.text(GROUPS[group]) if group in GROUPS else media_type
    return _ENDINGS.get(media_type) or (_TABLE.guess_extension(media_type) or "")[1:].upper() or media_type
