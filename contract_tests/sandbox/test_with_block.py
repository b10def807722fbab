"""Does `wallaroo_ext.sandbox()` run a sandbox for a notebook, a script and a unittest, and end with its owner?"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
import sys
import time
import unittest
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

import wallaroo_ext
from contract_tests.support.servers.http_servers import is_answering
from wallaroo_ext import ConfigurationError, WallarooError, aio, connect, find_workspace
from wallaroo_ext.sandbox import process
from wallaroo_ext.sandbox.process import SandboxFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow  # each test starts a sandbox of its own

HOLD = """
import os, sys, time
import wallaroo_ext

with wallaroo_ext.sandbox() as instance:
    print(instance.url, flush=True)
    time.sleep(60)
"""
"""A program that runs a sandbox until it is ended."""


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_with_block_has_what_the_fixtures_give() -> None:
    with wallaroo_ext.sandbox() as instance:
        assert find_workspace(instance.client).name.startswith(instance.environment["WALLAROO_USER"])
        instance.seed(workspaces=[{"name": "fraud"}])
        assert find_workspace(instance.client, "fraud").name == "fraud"
        instance.reset()
        with connect(environment=instance.environment) as client:
            assert find_workspace(client).id == 1
    assert not is_answering(instance.url)


def test_its_options_are_those_of_the_command(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with wallaroo_ext.sandbox(data_dir=data, release="2023.4", log=log, arguments=["--tls"]) as instance:
        assert instance.url.startswith("https://")
        assert instance.state()["release"] == "2023.4"
        find_workspace(instance.client, "kept", create=True)
    assert "create_workspace" in log.read_text(encoding="utf-8")
    with wallaroo_ext.sandbox(data_dir=str(data), arguments=["--tls"]) as again:
        assert again.url == instance.url
        assert find_workspace(again.client, "kept").name == "kept"


def test_a_stack_keeps_it_over_several_cells() -> None:
    stack = ExitStack()
    instance = stack.enter_context(wallaroo_ext.sandbox())
    assert find_workspace(instance.client).id == 1
    stack.close()
    assert not is_answering(instance.url)


def test_a_unittest_enters_it() -> None:
    urls: list[str] = []

    class Case(unittest.TestCase):
        def test_it(self) -> None:
            instance = self.enterContext(wallaroo_ext.sandbox())
            urls.append(instance.url)
            assert find_workspace(instance.client).id == 1

    result = unittest.TestResult()
    Case("test_it").run(result)
    assert result.wasSuccessful(), result.errors
    assert not is_answering(urls[0])


def test_asyncio_has_it_too() -> None:
    async def use() -> str:
        async with aio.sandbox() as instance:
            assert (await aio.find_workspace(instance.client)).id == 1
            return instance.url

    assert not is_answering(asyncio.run(use()))


@pytest.mark.parametrize("times", [1, 3])
def test_a_task_that_is_cancelled_while_it_starts_leaves_none(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    started: list[process.Program] = []
    start = process.start_process

    async def use() -> None:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()

        def remembered(arguments: Sequence[str], files: tuple[int, int, int]) -> process.Program:
            started.append(start(arguments, files))
            loop.call_soon_threadsafe(begun.set)
            return started[0]

        async def run() -> None:
            async with aio.sandbox():
                raise AssertionError

        monkeypatch.setattr(process, "running", partial(process.running, start=remembered))
        task = asyncio.create_task(run())
        await begun.wait()
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert started[0].poll() is not None

    asyncio.run(use())


def test_it_ends_when_its_owner_is_killed_and_leaves_no_file(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, env=environment) as owner:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        assert is_answering(url)
        # The sandbox's own data: the credentials are gone already. The directory in which the engine starts soon is.
        assert len([path for path in tmp_path.iterdir() if not path.name.startswith("wallaroo-engine-")]) == 1
        os.kill(owner.pid, signal.SIGKILL)
        wait_until(lambda: not is_answering(url))
        wait_until(lambda: not list(tmp_path.iterdir()))


def test_a_start_that_fails_is_a_sentence_of_the_tree() -> None:
    with (
        pytest.raises(SandboxFailedError, match=r"did not start: .*--release") as raised,
        wallaroo_ext.sandbox(release="1"),
    ):
        pass
    assert isinstance(raised.value, WallarooError)
    assert "Traceback" not in str(raised.value)


def test_a_text_is_one_argument() -> None:
    with pytest.raises(SandboxFailedError, match="--bogus"), wallaroo_ext.sandbox(arguments="--bogus"):
        pass


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_: str) -> None: ...

    monkeypatch.setattr(process, "find_spec", find_nothing)
    with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[sandbox\]'"), wallaroo_ext.sandbox():
        pass


def test_the_name_is_the_package_and_its_function_at_once() -> None:
    assert vars(wallaroo_ext.sandbox)["process"] is process
    expected = inspect.signature(process.sandbox).parameters
    assert inspect.signature(wallaroo_ext.sandbox).parameters == expected
    assert inspect.signature(aio.sandbox).parameters == expected
