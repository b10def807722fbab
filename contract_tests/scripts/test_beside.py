"""Do commands that scripts run beside each other print their outputs whole, and none goes on after its script?"""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.documentation import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = f'set -eu\n. "{ROOT}/scripts/lib/beside.sh"\n'
SECONDS = 20


def ran(lines: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run lines of a script that sources beside.sh, with its temporary files in a directory."""
    command = ["sh", "-c", SOURCE + lines]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(directory)}
    return subprocess.run(
        command, env=environment, cwd=directory, capture_output=True, text=True, check=False, timeout=SECONDS
    )


def test_each_output_is_whole_and_in_the_order_of_finishing(tmp_path: Path) -> None:
    done = ran(
        "start first sh -c 'echo a; until [ -e go ]; do sleep 0.01; done; echo b >&2'\n"
        "start second sh -c 'echo c; touch go; echo d'\n"
        "echo between; finish first; finish second\n",
        tmp_path,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("between\na\nb\nc\nd\n", "", 0)
    assert [file.name for file in tmp_path.iterdir()] == ["go"]


def test_a_failure_is_returned_with_its_output(tmp_path: Path) -> None:
    lines = "start it sh -c 'echo so; exit 3'\n"
    done = ran(f"{lines}finish it || echo $?\n", tmp_path)
    assert done.stdout == "so\n3\n"
    assert ran(f"{lines}finish it\necho on\n", tmp_path).returncode == 3
    assert list(tmp_path.iterdir()) == []


ENDS = [("exit 5", 5), ("kill -HUP $$", 129), ("kill -INT $$", 130), ("kill -TERM $$", 143)]


@pytest.mark.parametrize(("end", "code"), ENDS)
def test_what_was_started_ends_with_the_script(end: str, code: int, tmp_path: Path) -> None:
    done = ran(f'start it sleep 600\ncp "$beside/it.pid" pid\n{end}\n', tmp_path)
    assert done.returncode == code
    assert has_ended(int((tmp_path / "pid").read_text()))
    assert [file.name for file in tmp_path.iterdir()] == ["pid"]


@pytest.mark.parametrize(("end", "code"), ENDS)
def test_what_a_function_has_started_ends_with_the_script(end: str, code: int, tmp_path: Path) -> None:
    lines = (
        "inner() { sh -c 'echo $$ >child.new; mv child.new child; exec sleep 600'; touch after; }\n"
        "outer() { (inner); touch after; }\n"
        "start it outer\nuntil [ -e child ]; do sleep 0.01; done\n"
    )
    done = ran(f"{lines}{end}\n", tmp_path)
    assert (done.returncode, done.stderr) == (code, "")
    assert has_ended(int((tmp_path / "child").read_text()))
    assert [file.name for file in tmp_path.iterdir()] == ["child"]


def has_ended(process: int) -> bool:
    """Return whether a process ends within a while."""
    until = time.monotonic() + SECONDS
    while is_running(process) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_running(process)


def is_running(process: int) -> bool:
    """Return whether a process runs; one that has ended and was not waited for does not."""
    with suppress(ProcessLookupError):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)  # noqa: S607 - ps, wherever it is
        return bool(state.stdout.strip()) and not state.stdout.startswith("Z")
    return False
