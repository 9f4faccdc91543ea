"""Values of one request that are bound when a statement is executed: what a reader types into filters, the record that
others link to, the moment.

Thus the statements of a list are built once for everything typed into the same filters, those of a related list once
for all records, and those of a tab of late records once a day; building them takes several times as long as executing
them. Their plans are not kept: the best index depends on the value.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from portal.conditions import Comparison, Condition, ParsedValue, ValueAtExecution
from portal.database.existing_tables.search import OPERATOR
from portal.fields.linked_value import Linked
from portal.records.reading.statements import Statements

MOST_VALUES = 6  # of one statement; those with more vary too much to be kept


@dataclass
class TypedValues:
    """The values of one reader's request, and the names of their parameters.

    `statements`: for this reader alone, whose rights decide which linked records a text finds.
    """

    statements: Statements
    dialect: sa.Dialect
    values: dict[str, Any] = field(default_factory=dict)
    known: dict[Comparison, Condition] = field(default_factory=dict)

    def replaced(self, condition: Condition) -> Condition:
        """The same condition with parameters instead of such values, if possible."""
        if not isinstance(condition, Comparison):
            return replace(condition, parts=tuple(map(self.replaced, condition.parts)))
        if condition.negated or condition.operator == OPERATOR:
            return condition
        if not condition.needs_clock and not isinstance(condition.value, ParsedValue | Linked):
            return condition
        if condition not in self.known:
            self.known[condition] = self._with_parameters(condition)
        return self.known[condition]

    def _with_parameters(self, condition: Comparison) -> Condition:
        values: dict[str, Any] = {}
        parameters: list[str] = []  # names and types, since the SQL may lack the types

        def parameter(element: Any, **options: Any) -> Any:
            if not isinstance(element, sa.BindParameter):
                return None
            name = f"typed_{len(self.values) + len(values)}"
            values[name] = element.effective_value
            parameters.append(f"{name}: {element.type!r}")
            return sa.bindparam(name, type_=element.type)

        sql: Any = visitors.replacement_traverse(self.statements.sql(condition), {}, parameter)
        lists = any(isinstance(value, list | tuple) for value in values.values())  # the text of IN depends on length
        if lists or len(self.values) + len(values) > MOST_VALUES:
            return condition
        self.values |= values
        form = f"{sql.compile(dialect=self.dialect)} {parameters}"
        return replace(condition, value=ValueAtExecution(form, sql))
