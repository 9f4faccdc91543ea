"""`image`: one stored picture. Read and checked, not stored yet."""

from typing import ClassVar, Literal

from portal.fields.file import StoredFile


class Image(StoredFile):
    type: Literal["image"]
    display: ClassVar[str] = "image"
