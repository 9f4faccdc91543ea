"""Warns about states that no record reaches, transitions that nobody can do, and settings of final states.

An import may give a record any state, and so may other programs that write to an existing table. Customers without
access answer by mail.
"""

from collections.abc import Iterator, Sequence

from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import Access, Lifecycle, Module, OnComment, Profile, leaves
from portal.declaration.source.cursor import Cursor


def check_reachability(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every lifecycle with the profiles that have its module."""
    in_doubt = draft.modules_in_doubt
    for module in declaration.modules.values():
        if module.lifecycle is None or module.name in in_doubt:
            continue
        at = draft.at_module(module.name)
        accesses = declaration.accesses(module.name)
        if not module.transitions and not module.lifecycle.on_comment:
            at["lifecycle"].key.warn("has no effect: without transitions no record changes its state")
        elif module.table is None:
            _check_states(module, module.lifecycle, at["fields"][module.lifecycle.field]["options"])
        _check_transitions(module.lifecycle, [access for _profile, access in accesses], at["lifecycle"]["transitions"])
        _check_only(module, accesses, at["lifecycle"]["transitions"])
        if module.lifecycle.follow_up and not module.final_states:
            at["lifecycle"]["follow_up"].key.warn("has no effect: every state can be left, so no record is ever final")
        for side, rule in module.lifecycle.on_comment.items():
            may_comment = any(
                "comment" in access.can for profile, access in accesses if profile.staff is (side == "staff")
            )
            by_mail = side == "customer" and draft.inbox is not None and draft.inbox.creates == module.name
            _check_on_comment(module, rule, may_comment or by_mail, at["lifecycle"]["on_comment"][side])


def _check_states(module: Module, lifecycle: Lifecycle, at: Cursor) -> None:
    reached = _reached(lifecycle)
    options = list(module.fields[lifecycle.field].declared_options)
    others = [state for state in options if state and state not in reached]
    if others:
        place = at[options.index(others[0])] if isinstance(at.value, list) else at[others[0]].key
        names = '" or "'.join(others)
        place.warn(f'no transition leads to "{names}": no record ever gets there, unless it is imported in this state')


def _reached(lifecycle: Lifecycle) -> set[str]:
    """The states that a record can reach from the start, by transitions and comments."""
    reached: set[str] = set()
    waiting = [str(lifecycle.start)]
    while waiting:
        state = waiting.pop()
        reached.add(state)
        waiting += [target for target in _next_states(lifecycle, state) if target not in reached]
    return reached


def _next_states(lifecycle: Lifecycle, state: str) -> Iterator[str]:
    yield from (transition.to for transition in lifecycle.transitions.values() if leaves(transition, state))
    yield from (rule.to for rule in lifecycle.on_comment.values() if rule.to and leaves(rule, state))


def _check_transitions(lifecycle: Lifecycle, accesses: list[Access], at: Cursor) -> None:
    granted = {word for access in accesses for word in access.can}
    for name, transition in lifecycle.transitions.items():
        if accesses and name not in granted and transition.after is None:
            at[name].key.warn("nobody can do this: no profile names it under can, and it has no after")
        for field in transition.ask.keys() & transition.set.keys():
            at[name]["ask"][field].key.warn(f'has no effect: set gives "{field}" another value')


def _check_only(module: Module, accesses: Sequence[tuple[Profile, Access]], at: Cursor) -> None:
    """Finds transitions that nobody can do: the link in `only` is empty in every record that a profile creates, and
    stays so."""
    edited = {name for _profile, access in accesses if "edit" in access.can for name in form_layout_fields(access.edit)}
    moved = {name for transition in module.transitions.values() for name in (*transition.ask, *transition.set)}
    for name, transition in module.transitions.items():
        link = module.fields.get(transition.only or "")
        if link is None or link.computed or link.default is not None or link.name in edited | moved:
            continue
        for profile, access in accesses:
            if "create" in access.can and link.name not in (*form_layout_fields(access.create), *access.set):
                empty = f'"{link.name}" stays empty in what the profile {profile.name} creates'
                at[name]["only"].warn(f"nobody can do this: {empty}")
                break


def _check_on_comment(module: Module, rule: OnComment, may_comment: bool, at: Cursor) -> None:
    if not may_comment:
        at.key.warn("has no effect: no profile of this side may comment")
        return
    for index, state in enumerate(rule.from_ or ()):
        if module.is_final(state):
            at["from"].inner(index).warn(f'has no effect: "{state}" is final, so nobody comments in it')
        elif state == rule.to:
            at["from"].inner(index).warn(f'has no effect: the record is in "{state}" already')
