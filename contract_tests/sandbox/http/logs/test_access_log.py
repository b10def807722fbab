"""Does the log describe each request in one line, without secrets?"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.servers.callers import sign_in
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import contract
from wallaroo_ext.sandbox.http.logs.access_log import AccessLog, Entry, coloured_line, json_line, text_line
from wallaroo_ext.sandbox.http.logs.log_writer import LogWriter, log_failures, shows_colours
from wallaroo_ext.sandbox.paths import DOCS_PAGE
from wallaroo_ext.sandbox.process import read_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from starlette.types import Message, Receive, Scope, Send

LISTING = contract.operation("list_workspaces").path
MARK = "seen-nowhere"


def new_token(environment: dict[str, str], **grant: str) -> str:
    return sign_in(environment, **grant).json()["access_token"]


def user_token(environment: dict[str, str]) -> str:
    name, password = environment["WALLAROO_USER"], environment["WALLAROO_PASSWORD"]
    return new_token(environment, grant_type="password", username=name, password=password)


def entries(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def use(environment: dict[str, str]) -> list[str]:
    """Send some requests, and return texts that must not be in the log."""
    token = user_token(environment)
    headers = {"Authorization": f"Bearer {token}", "X-Mark": f"{MARK}-header"}
    with httpx.Client(base_url=environment["WALLAROO_API_URL"], headers=headers) as http:
        assert http.post(LISTING, json={"mark": f"{MARK}-body"}, params={"q": f"{MARK}-query"}).status_code == 200
        assert http.post(LISTING, json=[]).status_code == 400
        assert http.get(DOCS_PAGE, params={"q": f"{MARK}-query"}).status_code == 200
        assert http.get("/nowhere/%0a%1b[31m").status_code == 404
        http.headers["Authorization"] = f"Bearer {new_token(environment, grant_type='client_credentials')}"
        assert http.post(LISTING, json={}).status_code == 401
        http.headers["Authorization"] = f"Bearer {token}x"
        assert http.post(LISTING, json={}).status_code == 401
    return [token, MARK, environment["WALLAROO_PASSWORD"], environment["WALLAROO_CLIENT_SECRET"]]


def test_a_request_is_a_json_object(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(tmp_path / "data", log=log, log_format="json") as environment:
        hidden = use(environment)
    found = entries(log)
    assert [(entry["operation"], entry["status"], entry["caller"]) for entry in found] == [
        ("request_token", 200, None),
        ("list_workspaces", 200, "user@example.com"),
        ("list_workspaces", 400, "user@example.com"),
        (DOCS_PAGE, 200, None),
        (r"/nowhere/\n\x1b[31m", 404, None),
        ("request_token", 200, None),
        ("list_workspaces", 401, "service-account-api-client"),
        ("list_workspaces", 401, None),
    ]
    assert [entry["method"] for entry in found[:4]] == ["POST", "POST", "POST", "GET"]
    assert (found[1]["bytes_received"], found[1]["bytes_sent"] > 100) == (len(f'{{"mark":"{MARK}-body"}}'), True)
    assert all(0 < entry["milliseconds"] < 60_000 for entry in found)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found[0]["time"])
    assert not [secret for secret in hidden if secret in log.read_text(encoding="utf-8")]


def test_a_request_is_a_line_without_colours_in_a_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(tmp_path / "data", log=log, log_format="text") as environment:
        hidden = use(environment)
    text = log.read_text(encoding="utf-8")
    assert re.search(
        r"^\d\d:\d\d:\d\d  200  POST list_workspaces +\d+\.\d ms +28 B in +\d+ B out  user@example\.com$",
        text,
        re.MULTILINE,
    )
    assert len(text.splitlines()) == 8
    assert "\x1b" not in text
    assert not [secret for secret in hidden if secret in text]


def test_off_says_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(tmp_path / "data", log=log) as environment:
        use(environment)
    assert not log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_234, "1.23 kB"),
        (159_000, "159 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (3_400_000, "3.4 MB"),
        (999_600_000, "1 GB"),
        (2_346_000_000, "2.35 GB"),
        (999_600_000_000, "1 TB"),
        (1_234_000_000_000_000, "1230 TB"),
    ],
)
def test_sizes_are_short(size: int, shown: str) -> None:
    assert f" {shown} in" in text_line(Entry(0.0, "GET", received=size))


@pytest.mark.parametrize(
    ("status", "colour"), [(200, "\x1b[32m"), (404, "\x1b[33m"), (503, "\x1b[31m"), (0, "\x1b[31m")]
)
def test_at_a_terminal_the_status_has_a_colour(status: int, colour: str) -> None:
    entry = Entry(0.0, "POST", "infer_pipeline", status)
    line = coloured_line(entry)
    assert f"{colour}{status or '-':>3}\x1b[0m" in line
    assert re.sub(r"\x1b\[\d+m", "", line) == text_line(entry)


def test_a_request_without_an_answer_has_no_status() -> None:
    assert json.loads(json_line(Entry(0.0, "POST", "infer_pipeline")))["status"] is None


def test_colours_are_for_terminals_whose_owner_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert shows_colours(Terminal())
    assert not shows_colours(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not shows_colours(Terminal())


def test_a_long_path_is_cut() -> None:
    lines: list[str] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 404})

    async def request() -> None:
        async def receive() -> Message:
            return {}

        async def send(_: Message) -> None:
            return None

        scope = {"type": "http", "method": "GET", "path": "/" + 100_000 * "x"}
        await AccessLog(answer, (), lines.append, text_line)(scope, receive, send)

    asyncio.run(request())
    assert len(lines[0]) < 200


FAILING = """
from wallaroo_ext.cli import main
from wallaroo_ext.sandbox.handlers import HANDLERS

