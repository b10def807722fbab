"""Are the actions of exceeded time limits called, and no others?"""

from __future__ import annotations

import threading
import time

import pytest

from wallaroo_ext.sandbox.engine.deadlines import Deadlines


def test_what_takes_too_long_is_acted_on_once() -> None:
    acted = threading.Semaphore(0)
    with Deadlines().after(0.01, acted.release):
        assert acted.acquire(timeout=10)
    assert not acted.acquire(timeout=0.05)


def test_what_ends_in_time_is_let_alone() -> None:
    acted: list[str] = []
    deadlines, late = Deadlines(), threading.Event()
    with deadlines.after(0.05, lambda: acted.append("first")):
        pass
    with deadlines.after(0.1, late.set):
        assert late.wait(10)
    assert acted == []


def test_a_shorter_time_that_comes_later_is_kept() -> None:
    deadlines, late = Deadlines(), threading.Event()
    began = time.monotonic()
    with deadlines.after(3600, lambda: None), deadlines.after(0.01, late.set):
        assert late.wait(10)
    assert time.monotonic() - began < 3600


def test_one_thread_serves_all() -> None:
    deadlines = Deadlines()
    before = threading.active_count()
    for _ in range(100):
        with deadlines.after(60, lambda: None):
            pass
    assert threading.active_count() == before + 1


def test_without_a_thread_the_next_one_who_comes_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    acted, deadlines = threading.Semaphore(0), Deadlines()
    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", none_left)
        with pytest.raises(RuntimeError), deadlines.after(0.01, acted.release):
            pass
    with deadlines.after(0.01, acted.release):
        assert acted.acquire(timeout=10)
    assert not acted.acquire(timeout=0.05)
