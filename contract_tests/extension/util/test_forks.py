"""Does a forked child share nothing with its parent, whatever either of them was doing?"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.servers.certificates import self_signed
from contract_tests.support.servers.forks.echo_server import Echo, echo_server
from contract_tests.support.servers.forks.forking import children, exit_code_of, run_in_child, start_child
from wallaroo_ext import ConfigurationError, ForkedError, KeycloakAuth, RetryPolicy, connect, contract
from wallaroo_ext._util import after_fork
from wallaroo_ext._util.after_fork import PerProcess
from wallaroo_ext._util.files.file_lock import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_mlops_client import Client

pytestmark = [
    # Forking a process that has threads is what this is about.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
]

PATH = contract.operation("list_workspaces").path
BACKENDS = ["sync", "httpx", "aiohttp"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def echo(request: pytest.FixtureRequest, certificate: Path) -> Generator[Echo]:
    with echo_server(certificate if request.param == "https" else None) as server:
        yield server


@pytest.fixture
def plain() -> Generator[Echo]:
    """Yield the server without TLS, for tests that do not depend on TLS."""
    with echo_server() as server:
        yield server


_connected: list[Client] = []


@pytest.fixture(autouse=True)
def _closed() -> Generator[None]:  # pyright: ignore[reportUnusedFunction] - pytest finds it
    """Close the clients of a test, in the parent."""
    yield
    while _connected:
        _connected.pop().get_httpx_client().close()


def connected(echo: Echo, **options: Any) -> Client:
    """Return a client without retries, which would hide errors."""
    _connected.append(connect(environment=echo.environment, retries=RetryPolicy(attempts=1), timeout=20, **options))
    return _connected[-1]


def ask(client: Client, what: str, **more: Any) -> None:
    """Send a request, and check that the answer is for it."""
    answer = client.get_httpx_client().post(PATH, json={"what": what} | more)
    assert answer.json()["what"] == what


async def ask_async(client: Client, *whats: str) -> None:
    """Send requests at the same time."""
    http = client.get_async_httpx_client()
    answers = await asyncio.gather(*(http.post(PATH, json={"what": what}) for what in whats))
    assert tuple(answer.json()["what"] for answer in answers) == whats


def ask_many(client: Client, backend: str, who: str, calls: int) -> None:
    """Send requests one after the other, or in as many tasks of asyncio."""
    whats = [f"{who}-{number}" for number in range(calls)]
    if backend == "sync":
        for what in whats:
            ask(client, what)
    else:
        asyncio.run(_ask_in_tasks(client, whats))


async def _ask_in_tasks(client: Client, whats: list[str]) -> None:
    try:
        for begin in range(0, len(whats), 8):
            await ask_async(client, *whats[begin : begin + 8])
    finally:
        await _close_loops_connections(client)


async def _close_loops_connections(client: Client) -> None:
    """Close the connections of the running loop, but not the client."""
    transport: Any = client.get_async_httpx_client()
    await transport._transport.aclose()


def _options(backend: str) -> dict[str, Any]:
    return {} if backend == "sync" else {"transport": backend}


@contextmanager
def busy(work: Callable[[], object]) -> Generator[None]:
    """Repeat some work in a thread while a `with` block runs, and raise its error afterwards."""
    stop, failures = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []


class TestAnswers:
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_each_process_gets_its_own(self, echo: Echo, backend: str) -> None:
        self.rounds(echo, backend, rounds=2, calls=4)

    @pytest.mark.slow
    @pytest.mark.parametrize("backend", BACKENDS)
    def test_each_process_gets_its_own_with_64_calls_in_8_children_20_times(self, plain: Echo, backend: str) -> None:
        self.rounds(plain, backend, rounds=20, calls=8)

    @staticmethod
    def rounds(echo: Echo, backend: str, *, rounds: int, calls: int) -> None:
        client = connected(echo, **_options(backend))
        ask_many(client, backend, "before", 1)
        for turn in range(rounds):
            with children(lambda number, turn=turn: ask_many(client, backend, f"{turn}-{number}", calls), 8):
                ask_many(client, backend, f"parent-{turn}", calls)

    def test_an_event_loop_that_is_kept_goes_on_in_the_parent(self, echo: Echo) -> None:
        client = connected(echo)
        with asyncio.Runner() as runner:
            runner.run(ask_async(client, "before"))
            opened = echo.counts()["opened"]
            assert run_in_child(lambda: asyncio.run(ask_async(client, "child"))) == 0
            runner.run(ask_async(client, "after"))
            assert echo.counts()["opened"] == opened + 1
            runner.run(client.get_async_httpx_client().aclose())

    @pytest.mark.parametrize("backend", ["httpx", "aiohttp"])
    def test_an_event_loop_that_runs_in_a_thread_goes_on_in_the_parent(self, echo: Echo, backend: Any) -> None:
        """Both processes have the loop's selector: what the child does must not take anything out of it."""
        client = connected(echo, transport=backend)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        def in_loop(what: Any) -> None:
            asyncio.run_coroutine_threadsafe(what, loop).result(20)

        try:
            in_loop(ask_async(client, "before"))

            def work() -> None:
                asyncio.run(ask_async(client, "child", "other"))
                gc.collect()

            with children(lambda _: work(), 4):
                in_loop(ask_async(client, "meanwhile"))
            opened = echo.counts()["opened"]
            in_loop(ask_async(client, "after"))
            assert echo.counts()["opened"] == opened
        finally:
            in_loop(_close_loops_connections(client))
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def test_a_child_of_a_child_has_its_own_as_well(self, echo: Echo) -> None:
        client = connected(echo)
        ask(client, "parent")

        def work() -> None:
            ask(client, "child")
            with children(lambda number: ask(client, f"grandchild-{number}"), 2):
                ask(client, "child again")

        assert run_in_child(work) == 0
        ask(client, "parent again")


