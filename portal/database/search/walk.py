"""The walk of a search on PostgreSQL from era to era, as a recursive SQL statement over the GIN index.

Called by postgresql.py, whose docstring explains eras. A single search has parameters; several searches in different
modules share one statement, each with the values of its row of `searches`.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from portal.database.search.search_request import PageStart, PositionIn, Search, other_part

INDEX = "portal_search_eras"
MAX_PREFIX = 8
SHORTEST, LONGEST = 10, 18  # the binary logarithms of the lengths of eras, in values of `seq`
ERA_BITS = range(SHORTEST, LONGEST + 1, 2)
# The approximate maximum of hits in the first era. Reading more of a long one costs less than finding shorter ones.
EXPECTED_HITS, EXPECTED_OF_LONGEST = 500, 1500
FEW_HITS = 250  # in an era, up to which the next one is longer
# Hits that are read in an era; if it has more, one that is shorter by FEWER_BITS is read instead. After an era without
# hits, it only matters whether there are any.
MOST_HITS, MOST_BEHIND_NONE, FEWER_BITS = 2000, 250, 4
# A search that begins with a short era reads none longer than this: GIN collects all hits before the first is read.
SHORT, LONGEST_OF_COMMON = 12, 14

# PostgreSQL only uses the index for an expression written exactly like this. “C” compares bytes.
TOKENS_SQL = f'({INDEX}(portal_search.scope, portal_search.text, portal_search.seq) COLLATE "C")'
_tokens: sa.ColumnElement[Any] = sa.literal_column(TOKENS_SQL, ARRAY(sa.Text()))
# Parameters of a search: the tokens of the scope, each with a placeholder for the number of its era, separated by
# spaces; the lengths of the first and of the longest era.
_SCOPES = sa.bindparam("scopes", type_=sa.Text())
_BITS, _LONGEST = sa.bindparam("bits", type_=sa.Integer()), sa.bindparam("longest", type_=sa.Integer())
_LONG_ERA = sa.literal_column(f"'@' || (era.number >> ({LONGEST} - walk.bits))", sa.Text())
_SHORT_ERA: sa.ColumnElement[Any] = sa.literal_column(
    f"CASE WHEN walk.bits < {LONGEST} THEN ARRAY['_e' || walk.bits || '_' || era.number] ELSE '{{}}' END"
)
# The values that differ between the modules of a joint search.
VALUES_PER_MODULE: dict[str, sa.types.TypeEngine[Any]] = {
    "token": sa.Text(),  # the module's, or a word again if the module's excludes fewer rows
    "module": sa.Text(),
    "other_part": sa.Integer(),
    "scopes": sa.Text(),
    "bits": sa.Integer(),
    "longest": sa.Integer(),
}
_BEFORE, _AFTER = sa.bindparam("before", type_=sa.BigInteger()), sa.bindparam("after", type_=sa.BigInteger())

# The number of the era at an edge, the edge after it, and the next row from there.
OLDEST_FIRST = (
    "walk.edge >> walk.bits",
    "((era.number + 1) << walk.bits)",
    "(SELECT min(next.seq) FROM portal_search next WHERE next.seq >= ((era.number + 1) << walk.bits))",
)
NEWEST_FIRST = (
    "(walk.edge - 1) >> walk.bits",
    "(era.number << walk.bits)",
    "(SELECT max(next.seq) + 1 FROM portal_search next WHERE next.seq < (era.number << walk.bits))",
)


def walk_eras(
    search: Search, start: PageStart, required: int, size: sa.ColumnElement[int] | None, of_modules: bool = False
) -> sa.CTE:
    """The eras one after another, each with its rows as arrays, until `size` rows are read or no more exist.

    `edge` and `bits`: where the next era ends (begins, for a page read oldest first) and its length; `longest`: the
    maximum length of the following ones; `most`: how many hits are read in it; `number`: how many earlier eras had.
    `of_modules`: whether the values that differ between modules are read from a row of `searches`.
    """
    bits, longest_of_all = (
        _of_search(name) if of_modules else constant for name, constant in (("bits", _BITS), ("longest", _LONGEST))
    )
    newest = sa.select(sa.func.max(search.table.c["seq"])).scalar_subquery()
    edge = _AFTER + 1 if start.oldest_first else sa.func.coalesce(_BEFORE, newest + 1)
    first = {"most": f"{MOST_HITS}", "seqs": "'{}'::bigint[]", "records": "'{}'::bigint[]", "number": "0::bigint"}
    columns = [edge.label("edge"), bits.label("bits")]
    begin = sa.select(*columns, *_columns(first), longest_of_all.label("longest"))
    walk = begin.cte("walk", recursive=True, nesting=of_modules)
    rows = _rows_of_era(search, start, required, of_modules).subquery("rows")
    all_rows = {"seqs": "array_agg(rows.seq)", "records": "array_agg(rows.record)", "number": "count(*)"}
    read = sa.select(*_columns(all_rows)).select_from(rows).lateral("read")
    era, next_edge, next_row = OLDEST_FIRST if start.oldest_first else NEWEST_FIRST
    has_more, at_long_era = "read.number = walk.most", f"{next_edge} & {(1 << LONGEST) - 1} = 0"
    # A long era with too many hits is read to its end in short ones.
    next_longest = sa.case(
        (sa.literal_column(has_more), sa.literal_column(f"least(walk.longest, {LONGEST_OF_COMMON})")),
        (sa.literal_column(at_long_era), longest_of_all),
        else_=walk.c["longest"],
    )
    eras = walk.join(sa.select(*_columns({"number": era})).lateral("era"), sa.true()).join(read, sa.true())
    following = _next_step(next_edge, next_row, has_more, at_long_era)
    steps = sa.select(*_columns(following), next_longest).select_from(eras)
    steps = steps.where(walk.c["edge"] <= newest if start.oldest_first else walk.c["edge"] > sa.literal_column("0"))
    return walk.union_all(steps if size is None else steps.where(walk.c["number"] < size))


def _next_step(next_edge: str, next_row: str, has_more: str, at_long_era: str) -> dict[str, str]:
    """The columns of `walk` after an era, as SQL: the place and length of the next one, and the result of this one.

    `has_more`: whether this one has more hits than are read; `at_long_era`: whether a long era ends with it.
    """
    has_few = f"(read.number << walk.bits) < {FEW_HITS} * abs(walk.edge - {next_edge})"
    # Only those that begin there: one that overlaps the last might repeatedly turn out too long.
    longest = " ".join(f"WHEN {next_edge} & {(1 << bits) - 1} = 0 THEN {bits}" for bits in reversed(ERA_BITS))
    longest = f"least(walk.longest, CASE {longest} END)"
    return {
        # After a long era, the walk continues at the next row: there may be billions of numbers without rows.
        "edge": f"CASE WHEN {has_more} THEN walk.edge WHEN {at_long_era} THEN {next_row} ELSE {next_edge} END",
        "bits": f"CASE WHEN {has_more} THEN greatest(walk.bits - {FEWER_BITS}, {SHORTEST})"
        f" WHEN read.number = 0 THEN {longest} WHEN {has_few} THEN least(walk.bits + 2, {longest}) ELSE walk.bits END",
        "most": f"CASE WHEN {has_more} AND walk.bits - {FEWER_BITS} > {SHORTEST} THEN {EXPECTED_HITS}"
        f" WHEN read.number = 0 AND {longest} > {SHORTEST} THEN {MOST_BEHIND_NONE} ELSE {MOST_HITS} END",
        "seqs": f"CASE WHEN NOT {has_more} THEN read.seqs END",
        "records": f"CASE WHEN NOT {has_more} THEN read.records END",
        "number": f"walk.number + CASE WHEN {has_more} THEN 0 ELSE read.number END",
    }


def _columns(expressions: Mapping[str, str]) -> list[sa.Label[Any]]:
    return [sa.literal_column(sql).label(name) for name, sql in expressions.items()]


def _of_search(name: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"searches.{name}", VALUES_PER_MODULE[name])


def _rows_of_era(search: Search, start: PageStart, required: int, of_modules: bool) -> sa.Select[tuple[int, int]]:
    """The rows of one era with the words and `required` tokens, up to `walk.most`."""
    table = search.table
    tokens = [required_parameter(place) + _LONG_ERA for place in range(required)]
    if of_modules:
        tokens.append(_of_search("token") + _LONG_ERA)
    # Each is a separate condition: GIN skips between conditions, but within one it examines every entry of a list.
    rows = sa.select(table.c["seq"], table.c["record"]).where(*(_has("@>", array([token])) for token in tokens))
    rows = rows.where(_has("@>", _SHORT_ERA))
    if search.scopes is not None:
        scopes = sa.func.replace(_of_search("scopes") if of_modules else _SCOPES, sa.literal_column("'@'"), _LONG_ERA)
        rows = rows.where(_has("&&", sa.func.string_to_array(scopes, sa.literal_column("' '"))))
    # Written so that PostgreSQL reads no other index for it.
    rows = rows.where(sa.literal_column(f"portal_search.seq - walk.edge {'>=' if start.oldest_first else '<'} 0"))
    if of_modules:
        rows = rows.where(table.c["module"] == _of_search("module"), table.c["part"] != _of_search("other_part"))
    else:
        module, part = _unknown(search.module.name), _unknown(other_part(search.part))
        rows = rows.where(table.c["module"] == module, table.c["part"] != part, *search.visible_tests(table))
    needles = map(needle_parameter, range(len(text_tests(search))))
    tests = (PositionIn(table.c["text"], needle) > sa.literal_column("0") for needle in needles)
    return rows.where(*tests).limit(sa.literal_column("walk.most"))


def _has(operator: str, tokens: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return _tokens.op(operator, is_comparison=True)(tokens)


def required_parameter(place: int) -> sa.BindParameter[str]:
    """The parameter of the walk for one of the token queries that a hit must fulfill."""
    return sa.bindparam(f"required_{place}", type_=sa.Text())


def needle_parameter(place: int) -> sa.BindParameter[str]:
    """The parameter for one of the texts that are tested in each hit, in addition to the index."""
    return sa.bindparam(f"tested_{place}", type_=sa.Text())


def _unknown(value: str | int) -> sa.ScalarSelect[Any]:
    """A parameter whose value does not affect PostgreSQL's plan, so that it can see that one plan suits all values."""
    return sa.select(sa.literal(value)).scalar_subquery()


def rows_of_eras(walk: sa.CTE) -> sa.Subquery:
    """The individual rows that the walk collected from the eras."""
    row = sa.func.unnest(walk.c["seqs"], walk.c["records"]).table_valued("seq", "record").render_derived("row_of_era")
    return sa.select(row.c["seq"], row.c["record"]).select_from(walk.join(row, sa.true())).subquery("hits_of_eras")


def text_tests(search: Search) -> tuple[str, ...]:
    """What GIN does not have in its index and PostgreSQL must test in the text: phrases, long prefixes and whole words.

    At least the empty text, which every text has: planning another statement would take longer.
    """
    terms = search.words.terms
    tested = [term.needle for term in terms if len(term.word) > (1 if term.whole else MAX_PREFIX)]
    return (*dict.fromkeys(tested), *search.words.phrases) or ("",)
