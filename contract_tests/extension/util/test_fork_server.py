"""A program that is forked from the fork server is as one that is started anew."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.command_line import SCRIPT, environment_of, process
from contract_tests.support.servers.forks import fork_server
from scripts.lib.bench.sandbox_processes import tree
from wallaroo_ext.sandbox.process import running as running_anew

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

NOWHERE = {"WALLAROO_API_URL": "http://127.0.0.1:9", "WALLAROO_TOKEN": "a-token", "COLUMNS": "70"}
OF_SIGNALS_AND_RIGHTS = ("SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Seccomp", "Umask", "CapEff")


@pytest.mark.parametrize(
    "arguments", [["operations"], ["call", "no-operation"], ["token", "--help"], ["--version"], ["no-command"]]
)
def test_the_command_line_prints_the_same_and_ends_with_the_same_code(arguments: list[str], tmp_path: Path) -> None:
    command, environment = [*SCRIPT, *arguments], environment_of(NOWHERE)
    anew = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    forked = process(*arguments, environment=NOWHERE, cwd=tmp_path)
    assert (forked.returncode, forked.stdout, forked.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def of_process(pid: int) -> dict[str, str]:
    """Return what a process inherits: signals, rights, limits, priority, group, directory and network."""
    place = Path(f"/proc/{pid}")
    lines = (line.split(":\t", 1) for line in (place / "status").read_text(encoding="utf-8").splitlines())
    # Of each mask of 64 signals, the last 32, because the C library uses others for itself once there was a thread.
    return {name: value[-8:] for name, value in lines if name in OF_SIGNALS_AND_RIGHTS} | {
        "limits": (place / "limits").read_text(encoding="utf-8"),
        "priority": str(os.getpriority(os.PRIO_PROCESS, pid)),
        "group": str(os.getpgid(pid) == os.getpgid(0)),
        "leads its session": str(os.getsid(pid) == pid),
        "directory": str((place / "cwd").readlink()).partition("-engine-")[0],
        "network": str((place / "ns/net").readlink() == Path("/proc/self/ns/net").readlink()),
        "files": str(sorted(int(file.name) for file in (place / "fd").iterdir())[:3]),
    }


def processes_of(running: Callable[[], AbstractContextManager[dict[str, str]]]) -> tuple[Any, list[dict[str, str]]]:
    """Return what confines the models of a new sandbox, and what it and its engine inherited."""
    before = set(tree(os.getpid()))
    with running() as environment:
        engine = httpx.get(environment["WALLAROO_API_URL"] + "/_sandbox/state").json()["engine"]
        return engine, [of_process(pid) for pid in tree(os.getpid()) if pid not in before]


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux shows what a process inherited.")
def test_a_sandbox_and_its_engine_inherit_the_same(sandbox: dict[str, str]) -> None:
    assert sandbox  # the fork server runs already
    engine, forked = processes_of(fork_server.running)
    assert len(forked) == 2
    assert (engine, forked) == processes_of(running_anew)


def test_a_sandbox_ends_when_its_standard_input_is_closed(tmp_path: Path) -> None:
    (stdin, lifeline), env_file = os.pipe(), tmp_path / "environment"
    words = ["sandbox", "--end-with-stdin", "--env-file", str(env_file), "--data-dir", str(tmp_path / "data")]
    with (tmp_path / "log").open("w") as log:
        program = fork_server.start("cli", words, (stdin, log.fileno(), log.fileno()))
    os.close(stdin)
    while not env_file.exists():
        assert program.wait(0.01) is None
    os.close(lifeline)
    assert program.wait() == 0


def test_a_signal_that_ends_a_program_is_its_exit_code(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as log, Path(os.devnull).open() as nothing:
        program = fork_server.start(
            "module",
            ["contract_tests.support.servers.forks.echo_server"],
            (nothing.fileno(), log.fileno(), log.fileno()),
        )
        program.kill()
    assert program.wait() == -signal.SIGKILL


@pytest.mark.parametrize("ending", ["kill", "end"])
def test_a_program_that_has_ended_unreported_is_ended_without_an_error(ending: str) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    ours, its = socket.socketpair()
    with ours, its:
        its.sendall(struct.pack("<q", gone.pid))
        program = fork_server.Program(ours)
        report = threading.Timer(0.1, its.sendall, [struct.pack("<q", signal.SIGKILL)])
        report.start()
        getattr(program, ending)()
        report.join()
        assert program.poll() == -signal.SIGKILL
