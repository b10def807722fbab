"""Is what fails in the engine's own threads shown and logged, and do its processes outlive who asked for them?"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.sandbox.steering import wait_for
from scripts.lib.bench.sandbox_processes import tree
from wallaroo_ext.sandbox.engine.engine import Engine
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with closing(Store(tmp_path)) as opened:
        yield opened


@pytest.fixture
def engine(store: Store) -> Generator[Engine]:
    with closing(Engine(store)) as made:
        yield made


@pytest.fixture
def full(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store's disk be full."""

    @contextmanager
    def transaction() -> Generator[None]:
        raise OSError(errno.ENOSPC, "No space left on device")
        yield

    monkeypatch.setattr(store, "transaction", transaction)


@pytest.mark.usefixtures("full")
def test_a_start_that_fails_before_anything_is_loaded_is_an_error(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.start(1)
    wait_for(lambda: engine.deployment(1).status == "Error")
    assert engine.deployment(1).error == "The sandbox failed to load the models; see its log."
    assert "No space left on device" in caplog.text


@pytest.mark.usefixtures("full")
def test_a_conversion_that_cannot_be_stored_is_logged(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.convert(1)
    wait_for(lambda: "converting the model version 1 failed" in caplog.text)
    assert "No space left on device" in caplog.text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the signal of a parent's death is one of Linux")
def test_the_processes_outlive_the_thread_that_asked_what_confines_them(engine: Engine) -> None:
    before = set(tree(os.getpid()))
    asking = threading.Thread(target=engine.confinement)
    asking.start()
    asking.join()
    [fork_server] = set(tree(os.getpid())) - before
    time.sleep(0.5)  # the kernel would kill it by now
    state = Path(f"/proc/{fork_server}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    assert state != "Z"
    assert engine.confinement()
