"""Deadlines in the declaration: what a key without `within` is for."""

from portal.declaration.load import load
from tests.portal_files import write_portal


def test_the_end_of_a_deadline_that_people_set_is_of_use_to_its_timeliness(tmp_path):
    fields = "{name: text, done: datetime, due: {type: datetime, to: done}, state: {type: timeliness, of: due}}"
    write_portal(tmp_path, f"modules: {{tasks: {{see: all, fields: {fields}}}}}", staff="modules: {tasks: {}}")
    assert [str(problem) for problem in load(tmp_path).problems] == []
