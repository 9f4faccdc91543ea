"""Which value a plain YAML scalar is: the core schema of YAML 1.2 and no more.

Only `true` and `false` are booleans, so `no` and `on` stay text, as do `12:30` and dates; `010` is ten.
Called by the reader for scalars without quotes; it accepts anything.
"""

import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# Python refuses to convert integers of more than 4,300 digits; nothing that long is meant as a number.
_LONGEST_NUMBER = 400


def plain_value(written: str) -> Scalar:
    """The value of a scalar that is written without quotes."""
    if written in _WORDS:
        return _WORDS[written]
    if written[0] not in _NUMBER_START or len(written) > _LONGEST_NUMBER:
        return written
    if _INTEGER.fullmatch(written):
        return int(written)
    if _FLOAT.fullmatch(written):
        return float(written)
    if _OCTAL.fullmatch(written):
        return int(written, 8)
    if _HEXADECIMAL.fullmatch(written):
        return int(written, 16)
    return written
