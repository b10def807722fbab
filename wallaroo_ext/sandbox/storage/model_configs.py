"""Reads and adds the configurations of model versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

_FIRST_ID = 1001
"""The least id of a configuration. Versions are numbered from 1, so that one id taken for the other is noticed."""

_NATIVE_RUNTIMES = ("onnx", "tensorflow", "python")
_CONTAINER_RUNTIME = "flight"


def find_model_config(db: sqlite3.Connection, version_id: int) -> dict[str, Any] | None:
    """Return the newest configuration of a version, with its own fields; None if it has none."""
    query = "SELECT id, version_id, runtime, details FROM model_configs WHERE version_id = ? ORDER BY id DESC"
    row = db.execute(query, (version_id,)).fetchone()
    if row is None:
        return None
    return {"id": row["id"], "model_version_id": row["version_id"], "runtime": row["runtime"]} | orjson.loads(
        row["details"]
    )


def add_model_config(db: sqlite3.Connection, version_id: int, details: dict[str, Any]) -> None:
    """Give a version a configuration, which counts from now on.

    Args:
        db: The transaction to write in.
        version_id: The version.
        details: The fields besides the ids and the runtime.
    """
    row = db.execute("SELECT metadata FROM model_versions WHERE id = ?", (version_id,)).fetchone()
    framework = object_of(orjson.loads(row["metadata"]).get("conversion")).get("framework", "onnx")
    db.execute(
        "INSERT INTO model_configs SELECT max(?, coalesce(max(id), 0) + 1), ?, ?, ? FROM model_configs",
        (
            _FIRST_ID,
            version_id,
            framework if framework in _NATIVE_RUNTIMES else _CONTAINER_RUNTIME,
            orjson.dumps(details).decode(),
        ),
    )


def configure_versions(db: sqlite3.Connection, version_ids: Iterable[int]) -> None:
    """Add configurations for the versions that have none."""
    for version_id in version_ids:
        if find_model_config(db, version_id) is None:
            add_model_config(db, version_id, {})


def configure_all_versions(db: sqlite3.Connection) -> None:
    """Add configurations for all versions that have none."""
    query = "SELECT id FROM model_versions WHERE id NOT IN (SELECT version_id FROM model_configs) ORDER BY id"
    configure_versions(db, [row["id"] for row in db.execute(query).fetchall()])
