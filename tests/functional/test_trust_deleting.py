"""The reason why a record cannot be deleted reveals nothing that the reader may not see."""

import pytest
import sqlalchemy as sa

from portal.accounts.accounts import find_account
from portal.accounts.identity import identify
from portal.database.engine import writing
from portal.fields.linked_value import Linked
from portal.fields.refused import Refused
from portal.records.policy import Policy
from portal.records.reading.records import Records
from portal.records.writing.history import Author
from portal.records.writing.writer import Writer
from tests.functional.world import ANNA, NANCY


def refusal(world, email, module, identity):
    """The refusal for someone who may delete, with various profiles."""
    portal = world.portal
    with writing(portal.engine) as connection:
        account = find_account(connection, portal.tables, email)
        policy = identify(connection, portal.tables, account, now=world.clock.now).policy
        access = policy.modules[module].model_copy(update={"can": ("delete",)})
        profile = policy.profile.model_copy(update={"modules": {**policy.modules, module: access}})
        policy = Policy(portal.tables, profile, policy.reader)
        records = Records(connection, policy, module)
        with pytest.raises(Refused) as refused:
            Writer(records, Author(name="x")).delete(records.get(identity))
        connection.execute(sa.text("SELECT 1"))
        return policy.reader.text(refused.value.message)


def test_titles_of_foreign_records_are_not_told(world):
    acme = world.the("companies", "Acme")
    anna, carla = (world.the("people", name) for name in ("Anna Rossi", "Carla Neri"))
    service = world.add("services", name="Printing", customers=(acme,))
    for name, caller in (("Mine", anna), ("Hushed", carla)):
        world.add("requests", name=name, body="x", caller=caller, service=Linked(service, "services"))
    told = refusal(world, ANNA, "services", service)
    assert told == "Other records are still linked to this one."
    assert "Hushed" in refusal(world, NANCY, "services", service)
