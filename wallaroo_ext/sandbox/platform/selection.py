"""Selecting the rows of the tables that a user may see, by GraphQL's conditions and orders."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.platform.tables import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wallaroo_ext.sandbox.platform.tables import Relation, Table
    from wallaroo_ext.sandbox.storage.store import Store

CONDITIONS_LIMIT = 200
"""The most conditions of one selection: SQLite nests expressions up to a depth of a thousand."""
COMPARISONS = {"_eq": "=", "_neq": "<>", "_gt": ">", "_gte": ">=", "_lt": "<", "_lte": "<="}
"""The comparisons with one value, and SQL's operators."""
LISTS = {"_in": "IN", "_nin": "NOT IN"}
"""The comparisons with a list of values, and SQL's operators."""
_ROOT = "t"


class SelectionError(Exception):
    """A selection cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a table.

    Attributes:
        where: The conditions, as GraphQL writes them.
        order_by: The columns to order by, as GraphQL writes them.
        distinct_on: The columns of whose values only the first row is wanted.
        limit: The most rows; None for all.
        offset: How many rows are left out first.
        equal: Columns, hidden ones included, and the values that they have to have.
        search: A text that one of the table's words has to contain.
    """

    where: Mapping[str, Any] = field(default_factory=dict[str, Any])
    order_by: Sequence[Mapping[str, Any]] = ()
    distinct_on: Sequence[str] = ()
    limit: int | None = None
    offset: int = 0
    equal: Mapping[str, Any] = field(default_factory=dict[str, Any])
    search: str = ""


class Reader:
    """Reads the rows that one user may see.

    Args:
        tables: The tables by name.
        store: Where the rows are.
        user_id: The user.
        spend: Called with the number of rows that were read; it may raise to end the work.
    """

    def __init__(
        self, tables: Mapping[str, Table], store: Store, user_id: str, spend: Callable[[int], None] = lambda _: None
    ) -> None:
        self.store = store
        self.user_id = user_id
        self._tables = tables
        self._spend = spend

    def rows(self, table: str, wanted: Wanted) -> list[dict[str, Any]]:
        """Return rows of a table, hidden columns included.

        Raises:
            SelectionError: There are too many conditions.
        """
        statement, values = _Statement(self._tables).select(table, wanted)
        with self.store.reading() as db:
            found = [dict(row) for row in db.execute(statement, values | {"user": self.user_id})]
        self._spend(len(found))
        return _first_of_each(found, wanted) if wanted.distinct_on else found

    def row(self, table: str, **equal: Any) -> dict[str, Any] | None:
        """Return the row of a table with some values, or None."""
        return next(iter(self.rows(table, Wanted(equal=equal, limit=1))), None)

    def related(self, relation: Relation, row: Mapping[str, Any], wanted: Wanted) -> list[dict[str, Any]]:
        """Return the rows that a row leads to."""
        value = row[relation.column]
        if value is None:
            return []
        order = wanted.order_by or ([{"id": "desc"}] if relation.newest_first else ())
        return self.rows(relation.table, replace(wanted, equal={relation.other: value}, order_by=order))


def _first_of_each(rows: Iterable[dict[str, Any]], wanted: Wanted) -> list[dict[str, Any]]:
    """Return the first row of each value of some columns, within the limit."""
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        first.setdefault(tuple(row[name] for name in wanted.distinct_on), row)
    found = list(first.values())[wanted.offset :]
    return found if wanted.limit is None else found[: wanted.limit]