def _wait_for_ends_of_threads() -> None:
    """Wait until the system has no thread that has ended for Python."""
    tasks = Path("/proc/self/task")
    while tasks.is_dir() and len(list(tasks.iterdir())) > threading.active_count():
        time.sleep(0.002)


class TestInTheMiddle:
    def test_of_a_request_in_another_thread(self, echo: Echo) -> None:
        client = connected(echo)
        ask(client, "before")
        with busy(lambda: ask(client, "held", before=0.4)):
            echo.wait_for("waiting", 1)
            with children(lambda number: ask(client, f"child-{number}"), 3):
                ask(client, "parent")

    def test_of_anything_in_many_threads(self, plain: Echo) -> None:
        """Whatever a thread of the parent holds when the child is forked, the child does not wait for it."""
        client = connected(plain)
        with busy(lambda: ask(client, "a")), busy(lambda: ask(client, "b")), busy(lambda: ask(client, "c")):
            for turn in range(25):
                assert run_in_child(lambda turn=turn: ask(client, f"child-{turn}")) == 0

    @pytest.mark.parametrize("held", ["connections", "pool", "cookies", "budget"])
    def test_of_the_use_of_what_is_locked(self, plain: Echo, held: str) -> None:
        client = connected(plain)
        ask(client, "before")
        http: Any = client.get_httpx_client()
        wire: Any = http._transport
        while not hasattr(wire, "_pools"):
            wire = wire._transport
        own: Any = wire._pools.get()
        pool: Any = next(iter(own.sync.values()))._transport._pool
        locks: dict[str, Any] = {
            "connections": own.lock,
            "pool": pool._optional_thread_lock._lock,
            "cookies": http.cookies.jar._cookies_lock,
            "budget": http._transport.budget._lock.get(),
        }

        def work() -> None:
            http._transport.budget.take(5)
            ask(client, "child")
            ask(client, "child again")

        with _held_by_a_thread(locks[held]):
            assert run_in_child(work) == 0
        ask(client, "after")

    def test_of_an_answer(self, echo: Echo) -> None:
        """The child cannot read on, and does no harm by going away; the parent reads the rest."""
        client = connected(echo)
        http = client.get_httpx_client()
        with http.stream("POST", "/not/of/the/contract", json={"what": "long", "within": 0.3}) as answer:
            parts = answer.iter_raw(1000)
            first = next(parts)

            def work() -> None:
                with pytest.raises(ForkedError, match=r"started before this process was forked.*Start it again"):
                    list(parts)
                answer.close()
                ask(client, "child")

            assert run_in_child(work) == 0
            assert b"long" in first + b"".join(parts)
        ask(client, "parent")
        assert echo.counts()["opened"] <= 4

    def test_of_an_answer_in_asyncio(self, plain: Echo) -> None:
        client = connected(plain)

        async def read() -> bytes:
            http = client.get_async_httpx_client()
            async with (
                http,
                http.stream("POST", "/not/of/the/contract", json={"what": "long", "within": 0.3}) as answer,
            ):
                parts = answer.aiter_raw(1000)
                first = await anext(parts)
                assert run_in_child(lambda: asyncio.run(ask_async(client, "child"))) == 0
                return first + b"".join([part async for part in parts])

        assert b"long" in asyncio.run(read())

    def test_of_a_child_which_forks_without_waiting_for_its_own_thread(
        self, plain: Echo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Python gives the thread the number that it has in the parent."""
        client = connected(plain)
        is_ending: Callable[[], bool] = vars(after_fork)["_is_another_thread_ending"]

        def parent() -> None:
            ask(client, "a child")
            _wait_for_ends_of_threads()  # the one that renewed the token is waited for, and rightly so
            found: list[bool] = []
            monkeypatch.setattr(after_fork, "_is_another_thread_ending", lambda: found.append(is_ending()) or found[-1])
            assert run_in_child(lambda: ask(client, "a child of it")) == 0
            assert found == [False]

        assert run_in_child(parent) == 0

    @pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system does not list its threads")
    def test_of_the_end_of_a_thread(self, plain: Echo) -> None:
        """What the C libraries still do after the thread's end is over, too, so that they hold no lock."""
        client = connected(plain)
        ended: list[int] = []

        def work() -> None:
            ask(client, "once")
            _clean_up_slowly()
            ended.append(threading.get_native_id())

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert Path(f"/proc/self/task/{ended[0]}").exists()
        with children(lambda number: ask(client, str(number)), 1):
            assert not Path(f"/proc/self/task/{ended[0]}").exists()

    def test_of_a_first_call_which_loads_modules(self, plain: Echo) -> None:
        """A child would wait forever for a module that a thread of its parent was importing."""
        assert _run(plain, _FIRST_CALL) == (["0"] * 4, "", 0)


@contextmanager
def _held_by_a_thread(lock: Any) -> Generator[None]:
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            release.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    try:
        yield
    finally:
        release.set()
        thread.join()


def _clean_up_slowly() -> None:
    """Let the system wait 0.3 s at the end of this thread, as a C library may that has something to clean up."""
    libc = ctypes.CDLL(None)
    key = ctypes.c_uint()
    assert libc.pthread_key_create(ctypes.byref(key), libc.usleep) == 0
    assert libc.pthread_setspecific(key, ctypes.c_void_p(300_000)) == 0


class TestConnections:
    def test_those_of_the_parent_outlive_a_child(self, echo: Echo) -> None:
        """The same connection continues: the child did not close TLS on it, and standard error is empty."""
        assert _run(echo, _OUTLIVING) == (["child", "parent"] * 9, "", 0)
        parents = 1 + 2 + 2  # the second is for the token, which a thread asks for
        assert echo.counts()["opened"] == parents + 9

    def test_a_child_lets_go_of_those_of_its_parent(self, echo: Echo) -> None:
        """So the server sees their end while the child still runs."""
        client = connected(echo)
        ask(client, "before")
        ready, go = os.pipe(), os.pipe()

        def work() -> None:
            os.write(ready[1], b".")
            os.read(go[0], 1)
            ask(client, "child")

        child = start_child(work)
        os.read(ready[0], 1)
        closed = echo.counts()["closed"]
        client.get_httpx_client().close()
        echo.wait_for("closed", closed + 1)
        os.write(go[1], b".")
        assert exit_code_of(child) == 0
        for descriptor in (*ready, *go):
            os.close(descriptor)

    def test_a_child_has_none_of_its_parents_open(self, echo: Echo) -> None:
        others = _sockets()  # of other tests
        client = connected(echo)
        ask(client, "before")
        with busy(lambda: ask(client, "held", before=0.3)):
            echo.wait_for("waiting", 1)
            mine = _sockets() - others
            assert mine
            assert run_in_child(lambda: _none_of(mine)) == 0

    def test_the_process_id_tells_where_no_hooks_of_fork_are_run(
        self, plain: Echo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """This is the case under uWSGI."""
        client = connected(plain)
        ask(client, "before")

        def work() -> None:
            opened = plain.counts()["opened"]
            monkeypatch.setattr(after_fork, "_current", parent)  # as if no hook had noticed the fork
            ask(client, "child")
            assert plain.counts()["opened"] == opened + 1

        parent = after_fork.this_process()
        assert run_in_child(work) == 0


def _run(echo: Echo, program: str) -> tuple[list[str], str, int]:
    """Run a program. Return the words of its output, its standard error, and its exit code."""
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | echo.environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return run.stdout.split(), run.stderr, run.returncode


_FIRST_CALL = f"""
import os, signal, threading, time, warnings
from wallaroo_ext import connect
warnings.simplefilter("ignore")
client = connect()

def call():
    from wallaroo_ext import infer
    from wallaroo_mlops_client.api.workspaces import list_workspaces
    client.get_httpx_client().post("{PATH}", json=dict(what="first"))
    import pyarrow

def child():
    if pid := os.fork():
        return pid
    signal.alarm(60)
    call()
    os._exit(0)

thread = threading.Thread(target=call)
thread.start()
pids = [child() for _ in range(4) if not time.sleep(0.03)]
print(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids))
thread.join()
client.get_httpx_client().close()
"""

_OUTLIVING = f"""
import asyncio, gc, os, sys
from wallaroo_ext import RetryPolicy, connect

async def send(what):
    answer = await client.get_async_httpx_client().post("{PATH}", json=dict(what=what))
    return answer.json()["what"]

async def send_and_close(what):
    answer = await send(what)
    await client.get_async_httpx_client().aclose()
    return answer

def ask(what, run, send=send):
    if options:
        return run(send(what))
    return client.get_httpx_client().post("{PATH}", json=dict(what=what)).json()["what"]

def leave(how):
    if how == 0:
        os._exit(0)
    if how == 1:
        sys.exit(0)
    gc.collect()
    raise SystemExit(0)

for options in ({{}}, dict(transport="httpx"), dict(transport="aiohttp")):
    loop = asyncio.new_event_loop()
    client = connect(retries=RetryPolicy(attempts=1), **options)
    ask("before", loop.run_until_complete)
    for how in range(3):
        child = os.fork()
        if child == 0:
            print(ask("child", asyncio.run, send_and_close), flush=True)
            leave(how)
        os.waitpid(child, 0)
        print(ask("parent", loop.run_until_complete), flush=True)
    loop.run_until_complete(client.get_async_httpx_client().aclose())
    client.get_httpx_client().close()
    loop.close()
"""


def _sockets() -> set[int]:
    """Return the inode numbers of the open sockets of this process."""
    found: set[int] = set()
    for number in range(256):
        with suppress(OSError):
            status = os.fstat(number)
            if stat.S_ISSOCK(status.st_mode):
                found.add(status.st_ino)
    return found


def _none_of(parents: set[int]) -> None:
    assert not parents & _sockets()


class TestTokens:
    def test_children_and_parent_renew_by_themselves(self, plain: Echo) -> None:
        """All have the same refresh token, which is valid once: the others sign in with the password."""
        offset = [0.0]
        auth = _auth(plain, clock=lambda: time.monotonic() + offset[0])
        first = auth.access_token()
        offset[0] = 4000.0

        def renew(_: int = 0) -> None:
            assert auth.access_token() != first

        with children(renew, 4):
            renew()
        counts = plain.counts()
        assert (counts["tokens"], counts["refused"]) == (6, 4)

    def test_a_token_of_the_parent_is_good_in_a_child(self, plain: Echo) -> None:
        auth = _auth(plain)
        token = auth.access_token()

        def same(_: int) -> None:
            assert auth.access_token() == token

        with children(same, 3):
            pass
        assert plain.counts()["tokens"] == 1

    def test_a_child_does_not_hold_the_lock_of_a_parent_that_is_gone(self, tmp_path: Path) -> None:
        done, go = os.pipe()

        def parent() -> None:
            with locked(tmp_path / "lock", 1):
                start_child(lambda: os.read(done, 1))
                os._exit(0)

        assert run_in_child(parent) == 0
        with locked(tmp_path / "lock", 1):
            os.write(go, b".")
        os.close(done)
        os.close(go)

    def test_a_child_that_leaves_a_locked_block_unlocks_nothing(self, tmp_path: Path) -> None:
        block = locked(tmp_path / "lock", 1)
        block.__enter__()
        assert run_in_child(lambda: block.__exit__(None, None, None)) == 0
        with pytest.raises(TimeoutError), locked(tmp_path / "lock", 0):
            pass
        block.__exit__(None, None, None)
        with locked(tmp_path / "lock", 0):
            pass


def _auth(echo: Echo, **options: Any) -> KeycloakAuth:
    return KeycloakAuth(
        echo.url + contract.operation("request_token").path,
        api_url=echo.url,
        client_id="c",
        client_secret="s",
        username="u",
        password="p",
        **options,
    )


class TestAuthOfOnesOwn:
    def test_in_a_client_for_each_process(self, echo: Echo, certificate: Path) -> None:
        verify: Any = httpx.create_ssl_context() if echo.url.startswith("http:") else _trusting(certificate)
        auth = _auth(echo, verify=verify)

        def send(what: str) -> None:
            with httpx.Client(base_url=echo.url, auth=auth, verify=verify) as http:
                assert http.post(PATH, json={"what": what}).json() == {"what": what}

        send("before")
        with children(lambda number: send(str(number)), 4):
            send("meanwhile")

    def test_a_given_transport_is_for_the_process_that_used_it(self, plain: Echo) -> None:
        with httpx.HTTPTransport() as transport:
            auth = _auth(plain, transport=transport)
            auth.access_token()

            def renew() -> None:
                auth.forget()
                with pytest.raises(ConfigurationError, match=r"HTTPTransport that was given .* in this process"):
                    auth.access_token()

            assert run_in_child(renew) == 0
            auth.forget()
            auth.access_token()


def _trusting(certificate: Path) -> Any:
    context = httpx.create_ssl_context()
    context.load_verify_locations(certificate)
    return context


class TestGivenTransports:
    def test_one_with_connections_is_for_the_process_that_used_it(self, plain: Echo) -> None:
        with httpx.HTTPTransport() as transport, connected(plain, transport=transport) as client:
            assert run_in_child(lambda: ask(client, "a child of one that was not used")) == 0
            ask(client, "before")

            def refused() -> None:
                with pytest.raises(ConfigurationError, match=r"HTTPTransport that was given .* in this process"):
                    ask(client, "child")

            assert run_in_child(refused) == 0
            ask(client, "after")

    def test_one_without_connections_serves_children(self, plain: Echo) -> None:
        mock = httpx.MockTransport(lambda request: httpx.Response(200, content=request.content))
        client = connect(plain.url, token="t", environment={}, transport=mock)
        ask(client, "before")
        assert run_in_child(lambda: ask(client, "child")) == 0


class TestMultiprocessing:
    def test_its_fork(self, echo: Echo) -> None:
        client = connected(echo)
        ask(client, "before")
        processes = [
            multiprocessing.get_context("fork").Process(target=ask, args=(client, f"child-{number}"))
            for number in range(4)
        ]
        for process in processes:
            process.start()
        ask(client, "parent")
        for process in processes:
            process.join(30)
        assert [process.exitcode for process in processes] == [0] * 4

    def test_its_forkserver(self, plain: Echo) -> None:
        """The fork server has used a client itself, which its children use."""
        assert _run(plain, _FORKSERVER) == (["0", "1", "2", "3"], "", 0)

    def test_a_client_is_not_pickled(self, plain: Echo) -> None:
        with pytest.raises(
            TypeError, match=r"holds secrets and is neither pickled nor copied: .* connect\(\), in the process"
        ):
            pickle.dumps(connected(plain))


_FORKSERVER = """
import multiprocessing
from contract_tests.support.servers.forks import forked_client
if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([forked_client.__name__])
    with context.Pool(4) as pool:
        print(*pool.map(forked_client.ask, range(4), chunksize=1))
"""


class TestPerProcess:
    def test_a_process_has_one(self) -> None:
        made = PerProcess(object)
        assert made.get() is made.get()

    def test_a_child_has_another_one(self) -> None:
        made = PerProcess(object)
        mine = made.get()

        def other() -> None:
            assert made.get() is not mine
            assert made.get() is made.get()

        assert run_in_child(other) == 0
        assert made.get() is mine
