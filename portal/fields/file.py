"""`file`: one stored file. Read and checked, not stored yet. Also the base of image."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator
from pydantic import Field as Key

from portal.fields.base import Field


def _size(written: Any) -> str:
    if isinstance(written, bool) or not re.fullmatch(r"[1-9]\d{0,11}(\.\d{1,3})?\s*([kKMG]?B)?", str(written).strip()):
        raise ValueError("must be a size such as 25 MB")
    return str(written).strip()


def _types(written: Any) -> Any:
    entries = [written] if isinstance(written, str) else written
    for entry in entries if isinstance(entries, list | tuple) else ():
        if not re.fullmatch(r"[a-z]+/(\*|[\w.+-]+)", str(entry)):
            raise ValueError(f'"{entry}" is no file type like image/* or application/pdf')
    return entries


class StoredFile(Field):
    """The keys of both."""

    stored: ClassVar[bool] = False
    sortable: ClassVar[bool] = False
    can_be_unique: ClassVar[bool] = False
    type: str

    max_size: Annotated[str, BeforeValidator(_size)] | None = None
    types_: Annotated[tuple[str, ...], BeforeValidator(_types)] = Key((), alias="types")


class File(StoredFile):
    type: Literal["file"]
