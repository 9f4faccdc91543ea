"""Warns about states in which customers may comment without any staff noticing.

A comment is noticed if the module has a desk that is notified by email, if `on_comment` moves the record, or if its
state is in a queue: a tab or a button of a staff profile that has a condition and also shows new records. A tab like
“Resolved” is not a queue, since nothing waits there.
"""

from collections.abc import Iterator

from portal.conditions import Comparison, Condition, comparisons, holds
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.shapes import Lifecycle, Module, leaves


def check_unnoticed_comments(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every module with a lifecycle on whose records customers may comment and staff work."""
    in_doubt = draft.modules_in_doubt  # a state, or the tab in which staff would look, may not be understood
    for module in declaration.modules.values():
        lifecycle = module.lifecycle
        staffed = any(profile.staff for profile, _access in declaration.accesses(module.name))
        desk_gets_mail = module.mail.desk is not None and bool(module.mail.commented)  # the assignee, or else the desk
        if lifecycle is None or module.name in in_doubt or not staffed or desk_gets_mail:
            continue
        if states := _unnoticed_states(declaration, module, lifecycle):
            them = "it" if len(states) == 1 else "them"
            draft.at_module(module.name)["lifecycle"].inner("on_comment").key.warn(
                f"nobody notices what customers write in the state {' or '.join(states)}: add {them} to"
                " on_comment: {customer: …}, or to a tab or button of staff that also shows new records"
            )


def _unnoticed_states(declaration: Declaration, module: Module, lifecycle: Lifecycle) -> list[str]:
    queues = [queue for queue in _queues(declaration, module) if _shows(queue, lifecycle, str(lifecycle.start))]
    visible = list(_commented_by_customers(declaration, module))
    return [
        state
        for state in module.states
        if any(_shows(condition, lifecycle, state) for condition in visible)
        and not any(_shows(queue, lifecycle, state) for queue in queues)
        and not module.is_final(state)
        and not _is_moved(lifecycle, state)
    ]


def _commented_by_customers(declaration: Declaration, module: Module) -> Iterator[Condition]:
    """For each customer profile that may comment, the `where` of the records that it sees."""
    for profile, access in declaration.accesses(module.name):
        if not profile.staff and "comment" in access.can:
            yield access.where


def _queues(declaration: Declaration, module: Module) -> Iterator[Condition]:
    """Where staff would notice a customer's comment: the conditions of their tabs and buttons on this module."""
    for profile, access in declaration.accesses(module.name):
        if not profile.staff:
            continue
        conditions = [tab.where for tab in (access.list.tabs or {}).values()]
        for name in profile.buttons:
            button = declaration.buttons.get(name)
            if button is not None and button.opens == module.name and button.where is not None:
                conditions.append(button.where)
        yield from (condition for condition in conditions if any(comparisons(condition)))


def _shows(condition: Condition, lifecycle: Lifecycle, state: str) -> bool:
    """Whether records in `state` can fulfill the condition; comparisons of other fields count as true."""

    def compare(comparison: Comparison) -> bool:
        if comparison.path != (lifecycle.field,):
            return not comparison.negated
        value = comparison.value
        return {"equal": state == value, "one_of": isinstance(value, tuple) and state in value}.get(
            comparison.operator, not comparison.negated
        )

    return holds(condition, compare)


def _is_moved(lifecycle: Lifecycle, state: str) -> bool:
    """Whether a customer's comment moves the record, or it is already in the state that such comments lead to."""
    move = lifecycle.on_comment.get("customer")
    return move is not None and (state == move.to or leaves(move, state))
