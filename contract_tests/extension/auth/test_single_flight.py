"""Does one token request serve all who need a token, whatever happens to them?"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.fake_keycloak import API, Gate, Keycloak, down, unreachable
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import ConnectionFailedError, KeycloakAuth, contract
from wallaroo_ext.auth import token_manager

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

MANY = 64


@pytest.fixture
def keycloak() -> Keycloak:
    return Keycloak()


@pytest.fixture
def gate(keycloak: Keycloak) -> Generator[Gate]:
    """Yield a gate that holds the next token requests back."""
    keycloak.failure = gate = Gate(keycloak)
    yield gate
    gate.opened.set()


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


async def post(keycloak: Keycloak, auth: KeycloakAuth, count: int = MANY) -> None:
    """Send several requests at the same time, in this event loop."""
    async with keycloak.async_client(auth) as http:
        answers = await asyncio.gather(*(http.post("/a") for _ in range(count)))
    assert [answer.status_code for answer in answers] == [200] * count


def expired(keycloak: Keycloak) -> KeycloakAuth:
    """Return an auth object whose token has expired, with no requests counted so far."""
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3600
    keycloak.forms.clear()
    return auth


def test_threads_on_an_expired_token_make_one_request(keycloak: Keycloak) -> None:
    auth = expired(keycloak)
    together = threading.Barrier(MANY)

    def call(_: int) -> int:
        together.wait(30)
        return http.post("/a").status_code

    with keycloak.client(auth) as http, ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(call, range(MANY))) == [200] * MANY
    assert keycloak.grants == ["refresh_token"]


def test_tasks_on_an_expired_token_make_one_request(keycloak: Keycloak) -> None:
    asyncio.run(post(keycloak, expired(keycloak)))
    assert keycloak.grants == ["refresh_token"]


def test_threads_and_event_loops_share_one_request(keycloak: Keycloak, gate: Gate) -> None:
    auth = keycloak.auth()
    with keycloak.client(auth) as http, ThreadPoolExecutor(MANY + 4) as pool:
        threads = [pool.submit(http.post, "/a") for _ in range(MANY)]
        loops = [pool.submit(asyncio.run, post(keycloak, auth, 16)) for _ in range(4)]
        gate.entered.wait(30)
        gate.opened.set()
        assert [thread.result().status_code for thread in threads] == [200] * MANY
        assert [loop.result() for loop in loops] == [None] * 4
    assert len(keycloak.forms) == 1


def test_a_token_that_was_refused_to_all_is_renewed_once(keycloak: Keycloak) -> None:
    auth = keycloak.auth()
    auth.access_token()
    keycloak.revoked = {"t1"}
    asyncio.run(post(keycloak, auth))
    with keycloak.client(auth) as http, ThreadPoolExecutor(MANY) as pool:
        keycloak.revoked = {"t1", "t2"}
        assert {answer.status_code for answer in pool.map(http.post, ["/a"] * MANY)} == {200}
    assert len(keycloak.forms) == 3


@pytest.mark.parametrize("cancelled", [1, MANY])
def test_cancelled_tasks_neither_stop_nor_repeat_the_request(keycloak: Keycloak, gate: Gate, cancelled: int) -> None:
    auth = keycloak.auth()

    async def main() -> list[int | None]:
        async with keycloak.async_client(auth) as http:
            tasks = [asyncio.create_task(http.post("/a")) for _ in range(MANY)]
            await asyncio.to_thread(gate.entered.wait, 30)
            for task in tasks[:cancelled]:
                task.cancel()
            await asyncio.wait(tasks[:cancelled])
            gate.opened.set()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        return [end.status_code if isinstance(end, httpx.Response) else None for end in ends]

    assert asyncio.run(main()) == [None] * cancelled + [200] * (MANY - cancelled)
    assert auth.access_token() == "t1"
    assert len(keycloak.forms) == 1


def test_an_event_loop_may_end_before_the_request_does(
    keycloak: Keycloak, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    auth = keycloak.auth()

    async def leave() -> None:
        async with asyncio.timeout(0.01):
            await post(keycloak, auth, 3)

    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    gate.entered.wait(30)
    gate.opened.set()
    assert auth.access_token() == "t1"
    assert len(keycloak.forms) == 1
    assert "closed" not in caplog.text


def test_an_interrupted_thread_neither_stops_nor_repeats_the_request(keycloak: Keycloak, gate: Gate) -> None:
    auth = keycloak.auth()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with on_signal(interrupt, gate), pytest.raises(KeyboardInterrupt):
        auth.access_token()
    gate.opened.set()
    assert auth.access_token() == "t1"
    assert len(keycloak.forms) == 1


def test_a_signal_handler_may_need_the_token_that_its_thread_waits_for(keycloak: Keycloak, gate: Gate) -> None:
    auth = keycloak.auth()
    found: list[str] = []

    def handle(*_: object) -> None:
        gate.opened.set()
        found.append(auth.access_token())

    with on_signal(handle, gate):
        assert auth.access_token() == "t1"
    assert found == ["t1"]
    assert len(keycloak.forms) == 1


class on_signal:  # noqa: N801 - a context manager that reads as a function
    """Send the main thread a signal once a token request is running."""

    def __init__(self, handler: Callable[..., None], gate: Gate) -> None:
        self._handler = handler
        self._thread = threading.Thread(target=self._send, args=(gate,))

    @staticmethod
    def _send(gate: Gate) -> None:
        gate.entered.wait(30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGUSR1, self._handler)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        signal.signal(signal.SIGUSR1, self._before)


def test_a_program_does_not_wait_for_it_at_its_end(keycloak: Keycloak, gate: Gate) -> None:
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(keycloak.auth().access_token)
        until(lambda: any(thread.name == "wallaroo-token" for thread in threading.enumerate()))
        assert [thread.daemon for thread in threading.enumerate() if thread.name == "wallaroo-token"] == [True]
        gate.opened.set()
        caller.result(30)


def test_a_failure_is_everybodys_and_the_next_call_tries_again(keycloak: Keycloak, gate: Gate) -> None:
    auth = keycloak.auth()
    gate.failure = unreachable
    with ThreadPoolExecutor(16) as pool:
        threads = [pool.submit(auth.access_token) for _ in range(16)]
        gate.entered.wait(30)
        until(lambda: all(thread.running() for thread in threads))
        gate.opened.set()
        errors = [thread.exception() for thread in threads]
    assert {type(error) for error in errors} == {ConnectionFailedError}
    assert len({id(error) for error in errors}) == 16
    asked = len(keycloak.forms)
    assert asked < 16  # one, unless a thread came after the failure
    keycloak.failure = None
    auth.access_token()
    assert len(keycloak.forms) == asked + 1


def test_a_failure_reaches_tasks_too(keycloak: Keycloak) -> None:
    keycloak.failure = unreachable
    with pytest.raises(ConnectionFailedError):
        asyncio.run(post(keycloak, keycloak.auth(), 1))


def test_a_token_that_is_still_good_is_used_while_the_request_hangs(
    keycloak: Keycloak, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_manager, "PATIENCE_SECONDS", 0.01)
    auth = keycloak.auth()
    auth.access_token()
    keycloak.now += 3541
    keycloak.failure = gate = Gate(keycloak)
    assert auth.access_token() == "t1"
    asyncio.run(post(keycloak, auth, 3))
    assert keycloak.seen == ["t1"] * 3
    gate.opened.set()
    until(lambda: auth.access_token() == "t2")
    assert len(keycloak.forms) == 2


def test_without_another_thread_the_caller_asks_by_itself(keycloak: Keycloak, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert keycloak.auth().access_token() == "t1"
    keycloak.failure = down
    with pytest.raises(Exception, match="503"):
        keycloak.auth().access_token()


def test_an_interruption_while_the_thread_begins_leaves_nobody_waiting(
    keycloak: Keycloak, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    auth = keycloak.auth()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(KeyboardInterrupt):
            auth.access_token()
    assert auth.access_token() == "t1"


def test_forget_drops_the_token_of_a_request_that_is_under_way(keycloak: Keycloak, gate: Gate, tmp_path: Path) -> None:
    auth = keycloak.auth(cache=tmp_path / "tokens")
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(auth.access_token)
        gate.entered.wait(30)
        forgetting = pool.submit(auth.forget)
        until(forgetting.running)
        gate.opened.set()
        assert waiting.result() == "t1"
        forgetting.result()
    assert list((tmp_path / "tokens").glob("*.json")) == []
    assert auth.access_token() == "t2"


def test_a_caller_who_is_late_takes_the_token_that_came_in_between(keycloak: Keycloak) -> None:
    """The caller saw the old token, was delayed, and starts a renewal when that of another caller has ended."""

    class HeldUp(dict[Any, Any]):
        def setdefault(self, key: Any, default: Any = None) -> Any:
            manager: Any = auth._manager  # pyright: ignore[reportPrivateUsage] - there is no other way in between
            manager._renewals = {}
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(auth.access_token).result() == "t1"
            manager._renewals = self
            return super().setdefault(key, default)

    auth = expired(keycloak)
    manager: Any = auth._manager  # pyright: ignore[reportPrivateUsage] - the same
    manager._renewals = HeldUp()
    assert auth.access_token() == "t1"
    assert len(keycloak.forms) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_is_forked_during_a_request_asks_by_itself(keycloak: Keycloak, gate: Gate) -> None:
    auth = keycloak.auth()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(auth.access_token)
        gate.entered.wait(30)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            gate.opened.set()
            os._exit(0 if auth.access_token() == "t2" else 1)
        _, status = os.waitpid(child, 0)
        gate.opened.set()
        assert (os.waitstatus_to_exitcode(status), waiting.result()) == (0, "t1")


def test_a_sandbox_is_asked_once_by_threads_and_once_by_tasks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    offset = [0.0]
    with running(log=log, log_format="json") as environment:
        operation = contract.operation("request_token")
        auth = KeycloakAuth(
            environment["WALLAROO_AUTH_URL"] + operation.path,
            api_url=environment["WALLAROO_API_URL"],
            client_id=environment["WALLAROO_CLIENT_ID"],
            client_secret=environment["WALLAROO_CLIENT_SECRET"],
            username=environment["WALLAROO_USER"],
            password=environment["WALLAROO_PASSWORD"],
            clock=lambda: time.monotonic() + offset[0],
        )
        path = contract.operation("list_workspaces").path
        where: dict[str, Any] = {"base_url": environment["WALLAROO_API_URL"], "auth": auth, "timeout": 60}

        def operations() -> list[str]:
            return [json.loads(line).get("operation") for line in log.read_text().splitlines() if line[:1] == "{"]

        def counts() -> tuple[int, int]:
            found = operations()
            return found.count("list_workspaces"), found.count("request_token")

        with httpx.Client(**where) as http, ThreadPoolExecutor(MANY) as pool:
            answers = [pool.submit(http.post, path, json={}) for _ in range(MANY)]
            assert {answer.result().status_code for answer in answers} == {200}
        until(lambda: counts()[0] == MANY)
        assert counts() == (MANY, 1)

        async def tasks() -> set[int]:
            async with httpx.AsyncClient(**where) as http:
                return {
                    answer.status_code
                    for answer in await asyncio.gather(*(http.post(path, json={}) for _ in range(MANY)))
                }

        offset[0] = 3600.0
        assert asyncio.run(tasks()) == {200}
        until(lambda: counts()[0] == 2 * MANY)
        assert counts() == (2 * MANY, 2)


def test_the_api_is_not_asked_by_whom_no_token_comes(keycloak: Keycloak) -> None:
    keycloak.failure = unreachable
    with keycloak.client(keycloak.auth()) as http, pytest.raises(ConnectionFailedError):
        http.post(f"{API}/a")
    assert keycloak.seen == []
