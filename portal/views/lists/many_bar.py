"""The bar of a list by which something is done to many of its records."""

from collections.abc import Sequence

from portal.records.reading.records import Records
from portal.records.writing.many import transitions_for_many
from portal.texts import _
from portal.views.forms.submissions import one_time_key
from portal.views.lists.many_parts import ManyAction, ManyForm
from portal.web.addresses import bulk_address


def many_form(
    records: Records, parameters: Sequence[tuple[str, str]], total: str, export: bool = False
) -> ManyForm | None:
    """The bar; None where the profile may do nothing to many records. `total`: how many match on all pages."""
    actions = [
        ManyAction(move.name, move.label or move.name, move.icon or "", move.tone or "")
        for move in transitions_for_many(records)
    ]
    if records.policy.may(records.name, "delete"):
        actions.append(ManyAction("delete", _("Delete"), "trash-2"))
    if export:
        actions.append(ManyAction("export", _("Export"), "download"))
    return ManyForm(bulk_address(records.name, parameters), one_time_key(), total, tuple(actions)) if actions else None
