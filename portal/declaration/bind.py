"""Lets the fields that look at other fields find them: lookups, elapsed times, formulas.

Called by load once all modules are read, before anything asks such a field what it is. One that finds nothing is told
of and left out, so that nobody meets it half bound.
"""

from portal.declaration.draft import MODULES, Draft
from portal.fields.base import Field


def bind_fields(draft: Draft) -> None:
    """Binds every field of the draft; what is computed from an internal field is internal itself."""
    _mark_internal(draft)
    left_out = _bind_all(draft, tell=True)
    while left_out:  # what looked at a field that is gone now has nothing to look at, either
        left_out = _bind_all(draft, tell=False)
    for module in draft.modules.values():
        module.__dict__.pop("everything", None)  # remembered while fields were still exchanged


def _mark_internal(draft: Draft) -> None:
    """On every path: a lookup shows what it leads to, so it cannot be less internal than that."""
    computed = [
        (module, name) for module in draft.modules.values() for name, field in module.fields.items() if field.computed
    ]
    changed = True
    while changed:
        changed = False
        for module, name in computed:
            field = module.fields[name]
            steps = [
                step for path in field.sources for _module, step in draft.follow(module.name, path.split(".")).steps
            ]
            if not field.internal and any(step.internal for step in steps):
                module.fields[name] = field.model_copy(update={"internal": True})
                changed = True


def _bind_all(draft: Draft, tell: bool) -> bool:
    """Whether a field had to be left out."""
    left_out = [
        (module.name, name, str(complaint))
        for module in draft.modules.values()
        for name, field in module.fields.items()
        if (complaint := _complaint(draft, module.name, field)) is not None
    ]
    for module, name, complaint in left_out:
        if tell and complaint:
            _tell(draft, module, name, complaint)
        del draft.modules[module].fields[name]
        draft.broken.add((module, name))
    return bool(left_out)


def _complaint(draft: Draft, module: str, field: Field) -> str | None:
    """Why the field cannot be bound, None if it can; nothing where an earlier mistake is the reason."""
    paths = [path.split(".") for path in field.sources]
    followed = [draft.follow(module, path) for path in paths]
    wrong = next((each.complaint for each in followed if each.complaint), None)
    if wrong or any(each.last is None for each in followed):
        return wrong or ""
    try:
        field.bind(draft, draft.modules[module])
    except ValueError as error:
        return str(error)
    return None


def _tell(draft: Draft, module: str, name: str, complaint: str) -> None:
    path = ("modules", module, "fields", name)
    draft.error(MODULES, (*path, "of") if draft.has(MODULES, (*path, "of")) else path, complaint)
