"""The types of names and states in shapes; editors offer the names that exist (`workshop/schema/`)."""

from typing import Annotated, Any

from pydantic import BeforeValidator

from portal.fields.base_shape import Names, OneOrSeveral, as_list

ModuleName = Annotated[str, Names("module")]
ProfileName = Annotated[str, Names("profile")]
ButtonName = Annotated[str, Names("button")]
MenuEntry = Annotated[str, Names("menu entry")]
FieldName = Annotated[str, Names("field")]  # a declared or built-in one
OwnField = Annotated[str, Names("own field")]  # a declared one
FormField = Annotated[str, Names("form field")]  # a declared one, or the attachments
SortField = Annotated[str, Names("sort field")]  # with a minus for descending order
FieldPath = Annotated[str, Names("path")]  # through links
Link = Annotated[str, Names("link")]
AskedField = Annotated[str, Names("asked field")]  # a declared one, or the comment
State = Annotated[str, Names("state")]
Action = Annotated[str, Names("action")]
Target = Annotated[str, Names("target")]  # a module, or its form

Values = Annotated[dict[str, Any], Names("values")]  # field → value
TabName = Annotated[str, Names("tab")]


# One field, or several side by side.
LayoutRow = FieldName | tuple[FieldName, ...]
FormRow = FormField | tuple[FormField, ...]
StateNames = Annotated[tuple[State, ...], BeforeValidator(as_list), OneOrSeveral()]
SortFields = Annotated[tuple[SortField, ...], BeforeValidator(as_list), OneOrSeveral()]
SeveralTexts = Annotated[tuple[str, ...], BeforeValidator(as_list), OneOrSeveral()]
# MODULE.EVENT, which webhooks are notified of.
Events = Annotated[tuple[Annotated[str, Names("event")], ...], BeforeValidator(as_list), OneOrSeveral()]
