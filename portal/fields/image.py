"""`image`: one stored picture. Read and checked, not stored yet."""

from typing import Literal

from portal.fields.file import StoredFile


class Image(StoredFile):
    type: Literal["image"]
