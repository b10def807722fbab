"""Stores a data directory with a row in every table as text and small files, to test later releases with.

The stored directory has no key that signs tokens: the release that opens it makes one.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.lib.bench.mixed_load import Actor, assay
from scripts.lib.polling import polled
from scripts.lib.written_tables import parse_arguments
from wallaroo_ext.sandbox.paths import GRAPHQL
from wallaroo_ext.sandbox.process import running
from wallaroo_ext.sandbox.storage.migrations import MIGRATIONS
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORIES = Path(__file__).parents[2] / "contract_tests" / "data_directories"
"""The stored directories, each named by its version."""

DATABASE = "sandbox.sqlite3"
SQL = "sandbox.sql"
CREDENTIALS = {"default_password": "a-password-of-the-tests", "client_secret": "a-client-secret-of-the-tests"}
_SECOND = timedelta(seconds=1)
_PATIENCE_SECONDS = 60.0
_TAGGING = """
mutation {{
  insert_tag(objects: {{tag: "a tag"}}) {{ affected_rows }}
  insert_model_tag(objects: {{model_id: 1, tag_id: 1}}) {{ affected_rows }}
  insert_pipeline_tag(objects: {{pipeline_pk_id: {pipeline}, tag_pk_id: 1}}) {{ affected_rows }}
}}
"""


def make(directory: Path) -> None:
    """Make a data directory in which a sandbox has written a row into every table."""
    with closing(Store(directory)) as store:
        for name, value in CREDENTIALS.items():
            store.change_setting(name, value)
    with running(directory) as environment, closing(Actor(0, 0, {})) as actor:
        actor.connect(environment)
        actor.prepare()
        actor.wait_until_running()
        actor.infer_json()  # the first inference may take longer
        start = datetime.now(UTC)
        actor.infer_json()
        time.sleep(max(0.0, (start + _SECOND - datetime.now(UTC)).total_seconds()))
        actor.infer_arrow()
        assay_id = actor.post("create_assay", _soon_due(actor, start))["assay_id"]
        span = {"start": start.isoformat(), "end": (start + timedelta(days=1)).isoformat()}
        polled(lambda: actor.post("get_assay_results", span | {"assay_id": assay_id}), bool, seconds=_PATIENCE_SECONDS)
        actor.http.post(GRAPHQL, json={"query": _TAGGING.format(pipeline=actor.pipeline_id)}).raise_for_status()


def _soon_due(actor: Actor, start: datetime) -> dict[str, object]:
    """Return the request for an assay whose first window ends within a second or two."""
    body = assay(actor.name, actor.pipeline_id)
    body["window"] |= {"start": (start + _SECOND).isoformat(), "width": "1 seconds", "interval": None}
    body["baseline"]["calculated"]["fixed_window"] |= {"start": start.isoformat(), "width": "1 seconds"}
    body["run_until"] = None
    return body


def store(directory: Path, target: Path) -> None:
    """Write a data directory to `target` as SQL text and files."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("models", "log"):
        shutil.copytree(directory / name, target / name)
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.execute("DELETE FROM settings WHERE name = 'token_keys'")
        db.execute("UPDATE refresh_tokens SET id = 'a-refresh-token-of-the-tests'")
        db.commit()
        (target / SQL).write_text("".join(f"{line}\n" for line in _sql_lines(db)), encoding="utf-8")


def _sql_lines(db: sqlite3.Connection) -> Iterator[str]:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    yield f"PRAGMA user_version = {version};"
    yield from db.iterdump()


def restore(stored: Path, directory: Path) -> None:
    """Make a data directory from a stored one."""
    shutil.copytree(stored, directory, ignore=shutil.ignore_patterns(SQL))
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.executescript((stored / SQL).read_text(encoding="utf-8"))


def main() -> int:
    """Store a directory of the present version. Returns 2 if there is one already."""
    parse_arguments("scripts/make-data-directory", __doc__, checks=False)
    target = DIRECTORIES / str(len(MIGRATIONS))
    if target.exists():
        print(f"There is a data directory of version {len(MIGRATIONS)} already: {target}.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        make(directory)
        store(directory, target)
    print(f"Stored {target}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
