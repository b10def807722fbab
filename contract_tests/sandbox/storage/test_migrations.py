"""Do data directories of earlier versions open and keep their content, and do those of later ones stay unchanged?"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.sandbox.deployments import WORKSPACE
from contract_tests.support.servers.callers import post, sign_in, with_token
from contract_tests.support.servers.forks.fork_server import running
from scripts.lib.bench.sandbox_processes import sandboxes_below
from scripts.lib.data_directory import CREDENTIALS, DATABASE, DIRECTORIES, restore
from wallaroo_ext import connect, contract, wait_until_running
from wallaroo_ext.sandbox import process
from wallaroo_ext.sandbox.process import SandboxFailedError
from wallaroo_ext.sandbox.storage.database_file import read_database
from wallaroo_ext.sandbox.storage.migrations import MIGRATIONS, DataDirectoryError, migrate
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow  # each test starts sandboxes of its own

VERSIONS = range(1, len(MIGRATIONS) + 1)
STORED = sorted(int(place.name) for place in DIRECTORIES.iterdir())
LOGGING = 2  # the first version that logs inferences
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"


def make(directory: Path, version: int) -> None:
    """Make a data directory of a version: a copy of the stored one or, if there is none, the schema with rows."""
    if version in STORED:
        restore(DIRECTORIES / str(version), directory)
        return
    restore(DIRECTORIES / str(STORED[0]), directory)
    newer = directory / "newer"
    (directory / DATABASE).rename(newer)
    with closing(sqlite3.connect(directory / DATABASE, isolation_level=None)) as db:
        migrate(db, MIGRATIONS[:version])
        db.execute("ATTACH ? AS newer", (str(newer),))
        for (table,) in db.execute(TABLES).fetchall():
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")  # noqa: S608
    newer.unlink()
    if version < LOGGING:
        shutil.rmtree(directory / "log")


def rows(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table."""
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        db.row_factory = sqlite3.Row
        tables = [row[0] for row in db.execute(TABLES)]
        return {table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")] for table in tables}  # noqa: S608


def schema(directory: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(directory / DATABASE)) as db:
        kept = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name"
        return [(name, re.sub(r"\s+", " ", sql)) for name, sql in db.execute(kept)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_directory_of_an_earlier_version_keeps_every_row(tmp_path: Path, version: int) -> None:
    make(tmp_path / "data", version)
    before = rows(tmp_path / "data")
    assert all(before.values())
    Store(tmp_path / "data").close()
    after = rows(tmp_path / "data")
    assert set(before) <= set(after)
    for table, old_rows in before.items():
        kept = [{name: row[name] for name in old_rows[0]} for row in after[table]]
        assert [row for row in old_rows if row not in kept] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_directory_of_an_earlier_version_answers(tmp_path: Path, version: int) -> None:
    make(tmp_path / "data", version)
    [model] = (tmp_path / "data" / "models").iterdir()
    sha = hashlib.sha256(model.read_bytes()).hexdigest()
    with running(tmp_path / "data") as environment, signed_in(environment) as http:
        assert environment["WALLAROO_PASSWORD"] == CREDENTIALS["default_password"]
        [workspace] = post(http, "list_workspaces", {}).json()["workspaces"]
        assert workspace["pipelines"] == [1, 2]
        [found] = post(http, "list_model_versions", {"model_id": "actor-0"}).json()
        assert (found["sha"], found["status"]) == (sha, "ready")
        with connect(environment=environment) as client:
            wait_until_running(client, "actor-0-1")
        where = {"workspace_id": WORKSPACE, "pipeline_name": "actor-0"}
        url = post(http, "get_pipeline_external_url", where).json()["url"]
        kind = contract.operation("infer_pipeline").request_types[0]
        assert http.post(url, json=[{"dense_input": [0.5] * 29}], headers={"Content-Type": kind}).is_success
        logged = post(http, "get_assay_baseline", where).json()
        assert len(logged) == (1 if version < 2 else 3 if version < 5 else 4)
        assert post(http, "get_model_config_by_id", {"model_id": 1}).json()["model_config"]["runtime"] == "onnx"
        if version > 2:
            assert post(http, "get_assay_results", {"assay_id": 1}).json()
            [listed] = post(http, "list_assays", {"pipeline_id": 1}).json()
            assert listed["window"]["path"] == "output dense_1 0"
            assert post(http, "get_assay_v2", {"pipeline_name": "actor-0"}).json()[0]["name"] == listed["name"]


def signed_in(environment: dict[str, str]) -> Any:
    user = {"username": environment["WALLAROO_USER"], "password": environment["WALLAROO_PASSWORD"]}
    return with_token(environment, sign_in(environment, grant_type="password", **user).json()["access_token"])


def test_the_present_version_has_a_stored_directory() -> None:
    assert len(MIGRATIONS) in STORED, "run scripts/make-data-directory, for the migrations to come"


@pytest.mark.parametrize("version", STORED)
def test_the_migrations_up_to_a_stored_directory_are_those_that_it_was_made_with(tmp_path: Path, version: int) -> None:
    restore(DIRECTORIES / str(version), tmp_path / "stored")
    (tmp_path / "made").mkdir()
    with closing(sqlite3.connect(tmp_path / "made" / DATABASE, isolation_level=None)) as db:
        migrate(db, MIGRATIONS[:version])
    assert schema(tmp_path / "made") == schema(tmp_path / "stored")


def later(directory: Path) -> None:
    """Set the version of a data directory to one that does not exist yet."""
    with closing(sqlite3.connect(directory / DATABASE, isolation_level=None)) as db:
        db.execute("PRAGMA user_version = 1000")


def content(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def test_a_directory_of_a_later_version_is_refused_and_nothing_in_it_changes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Store(data).close()
    (data / "staging" / "of-a-later-release").write_bytes(b"x")
    later(data)
    before = content(data)
    with pytest.raises(SandboxFailedError, match=r"A later release wrote .* Run that release") as raised, running(data):
        pass
    assert "Traceback" not in str(raised.value)
    assert content(data) == before


def test_a_later_version_that_is_in_the_write_ahead_log_only_is_seen(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = set(sandboxes_below(os.getpid()))
    with process.running(data):
        later(data)
        [pid] = set(sandboxes_below(os.getpid())) - before
        os.kill(pid, signal.SIGKILL)
    kept = {name: text for name, text in content(data).items() if not name.endswith("-shm")}
    with pytest.raises(DataDirectoryError, match="A later release"):
        Store(data)
    assert {name: text for name, text in content(data).items() if not name.endswith("-shm")} == kept


def test_a_database_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"something else\n" * 1000)
    excerpt = r"cannot be read \(file is not a database\)"
    with pytest.raises(SandboxFailedError, match=excerpt) as raised, running(tmp_path):
        pass
    assert "Traceback" not in str(raised.value)


def test_a_database_of_another_program_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as db:
        db.execute("CREATE TABLE users (name TEXT)")
    with pytest.raises(DataDirectoryError, match="a database of another application: name another data directory"):
        Store(tmp_path)
    assert set(rows(tmp_path)) == {"users"}


@pytest.fixture
def db(tmp_path: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as opened:
        migrate(opened)
        yield opened


BROKEN = [
    pytest.param(["CREATE TABLE a (x);", "INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1);"], id="the-last"),
    pytest.param(["CREATE TABLE b (x); nonsense;", "CREATE TABLE c (x);"], id="the-first"),
]


@pytest.mark.parametrize("added", BROKEN)
def test_a_migration_that_fails_leaves_the_version_from_before(
    tmp_path: Path, db: sqlite3.Connection, added: Sequence[str]
) -> None:
    before = schema(tmp_path)
    with pytest.raises(DataDirectoryError, match="it is as it was"):
        migrate(db, [*MIGRATIONS, *added])
    assert not db.in_transaction
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
    assert schema(tmp_path) == before
    assert read_database(tmp_path / DATABASE) is not None


def test_a_migration_that_is_good_is_made_once(tmp_path: Path, db: sqlite3.Connection) -> None:
    migrations = [*MIGRATIONS, "CREATE TABLE another (x);"]
    migrate(db, migrations)
    migrate(db, migrations)
    assert "another" in dict(schema(tmp_path))
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(migrations)
