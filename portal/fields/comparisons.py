"""The comparisons of conditions in Python, for the values of a form that is not stored yet."""

import operator as operators
from collections.abc import Callable, Mapping
from typing import Any

from portal.texts import fold

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equal": operators.eq,
    "min": operators.ge,
    "max": operators.le,
    "before": operators.lt,
    "after": operators.gt,
    "contains": lambda value, part: fold(str(part)) in fold(str(value)),
}
