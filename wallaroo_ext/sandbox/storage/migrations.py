"""The versions of the database schema, and how an older database is brought to the newest."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each entry brings a database from the version before to the next; the number of entries is the newest version.
MIGRATIONS = (
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        email TEXT NOT NULL UNIQUE,
        password_salt BLOB NOT NULL,
        password_hash BLOB NOT NULL,
        enabled INTEGER NOT NULL,
        requires_action INTEGER NOT NULL, -- whether the password is temporary and has to be changed
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE refresh_tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id),
        client_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE workspaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL REFERENCES users (id),
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE workspace_users (
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        user_type TEXT NOT NULL,
        PRIMARY KEY (workspace_id, user_id)
    ) STRICT;
    -- One sequence numbers models and versions: a model has the id of its first version.
    CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        visibility TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
    CREATE TABLE model_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model_id INTEGER NOT NULL REFERENCES models (id) DEFERRABLE INITIALLY DEFERRED,
        version TEXT NOT NULL UNIQUE,
        sha TEXT NOT NULL,
        file_name TEXT NOT NULL,
        metadata TEXT NOT NULL,
        status TEXT NOT NULL,
        error_summary TEXT,
        created_at TEXT NOT NULL
    ) STRICT;
    -- Who may see a model: everybody a public one, the members of its workspace a private one.
    CREATE VIEW model_readers (model_id, user_id) AS
        SELECT models.id, users.id FROM models JOIN users
        WHERE visibility = 'public' OR EXISTS (
            SELECT 1 FROM workspace_users
            WHERE workspace_users.workspace_id = models.workspace_id AND workspace_users.user_id = users.id
        );
    CREATE TABLE model_configs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version_id INTEGER NOT NULL UNIQUE REFERENCES model_versions (id),
        runtime TEXT NOT NULL
    ) STRICT;
    CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
    CREATE TABLE pipeline_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        version TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE deployments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        deploy_id TEXT NOT NULL,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        pipeline_version_id INTEGER NOT NULL REFERENCES pipeline_versions (id),
        steps TEXT NOT NULL, -- the ids of the model versions, in order
        deployed INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (pipeline_id, deploy_id)
    ) STRICT;
    """,
    """
    -- Where each logged inference is: the bytes of a segment file that hold its rows.
    CREATE TABLE inferences (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        segment TEXT NOT NULL,
        start_offset INTEGER NOT NULL,
        end_offset INTEGER NOT NULL,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        model_name TEXT NOT NULL,
        model_sha TEXT NOT NULL,
        elapsed_ns INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX inferences_by_time ON inferences (pipeline_id, first_ms);
    CREATE INDEX inferences_by_segment ON inferences (segment);
    """,
    """
    CREATE TABLE assays (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        request TEXT NOT NULL, -- as it was sent
        active INTEGER NOT NULL,
        windows_done INTEGER NOT NULL DEFAULT 0, -- the number of the first window that is still to be computed
        last_run TEXT,
        next_run TEXT,
        updated_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX assays_by_pipeline ON assays (pipeline_id);
    CREATE TABLE assay_results (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        assay_id INTEGER NOT NULL REFERENCES assays (id),
        window_start INTEGER NOT NULL, -- in microseconds since 1970
        result TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (assay_id, window_start)
    ) STRICT;
    """,
    """
    ALTER TABLE inferences ADD COLUMN row_count INTEGER; -- NULL where an earlier version logged it
    """,
    """
    -- A version can have several configurations; the newest one counts.
    ALTER TABLE model_configs RENAME TO one_config_a_version;
    CREATE TABLE model_configs (
        id INTEGER PRIMARY KEY,
        version_id INTEGER NOT NULL REFERENCES model_versions (id),
        runtime TEXT NOT NULL,
        details TEXT NOT NULL -- its other fields, in JSON
    ) STRICT;
    INSERT INTO model_configs SELECT id, version_id, runtime, '{}' FROM one_config_a_version;
    DROP TABLE one_config_a_version;
    CREATE INDEX model_configs_by_version ON model_configs (version_id);
    -- NULL where an earlier version stored it:
    ALTER TABLE model_versions ADD COLUMN size INTEGER;
    ALTER TABLE model_versions ADD COLUMN created_by TEXT; -- the user's e-mail address
    ALTER TABLE model_versions ADD COLUMN created_on_version TEXT;
    ALTER TABLE assays ADD COLUMN created_at TEXT;
    -- The other id of an assay, by which the newest releases know it.
    ALTER TABLE assays ADD COLUMN uuid TEXT;
    UPDATE assays SET uuid = lower(printf('%s-%s-4%s-8%s-%s', hex(randomblob(4)), hex(randomblob(2)),
        substr(hex(randomblob(2)), 2), substr(hex(randomblob(2)), 2), hex(randomblob(6))));
    """,
    """
    ALTER TABLE deployments ADD COLUMN engine_config TEXT; -- what was sent with the deployment, in JSON
    CREATE TABLE tags (id INTEGER PRIMARY KEY AUTOINCREMENT, tag TEXT NOT NULL) STRICT;
    CREATE TABLE model_tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version_id INTEGER NOT NULL REFERENCES model_versions (id),
        tag_id INTEGER NOT NULL REFERENCES tags (id),
        UNIQUE (version_id, tag_id)
    ) STRICT;
    CREATE TABLE pipeline_tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        tag_id INTEGER NOT NULL REFERENCES tags (id),
        UNIQUE (pipeline_id, tag_id)
    ) STRICT;
    """,
)


class DataDirectoryError(Exception):
    """A data directory cannot be used; the message says why, and what to do."""


def migrate(db: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring a database to the newest version in one transaction.

    Args:
        db: The database; its version may not be newer than these migrations.
        migrations: The statements that bring each version to the next.

    Raises:
        DataDirectoryError: A statement failed; the database is unchanged.
    """
    missing = migrations[_version(db) :]
    if not missing:
        return
    try:
        db.executescript(f"BEGIN IMMEDIATE; {' '.join(missing)} PRAGMA user_version = {len(migrations)}; COMMIT;")
    except sqlite3.Error as error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise DataDirectoryError(
            f"The data directory could not be brought to version {len(migrations)} ({error}); it is as it was."
        ) from None


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
