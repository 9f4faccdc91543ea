"""A database of either kind for each test of migrations."""

import pytest

from portal.database.engine import make_engine
from tests.unit.database.migration.database import Portal


@pytest.fixture
def portal(database_url, tmp_path):
    """An empty database, without a declaration."""
    engine = make_engine(database_url)
    yield Portal(engine, tmp_path / "portal")
    engine.dispose()
