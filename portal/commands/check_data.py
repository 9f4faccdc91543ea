"""What `portal check --data` looks at: the declarations against the records."""

from collections.abc import Iterator
from pathlib import Path

from portal.accounts.accounts import find_account
from portal.accounts.identity import identify
from portal.commands.database_errors import database_errors_explained
from portal.commands.open_portal import OpenPortal, open_portal
from portal.database.engine import Connection, reading
from portal.declaration.source.places import Places
from portal.declaration.source.problems import Problem
from portal.records.audit.expectations import check_expectations, check_named_records, check_sign_up_companies
from portal.records.audit.missing_indexes import check_speed
from portal.records.audit.removed_options import check_options
from portal.records.policy import Policy
from portal.records.writing.retention import overdue_sentences


def data_problems(folder: Path | None) -> list[Problem]:
    """What `portal check --data` finds: unmet expectations, missing and outdated records, lists that would be slow."""
    portal = open_portal(folder=folder)
    places = Places(portal.settings.folder)
    with database_errors_explained(), reading(portal.engine) as connection:
        return list(_problems(portal, connection, places))


def _problems(portal: OpenPortal, connection: Connection, places: Places) -> Iterator[Problem]:
    declaration, tables = portal.declaration, portal.tables
    language, now = declaration.settings.languages[0], declaration.reader().now

    def policy_of(email: str) -> Policy | None:
        account = find_account(connection, tables, email)
        if account is None or account.profile not in declaration.profiles:
            return None
        return identify(connection, tables, account, language=language, now=now).policy

    yield from check_expectations(connection, declaration, places, policy_of)
    yield from check_named_records(connection, tables, places)
    yield from check_sign_up_companies(connection, tables, places)
    yield from check_options(connection, tables, places)
    yield from check_speed(connection, tables, places)
    for module, sentence in overdue_sentences(connection, tables, now):
        yield places.problem("modules.yaml", ("modules", module.name, "keep"), sentence, warning=True)
