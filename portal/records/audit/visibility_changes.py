"""What a new declaration means for people: which records they no longer see, and which they see in addition.

`Policy.scope` is evaluated under both declarations, and the database compares the results. People with the same scopes
are compared together; a module whose scope is the same under both declarations is skipped.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from portal.batches import batched
from portal.database.migration.temporary_views import SAME
from portal.fields.reader import Reader
from portal.records.policy import Policy, system_policy
from portal.records.reading.records import Records
from portal.texts import plural

SHOWN = 2  # examples of a change, and people of an example
FEW = 1_000  # records that are read for one group; groups with more are queried together
TOGETHER = 200  # groups in one statement
# Ids that no record has: a scope with one of them among its parameters depends on the person or the companies.
NO_PERSON, NO_COMPANY = -7_022_601_118, -8_022_601_118
Groups = dict[Hashable, list["Person"]]


@dataclass(frozen=True)
class Person:
    """A person with an account, and their rights under both declarations; None: they cannot sign in."""

    name: str
    profile: str
    before: Policy | None
    after: Policy | None


@dataclass(frozen=True)
class Example:
    """A record that disappears or appears, and some of the people for whom it does."""

    record_id: int
    reference: str
    title: str
    people: tuple[str, ...]

    def __str__(self) -> str:
        title = "" if self.title == self.reference else f" {self.title}"
        return f"{self.reference}{title} ({', '.join(self.people)})"


@dataclass(frozen=True)
class VisibilityChange:
    """The records of a module that people of one profile lose or gain; `module` is its name where they see them."""

    profile: str
    module: str
    lost: bool
    people: tuple[Person, ...]
    records: frozenset[int]
    examples: tuple[Example, ...]

    @property
    def sentence(self) -> str:
        """“12 people no longer see 3,401 tickets, for example TT1044 Printer (Giulia Ferrante)”."""
        return f"{self.summary}, for example {' and '.join(map(str, self.examples))}"

    @property
    def summary(self) -> str:
        """“12 people no longer see 3,401 tickets”, or “1 person sees 2 more tickets”."""
        who, sees = plural(len(self.people), "person", "people"), "see" if len(self.people) > 1 else "sees"
        number, more, name = len(self.records), "" if self.lost else "more ", self.module.replace("_", " ")
        records = f"{number:,} {more}{name}" if number > 1 else f"1 {more}record of {name}"
        return f"{who} {'no longer ' if self.lost else ''}{sees} {records}"


@dataclass(frozen=True)
class ModulePair:
    """The name of a module under both declarations; None if it does not exist there."""

    before: str | None
    after: str | None


def visibility_changes(
    connection: sa.Connection, people: Sequence[Person], pairs: Sequence[ModulePair]
) -> Iterator[VisibilityChange]:
    """What changes for each profile in each module. `connection`: see `open_side_by_side`."""
    comparison = _Comparison(connection)
    for profile in dict.fromkeys(person.profile for person in people):
        of_profile = [person for person in people if person.profile == profile]
        for pair in pairs:
            groups = comparison.groups(of_profile, pair)
            for lost in (True, False):
                if change := comparison.change(profile, groups, pair, lost):
                    yield change


class _Comparison:
    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._kinds: dict[Hashable, tuple[bool, bool, bool]] = {}

    # -- people whose scopes are the same -------------------------------------------------------------------------

    def groups(self, people: Sequence[Person], pair: ModulePair) -> Groups:
        """The people for whom something may change, grouped by equal scopes."""
        groups: Groups = defaultdict(list)
        for person in people:
            kind = self._kind(person, pair)
            if kind not in self._kinds:
                self._kinds[kind] = self._compare_scopes(person, pair)
            is_same, has_person, has_companies = self._kinds[kind]
            readers = [policy.reader for policy in (person.before, person.after) if policy is not None]
            if is_same and len({(reader.person, reader.companies) for reader in readers}) == 1:
                continue
            own = tuple(
                (reader.person if has_person else None, reader.companies if has_companies else None)
                for reader in readers
            )
            groups[kind, own].append(person)
        return groups

    def _kind(self, person: Person, pair: ModulePair) -> Hashable:
        policies = (person.before, person.after)
        facts = tuple(
            policy
            and (policy.profile.name, policy.records_from, policy.reader.person is None, len(policy.reader.companies))
            for policy in policies
        )
        return pair, facts

    def _compare_scopes(self, person: Person, pair: ModulePair) -> tuple[bool, bool, bool]:
        """Whether both scopes are the same, whether they depend on the person, and whether on the companies."""
        before, after = (
            self._written(_anonymous(policy), name)
            for policy, name in ((person.before, pair.before), (person.after, pair.after))
        )
        parameters = before[1] + after[1]
        return before == after, str(NO_PERSON) in parameters, str(NO_COMPANY) in parameters

    def _written(self, policy: Policy | None, module: str | None) -> tuple[str, str]:
        """The scope as SQL, and its parameters."""
        if policy is None or module is None or policy.access(module) is None:
            return "", ""
        query = sa.select(policy.tables.module(module).c["id"]).where(policy.scope(module))
        compiled = query.compile(self.connection, compile_kwargs={"render_postcompile": True})
        return compiled.string.replace(SAME, ""), repr(sorted(compiled.params.items()))

    # -- records --------------------------------------------------------------------------------------------------

    def change(self, profile: str, groups: Groups, pair: ModulePair, lost: bool) -> VisibilityChange | None:
        """The records that are lost or gained."""
        module = pair.before if lost else pair.after
        if module is None:
            return None
        concerned: list[tuple[list[Person], int]] = []  # with one record each
        records: set[int] = set()
        many: list[list[Person]] = []
        for group in groups.values():
            policy = group[0].before if lost else group[0].after
            if policy is None or policy.access(module) is None:
                continue
            some = set(self.connection.scalars(self._query([group], pair, lost).limit(FEW + 1)))
            concerned += [(group, max(some))] if some else []
            records |= some
            if len(some) > FEW:
                many.append(group)
        for alike in batched(many, TOGETHER):  # most groups share records, and each record is returned once
            records.update(self.connection.scalars(self._query(alike, pair, lost)))
        if not concerned:
            return None
        policy = concerned[0][0][0].before if lost else concerned[0][0][0].after
        people = tuple(person for group, _record_id in concerned for person in group)
        examples = tuple(self._examples(policy, module, concerned))
        return VisibilityChange(profile, module, lost, people, frozenset(records), examples)

    def _query(self, groups: Sequence[list[Person]], pair: ModulePair, lost: bool) -> sa.Select[Any]:
        """The records that at least one of the groups loses or gains."""
        people = [group[0] for group in groups]
        policy, module = (people[0].before, pair.before) if lost else (people[0].after, pair.after)
        if policy is None or module is None:
            raise ValueError("nobody sees anything on that side")
        changed = [
            sa.and_(seen.scope(module), sa.not_(self._kept(person, pair, lost)))
            for person in people
            if (seen := person.before if lost else person.after) is not None
        ]
        return sa.select(policy.tables.module(module).c["id"]).where(sa.or_(*changed))

    def _kept(self, person: Person, pair: ModulePair, lost: bool) -> sa.ColumnElement[bool]:
        """Whether a record seen on one side is also seen on the other."""
        here, other = (person.before, person.after) if lost else (person.after, person.before)
        name, other_name = (pair.before, pair.after) if lost else (pair.after, pair.before)
        if here is None or name is None or other is None or other_name is None or other.access(other_name) is None:
            return sa.false()
        table, other_table = here.tables.module(name), other.tables.module(other_name)
        same = other_table.c["id"] == table.c["id"]
        return sa.exists(sa.select(sa.literal(1)).select_from(other_table).where(same, other.scope(other_name)))

    def _examples(
        self, policy: Policy | None, module: str, concerned: Sequence[tuple[list[Person], int]]
    ) -> Iterator[Example]:
        by_record: dict[int, list[Person]] = {}
        for group, record_id in concerned:
            if record_id in by_record or len(by_record) < SHOWN:
                by_record.setdefault(record_id, []).extend(group)
        if policy is None:
            return
        records = Records(self.connection, system_policy(policy.tables, policy.reader), module)
        for record in records.by_ids(list(by_record), []):
            names = tuple(person.name for person in by_record[record.id][:SHOWN])
            yield Example(record.id, record.reference, record.title, names)


def _anonymous(policy: Policy | None) -> Policy | None:
    """A policy to compare scopes by, for a reader of the same kind who does not exist."""
    if policy is None:
        return None
    reader: Reader = policy.reader
    companies = tuple(NO_COMPANY - place for place in range(len(reader.companies)))
    return replace(
        policy, reader=replace(reader, person=None if reader.person is None else NO_PERSON, companies=companies)
    )
