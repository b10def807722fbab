"""Does the log keep everything that was scored, even after a crash, within its limit?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from wallaroo_ext.sandbox.inference import inference_log
from wallaroo_ext.sandbox.inference.inference_log import InferenceLog, LoggedBatch, LoggedOrigin
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


def batch(times: list[int], model: str = "model") -> LoggedBatch:
    table = pa.table(
        {
            "time": pa.array(times, pa.timestamp("ms")),
            "in.x": pa.array([[float(time)] for time in times], pa.list_(pa.float32())),
            "out.y": pa.array([str(time) for time in times]),
        }
    )
    return LoggedBatch(table, model, "sha", 5)


def add_pipelines(store: Store, count: int) -> None:
    with store.transaction() as db:
        db.execute("INSERT INTO workspaces (name, created_at, created_by) SELECT 'w', '', id FROM users")
        for number in range(count):
            db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (1, ?, '')", (f"p{number}",))


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    from wallaroo_ext.sandbox.auth.users import add_user

    opened = Store(tmp_path / "data")
    with opened.transaction() as db:
        add_user(db, "user@example.com", "password")
    add_pipelines(opened, 2)
    yield opened
    opened.close()


def times_in(log: InferenceLog, **options: Any) -> list[list[int]]:
    return [np.asarray(found.table.column("time")).astype(int).tolist() for found in log.read(1, **options)]


def test_what_was_logged_is_read_by_pipeline_time_and_model(store: Store) -> None:
    log = InferenceLog(store, 1)
    log.append(1, batch([10, 11]))
    log.append(2, batch([10]))
    log.append(1, batch([20, 30], "other"))
    log.append(1, batch([]))
    assert times_in(log) == [[10, 11], [20, 30]]
    assert times_in(log, start_ms=11, end_ms=30) == [[11], [20]]
    assert times_in(log, start_ms=31) == []
    assert times_in(log, model_name="other") == [[20, 30]]
    [first, _] = log.read(1)
    assert (first.model_name, first.model_sha, first.elapsed_ns) == ("model", "sha", 5)
    assert first.table.equals(batch([10, 11]).table)
    log.close()


def test_small_inferences_are_read_from_their_file_once(store: Store) -> None:
    log = InferenceLog(store, 1)
    for time in (1, 2):
        log.append(1, batch([time, time + 10]))
    log.append(2, batch([0] * 20_000))
    assert times_in(log) == [[1, 11], [2, 12]]
    assert [len(found.table) for found in log.read(2)] == [20_000]
    [segment] = store.log.iterdir()
    segment.write_bytes(b"")
    assert times_in(log, end_ms=12) == [[1, 11], [2]]
    assert list(log.read(2)) == [], "large ones are not kept"
    log.close()


def test_no_more_small_inferences_are_kept_than_the_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_log, "_MOST_KEPT", 2)
    log = InferenceLog(store, 1)
    for time in (1, 2, 3):
        log.append(1, batch([time]))
    assert times_in(log) == [[1], [2], [3]]
    [segment] = store.log.iterdir()
    segment.write_bytes(b"")
    assert times_in(log) == [[2], [3]]
    log.close()


def test_where_rows_come_from_is_kept(store: Store) -> None:
    origin = LoggedOrigin("version", "engine-1", 7, ("out", "out_rival"))
    log = InferenceLog(store, 1)
    log.append(1, replace(batch([10]), origin=origin))
    log.append(1, batch([20]))
    assert [found.origin for found in log.read(1)] == [origin, LoggedOrigin()]
    log.close()


def test_it_goes_on_after_a_restart(store: Store) -> None:
    for time in (1, 2, 3):
        log = InferenceLog(store, 1)
        log.append(1, batch([time]))
        log.close()
    assert times_in(InferenceLog(store, 1)) == [[1], [2], [3]]


def test_the_oldest_rows_go_when_the_limit_is_reached(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference_log, "_SEGMENT_LIMIT", 1 << 18)
    log = InferenceLog(store, 1)
    for time in range(200):
        log.append(1, batch([time] * 1000))
    kept = [times[0] for times in times_in(log)]
    assert kept == list(range(kept[0], 200))
    assert 0 < kept[0] < 199
    assert sum(file.stat().st_size for file in store.log.iterdir()) < 2 << 20
    log.close()


def test_bytes_that_no_row_names_are_cut_off(store: Store) -> None:
    log = InferenceLog(store, 1)
    log.append(1, batch([1]))
    log.close()
    [segment] = store.log.iterdir()
    size = segment.stat().st_size
    with segment.open("ab") as file:
        file.write(b"half a batch")
    assert times_in(InferenceLog(store, 1)) == [[1]]
    assert [(file.name, file.stat().st_size) for file in store.log.iterdir()] == [(segment.name, size)]


@pytest.mark.parametrize("left", [1, 0, None])
def test_rows_that_a_segment_has_lost_are_said_and_the_others_are_read(
    store: Store, left: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    log = InferenceLog(store, 1)
    log.append(1, batch([1]))
    log.append(1, batch([2]))
    log.close()
    [segment] = store.log.iterdir()
    if left is None:
        segment.unlink()
    else:
        os.truncate(segment, left * (segment.stat().st_size - 1))
    assert times_in(InferenceLog(store, 1)) == [[1]] * (left or 0)
    [message] = [record.getMessage() for record in caplog.records]
    assert segment.name in message
    assert "are lost" in message


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        import pyarrow as pa
        from wallaroo_ext.sandbox.inference.inference_log import InferenceLog, LoggedBatch
        from wallaroo_ext.sandbox.storage.store import Store
        from wallaroo_ext.sandbox.auth.users import add_user
        store = Store(Path(sys.argv[1]))
        with store.transaction() as db:
            add_user(db, "user@example.com", "password")
            db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (1, 'p', '')")
        log = InferenceLog(store, 100)
        for number in range(100_000):
            table = pa.table({"time": pa.array([number] * 50, pa.timestamp("ms"))})
            log.append(1, LoggedBatch(table, "m", "s", 1))
            print(number, flush=True)
        """
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = int([line for line in lines if line.endswith("\n")][-1])
    store = Store(tmp_path / "data")
    found = times_in(InferenceLog(store, 100))
    assert found[: acknowledged + 1] == [[number] * 50 for number in range(acknowledged + 1)]
    assert len(found) <= acknowledged + 2
    store.close()


def test_large_batches_and_small_ones_share_a_segment(store: Store) -> None:
    log = InferenceLog(store, 100)
    large = pa.table({"time": pa.array(range(200_000), pa.timestamp("ms"))})
    for _ in range(3):
        log.append(1, LoggedBatch(large, "large", "s", 1))
        for _ in range(20):  # while memory for another large one is being made ready behind them
            log.append(1, batch([7]))
    assert all(found.table.equals(large) for found in log.read(1, model_name="large"))
    assert times_in(log, model_name="model") == [[7]] * 60
    log.close()
    [segment] = store.log.iterdir()
    with store.reading() as db:
        assert segment.stat().st_size == db.execute("SELECT max(end_offset) FROM inferences").fetchone()[0]
