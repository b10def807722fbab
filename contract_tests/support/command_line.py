"""Running the command line in the tests: in this process, in one of its own, and on a terminal."""

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
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING, Any, TextIO, get_type_hints

from contract_tests.support.servers.forking import begun, ended
from wallaroo_ext.cli.main import build_app, run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import pytest

SCRIPT = [sys.executable, "-m", "wallaroo_ext.cli"]


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What an error said, which is one line and no traceback."""
        assert self.out == ""
        [line] = self.err.splitlines()
        assert len(line) > 20
        return line


def in_process(
    sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return what runs the command in this process, with the sandbox's environment or another one."""

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
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return command


def environment_of(variables: dict[str, str]) -> dict[str, str]:
    """Return the environment of a process with nothing of Wallaroo's but this."""
    return {name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")} | variables


def process(*arguments: str, environment: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own."""
    return subprocess.run(
        [*SCRIPT, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment_of(environment),
        **options,
    )


@dataclass(frozen=True)
class Forked:
    """A command that runs in a fork of this process, which has loaded all that it needs."""

    pid: int
    out: TextIO
    err: TextIO

    def ended(self) -> Done:
        """Return how it ended, and what it printed that nobody has read."""
        out, err = self.out.read(), self.err.read()
        return Done(ended(self.pid), out, err)


@contextmanager
def forked(*arguments: str, environment: dict[str, str]) -> Generator[Forked]:
    """Run the command in a fork; whoever begins it has to wait for its end."""
    (out, its_out), (err, its_err) = os.pipe(), os.pipe()

    def work() -> None:
        variables = environment_of(environment)
        os.environ.clear()
        os.environ.update(variables)
        sys.stdout, sys.stderr = os.fdopen(its_out, "w"), os.fdopen(its_err, "w", 1)
        try:
            run(build_app(list(arguments)), list(arguments))
        except SystemExit as end:
            sys.stdout.flush()
            os._exit(int(end.code or 0))
        sys.stdout.flush()

    pid = begun(work)
    os.close(its_out)
    os.close(its_err)
    with os.fdopen(out) as printed, os.fdopen(err) as said:
        yield Forked(pid, printed, said)


def on_terminal(*arguments: str, environment: dict[str, str], columns: int = 80) -> Done:
    """Runs the command on a terminal of this width; what was printed is all in `out`."""
    leader, follower = pty.openpty()
    ioctl(follower, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = environment_of(environment) | {"NO_COLOR": "1", "TERM": "xterm"}
    variables.pop("COLUMNS", None)
    with subprocess.Popen(
        [*SCRIPT, *arguments], stdin=follower, stdout=follower, stderr=follower, env=variables
    ) as started:
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], 60)[0]:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # how Linux says that the other side is closed
                break
            if not piece:
                break
            shown += piece
    os.close(leader)
    return Done(started.returncode, shown.decode().replace("\r\n", "\n"), "")


def commands() -> list[Any]:
    """Return the functions of all commands."""
    from wallaroo_ext.cli.main import build_app

    names = [
        "sandbox",
        "conformance",
        "drift",
        "call",
        "infer",
        "batch",
        "upload",
        "assay",
        "deploy",
        "doctor",
        "token",
    ]
    found: list[Any] = []
    waiting = [build_app([name]) for name in names]
    while waiting:
        app: Any = waiting.pop()
        found += [] if app.default_command is None else [app.default_command]
        waiting += [app[name] for name in app if not name.startswith("-")]
    return found


def path_parameters(command: Any) -> set[str]:
    """Return the names of a command's parameters that are paths."""
    from wallaroo_ext.cli.options import Options

    hints = get_type_hints(command, include_extras=True) | (
        get_type_hints(Options, include_extras=True) if "options" in signature(command).parameters else {}
    )
    return {name for name, hint in hints.items() if "pathlib" in str(hint) and name != "return"}
