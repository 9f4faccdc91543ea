"""The states that a record was in, from its events."""

import datetime

from portal.declaration.shapes import Lifecycle, Transition
from portal.records.reading.states_entered import states_entered

AT = datetime.datetime(2026, 3, 5, tzinfo=datetime.UTC)
LIFECYCLE = Lifecycle(
    field="status", start="new", transitions={"withdrawn": Transition(**{"from": "new", "to": "stopped"})}
)


def test_a_transition_has_the_name_of_another_kind_of_event():
    def entered(*kinds):
        oldest_first = [{"kind": kind, "details": None, "at": AT, "author": "Anna", "account": 1} for kind in kinds]
        return [entry.state for entry in states_entered(LIFECYCLE, oldest_first[::-1])]

    assert entered("created", "withdrawn") == ["new"]  # a comment was
    assert entered("created", "moved:withdrawn") == ["new", "stopped"]
