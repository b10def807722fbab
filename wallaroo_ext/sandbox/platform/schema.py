"""The schema of GraphQL: a query for each table, the two searches, and what may be changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)

from wallaroo_ext.sandbox.handlers.model_shapes import conversion
from wallaroo_ext.sandbox.platform.mutations import mutations
from wallaroo_ext.sandbox.platform.selection import Wanted
from wallaroo_ext.sandbox.platform.table_types import BIGINT, TableTypes, list_of_all, select, wanted
from wallaroo_ext.sandbox.platform.tables import tables

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.instance import Instance
    from wallaroo_ext.sandbox.platform.table_types import Info

_SEARCHES = {"search_models": "model", "search_pipelines": "pipeline_version"}


def build_schema(instance: Instance) -> GraphQLSchema:
    """Return the schema, as the release of a sandbox shows the tables."""
    options = instance.options
    types = TableTypes(tables(options), {("model", "conversion"): partial(conversion, options)})
    fields: dict[str, GraphQLField] = {}
    for name, table in types.tables.items():
        fields[name] = _rows(types, name)
        if "id" in table.columns:
            fields[f"{name}_by_pk"] = _row(types, name)
    fields |= {name: _search(types, name, table) for name, table in _SEARCHES.items()}
    changes = GraphQLObjectType("mutation_root", mutations(instance, types))
    return GraphQLSchema(GraphQLObjectType("query_root", fields), changes)


def _rows(types: TableTypes, name: str) -> GraphQLField:
    def resolve(_: Any, info: Info, **arguments: Any) -> list[dict[str, Any]]:
        return select(info, lambda reader: reader.rows(name, wanted(arguments)))

    return GraphQLField(list_of_all(types.objects[name]), types.arguments(name), resolve)


def _row(types: TableTypes, name: str) -> GraphQLField:
    def resolve(_: Any, info: Info, id: int) -> dict[str, Any] | None:  # noqa: A002 - the argument's name
        return next(iter(select(info, lambda reader: reader.rows(name, Wanted(equal={"id": id}, limit=1)))), None)

    return GraphQLField(types.objects[name], {"id": GraphQLArgument(GraphQLNonNull(BIGINT))}, resolve)


def _search(types: TableTypes, name: str, table: str) -> GraphQLField:
    """Return the field that selects among the rows that have a text in one of their words."""

    def resolve(_: Any, info: Info, args: dict[str, Any], **arguments: Any) -> list[dict[str, Any]]:
        return select(info, lambda reader: reader.rows(table, wanted(arguments, search=args.get("search") or "")))

    text = GraphQLInputObjectType(f"{name}_args", {"search": GraphQLInputField(GraphQLString)})
    arguments = {"args": GraphQLArgument(GraphQLNonNull(text))} | types.arguments(table)
    return GraphQLField(list_of_all(types.objects[table]), arguments, resolve)
