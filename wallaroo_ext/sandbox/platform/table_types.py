"""The types of GraphQL that the tables have: objects, conditions, orders and names of columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
)

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.platform.selection import COMPARISONS, LISTS, SelectionError, Wanted
from wallaroo_ext.sandbox.storage.clock import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import GraphQLResolveInfo

    from wallaroo_ext.sandbox.platform.selection import Reader
    from wallaroo_ext.sandbox.platform.tables import Relation, Table

    Info = GraphQLResolveInfo[Reader]

_INT64 = 2**63
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def _bigint(value: Any) -> int:
    number = int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) <= 20 else value  # noqa: PLR2004 - the digits of 64 bits
    if type(number) is not int or not -_INT64 <= number < _INT64:
        raise GraphQLError(f"A bigint is a whole number of 64 bits, not {str(value)[:40]!r}.")
    return number


def _time(value: Any) -> str:
    try:
        time = datetime.fromisoformat(value)
        aware = time if time.tzinfo else time.replace(tzinfo=UTC)
        return to_text((aware - _EPOCH) // _MICROSECOND * 1000)
    except (TypeError, ValueError, OverflowError):
        raise GraphQLError(f"A timestamptz is a time in ISO 8601, not {str(value)[:40]!r}.") from None


BIGINT = GraphQLScalarType("bigint", parse_value=_bigint)
FLOAT8 = GraphQLScalarType("float8", parse_value=GraphQLFloat.parse_value)
JSONB = GraphQLScalarType("jsonb")
TIME = GraphQLScalarType("timestamptz", parse_value=_time)
_SCALARS = {
    "bigint": BIGINT,
    "float8": FLOAT8,
    "jsonb": JSONB,
    "timestamptz": TIME,
    "Boolean": GraphQLBoolean,
    "Float": GraphQLFloat,
    "String": GraphQLString,
}
_ORDER = GraphQLEnumType("order_by", {name: GraphQLEnumValue(name) for name in ("asc", "desc")})


def list_of_all(kind: Any) -> GraphQLNonNull[Any]:
    """Return the type of a list without nulls, which is there itself."""
    return GraphQLNonNull(GraphQLList(GraphQLNonNull(kind)))


class TableTypes:
    """The types of the tables.

    Args:
        tables: The tables by name.
        shown: What of a value in JSON is shown, by table and column; by default, all of it.
    """

    def __init__(
        self, tables: Mapping[str, Table], shown: Mapping[tuple[str, str], Callable[[Any], Any]] | None = None
    ) -> None:
        self.tables = tables
        self._shown = shown or {}
        self._comparisons = {name: _comparison(name, kind) for name, kind in _SCALARS.items()}
        self.conditions = {name: self._condition(name) for name in tables}
        self.orders = {name: self._order(name) for name in tables}
        self.columns = {name: _columns(name, table) for name, table in tables.items()}
        self.objects = {name: self._object(name) for name in tables}
        self.aggregates = {name: self._aggregate(name) for name in tables}

    def arguments(self, table: str) -> dict[str, GraphQLArgument]:
        """Return the arguments with which rows of a table are selected."""
        return {
            "where": GraphQLArgument(self.conditions[table]),
            "order_by": GraphQLArgument(GraphQLList(GraphQLNonNull(self.orders[table]))),
            "distinct_on": GraphQLArgument(GraphQLList(GraphQLNonNull(self.columns[table]))),
            "limit": GraphQLArgument(GraphQLInt),
            "offset": GraphQLArgument(GraphQLInt),
        }

    def _object(self, name: str) -> GraphQLObjectType:
        return GraphQLObjectType(name, lambda: self._fields(name))

    def _fields(self, name: str) -> dict[str, GraphQLField]:
        table = self.tables[name]
        fields = {column: self._column(name, column, kind) for column, kind in table.columns.items()}
        for field, relation in table.relations.items():
            fields |= self._many(field, relation) if relation.many else {field: self._one(relation)}
        return fields

    def _column(self, table: str, column: str, kind: str) -> GraphQLField:
        scalar = _SCALARS[kind.rstrip("!")]
        if scalar is JSONB:
            shown = self._shown.get((table, column), _whole)

            def resolve(row: dict[str, Any], _: Info, path: str | None = None) -> Any:
                return _json(row[column], shown, path)

            return GraphQLField(JSONB, {"path": GraphQLArgument(GraphQLString)}, resolve)
        return GraphQLField(GraphQLNonNull(scalar) if kind.endswith("!") else scalar)

    def _one(self, relation: Relation) -> GraphQLField:
        def resolve(row: dict[str, Any], info: Info) -> dict[str, Any] | None:
            return next(iter(select(info, lambda reader: reader.related(relation, row, Wanted(limit=1)))), None)

        return GraphQLField(self.objects[relation.table], resolve=resolve)

    def _many(self, field: str, relation: Relation) -> dict[str, GraphQLField]:
        def resolve(row: dict[str, Any], info: Info, **arguments: Any) -> list[dict[str, Any]]:
            return select(info, lambda reader: reader.related(relation, row, wanted(arguments)))

        arguments = self.arguments(relation.table)
        return {
            field: GraphQLField(list_of_all(self.objects[relation.table]), arguments, resolve),
            f"{field}_aggregate": GraphQLField(GraphQLNonNull(self.aggregates[relation.table]), arguments, resolve),
        }

    def _aggregate(self, name: str) -> GraphQLObjectType:
        def count(rows: list[Any], _: Info) -> dict[str, int]:
            return {"count": len(rows)}

        def nodes(rows: list[Any], _: Info) -> list[Any]:
            return rows

        counted = GraphQLObjectType(f"{name}_aggregate_fields", {"count": GraphQLField(GraphQLNonNull(GraphQLInt))})
        fields = {
            "aggregate": GraphQLField(counted, resolve=count),
            "nodes": GraphQLField(list_of_all(self.objects[name]), resolve=nodes),
        }
        return GraphQLObjectType(f"{name}_aggregate", fields)

    def _condition(self, name: str) -> GraphQLInputObjectType:
        def fields() -> dict[str, GraphQLInputField]:
            own, table = self.conditions[name], self.tables[name]
            many = GraphQLInputField(GraphQLList(GraphQLNonNull(own)))
            kinds = {column: self._comparisons[kind.rstrip("!")] for column, kind in table.columns.items()}
            others = {field: self.conditions[relation.table] for field, relation in table.relations.items()}
            return {"_and": many, "_or": many, "_not": GraphQLInputField(own)} | {
                field: GraphQLInputField(kind) for field, kind in (kinds | others).items()
            }

        return GraphQLInputObjectType(f"{name}_bool_exp", fields)

    def _order(self, name: str) -> GraphQLInputObjectType:
        def fields() -> dict[str, GraphQLInputField]:
            table = self.tables[name]
            single = {field: relation for field, relation in table.relations.items() if not relation.many}
            return {column: GraphQLInputField(_ORDER) for column in table.columns} | {
                field: GraphQLInputField(self.orders[relation.table]) for field, relation in single.items()
            }

        return GraphQLInputObjectType(f"{name}_order_by", fields)


def _columns(name: str, table: Table) -> GraphQLEnumType:
    return GraphQLEnumType(f"{name}_select_column", {column: GraphQLEnumValue(column) for column in table.columns})


def _comparison(name: str, kind: GraphQLScalarType) -> GraphQLInputObjectType:
    fields = {"_is_null": GraphQLInputField(GraphQLBoolean)}
    if kind is not JSONB:  # a stored text of JSON is not compared
        fields |= {operator: GraphQLInputField(kind) for operator in COMPARISONS}
        fields |= {operator: GraphQLInputField(GraphQLList(GraphQLNonNull(kind))) for operator in LISTS}
    return GraphQLInputObjectType(f"{name}_comparison_exp", fields)


def wanted(arguments: Mapping[str, Any], *, search: str = "") -> Wanted:
    """Return what the arguments of a field ask for."""
    limit, offset = arguments.get("limit"), arguments.get("offset") or 0
    if offset < 0 or (limit is not None and limit < 0):
        raise GraphQLError("limit and offset are not negative.")
    return Wanted(
        where=arguments.get("where") or {},
        order_by=arguments.get("order_by") or (),
        distinct_on=arguments.get("distinct_on") or (),
        limit=limit,
        offset=offset,
        search=search,
    )


def select(info: Info, work: Callable[[Reader], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rows that the reader of a request reads."""
    try:
        return work(info.context)
    except SelectionError as error:
        raise GraphQLError(str(error)) from None


def _whole(value: Any) -> Any:
    return value


def _json(text: str | None, shown: Callable[[Any], Any], path: str | None) -> Any:
    """Return a stored value, or what is at a path in it: names with dots between them."""
    if text is None:
        return None
    value = shown(orjson.loads(text))
    for name in (path or "").removeprefix("$").strip(".").split(".") if path else ():
        value = object_of(value).get(name)
    return value
