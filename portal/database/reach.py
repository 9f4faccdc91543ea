"""Reaching the database for the first time: an engine that has been tried, or one sentence that says why not."""

import sqlalchemy as sa

from portal.database.engine import make_engine, reading
from portal.database.trouble import DatabaseError

# For layers that only hand them on.
Engine = sa.Engine
Connection = sa.Connection


class NoDatabase(Exception):
    """The database cannot be had; the message says why, for whoever gave its address."""


def reach(url: str) -> sa.Engine:
    """The engine of an address, tried once. Raises NoDatabase."""
    try:
        engine = make_engine(url)
        with reading(engine) as connection:
            connection.execute(sa.select(sa.literal(1)))
            connection.execute(sa.text("SELECT count(*) FROM sqlite_master" if engine.name == "sqlite" else "SELECT 1"))
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        address = "sqlite:///var/portal.sqlite or postgresql+psycopg://user:password@host/name"
        raise NoDatabase(f'"{url}" is not the address of a database; one looks like {address}') from None
    except DatabaseError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise NoDatabase(f"the database at {shown(url)} cannot be used: {reason}") from None
    return engine


def shown(url: str) -> str:
    """A database's address without its password."""
    return sa.make_url(url).render_as_string(hide_password=True)
