"""Common parts of the search tests: the table of texts, two modules, and functions to write and search."""

import sqlalchemy as sa

from portal.database.search.index import Entry, page, put_many, search_table
from portal.database.search.search_request import Search
from portal.database.search.words import parse_words

metadata = sa.MetaData(naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s"})
search = search_table(metadata)
tickets = sa.Table("tickets", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("open", sa.Boolean))
articles = sa.Table("help_articles", metadata, sa.Column("id", sa.Integer, primary_key=True))


def write(connection, record, *texts, module="tickets", **more):
    put_many(connection, search, [Entry(module, record, texts, **more)])


def found(connection, text, limit=25, before=None, after=None, module=tickets, **more):
    hits = page(connection, Search(search, module, parse_words(text), **more), limit, before, after)
    assert [hit.seq for hit in hits] == sorted((hit.seq for hit in hits), reverse=True)
    return [hit.record for hit in hits]
