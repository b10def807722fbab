"""What GraphQL may change: tags, members of workspaces, deployments, and thresholds of assays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from wallaroo_ext.sandbox.handlers.pipelines.pipelines import require_capacity
from wallaroo_ext.sandbox.handlers.workspaces import require_other_owner
from wallaroo_ext.sandbox.platform.selection import Wanted
from wallaroo_ext.sandbox.platform.table_types import BIGINT, list_of_all, select

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from graphql import GraphQLScalarType

    from wallaroo_ext.sandbox.instance import Instance
    from wallaroo_ext.sandbox.platform.table_types import Info, TableTypes

_MEMBERS_MODEL = """
    SELECT 1 FROM model_versions JOIN models ON models.id = model_id JOIN workspace_users USING (workspace_id)
    WHERE model_versions.id = ? AND user_id = ?
"""
_MEMBERS_PIPELINE = """
    SELECT 1 FROM pipelines JOIN workspace_users USING (workspace_id) WHERE pipelines.id = ? AND user_id = ?
"""


def mutations(instance: Instance, types: TableTypes) -> dict[str, GraphQLField]:
    """Return the fields of the mutation type. A request runs them in one transaction."""
    answers = {name: _changed_rows(types, name) for name in ("tag", "model_tag", "pipeline_tag", "workspace_users")}
    tagged: dict[str, GraphQLScalarType] = {"model_id": BIGINT, "tag_id": BIGINT}
    tagged_pipeline: dict[str, GraphQLScalarType] = {"pipeline_pk_id": BIGINT, "tag_pk_id": BIGINT}
    return {
        "insert_tag": _insert(answers, "tag", {"tag": GraphQLString}, _add_tag),
        "insert_model_tag": _insert(answers, "model_tag", tagged, _tag_model),
        "insert_pipeline_tag": _insert(answers, "pipeline_tag", tagged_pipeline, _tag_pipeline),
        "delete_model_tag": _delete(types, answers, "model_tag", _untag_model),
        "delete_pipeline_tag": _delete(types, answers, "pipeline_tag", _untag_pipeline),
        "delete_workspace_users": _delete(types, answers, "workspace_users", _remove_member),
        "update_deployment_by_pk": _update(
            types, "deployment", {"deployed": GraphQLBoolean}, partial(_set_deployed, instance)
        ),
        "update_assay_by_pk": _update(
            types, "assay", {"alert_threshold": GraphQLFloat, "warning_threshold": GraphQLFloat}, _set_thresholds
        ),
    }


def _changed_rows(types: TableTypes, name: str) -> GraphQLObjectType:
    def count(rows: list[Any], _: Info) -> int:
        return len(rows)

    def returning(rows: list[Any], _: Info) -> list[Any]:
        return rows

    fields = {
        "affected_rows": GraphQLField(GraphQLNonNull(GraphQLInt), resolve=count),
        "returning": GraphQLField(list_of_all(types.objects[name]), resolve=returning),
    }
    return GraphQLObjectType(f"{name}_mutation_response", fields)


def _inputs(columns: Mapping[str, GraphQLScalarType], *, required: bool) -> dict[str, GraphQLInputField]:
    return {column: GraphQLInputField(GraphQLNonNull(kind) if required else kind) for column, kind in columns.items()}


def _insert(
    answers: Mapping[str, GraphQLObjectType],
    table: str,
    columns: Mapping[str, GraphQLScalarType],
    add: Callable[[sqlite3.Connection, str, Mapping[str, Any]], int],
) -> GraphQLField:
    """Return the field that adds rows; `add` adds one for a user, and returns its id."""

    def resolve(_: Any, info: Info, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
        reader = info.context
        with reader.store.reading() as db:
            ids = [add(db, reader.user_id, each) for each in objects]
        return [row for added in ids for row in reader.rows(table, Wanted(equal={"id": added}))]

    kind = GraphQLInputObjectType(f"{table}_insert_input", _inputs(columns, required=True))
    return GraphQLField(answers[table], {"objects": GraphQLArgument(list_of_all(kind))}, resolve)


def _delete(
    types: TableTypes,
    answers: Mapping[str, GraphQLObjectType],
    table: str,
    remove: Callable[[sqlite3.Connection, str, Mapping[str, Any]], None],
) -> GraphQLField:
    """Return the field that deletes the rows that a user sees and that meet conditions; `remove` deletes one."""

    def resolve(_: Any, info: Info, where: dict[str, Any]) -> list[dict[str, Any]]:
        reader = info.context
        rows = select(info, lambda reader: reader.rows(table, Wanted(where=where)))
        with reader.store.reading() as db:
            for row in rows:
                remove(db, reader.user_id, row)
        return rows

    return GraphQLField(answers[table], {"where": GraphQLArgument(GraphQLNonNull(types.conditions[table]))}, resolve)


def _update(
    types: TableTypes,
    table: str,
    columns: Mapping[str, GraphQLScalarType],
    change: Callable[[sqlite3.Connection, int, Mapping[str, Any]], None],
) -> GraphQLField:
    """Return the field that changes the row with an id, if a user sees it; `change` changes it."""

    def resolve(_: Any, info: Info, pk_columns: dict[str, Any], _set: dict[str, Any]) -> dict[str, Any] | None:
        reader = info.context
        if reader.row(table, id=pk_columns["id"]) is None:
            return None
        with reader.store.reading() as db:
            change(db, pk_columns["id"], _set)
        return reader.row(table, id=pk_columns["id"])

    key = GraphQLInputObjectType(f"{table}_pk_columns_input", {"id": GraphQLInputField(GraphQLNonNull(BIGINT))})
    values = GraphQLInputObjectType(f"{table}_set_input", _inputs(columns, required=False))
    arguments = {
        "pk_columns": GraphQLArgument(GraphQLNonNull(key)),
        "_set": GraphQLArgument(GraphQLNonNull(values)),
    }
    return GraphQLField(types.objects[table], arguments, resolve)


def _add_tag(db: sqlite3.Connection, _: str, values: Mapping[str, Any]) -> int:
    return _added(db, "INSERT INTO tags (tag) VALUES (?)", (values["tag"],))


def _tag_model(db: sqlite3.Connection, user_id: str, values: Mapping[str, Any]) -> int:
    _require_member(db, _MEMBERS_MODEL, values["model_id"], user_id)
    _require_tag(db, values["tag_id"])
    query = "INSERT INTO model_tags (version_id, tag_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
    return _added(db, query, (values["model_id"], values["tag_id"]))


def _tag_pipeline(db: sqlite3.Connection, user_id: str, values: Mapping[str, Any]) -> int:
    _require_member(db, _MEMBERS_PIPELINE, values["pipeline_pk_id"], user_id)
    _require_tag(db, values["tag_pk_id"])
    query = "INSERT INTO pipeline_tags (pipeline_id, tag_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
    return _added(db, query, (values["pipeline_pk_id"], values["tag_pk_id"]))


def _added(db: sqlite3.Connection, query: str, values: tuple[Any, ...]) -> int:
    """Add a row, and return its id.

    Raises:
        GraphQLError: There is such a row already.
    """
    cursor = db.execute(query, values)
    if not cursor.rowcount:
        raise GraphQLError(
            "Uniqueness violation: there is such a row already.", extensions={"code": "constraint-violation"}
        )
    return int(cursor.lastrowid or 0)


def _untag_model(db: sqlite3.Connection, user_id: str, row: Mapping[str, Any]) -> None:
    _require_member(db, _MEMBERS_MODEL, row["model_id"], user_id)
    db.execute("DELETE FROM model_tags WHERE id = ?", (row["id"],))


def _untag_pipeline(db: sqlite3.Connection, _: str, row: Mapping[str, Any]) -> None:
    db.execute("DELETE FROM pipeline_tags WHERE id = ?", (row["id"],))


def _remove_member(db: sqlite3.Connection, _: str, row: Mapping[str, Any]) -> None:
    require_other_owner(db, row["workspace_id"], row["user_id"])
    db.execute(
        "DELETE FROM workspace_users WHERE workspace_id = ? AND user_id = ?", (row["workspace_id"], row["user_id"])
    )


def _set_deployed(instance: Instance, db: sqlite3.Connection, deployment_id: int, values: Mapping[str, Any]) -> None:
    deployed = values.get("deployed")
    if deployed is None:
        raise GraphQLError("_set: deployed is missing.")
    if deployed:
        name = db.execute("SELECT pipeline_id, deploy_id FROM deployments WHERE id = ?", (deployment_id,)).fetchone()
        require_capacity(instance.options, db, *name)
    query = "UPDATE deployments SET deployed = ? WHERE id = ? AND deployed <> ?"
    if db.execute(query, (deployed, deployment_id, deployed)).rowcount:
        change = instance.engine.start if deployed else instance.engine.stop
        instance.store.after_commit(partial(change, deployment_id))


def _set_thresholds(db: sqlite3.Connection, assay_id: int, values: Mapping[str, Any]) -> None:
    if values.get("alert_threshold", 0) is None:
        raise GraphQLError("_set: alert_threshold may not be null.")
    for name, value in values.items():
        query = "UPDATE assays SET request = json_set(request, '$.' || ?, ?), updated_at = now() WHERE id = ?"
        db.execute(query, (name, value, assay_id))


def _require_member(db: sqlite3.Connection, query: str, row_id: int, user_id: str) -> None:
    """Raise an error unless there is a row in a workspace that a user is a member of."""
    if db.execute(query, (row_id, user_id)).fetchone() is None:
        raise GraphQLError(
            f"check constraint of an insert/delete permission has failed: {row_id}",
            extensions={"code": "permission-error"},
        )


def _require_tag(db: sqlite3.Connection, tag_id: int) -> None:
    if db.execute("SELECT 1 FROM tags WHERE id = ?", (tag_id,)).fetchone() is None:
        raise GraphQLError(f"There is no tag {tag_id}.", extensions={"code": "constraint-violation"})