class _Statement:
    """Puts a statement in SQL together; every value is a parameter of it.

    Args:
        tables: The tables by name.
    """

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._values: dict[str, Any] = {}
        self._conditions = 0
        self._aliases = 0

    def select(self, table: str, wanted: Wanted) -> tuple[str, dict[str, Any]]:
        """Return the statement that selects what is wanted of a table, and the values of its parameters."""
        conditions = [f"{_ROOT}.{name} = {self._value(value)}" for name, value in wanted.equal.items()]
        conditions.append(self._where(table, _ROOT, wanted.where))
        if wanted.search:
            conditions.append(self._search(self._tables[table], wanted.search))
        order = [term for each in wanted.order_by for term in self._order(table, _ROOT, each)]
        rows = f"({self._tables[table].rows}) AS {_ROOT}"
        statement = " ".join((VISIBLE, "SELECT * FROM", rows, "WHERE", _all(conditions)))
        if order:
            statement += f" ORDER BY {', '.join(' '.join(term) for term in order)}"
        if not wanted.distinct_on and (wanted.limit is not None or wanted.offset):
            limit = -1 if wanted.limit is None else wanted.limit
            statement += f" LIMIT {self._value(limit)} OFFSET {self._value(wanted.offset)}"
        return statement, self._values

    def _value(self, value: Any) -> str:
        name = f"p{len(self._values)}"
        self._values[name] = value
        return f":{name}"

    def _search(self, table: Table, text: str) -> str:
        value = self._value(text.lower())
        return "(" + " OR ".join(f"instr(lower({word}), {value})" for word in table.words) + ")"

    def _where(self, table: str, alias: str, where: Mapping[str, Any]) -> str:
        """Return the condition that all entries of an object hold."""
        return _all([self._entry(table, alias, name, value) for name, value in where.items()])

    def _entry(self, table: str, alias: str, name: str, value: Any) -> str:
        self._conditions += 1
        if self._conditions > CONDITIONS_LIMIT:
            raise SelectionError(f"A selection may have at most {CONDITIONS_LIMIT} conditions.")
        if value is None:
            raise SelectionError(f"The condition {name!r} is null; leave it out, or use _is_null.")
        if name == "_and":
            return _all([self._where(table, alias, each) for each in value])
        if name == "_or":
            return "(" + (" OR ".join(self._where(table, alias, each) for each in value) or "0") + ")"
        if name == "_not":
            return f"NOT {self._where(table, alias, value)}"
        relation = self._tables[table].relations.get(name)
        if relation is None:
            return _all([self._comparison(f"{alias}.{name}", operator, each) for operator, each in value.items()])
        inner = self._alias()
        condition = f"{self._joined(relation, alias, inner)} AND {self._where(relation.table, inner, value)}"
        return f"EXISTS ({condition})"

    def _joined(self, relation: Relation, alias: str, inner: str, wanted: str = "1") -> str:
        """Return the SQL that selects something of the rows that a row leads to, to be continued with AND."""
        rows, is_related = self._tables[relation.table].rows, f"{inner}.{relation.other} = {alias}.{relation.column}"
        return " ".join(("SELECT", wanted, "FROM", f"({rows})", "AS", inner, "WHERE", is_related))

    def _alias(self) -> str:
        self._aliases += 1
        return f"{_ROOT}{self._aliases}"

    def _comparison(self, column: str, operator: str, value: Any) -> str:
        if value is None:
            raise SelectionError(f"{operator} is null; leave it out, or use _is_null.")
        if operator == "_is_null":
            return f"{column} IS {'' if value else 'NOT '}NULL"
        if operator in LISTS:
            values = self._value(json.dumps(value))
            return f"{column} {LISTS[operator]} (SELECT value FROM json_each({values}))"  # noqa: S608 - a parameter
        return f"{column} {COMPARISONS[operator]} {self._value(value)}"

    def _order(self, table: str, alias: str, order: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the terms of an order and their directions: columns of a table, or of what it leads to one row of."""
        terms: list[tuple[str, str]] = []
        for name, value in order.items():
            relation = self._tables[table].relations.get(name)
            if relation is None:
                terms.append((f"{alias}.{name}", "DESC" if value == "desc" else "ASC"))
                continue
            inner = self._alias()
            terms += [
                (f"({self._joined(relation, alias, inner, term)})", direction)
                for term, direction in self._order(relation.table, inner, value or {})
            ]
        if len(terms) > CONDITIONS_LIMIT:
            raise SelectionError(f"An order may have at most {CONDITIONS_LIMIT} terms.")
        return terms


def _all(conditions: Sequence[str]) -> str:
    return "(" + (" AND ".join(conditions) or "1") + ")"
