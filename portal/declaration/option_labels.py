"""Modules with one profile's labels of options, and without those that it does not offer (`options` in a profile).

Called by resolve, once for each profile. The search index and commands use the labels of modules.yaml.
"""

from collections.abc import Mapping

from portal.declaration.declaration import Declaration
from portal.declaration.shapes import Module, Profile
from portal.fields.base import Field
from portal.texts import Text

CACHED = ("everything", "formulas", "unique_text")  # cached properties of a module that contain its fields


def labeled_modules(declaration: Declaration, profile: Profile) -> dict[str, Module]:
    """The modules of `profile` with its own labels of options, and only those it offers; empty if it has none."""
    if not any(access.options for access in profile.modules.values()):
        return {}
    modules = {name: _copy(declaration.modules[name], access.options) for name, access in profile.modules.items()}
    view = declaration.model_copy(update={"modules": {**declaration.modules, **modules}})
    for module in modules.values():
        for field in module.fields.values():
            if field.sources:
                field.bind(view, module)  # a lookup shows the labels of its target field
    return modules


def _copy(module: Module, labels: Mapping[str, Mapping[str, Text | bool]]) -> Module:
    fields = {name: _field(field, labels.get(name, {})) for name, field in module.fields.items()}
    builtin = {name: _field(field, labels.get(name, {})) for name, field in module.builtin.items()}
    copy = module.model_copy(update={"fields": fields, "builtin": builtin})
    for name in CACHED:
        copy.__dict__.pop(name, None)
    return copy


def _field(field: Field, labels: Mapping[str, Text | bool]) -> Field:
    """The field itself, a copy to bind, or a copy with other labels and fewer options."""
    if labels:
        return field.with_labels(labels)
    return field.model_copy() if field.sources else field
