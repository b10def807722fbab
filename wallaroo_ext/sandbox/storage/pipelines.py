"""Reads and adds the rows of pipelines and their versions."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.storage.store import Row

_TOPIC = re.compile(r"workspace-(\d{1,10})-pipeline-(.+)-inference", re.ASCII | re.DOTALL)


def find_pipeline(db: sqlite3.Connection, workspace_id: int, name: str) -> int | None:
    """Return the id of a workspace's pipeline, or None if it has none of this name."""
    row = db.execute("SELECT id FROM pipelines WHERE workspace_id = ? AND name = ?", (workspace_id, name)).fetchone()
    return None if row is None else int(row["id"])


def topic_of(workspace_id: int, name: str) -> str:
    """Return the topic of a pipeline's logged inferences."""
    return f"workspace-{workspace_id}-pipeline-{name}-inference"


def pipeline_of_topic(topic: str) -> tuple[int, str] | None:
    """Return the workspace and the name of the pipeline that a topic belongs to; None if it is no topic's name."""
    found = _TOPIC.fullmatch(topic)
    return None if found is None else (int(found[1]), found[2])


def add_pipeline(db: sqlite3.Connection, workspace_id: int, name: str) -> int:
    """Add a pipeline and return its id."""
    values = (workspace_id, name, now(db))
    cursor = db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (?, ?, ?)", values)
    return int(cursor.lastrowid or 0)


def add_pipeline_version(db: sqlite3.Connection, pipeline_id: int, definition: str) -> Row:
    """Add a version of a pipeline and return its row."""
    return db.execute(
        "INSERT INTO pipeline_versions (pipeline_id, version, definition, created_at) VALUES (?, ?, ?, ?) RETURNING *",
        (pipeline_id, str(uuid.uuid4()), definition, now(db)),
    ).fetchone()
