"""Runs the command line in the tests: in this process, in a fork, in a process of its own, and on a terminal."""

from __future__ import annotations

import io
import os
import pty
import select
import struct
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import ioctl
from inspect import signature
from pathlib import Path
from tempfile import TemporaryFile
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING, Any, TextIO, get_type_hints

from contract_tests.support.servers.forks import fork_server
from contract_tests.support.servers.forks.forking import exit_code_of, start_child
from wallaroo_ext.cli.main import COMMANDS, build_app, run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import pytest

SCRIPT = [sys.executable, "-m", "wallaroo_ext.cli"]


@dataclass(frozen=True)
class Done:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The message of an error, which is one line without a traceback."""
        assert self.out == ""
        [line] = self.err.splitlines()
        assert len(line) > 20
        return line


def in_process(
    sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return a function that runs the command in this process, with the sandbox's environment or another one."""

    def command(*arguments: str, environment: dict[str, str] | None = None, stdin: bytes = b"") -> Done:
        for name in [name for name in os.environ if name.startswith("WALLAROO_")]:
            monkeypatch.delenv(name)
        for name, value in (sandbox if environment is None else environment).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code: Any = 0
        try:
            run(build_app(list(arguments)), list(arguments))
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return command


def environment_of(variables: dict[str, str]) -> dict[str, str]:
    """Return the environment of a process, with only these variables of Wallaroo's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")} | variables


def process(
    *arguments: str, environment: dict[str, str], cwd: Path | None = None, kind: str = "cli", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, a fork of a fork server. Returns the ended process.

    Args:
        arguments: Its arguments.
        environment: Its variables of Wallaroo's.
        cwd: Its working directory; None for that of this process.
        kind: What the fork server has loaded: `cli`, or `suite` for runs of the contract suite.
        seconds: How long it may take.
    """
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err, Path(os.devnull).open() as nothing:
        files = (nothing.fileno(), out.fileno(), err.fileno())
        program = fork_server.start(kind, arguments, files, environment=environment_of(environment), directory=cwd)
        code = program.wait(seconds)
        program.kill()
        assert code is not None
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


@dataclass(frozen=True)
class Forked:
    """A command in a fork of this process, which starts faster because all modules are loaded."""

    pid: int
    out: TextIO
    err: TextIO

    def ended(self) -> Done:
        """Wait for the end. Returns the exit code and the output that was not read before."""
        out, err = self.out.read(), self.err.read()
        return Done(exit_code_of(self.pid), out, err)


@contextmanager
def forked(*arguments: str, environment: dict[str, str]) -> Generator[Forked]:
    """Run the command in a fork. The caller has to wait for its end."""
    (out, child_out), (err, child_err) = os.pipe(), os.pipe()

    def work() -> None:
        variables = environment_of(environment)
        os.environ.clear()
        os.environ.update(variables)
        sys.stdout, sys.stderr = os.fdopen(child_out, "w"), os.fdopen(child_err, "w", 1)
        try:
            run(build_app(list(arguments)), list(arguments))
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(int(end.code or 0))
        sys.stdout.flush()

    pid = start_child(work)
    os.close(child_out)
    os.close(child_err)
    with os.fdopen(out) as printed, os.fdopen(err) as errors:
        yield Forked(pid, printed, errors)


def on_terminal(*arguments: str, environment: dict[str, str], columns: int = 80) -> Done:
    """Run the command on a terminal of a width. Returns all of its output as `out`."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = environment_of(environment) | {"NO_COLOR": "1", "TERM": "xterm"}
    variables.pop("COLUMNS", None)
    program = fork_server.start("cli", arguments, (follower, follower, follower), environment=variables)
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # Linux raises it when the other side is closed
            break
        if not piece:
            break
        shown += piece
    code = program.wait()
    os.close(leader)
    assert code is not None
    return Done(code, shown.decode().replace("\r\n", "\n"), "")


def commands() -> list[Any]:
    """Return the functions of all commands."""
    found: list[Any] = []
    waiting = [build_app([name])[name] for name in COMMANDS]
    while waiting:
        app: Any = waiting.pop()
        found += [] if app.default_command is None else [app.default_command]
        waiting += [app[name] for name in app if not name.startswith("-")]
    return found


def path_parameters(command: Any) -> set[str]:
    """Return the names of a command's parameters that are paths, and not texts that may also be URLs."""
    from wallaroo_ext.cli.options import Options

    hints = get_type_hints(command, include_extras=True) | (
        get_type_hints(Options, include_extras=True) if "options" in signature(command).parameters else {}
    )
    paths = {name for name, hint in hints.items() if "pathlib" in str(hint) and name != "return"}
    return {name for name in paths if "str | pathlib" not in str(hints[name])}
