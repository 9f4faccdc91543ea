"""Why someone may or may not see or do something, for administrators: sentences with the deciding lines."""

from collections.abc import Iterable
from dataclasses import dataclass

from pyramid.request import Request

from portal.declaration.source.places import Places
from portal.fields.record_titles import RECORD_ID
from portal.records.audit.deciding_line import Line, deciding_lines
from portal.records.audit.explain import ExplainStep, explain, explain_module
from portal.records.policy import Policy, system_policy
from portal.records.reading.records import Records
from portal.texts import Words, _

# The action of an address below a record or a module, if it is granted under another name.
ACTION_OF_ADDRESS = {
    "comments": "comment",
    "watchers": "watch",
    "access": "grant",
    "revoke": "grant",
    "invite": "grant",
}
ON_RECORDS = ("edit", "delete", *ACTION_OF_ADDRESS)
ON_MODULES = {
    "create": "create",
    "export.csv": "export",
    "export.xlsx": "export",
    "import": "import",
    "import-problems.csv": "import",
    "imported": "import",
    "invite": "grant",
    "waiting": "grant",
}


@dataclass(frozen=True)
class Reason:
    """A reason, and where it is declared."""

    sentence: Words
    holds: bool = True
    lines: tuple[Line, ...] = ()


def shown_reasons(
    request: Request, policy: Policy, steps: Iterable[ExplainStep], places: Places | None = None
) -> list[Reason]:
    """The reasons in an explanation's steps, for the page, with the current lines of the files."""
    places = places or Places(request.registry.live.folder)
    declaration, profile = policy.declaration, policy.profile.name
    reasons = []
    for step in steps:
        sentence = request.reader.text(step.sentence)
        lines = deciding_lines(places, declaration, step, profile)
        reasons.append(Reason(sentence[:1].upper() + sentence[1:], step.holds, tuple(lines)))
    return reasons


def reasons_of_refusal(request: Request) -> tuple[Reason, ...]:
    """Why an address is not found in a preview, for the administrator; empty for others, and if no right decides.

    Administrators learn nothing about a record that they do not see themselves. A preview of declarations that are not
    in force covers the whole database.
    """
    preview, identity = request.visitor.read_only_view, request.visitor.identity
    module, *path = request.path_info.strip("/").split("/")
    if preview is None or identity is None or module not in request.portal.declaration.modules:
        return ()
    policy, record = identity.policy, path[0] if path else ""
    if not RECORD_ID.fullmatch(record):
        return _refusing(request, policy, explain_module(policy, module, ON_MODULES.get(record, "")))
    behind = preview.administrator.policy if preview.administrator else system_policy(policy.tables, policy.reader)
    records = Records(request.connection, behind, module)
    if behind.access(module) is None or not records.exists(int(record)):
        return (Reason(_("There is no such record, or you cannot see it yourself."), holds=False),)
    return _refusing(request, policy, _steps(request, policy, records, int(record), path[1:]))


def _refusing(request: Request, policy: Policy, steps: Iterable[ExplainStep]) -> tuple[Reason, ...]:
    reasons = shown_reasons(request, policy, steps)
    return () if all(reason.holds for reason in reasons) else tuple(reasons)


def _steps(request: Request, policy: Policy, records: Records, record_id: int, path: list[str]) -> list[ExplainStep]:
    subject = ACTION_OF_ADDRESS.get(path[0], path[0]) if path and path[0] in ON_RECORDS else None
    if path[:1] == ["move"] and path[-1] in records.module.transitions:
        subject = path[-1]
    return list(explain(request.connection, policy, records.name, record_id, subject))
