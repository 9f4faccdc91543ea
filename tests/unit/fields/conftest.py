"""A connection to each kind of database, whose tables are gone when the test ends."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.real_parts import PostgreSQL


@pytest.fixture(scope="package")
def postgresql_engine(postgresql: PostgreSQL) -> Iterator[sa.Engine]:
    with postgresql.empty_database() as url:
        engine = sa.create_engine(url)
        yield engine
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    if request.param == "sqlite":
        engine = sa.create_engine("sqlite://")
    else:
        engine = request.getfixturevalue("postgresql_engine")
    with engine.connect() as connection:
        yield connection
        # Nothing is committed: PostgreSQL also rolls back tables, SQLite's were in memory.
        connection.rollback()
    if request.param == "sqlite":
        engine.dispose()


@pytest.fixture
def database(connection: sa.Connection) -> sa.Connection:
    return connection
