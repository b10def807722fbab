"""Does the sandbox keep answering, whatever arrives, however slowly, and on however many connections?"""

from __future__ import annotations

import errno
import gc
import logging
import os
import resource
import socket
import ssl
import threading
import time
import weakref
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from contract_tests.support.servers.forks.fork_server import running
from contract_tests.support.servers.in_process import (
    CLOSE,
    HOST,
    LARGE,
    TIMEOUT_SECONDS,
    Served,
    received,
    serving,
    wait_until,
)
from scripts.lib.bench.sandbox_processes import memory_mib, sandboxes_below
from wallaroo_ext import contract
from wallaroo_ext.sandbox import process
from wallaroo_ext.sandbox.http import connections, protocol
from wallaroo_ext.sandbox.http.protocol import FIELDS_LIMIT, HEAD_LIMIT
from wallaroo_ext.sandbox.paths import CONTROL
from wallaroo_ext.sandbox.server.tls import generated_certificate

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


CHUNKED = f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def served() -> Generator[Served]:
    with serving() as server:
        yield server
        assert server.is_well()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Generator[Served]:
    """Yield a server with short time-outs."""
    monkeypatch.setattr(protocol, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(connections, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.4)
    monkeypatch.setattr(protocol, "WRITE_SECONDS", 0.4)
    monkeypatch.setattr(protocol, "_LINGER_SECONDS", 0.1)
    with serving() as server:
        yield server
        assert server.is_well()


def _settled_memory(process: int) -> float:
    """Return the peak memory of a sandbox in MiB, once its libraries are loaded."""
    peak, before = memory_mib(process, "VmHWM"), 0.0
    while peak > before:
        time.sleep(1)
        peak, before = memory_mib(process, "VmHWM"), peak
    return peak


def get(*headers: str, path: str = "/") -> str:
    return f"GET {path} HTTP/1.1\r\n{HOST}{CLOSE}" + "".join(f"{header}\r\n" for header in headers) + "\r\n"


class TestSizes:
    @pytest.mark.parametrize("size", [60, 2000, 100_000], ids=["drops", "pieces", "at once"])
    @pytest.mark.parametrize(
        ("head", "status"),
        [
            (get("X: " + "y" * HEAD_LIMIT), 431),
            (get("X" * HEAD_LIMIT + ": y"), 431),
            (get(*(f"X-{number}: y" for number in range(FIELDS_LIMIT))), 431),
            (get(path="/" + "a" * HEAD_LIMIT), 414),
            (get(path="/?" + "a" * HEAD_LIMIT), 414),
        ],
        ids=["value", "name", "many", "path", "query"],
    )
    def test_a_longer_head_is_refused(self, served: Served, head: str, status: int, size: int) -> None:
        pieces = [head[start : start + size] for start in range(0, len(head), size)]
        assert served.status(*pieces) == status
        assert served.scopes == []

    def test_a_head_within_the_limits_is_read(self, served: Served) -> None:
        fields = [f"X-{number}: {'y' * 600}" for number in range(FIELDS_LIMIT - 3)]
        assert served.status(get(*fields)) == 200
        assert served.status(get(path="/" + "a" * 60_000)) == 200

    @pytest.mark.parametrize(
        ("begin", "endless", "status"),
        [
            (f"GET / HTTP/1.1\r\n{HOST}", "X: y\r\n", 431),
            (f"GET / HTTP/1.1\r\n{HOST}X: ", "y", 431),
            ("GET /", "y", 414),
            ("", "\r\n", 400),
            (CHUNKED + "4;", "x", 400),
            (CHUNKED + "4;a=", "x;b=", 400),
            (CHUNKED + "4\r\nabcd\r\n0\r\n", "X: y\r\n", 400),
            (CHUNKED + "4\r\nabcd\r\n0\r\nX: ", "y", 400),
        ],
    )
    def test_what_never_ends_is_refused_early(self, served: Served, begin: str, endless: str, status: int) -> None:
        sent = 0
        piece = (endless * 4096).encode()
        with served.connect() as connection:
            connection.sendall(begin.encode())
            connection.settimeout(0.02)
            answer = b""
            while not answer and sent < LARGE:
                sent += connection.send(piece)
                with suppress(TimeoutError):
                    answer = connection.recv(65536)
        assert int(answer.split(b" ", 2)[1]) == status
        assert sent < 8 * HEAD_LIMIT

    def test_many_small_pieces_of_a_body_are_read(self, served: Served) -> None:
        body = "1\r\nx\r\n" * 200_000 + "0\r\n\r\n"
        assert "200000" in served.answer(CHUNKED.replace(HOST, HOST + CLOSE) + body)

    def test_a_200_mb_header_costs_no_memory_and_holds_up_nobody(self, tmp_path: Path) -> None:
        others = set(sandboxes_below(os.getpid()))
        with process.running(tmp_path / "data") as environment:
            [pid] = set(sandboxes_below(os.getpid())) - others
            url = urlsplit(environment["WALLAROO_API_URL"])
            before = _settled_memory(pid)
            with (
                socket.create_connection((url.hostname, url.port or 0)) as connection,
                httpx.Client(base_url=environment["WALLAROO_API_URL"], timeout=2) as others_http,
            ):
                connection.settimeout(TIMEOUT_SECONDS)
                connection.sendall(b"GET / HTTP/1.1\r\nX: ")
                with suppress(ConnectionError):
                    for number in range(200):
                        connection.sendall(b"y" * (1 << 20))
                        if number % 20 == 0:
                            assert others_http.get(f"{CONTROL}/clock").status_code == 200
            assert memory_mib(pid, "VmHWM") - before < 16


class TestAmbiguity:
    """Requests that two servers in a row could interpret differently are refused, never partly answered."""

    @pytest.mark.parametrize(
        "fields",
        [
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding: identity, chunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Content-Length: +4\r\n",
            "Content-Length: 4, 4\r\n",
            "Content-Length: 4\r\nContent-Length: 4\r\n",
            "Content-Length: 0x4\r\n",
            "X: a\r\n b\r\nContent-Length: 4\r\n",
            "X: a\rContent-Length: 4\r\n",
            "X: a\nContent-Length: 4\r\n",
            "X: a\0b\r\nContent-Length: 4\r\n",
            ": a\r\nContent-Length: 4\r\n",
            "Host: other\r\nContent-Length: 4\r\n",
            "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
        ],
    )
    def test_a_body_of_two_lengths_is_refused(self, served: Served, fields: str) -> None:
        body = "0\r\n\r\n" + get(path="/smuggled")
        assert served.answer(f"POST / HTTP/1.1\r\n{HOST}{fields}\r\n{body}").count("HTTP/1.1 ") == 1
        assert served.status(f"POST / HTTP/1.1\r\n{HOST}{fields}\r\n{body}") == 400
        assert served.scopes == []

    @pytest.mark.parametrize(
        "body",
        ["0x4\r\nabcd\r\n0\r\n\r\n", "-4\r\nabcd", "f" * 20 + "\r\nabcd", "4\r\nabcdX\r\n0\r\n\r\n", "4\nabcd\n0\n\n"],
    )
    def test_broken_chunks_are_refused(self, served: Served, body: str) -> None:
        assert served.status(CHUNKED + body) == 400

    def test_a_request_of_http_1_0_or_without_one_host_is_held_to_it(self, served: Served) -> None:
        assert served.status(f"POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400
        assert served.status("GET / HTTP/1.0\r\n\r\n") == 200
        assert served.status("GET / HTTP/1.1\r\n\r\n") == 400
        assert served.status(f"GET / HTTP/2.0\r\n{HOST}\r\n") == 505

    @pytest.mark.parametrize("name", ["Authorization", "Content-Type", "Origin", "Sec-Fetch-Site"])
    def test_who_sends_what_comes_from_where_is_said_once(self, served: Served, name: str) -> None:
        assert served.status(get(f"{name}: a")) == 200
        assert served.status(get(f"{name}: a", f"{name.lower()}: b")) == 400

    def test_a_trailer_is_no_header(self, served: Served) -> None:
        answer = served.answer(CHUNKED.replace(HOST, HOST + CLOSE) + "4\r\nabcd\r\n0\r\nX: trailer\r\n\r\n")
        assert "<POST / 4 None>" in answer
        assert b"x" not in dict(served.scopes[-1]["headers"])

    @pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
    def test_nothing_is_upgraded(self, served: Served, upgrade: str, caplog: pytest.LogCaptureFixture) -> None:
        head = f"GET / HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: {upgrade}\r\nSec-WebSocket-Version: 13\r\n"
        answer = served.answer(head + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", get(path="/smuggled"))
        assert answer.startswith("HTTP/1.1 200")
        assert "smuggled" not in answer
        assert [scope["type"] for scope in served.scopes] == ["http"]
        assert caplog.records == []


class TestPipelining:
    def test_a_few_requests_in_a_row_are_answered_in_order(self, served: Served) -> None:
        requests = "".join(f"GET /{number} HTTP/1.1\r\n{HOST}\r\n" for number in range(10))
        answer = served.answer(requests + get(path="/last"))
        assert [answer.index(f"/{number} ") for number in [*range(10), "last"]] == sorted(
            answer.index(f"/{number} ") for number in [*range(10), "last"]
        )

    def test_thousands_are_not_kept(self, served: Served) -> None:
        requests = f"GET /{{}} HTTP/1.1\r\n{HOST}\r\n"
        answer = served.answer("".join(requests.format(number) for number in range(5000)))
        numbers = [int(part.split()[1].strip("/")) for part in answer.split("<")[1:]]
        assert numbers == list(range(len(numbers)))
        assert 0 < len(numbers) <= 32
        assert len(served.scopes) == len(numbers)

    def test_what_comes_behind_a_request_breaks_no_answer(self, served: Served) -> None:
        for path, behind in (
            ("/slow", "garbage\r\n\r\n"),
            ("/slow", f"{CHUNKED}zz\r\n"),
            ("/large", "garbage\r\n\r\n"),
        ):
            answer = served.answer(f"GET {path} HTTP/1.1\r\n{HOST}\r\n{behind}")
            assert answer.startswith("HTTP/1.1 200")
            assert answer.count("HTTP/1.1 ") == 1
            assert len(answer) > (LARGE if path == "/large" else 0)

    def test_a_request_learns_that_its_client_is_gone_though_another_one_waits_behind_it(self, served: Served) -> None:
        with served.connect() as connection:
            connection.sendall(f"GET /until-gone HTTP/1.1\r\n{HOST}\r\n{get()}".encode())
            wait_until(lambda: bool(served.scopes))
        wait_until(lambda: "is_gone" in served.scopes[0])

    def test_a_request_that_is_dropped_ends_though_another_one_waits_behind_it(self, served: Served) -> None:
        with served.connect() as connection:
            connection.sendall(f"GET /dropped HTTP/1.1\r\n{HOST}\r\n{get()}".encode())
            assert received(connection) == ""
            wait_until(lambda: "is_gone" in served.scopes[0])

    @pytest.mark.parametrize("path", ["/\xff", "http://h:99999999/"])
    def test_a_url_that_is_none_is_refused_after_an_answer_that_waited_for_no_body(
        self, served: Served, path: str
    ) -> None:
        with served.connect() as connection:
            connection.sendall(f"POST /unread HTTP/1.1\r\n{HOST}Content-Length: 4\r\n\r\n".encode())
            answer = b""
            while not answer.endswith(b"not read"):
                answer += connection.recv(4096)
            connection.sendall(b"body" + get(path=path).encode("latin-1"))
            assert received(connection).startswith("HTTP/1.1 400")


class TestTime:
    def test_a_connection_that_says_nothing_is_closed(self, hurried: Served) -> None:
        began = time.monotonic()
        assert hurried.answer() == ""
        assert 0.3 < time.monotonic() - began < 3

    def test_half_a_head_is_408(self, hurried: Served) -> None:
        assert hurried.status("GET / HTTP/1.1\r\n") == 408

    def test_a_head_that_drips_is_408(self, hurried: Served) -> None:
        assert hurried.status(*(["GET / HTTP/1.1\r\n"] + ["X: y\r\n"] * 60), pause=0.05) == 408

    def test_the_second_head_of_a_connection_has_its_time_too(self, hurried: Served) -> None:
        answer = hurried.answer(f"GET / HTTP/1.1\r\n{HOST}\r\n", *(["X"] * 60), pause=0.05)
        assert [part[:3] for part in answer.split("HTTP/1.1 ")[1:]] == ["200", "400"] or "408" in answer

    @pytest.mark.parametrize(
        "head", [f"POST / HTTP/1.1\r\n{HOST}Content-Length: 100000\r\n\r\n", CHUNKED + "186a0\r\n"]
    )
    @pytest.mark.parametrize("pieces", [0, 40])
    def test_a_body_that_drips_is_408(self, hurried: Served, head: str, pieces: int) -> None:
        began = time.monotonic()
        assert hurried.status(head, *(["x"] * pieces), pause=0.05) == 408
        assert time.monotonic() - began < 5

    def test_a_body_that_drips_after_its_answer_is_not_waited_for(self, hurried: Served) -> None:
        head = f"POST /unread HTTP/1.1\r\n{HOST}Content-Length: 100000\r\n\r\n"
        began = time.monotonic()
        assert hurried.status(head, *(["x"] * 40), pause=0.05) == 401
        assert time.monotonic() - began < 5

    def test_a_body_that_comes_steadily_is_read(self, hurried: Served) -> None:
        head = f"POST / HTTP/1.1\r\n{HOST}{CLOSE}Content-Length: 20000\r\n\r\n"
        assert hurried.status(head, *(["x" * 1000] * 20), pause=0.05) == 200

    def test_an_application_that_takes_long_is_waited_for(self, hurried: Served) -> None:
        assert hurried.status(get(path="/slow")) == 200

    def test_a_client_that_does_not_read_is_dropped(self, hurried: Served, caplog: pytest.LogCaptureFixture) -> None:
        with hurried.connect() as connection:
            connection.sendall(get(path="/large").encode())
            wait_until(lambda: "does not read its answer" in caplog.text)
            assert len(received(connection)) < LARGE

    def test_a_client_that_reads_slowly_gets_all(self, hurried: Served) -> None:
        with hurried.connect() as connection:
            connection.sendall(get(path="/large").encode())
            size = 0
            while piece := connection.recv(1 << 20):
                size += len(piece)
                time.sleep(0.05)
        assert size > LARGE

    def test_an_answer_is_read_by_who_sent_too_much(self, served: Served) -> None:
        for _ in range(5):
            assert served.status(*["GET / HTTP/1.1\r\nX: "], *(["y" * 100_000] * 30)) == 431


class TestConnections:
    @pytest.mark.parametrize("head", [get("Host: h"), get(path="/" + "a" * HEAD_LIMIT), CHUNKED.replace("POST", "\0")])
    def test_those_that_were_refused_are_forgotten(self, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[weakref.ref[protocol.DroppableProtocol]] = []
        begin = protocol.DroppableProtocol.connection_made

        def connection_made(connection: protocol.DroppableProtocol, transport: Any) -> None:
            made.append(weakref.ref(connection))
            begin(connection, transport)

        monkeypatch.setattr(protocol.DroppableProtocol, "connection_made", connection_made)
        monkeypatch.setattr(protocol, "_LINGER_SECONDS", 0.1)
        with serving() as served:
            assert served.status(head) in {400, 414}

            def are_forgotten() -> bool:
                gc.collect()
                return all(connection() is None for connection in made)

            wait_until(are_forgotten)
        assert made

    @pytest.mark.parametrize("begin", ["", "GET / HTTP/1.1\r\n", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 9\r\n\r\n"])
    def test_those_that_wait_make_room_for_one_that_asks(self, begin: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connections, "TICK_SECONDS", 0.05)
        with serving(limit=20) as served, ExitStack() as opened:
            busy = opened.enter_context(served.connect())
            busy.sendall(get(path="/slow").encode())
            wait_until(lambda: bool(served.slow))
            for _ in range(100):
                waiting = opened.enter_context(served.connect())
                waiting.sendall(begin.encode())
            began = time.monotonic()
            for _ in range(30):
                assert served.is_well()
            assert time.monotonic() - began < 3
            assert received(busy).endswith("slow")

    def test_where_all_are_at_work_a_new_one_waits(self) -> None:
        with serving(limit=4) as served, ExitStack() as opened:
            for _ in range(4):
                opened.enter_context(served.connect()).sendall(get(path="/slow").encode())
            wait_until(lambda: len(served.slow) == 4)
            began = time.monotonic()
            assert served.is_well()
            assert 0.5 < time.monotonic() - began < 5

    def test_tls_handshakes_that_never_end_count_and_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tls = generated_certificate(tmp_path, "127.0.0.1")
        context = ssl.create_default_context(cafile=str(tls.trusted))
        with serving(limit=20, tls=tls) as served, ExitStack() as opened:
            for _ in range(60):
                opened.enter_context(served.connect()).sendall(b"\x16\x03\x01")
            with httpx.Client(verify=context, timeout=5) as plain:
                for _ in range(5):
                    assert plain.get(f"https://127.0.0.1:{served.port}/").status_code == 200
            monkeypatch.setattr(connections, "HANDSHAKE_SECONDS", 0.3)
            with served.connect() as connection:
                connection.sendall(b"\x16\x03\x01")
                assert received(connection) == ""

    def test_a_process_without_files_waits_and_says_so_seldom(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        broken = threading.Event()
        accept = socket.socket.accept

        def failing(listener: socket.socket) -> Any:
            if broken.is_set():
                raise OSError(errno.EMFILE, "Too many open files")
            return accept(listener)

        monkeypatch.setattr(socket.socket, "accept", failing)
        with caplog.at_level(logging.WARNING), serving() as served:
            assert served.is_well()
            broken.set()
            began = time.process_time()
            with served.connect() as connection:
                time.sleep(1)
                assert time.process_time() - began < 0.5
                assert 1 <= len(caplog.records) <= 12
                broken.clear()
                connection.sendall(get().encode())
                assert received(connection).startswith("HTTP/1.1 200")

    def test_400_half_open_connections_and_256_files_stop_nothing(self, tmp_path: Path) -> None:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)
        log = tmp_path / "log"
        with ExitStack() as opened:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, files[1]))
            try:
                environment = opened.enter_context(process.running(tmp_path / "data", log=log, log_format="text"))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, files)
            url = urlsplit(environment["WALLAROO_API_URL"])
            for number in range(400):
                connection = opened.enter_context(socket.create_connection((url.hostname, url.port or 0), timeout=5))
                connection.sendall(b"GET / HTTP/1.1\r\n" if number % 2 else b"")
            deadline = time.monotonic() + 2
            answers = 0
            while time.monotonic() < deadline:
                path = contract.operation("list_workspaces").path
                assert httpx.post(environment["WALLAROO_API_URL"] + path, json={}, timeout=2).status_code == 401
                answers += 1
            assert answers > 10
            assert log.stat().st_size < 200 * answers + 20_000


class TestWhoAsks:
    """The peer's address and the scheme come from the connection; no header and no variable changes them."""

    HEADERS = (
        "X-Forwarded-For: 203.0.113.7",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: elsewhere.example",
        "Forwarded: for=203.0.113.7;proto=https;host=elsewhere.example",
        "X-Real-IP: 203.0.113.7",
        "X-Forwarded-Prefix: /elsewhere",
        "True-Client-IP: 203.0.113.7",
    )

    def test_no_header_says_who(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("FORWARDED_ALLOW_IPS", "UVICORN_FORWARDED_ALLOW_IPS"):
            monkeypatch.setenv(name, "*")
        for name in ("UVICORN_ROOT_PATH", "UVICORN_WS", "UVICORN_PROXY_HEADERS", "WEB_CONCURRENCY"):
            monkeypatch.setenv(name, "no number")
        with serving() as served:
            assert served.status(get(*self.HEADERS)) == 200
            [scope] = served.scopes
            assert scope["client"][0] == "127.0.0.1"
            assert (scope["scheme"], scope["root_path"], scope["path"]) == ("http", "", "/")

    def test_a_sandbox_goes_by_the_peer(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """On loopback, a header with another address shows the same as a remote request whose header names loopback."""
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
        with running(tmp_path / "data", "--host", "0.0.0.0") as environment:  # noqa: S104 - it is asked on loopback
            headers = {name: value for name, _, value in (header.partition(": ") for header in self.HEADERS)}
            url = environment["WALLAROO_API_URL"]
            assert httpx.post(f"{url}{CONTROL}/reset", headers=headers).status_code == 200
            issuer = httpx.get(f"{url}/auth/realms/master/.well-known/openid-configuration", headers=headers).json()
            assert issuer["issuer"].startswith(url)
