"""Pipelines and their versions as the database has them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.storage.store import Row


def add_pipeline(db: sqlite3.Connection, workspace_id: int, name: str) -> int:
    """Return the id of a new pipeline."""
    values = (workspace_id, name, now(db))
    cursor = db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (?, ?, ?)", values)
    return int(cursor.lastrowid or 0)


def add_pipeline_version(db: sqlite3.Connection, pipeline_id: int, definition: str) -> Row:
    """Return a new version of a pipeline."""
    return db.execute(
        "INSERT INTO pipeline_versions (pipeline_id, version, definition, created_at) VALUES (?, ?, ?, ?) RETURNING *",
        (pipeline_id, str(uuid.uuid4()), definition, now(db)),
    ).fetchone()
