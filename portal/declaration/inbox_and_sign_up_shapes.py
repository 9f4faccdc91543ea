"""The shapes of what stands beside `modules:` in modules.yaml: `inbox:` and `sign_up:`."""

from typing import Literal

from pydantic import Field as Key
from pydantic import StrictBool

from portal.declaration.value_types import ModuleName, OwnField, ProfileName
from portal.fields.base_shape import Shape


class Inbox(Shape):
    """`inbox:` of modules.yaml: what becomes of mail that is no reply to a record."""

    address: str = Key(pattern=r"^[^\s@<>,;:\"+]{1,27}@[A-Za-z0-9.-]+$")  # replies go to help+TOKEN@…
    creates: ModuleName
    title: OwnField | None = None  # the field that takes the subject; resolved: the module's title
    text: OwnField | None = None  # the field that takes the text; resolved: the module's first long text, if it has one
    unknown: Literal["keep", "create"] = "keep"


class SignUp(Shape):
    """Who may come in uninvited. `domains`: the only mail domains, each with its company by title."""

    profile: ProfileName
    domains: dict[str, str] | None = None
    approve: StrictBool = True