def fail(call):
    raise RuntimeError(f"broken by {call.headers['authorization']} and {call.instance.credentials.client_secret}")

HANDLERS["list_workspaces"] = fail
main()
"""


@contextmanager
def failing(log: Path, env_file: Path, log_format: str) -> Generator[dict[str, str]]:
    """Yield the environment of a sandbox with a defect."""
    command = [sys.executable, "-c", FAILING, "sandbox", "--log-format", log_format, "--env-file", str(env_file)]
    with (
        log.open("w", encoding="utf-8") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline().startswith("export")
        yield read_environment(env_file)
        process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("log_format", ["text", "json", "off"])
def test_a_failure_leaves_one_traceback_without_secrets(tmp_path: Path, log_format: str) -> None:
    log = tmp_path / "log"
    with failing(log, tmp_path / "environment", log_format) as environment:
        token = user_token(environment)
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.post(environment["WALLAROO_API_URL"] + LISTING, json={}, headers=headers)
        assert answer.status_code == answer.json()["code"] == 500
    text = log.read_text(encoding="utf-8")
    assert text.count("Traceback (most recent call last)") == 1
    assert "RuntimeError: broken by Bearer [removed] and [removed]" in text
    assert token not in text
    assert environment["WALLAROO_CLIENT_SECRET"] not in text
    if log_format == "json":
        [failure] = [entry for entry in entries(log) if "level" in entry]
        assert failure["level"] == "ERROR"


def test_secrets_are_taken_out_of_what_the_program_says() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    log_failures(writer, ["the-control-secret"], as_json=False)
    logging.getLogger("wallaroo_ext.sandbox").warning("got %s, password=abc", "the-control-secret")
    writer.close()
    assert "got [removed], password=[removed]" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_client_can_cause_at_will_is_written_a_few_times(
    log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    log_failures(writer, [], as_json=log_format == "json")
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    for minute in range(3):
        now = 1_000_000.0 + 61 * minute
        for number in range(10_000):
            logging.getLogger("asyncio").error("socket.accept() out of system resource %d", number)
        logging.getLogger("uvicorn.error").error("something else")
    writer.close()
    text = stream.getvalue()
    assert text.count("out of system resource") == 30
    assert text.count("are left out for a minute") == 3
    assert text.count("something else") == 3
    assert len(text) < 10_000


def test_a_record_is_one_record_and_steers_no_terminal() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream)
    log_failures(writer, [], as_json=False)
    reason = (
        "a\x1b[31mb\x9b31mc\u202ed\n2026-11-27 00:00:00,000  ERROR  forged\r12:00:00  200  POST forged\ud800\u2028e"
    )
    logging.getLogger("wallaroo_ext.sandbox").error("failed: %s", reason)
    writer.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith(r"failed: a\x1b[31mb\x9b31mc\u202ed")
    assert lines[1] == r"  2026-11-27 00:00:00,000  ERROR  forged\r12:00:00  200  POST forged\ud800\u2028e"


class TestWriter:
    def test_lines_come_in_order_and_whole_from_many_threads(self) -> None:
        stream = io.StringIO()
        writer = LogWriter(stream)
        threads = [threading.Thread(target=self.write_many, args=(writer.write, name)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.close()
        lines = stream.getvalue().splitlines()
        for name in "abcd":
            assert [line for line in lines if line.startswith(name)] == [f"{name}{number}" for number in range(500)]

    @staticmethod
    def write_many(write: Callable[[str], None], name: str) -> None:
        for number in range(500):
            write(f"{name}{number}")

    def test_a_stream_that_nobody_reads_stops_nobody(self) -> None:
        reader, stream = self.pipe()
        writer = LogWriter(stream)
        for number in range(50_000):
            writer.write(f"a line of some length with the number {number:06}")
        writer.close()
        os.close(reader)
        with suppress(BrokenPipeError):
            stream.close()

    def test_lines_that_nobody_read_are_counted(self) -> None:
        reader, stream = self.pipe()
        writer = LogWriter(stream)
        for number in range(50_000):
            writer.write(f"a line of some length with the number {number:06}")
        text: list[str] = []

        def read() -> None:
            with os.fdopen(reader, encoding="utf-8") as source:
                text.extend(source)

        thread = threading.Thread(target=read)
        thread.start()
        writer.close()
        stream.close()
        thread.join()
        gaps = [int(found[1]) for line in text if (found := re.match(r"\((\d+) lines are missing here", line))]
        assert gaps  # usually one; a busy machine may let a few lines through in between
        assert len(text) - len(gaps) + sum(gaps) == 50_000

    @staticmethod
    def pipe() -> tuple[int, IO[str]]:
        reader, end = os.pipe()
        return reader, os.fdopen(end, "w", encoding="utf-8")
