"""Shape, the base of every part of the declaration, and the small shapes that field types share."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from portal.conditions import Condition, ConditionError, parse
from portal.texts import Text


class Shape(BaseModel):
    """A part of the declaration: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True, defer_build=True
    )


class Option(Shape):
    """What one option looks like."""

    label: Text
    tone: Literal["info", "good", "warn", "bad", "calm", "primary"] | None = None
    help: Text | None = None
    icon: str | None = None
    formerly: str | None = None


def _condition(data: Any) -> Any:
    try:
        return parse(data)
    except ConditionError as error:
        # Who reports the problem joins the path inside the condition to the path that leads to it.
        raise PydanticCustomError("condition", "{message}", {"message": error.message, "path": error.path}) from None


Where = Annotated[Condition, BeforeValidator(_condition)]
