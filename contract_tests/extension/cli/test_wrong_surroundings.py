"""Does every wrong environment variable and every wrong option end in a sentence, and never in a traceback?

Variables and options are found in the code, so that a new one is tried, too.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.command_line import SCRIPT, process
from contract_tests.support.documentation import ROOT
from contract_tests.support.servers.http_servers import unused
from wallaroo_ext import contract
from wallaroo_ext.cli.main import COMMANDS, build_app
from wallaroo_ext.cli.options import Options
from wallaroo_ext.conformance import suite
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.sandbox.server.serve import LimitedServer
from wallaroo_ext.transport.connections.tls import NAMED_BY
from wallaroo_ext.transport.retry.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contract_tests.support.command_line import Done
    from wallaroo_ext.conformance.guard.effects import Effects

_NAME = re.compile(r"""(?<=["'])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?=["'])""")
"""A text that looks like the name of a variable: to parse the code takes twenty times as long, and finds the same."""

_PROXIES = [f"{scheme}_proxy" for scheme in ("http", "https", "all", "no")]
"""The variables that urllib reads, by their ending."""
VALUES = ["", "/none/there", "nonsense://[::1", "http://u:hunter2-Zq8x@[::1", "\x01\u00fc\udcff"]
TEXTS = [*VALUES, "-", "-1", "nan", "9" * 5_000]

DEFECT = "This is a defect of wallaroo-ext"


@cache
def variables() -> list[str]:
    """Return the names of all variables that the package may ask for: all words of its code that look like one."""
    found = {"SSLKEYLOGFILE", "TERM", "HOME", "COLUMNS", *_PROXIES, *map(str.upper, _PROXIES)}
    for path in (ROOT / "wallaroo_ext").rglob("*.py"):
        found.update(_NAME.findall(path.read_text(encoding="utf-8")))
    return sorted(found)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Let nothing be looked up outside this machine, no pause be made, and nothing be written elsewhere.

    Other certificates that the machine names would be read for each command.
    """
    for name in NAMED_BY:
        monkeypatch.delenv(name, raising=False)
    look_up = socket.getaddrinfo

    def here_only(host: Any, *arguments: Any, **options: Any) -> Any:
        if host not in {"127.0.0.1", "::1", "localhost"}:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here_only)

    def pause(*_: object) -> None: ...

    monkeypatch.setattr(Clock, "sleep", pause)
    monkeypatch.chdir(tmp_path)


def is_a_sentence(done: Done) -> bool:
    """Return whether a command ended as a program should: with a sentence if it failed."""
    text = done.out + done.err
    ended = done.code == 0 or (done.code in {1, 2} and bool(text.strip()))
    return ended and "Traceback" not in text and DEFECT not in text


def test_the_variables_are_found() -> None:
    assert {"WALLAROO_API_URL", "WALLAROO_TOKEN", "SSL_CERT_DIR", "NO_COLOR", "HTTPS_PROXY"} <= set(variables())


@pytest.mark.parametrize("name", variables())
@pytest.mark.parametrize("command", [["doctor"], ["call", "list_workspaces"]], ids=" ".join)
def test_a_variable_may_have_any_value(name: str, command: list[str], wallaroo: Callable[..., Done]) -> None:
    given = {"WALLAROO_API_URL": "https://api.example.com", "WALLAROO_USER": "u", "WALLAROO_PASSWORD": "p-91Xk"}
    for value in VALUES:
        done = wallaroo(*command, environment=given | {name: value})
        assert is_a_sentence(done), (value, done)
        assert "hunter2" not in done.out + done.err or not re.search("(?i)proxy|url|password|token|secret", name)


def apps(name: str) -> Iterator[tuple[list[str], Any]]:
    """Yield the words and the app of a command, or of each command below it."""
    waiting: list[tuple[list[str], Any]] = [([name], build_app([name])[name])]
    while waiting:
        words, app = waiting.pop()
        if app.default_command is not None:
            yield words, app
        waiting += [([*words, inner], app[inner]) for inner in app if not inner.startswith("-")]


def calls(name: str) -> Iterator[list[str]]:
    """Yield calls of a command that each have one wrong option or argument."""
    for words, app in apps(name):
        arguments = [each for each in app.assemble_argument_collection() if "--verbose" not in each.names]
        needed = [argument for argument in arguments if argument.required]
        for argument in arguments:
            others = [word for each in needed if each is not argument for word in given(each, _fitting(each))]
            options = [None] if argument.hint is bool else TEXTS
            yield from ([*words, *others, *given(argument, value)] for value in options)


def _fitting(argument: Any) -> str:
    """Return a value that an argument may have."""
    return "list_workspaces" if "OPERATION" in argument.names else "x"


def given(argument: Any, value: str | None) -> list[str]:
    """Return the words that give a value to an option or an argument."""
    option = next((name for name in argument.names if name.startswith("--")), None)
    return [word for word in (option, value) if word is not None]


def known_effects(document: dict[str, Any], *, without: Iterable[str] = ()) -> dict[str, Effects]:
    """Return the effects of a contract's operations, which a run reads of the same few contracts as the run before."""
    return dict(_effects_by_text(json.dumps(document), frozenset(without)))


@cache
def _effects_by_text(document: str, without: frozenset[str]) -> dict[str, Effects]:
    return effects_of(json.loads(document), without=without)


@pytest.fixture
def _nothing_runs_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sandbox end when it would begin to serve, and the suite before its tests."""

    def end(*_: object) -> None: ...

    def refuse(*_: object, **__: object) -> pytest.ExitCode:
        return pytest.ExitCode.INTERNAL_ERROR

    monkeypatch.setattr(LimitedServer, "run", end)
    monkeypatch.setattr(pytest, "main", refuse)
    monkeypatch.setattr(suite, "effects_of", known_effects)


@pytest.mark.slow
@pytest.mark.usefixtures("_nothing_runs_long")
@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_may_have_any_value(name: str, wallaroo: Callable[..., Done]) -> None:
    environment = {"WALLAROO_API_URL": unused(), "WALLAROO_TOKEN": "a-token-91Xk"}
    tried = 0
    for words in calls(name):
        done = wallaroo(*words, environment=environment)
        assert is_a_sentence(done), (words, done)
        tried += 1
    assert tried > len(TEXTS)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize(("command", "code"), [("operations", 0), ("operations --json", 0), ("status --id 1", 2)])
def test_what_is_printed_may_go_nowhere(command: str, code: int, closed: str) -> None:
    """A program that was started without standard output ended in a defect, and notes went among results."""
    script = f"exec {shlex.join([*SCRIPT, *command.split()])} {closed}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == code, done
    assert DEFECT not in done.stderr
    assert ("list_workspaces" in done.stdout) is (code == 0 and not re.search("(^| )>&-", closed))


@pytest.mark.parametrize("command", ["operations", "operations --json", "status --help"])
def test_a_disk_that_is_full_is_said(command: str) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([*SCRIPT, *command.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, "Standard output: No space left on device." in done.stderr) == (2, True)
    assert len(done.stderr.splitlines()) == 1


def test_a_disk_that_is_full_hides_no_other_error(
    wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Path(os.devnull).open("w", encoding="utf-8") as out, monkeypatch.context() as patched:
        patched.setattr(out, "flush", fail, raising=False)
        patched.setattr(sys, "stdout", out)
        done = wallaroo("status", "--id", "1")
    assert (done.code, done.sentence.startswith("Name a pipeline")) == (2, True)


@pytest.mark.parametrize("command", ["infer p -", "upload - --name m", "call list_models --data -"])
def test_a_standard_input_that_was_closed_is_said(command: str) -> None:
    environment = os.environ | {"WALLAROO_API_URL": unused(), "WALLAROO_TOKEN": "a-token"}
    script = f"exec {shlex.join([*SCRIPT, *command.split()])} <&-"
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "There is no standard input: it was closed. Name a file.\n")


@pytest.mark.parametrize("columns", ["0", "1", "2", "-1", "x"])
def test_help_ends_on_lines_of_any_width(columns: str) -> None:
    """A terminal without a size has 0 columns, with which the library that prints help never ended."""
    done = process("upload", "--help", environment={"COLUMNS": columns})
    assert done.returncode == 0
    assert "--framework" in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_json_in_any_encoding(encoding: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding, "WALLAROO_API_URL": unused(), "WALLAROO_TOKEN": "a-token"}
    command = [*SCRIPT, "infer", "p", "/none/größe-日本.csv", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert "/none/größe-日本.csv: No such file" in json.loads(done.stderr.decode(encoding))["error"]["message"]
    if encoding == "ascii":
        shown = subprocess.run([*SCRIPT, "upload", "--help"], env=environment, capture_output=True, check=True)
        assert b"--framework" in shown.stdout


@pytest.mark.parametrize("command", [["token"], ["sandbox"], ["operations"]], ids=" ".join)
def test_a_defect_is_a_sentence_too(
    command: list[str], wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("password=hunter2-Zq8x")

    monkeypatch.setattr(Options, "connect", fail)
    monkeypatch.setattr("wallaroo_ext.sandbox.server.serve.serve", fail)
    monkeypatch.setattr(contract, "operation_ids", fail)
    environment = {"WALLAROO_API_URL": unused(), "WALLAROO_TOKEN": "a-token-91Xk"}
    done = wallaroo(*command, environment=environment)
    assert (done.code, done.out) == (1, "")
    assert re.fullmatch(rf"{DEFECT}: KeyError: .*removed.* \(test_wrong_surroundings\.py:\d+\)\. Report .*\n", done.err)
    if command == ["token"]:
        with pytest.raises(KeyError):
            wallaroo(*command, "--verbose", environment=environment)


def test_a_program_is_told_of_a_defect_in_json(wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise KeyError("nothing")

    monkeypatch.setattr(contract, "operation_ids", fail)
    done = wallaroo("operations", "--json")
    assert (done.code, done.out) == (1, "")
    assert json.loads(done.err)["error"]["message"].startswith(DEFECT)
