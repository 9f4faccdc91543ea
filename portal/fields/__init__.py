"""Field types. The YAML entry *is* the object that does the work; a type is one file in this folder.

Importing the package imports every type, so that `Field.types` knows them all.
"""

import importlib
import pkgutil

_LOADED_WHEN_USED = {"markup", "public_holidays"}  # no types; see portal/lazy.py

for _module in pkgutil.iter_modules(__path__):
    if _module.name not in _LOADED_WHEN_USED:
        importlib.import_module(f"{__name__}.{_module.name}")
