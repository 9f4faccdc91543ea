"""Field types. The YAML entry *is* the object that does the work; a type is one file in this folder.

Importing the package imports every type, so that `Field.types` has them all: ours, then those of other packages.
"""

import functools
import importlib
import pkgutil
from typing import Any

from portal.fields.base import Field
from portal.packages import FIELD_TYPES, NotUsableError, extensions, use

_LOADED_WHEN_USED = {"markup", "public_holidays"}  # no types; see portal/lazy.py

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in _LOADED_WHEN_USED:
        importlib.import_module(f"{__name__}.{_module.name}")


def _check(name: str, kind: Any) -> None:
    """Checks that an entry point names a subclass of Field, which registered itself when it was defined."""
    if Field.types.get(name) is not kind:
        raise NotUsableError(f'it names no subclass of Field with `type: Literal["{name}"]`')


for _entry in extensions(FIELD_TYPES):
    use(_entry, functools.partial(_check, _entry.name))
