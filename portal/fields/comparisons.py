"""The comparisons of conditions in Python, for the values of a form that is not stored yet."""

import operator as operators
from collections.abc import Callable, Mapping
from typing import Any

from portal.texts import fold

# Applied to columns, they make SQL.
ORDER: Mapping[str, Callable[[Any, Any], Any]] = {
    "equal": operators.eq,
    "min": operators.ge,
    "max": operators.le,
    "before": operators.lt,
    "after": operators.gt,
}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    **ORDER,
    "contains": lambda value, part: fold(str(part)) in fold(str(value)),
}
