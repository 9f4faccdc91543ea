"""`image`: one stored picture, of a type that browsers can show."""

from typing import ClassVar, Literal

from pydantic import field_validator

from portal.fields.file import FileField

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Image(FileField):
    """One stored picture."""

    type: Literal["image"]
    display: ClassVar[str] = "image"

    @field_validator("types_")
    @classmethod
    def _pictures(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        for name in types:
            if name != "image/*" and name not in PICTURES:
                raise ValueError(f'"{name}" is not a picture that is shown: {", ".join(PICTURES)}')
        return types

    @property
    def needs_preview(self) -> bool:
        return True

    @property
    def accepted(self) -> tuple[str, ...]:
        return self.types_ or PICTURES
