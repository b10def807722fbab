"""Showing what a sandbox contains, without its secrets, and resetting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.control.behaviour import shown_transitions
from wallaroo_ext.sandbox.control.clock import shown_clock
from wallaroo_ext.sandbox.control.routes import Action

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.control.routes import ControlCall

_LIST_LIMIT = 100
_LISTS = {
    "users": "SELECT id, email, enabled FROM users ORDER BY rowid DESC",
    "workspaces": "SELECT id, name FROM workspaces ORDER BY id DESC",
    "models": "SELECT model_versions.id, model_id, workspace_id, name, version, status FROM model_versions "
    "JOIN models ON models.id = model_id ORDER BY model_versions.id DESC",
    "pipelines": "SELECT id, workspace_id, name FROM pipelines ORDER BY id DESC",
    "deployments": "SELECT id, deploy_id, pipeline_id, deployed FROM deployments ORDER BY id DESC",
    "inferences": "SELECT pipeline_id, model_name, count(*) AS requests, "
    "CASE WHEN count(row_count) = count(*) THEN sum(row_count) END AS rows, "  # older versions did not store it
    "min(first_ms) AS first_ms, max(last_ms) AS last_ms FROM inferences GROUP BY pipeline_id, model_name "
    "ORDER BY max(id) DESC",
    "assays": "SELECT assays.id, pipeline_id, request ->> '$.name' AS name, active, last_run, next_run, "
    "(SELECT count(*) FROM assay_results WHERE assay_id = assays.id) AS results FROM assays ORDER BY assays.id DESC",
}
_COUNTS = {"models": "model_versions"}
_FLAGS = {"enabled", "active", "deployed"}


def _state(call: ControlCall) -> dict[str, Any]:
    """Return the number of records of each kind, the newest records, and the settings."""
    instance = call.instance
    with instance.store.reading() as db:
        counts = {name: _count(db, _COUNTS.get(name, name)) for name in _LISTS}
        lists = {name: _list(db, query) for name, query in _LISTS.items()}
    for deployment in lists["deployments"]:
        running = deployment.pop("deployed")
        deployment["status"] = instance.engine.deployment(deployment["id"]).status if running else None
    return {
        "counts": counts,
        **lists,
        "release": instance.options.release,
        "clock": shown_clock(instance.clock),
        "engine": {"confined_by": instance.engine.confinement()},
        "transitions": shown_transitions(instance.engine.transitions),
        "faults": instance.faults.list(),
        "requests": instance.requests.list(),
    }


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - the names are constants


def _list(db: sqlite3.Connection, query: str) -> list[dict[str, Any]]:
    rows = db.execute(f"{query} LIMIT {_LIST_LIMIT}").fetchall()
    return [
        {name: bool(row[name]) if name in _FLAGS else row[name] for name in row.keys()}  # noqa: SIM118
        for row in reversed(rows)
    ]


def _reset(call: ControlCall) -> dict[str, Any]:
    """Remove everything but what clients need to go on: the default user and its tokens, credentials, signing keys."""
    call.instance.reset()
    return {}


STATE_ACTIONS = {"GET": Action(_state)}
RESET_ACTIONS = {"POST": Action(_reset, exclusive=True)}
