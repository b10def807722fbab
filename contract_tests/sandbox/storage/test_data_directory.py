"""Does a sandbox use only a directory of its own, and remove only files that it wrote?"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from contract_tests.support.command_line import process
from contract_tests.support.data.snapshots import snapshot, write
from contract_tests.support.data.stored_models import add_models, killed_with_models, with_models
from contract_tests.support.servers.forks.fork_server import running
from scripts.lib.data_directory import DATABASE, DIRECTORIES, restore
from wallaroo_ext.sandbox.inference.inference_log import InferenceLog, LoggedBatch
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.storage.migrations import DataDirectoryError
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "wallaroo-sandbox.json"
THREE = [str(uuid.UUID(int=number)) for number in range(3)]


def models(directory: Path) -> list[str]:
    return sorted(file.name for file in (directory / "models").iterdir())


def refused(directory: Path, *outside: Path) -> str:
    """Return the error of a sandbox that does not start on a directory, after checking that it changes nothing."""
    before = snapshot(directory, *outside)
    with pytest.raises(DataDirectoryError) as raised:
        Store(directory)
    assert snapshot(directory, *outside) == before
    return str(raised.value)


def rename_database(directory: Path) -> None:
    (directory / DATABASE).rename(directory / "elsewhere.sqlite3")


def empty_database(directory: Path) -> None:
    os.truncate(directory / DATABASE, 0)


def truncate_database(directory: Path) -> None:
    os.truncate(directory / DATABASE, (directory / DATABASE).stat().st_size // 4096 // 2 * 4096)


def scramble_database(directory: Path) -> None:
    size = (directory / DATABASE).stat().st_size
    with (directory / DATABASE).open("r+b") as file:
        file.seek(8192)
        file.write(b"\xa5" * (size - 8192))


def foreign_database(directory: Path, version: int = 0) -> None:
    (directory / DATABASE).unlink(missing_ok=True)
    with closing(sqlite3.connect(directory / DATABASE, isolation_level=None)) as db:
        db.execute("CREATE TABLE users (name TEXT)")
        db.execute(f"PRAGMA user_version = {version}")


def of_another_directory(directory: Path) -> None:
    Store(directory.parent / "another").close()
    shutil.copy(directory.parent / "another" / DATABASE, directory / DATABASE)


class TestForeignDirectories:
    @pytest.mark.parametrize(
        "name",
        ["models/churn.onnx", "staging/load.sql", "log/app.log", "notes.txt", ".git/config", "lock", "tls/server.pem"],
    )
    def test_a_directory_with_files_and_no_mark_is_refused(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / "project" / name)
        assert "name an empty directory, or a new one" in refused(tmp_path / "project")

    @pytest.mark.parametrize("name", ["models", "log", "staging"])
    def test_even_one_with_an_empty_folder_or_a_link(self, tmp_path: Path, name: str) -> None:
        write(tmp_path / "outside" / "file")
        (tmp_path / "project" / name).mkdir(parents=True)
        refused(tmp_path / "project")
        (tmp_path / "project" / name).rmdir()
        (tmp_path / "project" / name).symlink_to(tmp_path / "outside")
        refused(tmp_path / "project", tmp_path / "outside")

    @pytest.mark.parametrize(
        "content", [b"", b"{}", b"[" * 9999, b'{"format": 1, "about": "", "id": 5}', b'{"format": 1e999}', b"\xff"]
    )
    def test_a_mark_that_is_none_is_refused(self, tmp_path: Path, content: bytes) -> None:
        write(tmp_path / "project" / MARK, content)
        assert "not the mark of a sandbox" in refused(tmp_path / "project")

    @pytest.mark.parametrize("version", [0, 1, 4, 1000])
    def test_a_database_of_another_application_is_no_mark(self, tmp_path: Path, version: int) -> None:
        write(tmp_path / "project" / "models" / "churn.onnx")
        foreign_database(tmp_path / "project", version)
        assert "of another application" in refused(tmp_path / "project")

    def test_a_directory_that_users_share_stays_theirs(self, tmp_path: Path) -> None:
        """It would become readable for one of them only, as `/tmp` of a container."""
        (tmp_path / "tmp").mkdir()
        (tmp_path / "tmp").chmod(0o1777)
        assert "that users share" in refused(tmp_path / "tmp")

    def test_a_file_is_no_directory(self, tmp_path: Path) -> None:
        write(tmp_path / "file")
        (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
        for name in ("file", "file/below", "dangling"):
            with pytest.raises(DataDirectoryError, match="is no directory"):
                Store(tmp_path / name)

    def test_the_command_says_it_in_one_sentence_and_touches_nothing(self, tmp_path: Path) -> None:
        for name in ("models/churn.onnx", "staging/load.sql", "log/app.log"):
            write(tmp_path / name)
        before = snapshot(tmp_path)
        done = process("sandbox", "--data-dir", ".", environment={}, cwd=tmp_path)
        assert done.returncode == 2
        [line] = done.stderr.splitlines()
        assert str(tmp_path) in line
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("leaves", [0, 7, 1000])
    def test_a_first_start_that_was_killed_before_it_had_the_mark_is_done_anew(
        self, tmp_path: Path, leaves: int
    ) -> None:
        from wallaroo_ext._util.files.atomic_files import temporary_name

        write(tmp_path / "data" / temporary_name(MARK), b'{"about": "This directory'[:leaves])
        Store(tmp_path / "data").close()
        names = [path.name for path in (tmp_path / "data").iterdir()]
        assert MARK in names
        assert not [name for name in names if name.startswith(".")]

    @pytest.mark.parametrize("made", ["mark", "lock", "folders", "empty database", "database without tables"])
    def test_a_first_start_that_was_killed_after_it_had_the_mark_is_gone_on_with(
        self, tmp_path: Path, made: str
    ) -> None:
        steps = ["mark", "lock", "folders", "empty database", "database without tables"]
        steps = steps[: steps.index(made) + 1]
        data = tmp_path / "data"
        fields = {"has_database": False, "changes": 0, "is_closed": False, "boot": ""}
        write(data / MARK, json.dumps({"about": "", "format": 1, "id": "a" * 32} | fields).encode())
        if "lock" in steps:
            (data / "lock").touch()
        if "folders" in steps:
            for name in ("models", "log", "staging"):
                (data / name).mkdir()
        if "empty database" in steps:
            (data / DATABASE).touch()
        if "database without tables" in steps:
            with closing(sqlite3.connect(data / DATABASE)) as db:
                db.execute("PRAGMA journal_mode = WAL")
        with closing(Store(data)) as store:
            add_models(store, THREE)
        Store(data).close()
        assert models(data) == THREE

    def test_where_files_have_one_name_only(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As on file systems of other systems."""

        def link(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
        assert models(with_models(tmp_path / "data", THREE)) == THREE


class TestLinks:
    @pytest.mark.parametrize(
        "name",
        [
            MARK,
            "lock",
            "models",
            "log",
            "staging",
            "tls",
            DATABASE,
            f"{DATABASE}-wal",
            f"{DATABASE}-shm",
            f"models/{THREE[1]}",
        ],
    )
    @pytest.mark.parametrize("dangles", [False, True])
    def test_no_part_is_a_link(self, tmp_path: Path, name: str, *, dangles: bool) -> None:
        data, outside = with_models(tmp_path / "data", THREE), tmp_path / "outside"
        outside.mkdir()
        part = data / name
        if part.is_dir():
            part.rename(outside / "kept")
        elif part.exists():
            shutil.move(part, outside / "kept")
        else:
            write(outside / "kept")
        part.symlink_to(outside / ("nowhere" if dangles else "kept"))
        excerpt = refused(data, outside)
        assert "is a link" in excerpt or name == MARK

    @pytest.mark.parametrize("name", [MARK, "lock", DATABASE])
    def test_no_file_has_another_name_elsewhere(self, tmp_path: Path, name: str) -> None:
        data = with_models(tmp_path / "data", THREE)
        os.link(data / name, tmp_path / "elsewhere")
        assert "is a link" in refused(data)

    def test_the_directory_itself_may_be_one(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "named").symlink_to(tmp_path / "data")
        assert models(with_models(tmp_path / "named", THREE)) == THREE
        Store(tmp_path / "data").close()

    def test_links_beside_ours_are_left_alone(self, tmp_path: Path) -> None:
        outside = write(tmp_path / "outside" / "file")
        data = with_models(tmp_path / "data", THREE)
        for folder in ("models", "log", "staging"):
            (data / folder / "link").symlink_to(outside)
        (data / "log" / f"{THREE[0]}.arrow").symlink_to(outside)
        before = snapshot(outside.parent)
        with closing(Instance(data)) as instance:
            instance.reset()
        assert snapshot(outside.parent) == before
        assert models(data) == ["link"]
        assert (data / "log" / f"{THREE[0]}.arrow").is_symlink()

    def test_another_file_for_a_lock_is_not_written_to(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        (data / "lock").write_text("somebody's lock\n")
        assert "is not the lock of a sandbox" in refused(data)

    @pytest.mark.parametrize("content", [b"", b"0", b"\0" * 21, b"%020d\n" % 0])
    def test_whatever_is_left_of_ours_is_taken(self, tmp_path: Path, content: bytes) -> None:
        data = with_models(tmp_path / "data", THREE)
        (data / "lock").write_bytes(content)
        Store(data).close()
        assert models(data) == THREE


class TestDatabases:
    """With any damage to the database of three models, the start fails with one sentence and removes nothing."""

    @pytest.mark.parametrize(
        ("spoil", "excerpt"),
        [
            (rename_database, "is gone or empty"),
            (empty_database, "is gone or empty"),
            (truncate_database, "is damaged|cannot be read"),
            (scramble_database, "is damaged|cannot be read"),
            (foreign_database, "of another application"),
            (of_another_directory, "of another data directory"),
        ],
    )
    def test_one_that_is_not_the_directorys(self, tmp_path: Path, spoil: Callable[[Path], None], excerpt: str) -> None:
        data = with_models(tmp_path / "data", THREE)
        spoil(data)
        assert re.search(excerpt, refused(data))
        (data / MARK).unlink()
        refused(data)
        assert models(data) == THREE

    def test_one_that_names_a_file_elsewhere(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        write(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").chmod(0o644)
        with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as db:
            db.execute("UPDATE model_versions SET version = '../../elsewhere' WHERE version = ?", (THREE[0],))
        assert "names a file 'models/../../elsewhere'" in refused(data, tmp_path)

    def test_one_whose_rows_are_not_what_is_written_there(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        with closing(sqlite3.connect(data / DATABASE, isolation_level=None)) as db:
            db.execute("UPDATE settings SET value = 'many' WHERE name = 'changes'")
        assert "cannot be read" in refused(data)

    def test_an_older_copy(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE[:1])
        shutil.copy(data / DATABASE, tmp_path / "copy")
        with_models(data, THREE[1:])
        newest = (data / DATABASE).read_bytes()
        shutil.copy(tmp_path / "copy", data / DATABASE)
        assert "older copy" in refused(data)
        (data / MARK).rename(tmp_path / "mark")
        assert f"files that its database does not know, 2 such as models/{THREE[1]}" in refused(data)
        (tmp_path / "mark").rename(data / MARK)
        (data / DATABASE).write_bytes(newest)
        Store(data).close()
        assert models(data) == THREE

    def test_an_older_copy_without_any_new_files(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        shutil.copy(data / DATABASE, tmp_path / "copy")
        with closing(Store(data)) as store:
            store.change_setting("one more", "row")
        shutil.copy(tmp_path / "copy", data / DATABASE)
        assert "older copy" in refused(data)
        (data / MARK).unlink()  # as the sentence says
        Store(data).close()
        assert models(data) == THREE

    def test_an_older_copy_than_a_killed_sandbox_had(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        shutil.copy(data / DATABASE, tmp_path / "copy")
        with closing(Store(data)) as store:
            store.change_setting("one more", "row")
            shutil.copytree(data, tmp_path / "killed")
        shutil.copy(tmp_path / "copy", tmp_path / "killed" / DATABASE)
        (tmp_path / "killed" / f"{DATABASE}-wal").unlink()
        assert "older copy" in refused(tmp_path / "killed")

    def test_an_older_copy_of_a_directory_that_was_not_marked_yet(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE[:1])
        with closing(sqlite3.connect(data / DATABASE)) as db:
            db.execute("DELETE FROM settings")
            db.commit()
        for name in (MARK, "lock"):
            (data / name).unlink()
        for name in THREE[1:]:
            write(data / "models" / name)
        assert "does not know, 2 such as" in refused(data)

    @pytest.mark.parametrize("left", [0, 32, 0.3, 0.6, 0.9, None])
    def test_one_without_its_write_ahead_log_or_a_part_of_it(self, tmp_path: Path, left: float | None) -> None:
        data = killed_with_models(tmp_path / "data", THREE)
        log = data / f"{DATABASE}-wal"
        if left is None:
            log.unlink()
        else:
            os.truncate(log, int(log.stat().st_size * left) if isinstance(left, float) else left)
        before = snapshot(data / "models")
        with pytest.raises(DataDirectoryError):
            Store(data)
        assert snapshot(data / "models") == before

    def test_one_without_its_write_ahead_log_when_the_machine_was_started_anew_meanwhile(self, tmp_path: Path) -> None:
        data = killed_with_models(tmp_path / "data", THREE)
        mark = json.loads((data / MARK).read_bytes())
        (data / MARK).write_text(json.dumps(mark | {"boot": "another"}))
        (data / f"{DATABASE}-wal").unlink()
        with pytest.raises(DataDirectoryError):
            Store(data)
        assert models(data) == THREE

    @pytest.mark.parametrize("boots", [None, ("another", "this"), ("", "")], ids=["another", "told", "untold"])
    def test_one_that_lost_its_last_rows_in_a_power_failure_is_gone_on_with(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boots: tuple[str, str] | None
    ) -> None:
        """Where the system has no boot id, it may have lost them as well."""
        before = "another" if boots is None else boots[0]
        if boots is not None:
            (tmp_path / "boot_id").write_text(boots[1])
            monkeypatch.setattr("wallaroo_ext.sandbox.storage.data_directory._BOOT_ID", tmp_path / "boot_id")
        with closing(Store(tmp_path / "data")):
            shutil.copytree(tmp_path / "data", tmp_path / "lost")
            mark = json.loads((tmp_path / "lost" / MARK).read_bytes())
            (tmp_path / "lost" / MARK).write_text(json.dumps(mark | {"boot": before}))
            (tmp_path / "lost" / "lock").write_bytes(b"%020d\n" % 1000)
        Store(tmp_path / "lost").close()

    def test_a_database_whose_models_files_are_gone_stops_the_start(self, tmp_path: Path) -> None:
        """As in a copy that was made while the sandbox ran."""
        data = with_models(tmp_path / "data", THREE)
        (data / "models" / THREE[1]).unlink()
        assert f"lacks files of models that its database names, models/{THREE[1]}: put them back" in refused(data)
        (data / MARK).unlink()
        assert f"models/{THREE[1]}" in refused(data)
        shutil.rmtree(data / "models")
        assert all(f"models/{name}" in refused(data) for name in THREE)

    def test_of_very_many_that_are_gone_some_are_named(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", [str(uuid.UUID(int=number)) for number in range(7)])
        shutil.rmtree(data / "models")
        assert f"models/{uuid.UUID(int=4)} and 2 more: put them back" in refused(data)

    def test_a_killed_sandbox_is_gone_on_with(self, tmp_path: Path) -> None:
        data = killed_with_models(tmp_path / "data", THREE)
        with closing(sqlite3.connect(data / DATABASE)) as db:  # somebody looks into it, which empties the -wal file
            assert db.execute("SELECT count(*) FROM model_versions").fetchone() == (3,)
        Store(data).close()
        assert models(data) == THREE

    def test_a_copy_of_the_whole_directory_is_another_one(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        shutil.copytree(data, tmp_path / "copy")
        for directory in (data, tmp_path / "copy"):
            Store(directory).close()
            assert models(directory) == THREE

    @pytest.mark.parametrize("name", [f"models/{THREE[0]}", f"log/{THREE[0]}.arrows"])
    def test_a_file_that_the_database_does_not_know_stops_the_start(self, tmp_path: Path, name: str) -> None:
        Store(tmp_path / "data").close()
        write(tmp_path / "data" / name)
        assert f"such as {name}" in refused(tmp_path / "data")


class TestOlderReleases:
    @pytest.mark.parametrize("version", sorted(place.name for place in DIRECTORIES.iterdir()))
    def test_their_directories_are_known_by_their_database_and_get_the_mark(self, tmp_path: Path, version: str) -> None:
        data = tmp_path / "data"
        restore(DIRECTORIES / version, data)
        data.chmod(0o755)
        for name in ("lock", "models/churn.onnx", "staging/load.sql", f"staging/{THREE[0]}", "log/app.log"):
            write(data / name, b"" if name == "lock" else b"mine")
        Store(data).close()
        assert json.loads((data / MARK).read_bytes())["has_database"] is True
        assert (data / "staging" / THREE[0]).exists()
        assert {"models/churn.onnx", "staging/load.sql", "log/app.log"} < {
            str(file.relative_to(data)) for file in data.rglob("*")
        }
        named = (*data.iterdir(), *data.glob("models/*-*"), *data.glob("log/*.arrows"))
        assert {path.stat().st_mode & 0o077 for path in (data, *named)} == {0}
        Store(data).close()


class TestRemoving:
    def test_what_others_keep_there_stays_through_uploads_resets_and_crashes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = tmp_path / "data"
        Store(data).close()
        foreign = [data / folder / name for folder in ("models", "log", "staging", ".") for name in ("own", ".own")]
        foreign += [
            data / "staging" / f"models.{THREE[0]}.{'0' * 32}.pending",
            data / "staging" / str(uuid.UUID(int=9)),
        ]
        foreign += [data / "staging" / f"{THREE[1]}.{'0' * 32}.upload", data / "models" / "a-folder" / "own"]
        foreign += [data / "log" / f"{THREE[0]}.arrow", data / "models" / f"{THREE[0]}.onnx"]
        before = {file: _content(write(file)) for file in foreign}
        monkeypatch.setattr("wallaroo_ext.sandbox.inference.inference_log._SEGMENT_LIMIT", 1 << 14)
        with closing(Instance(data)) as instance:
            add_models(instance.store, THREE)
            log(instance)
            assert len(models(data)) == len(THREE) + 4
            instance.reset()
            log(instance)
        killed_with_models(data, THREE[:1])
        with closing(Instance(data)) as instance:
            instance.reset()
        assert {file: _content(file) for file in foreign} == before
        ours = {file.name for folder in ("models", "log", "staging") for file in (data / folder).iterdir()}
        assert ours == {file.relative_to(data).parts[1] for file in foreign if file.parent != data}

    def test_what_a_killed_reset_left_is_removed_by_the_next_start(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        with closing(Store(data)) as store, store.transaction() as db:
            store.clear(db, None)
        assert models(data) == THREE
        Store(data).close()
        assert models(data) == []

    def test_what_a_reset_that_failed_would_have_removed_stays(self, tmp_path: Path) -> None:
        def fail() -> None:
            with closing(Store(data)) as store, store.transaction() as db:
                store.clear(db, None)
                raise RuntimeError

        data = with_models(tmp_path / "data", THREE)
        with pytest.raises(RuntimeError):
            fail()
        Store(data).close()
        assert models(data) == THREE

    def test_a_segment_that_was_begun_and_not_indexed_is_removed(self, tmp_path: Path) -> None:
        with closing(Instance(tmp_path / "data")) as instance:
            instance.log.write(batch())
            assert len(list((tmp_path / "data" / "log").iterdir())) == 1
        Store(tmp_path / "data").close()
        assert list((tmp_path / "data" / "log").iterdir()) == []

    def test_an_upload_whose_row_was_stored_keeps_its_file_whatever_comes_after(self, tmp_path: Path) -> None:
        def fail() -> None:
            raise RuntimeError

        def rename(store: Store) -> None:
            staged = store.staging / "staged"
            staged.write_bytes(b"a model")
            with store.add_model_file(staged, THREE[1]), store.transaction() as db:
                db.execute("UPDATE model_versions SET version = ?", (THREE[1],))
                store.after_commit(fail)

        with closing(Store(tmp_path / "data")) as store:
            add_models(store, THREE[:1])
            with pytest.raises(RuntimeError):
                rename(store)
            assert store.model_file(THREE[1]).exists()


class TestPrivacy:
    @pytest.mark.parametrize("umask", [0, 0o022, 0o077])
    @pytest.mark.parametrize("mode", [None, 0o755, 0o777])
    def test_everything_is_for_its_owner_alone(self, tmp_path: Path, umask: int, mode: int | None) -> None:
        data = tmp_path / "data"
        if mode is not None:
            data.mkdir()
            data.chmod(mode)
        before = os.umask(umask)
        try:
            with closing(Instance(data)) as instance:
                add_models(instance.store, THREE)
                log(instance)
                modes = {str(path): path.stat().st_mode & 0o777 for path in (data, *data.rglob("*"))}
        finally:
            os.umask(before)
        assert f"{data}/{DATABASE}-wal" in modes
        assert {mode for path, mode in modes.items() if not Path(path).is_dir()} == {0o600}
        assert {mode for path, mode in modes.items() if Path(path).is_dir()} == {0o700}

    def test_what_was_opened_to_others_is_closed_again(self, tmp_path: Path) -> None:
        data = with_models(tmp_path / "data", THREE)
        for path in (data, *data.rglob("*")):
            path.chmod(0o777)
        Store(data).close()
        assert {path.stat().st_mode & 0o077 for path in (data, *data.rglob("*"))} == {0}

    @pytest.mark.slow
    def test_of_the_command_too(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir(mode=0o755)
        with running(tmp_path / "data", "--tls"):
            paths = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
            assert {path.stat().st_mode & 0o077 for path in paths} == {0}

    def test_a_directory_of_another_user_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        with pytest.raises(DataDirectoryError, match="belongs to another user"):
            Store(tmp_path)


class TestCertificates:
    def test_what_else_has_their_names_is_kept(self, tmp_path: Path) -> None:
        from wallaroo_ext.sandbox.server.tls import generated_certificate

        outside = write(tmp_path / "outside")
        write(tmp_path / "tls" / "server.pem", b"my own key")
        (tmp_path / "tls" / "ca.pem").symlink_to(outside)
        generated_certificate(tmp_path / "tls", "127.0.0.1")
        generated_certificate(tmp_path / "tls", "sandbox.example.com")
        assert outside.read_bytes() == b"somebody's own"
        kept = sorted(file.name.split(".")[0] for file in (tmp_path / "tls").glob("*.kept"))
        assert kept == ["ca", "server"]
        [key] = (tmp_path / "tls").glob("server.pem.*")
        assert key.read_bytes() == b"my own key"


def batch() -> LoggedBatch:
    times: Any = pa.array([1] * 500, pa.timestamp("ms"))
    return LoggedBatch(pa.table({"time": times, "in.x": list(range(500))}), "model", "sha", 5)


def log(instance: Instance) -> None:
    """Log rows for a pipeline, so many that the oldest segments are removed."""
    with instance.store.transaction() as db:
        time = "2026-01-01T00:00:00Z"
        db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (1, 'p', ?)", (time,))
    small: InferenceLog = instance.log
    vars(small)["_limit"] = 1 << 16
    for _ in range(20):
        small.append(1, batch())


def _content(file: Path) -> tuple[int, int, bytes]:
    found = file.lstat()
    return found.st_mode, found.st_mtime_ns, file.read_bytes()


def test_a_lock_that_a_killed_sandbox_leaves_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store(tmp_path)):
        pass
    held = (tmp_path / "lock").open("rb+")
    fcntl.flock(held, fcntl.LOCK_EX)

    def release(_: float) -> None:
        held.close()

    monkeypatch.setattr("wallaroo_ext._util.files.file_lock.time.sleep", release)
    with closing(Store(tmp_path)):
        assert held.closed


def test_a_path_that_the_database_does_not_take_is_called_too_long(tmp_path: Path) -> None:
    directory = tmp_path
    while len(os.fsencode(directory)) < 600:
        directory /= "x" * 100
    with pytest.raises(DataDirectoryError, match="its path has more than 480 bytes, so name another directory"):
        Store(directory)
