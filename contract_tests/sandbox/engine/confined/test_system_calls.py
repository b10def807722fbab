"""Have the system calls that a confined process may not make the numbers that the kernel's headers give them?"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wallaroo_ext.sandbox.engine.confined import confinement

HEADERS = {
    0: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    1: Path("/usr/include/asm-generic/unistd.h"),
}
"""The headers for x86-64 and for ARM, by the place of the number."""
NUMBER = re.compile(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", re.MULTILINE)


@pytest.mark.parametrize("place", HEADERS)
@pytest.mark.parametrize("table", ["_FORBIDDEN", "_SELF_ONLY", "_OWN_PROCESS_ONLY"])
def test_they_have_the_numbers_of_the_headers(table: str, place: int) -> None:
    if not HEADERS[place].is_file():
        pytest.skip("the kernel's headers are not installed")
    calls: dict[str, tuple[int | None, int | None]] = getattr(confinement, table)
    expected = {name: int(number) for name, number in NUMBER.findall(HEADERS[place].read_text(encoding="utf-8"))}
    given = {name: numbers[place] for name, numbers in calls.items()}
    newest = max(expected.values())
    known = {name: number for name, number in given.items() if number is None or number <= newest}
    assert known == {name: expected.get(name) for name in known}
    assert len(known) > len(given) / 2


SIGNALS = """
import ctypes, errno, os, platform, threading
from wallaroo_ext.sandbox.engine.confined import confinement
library = ctypes.CDLL(None, use_errno=True)
tgkill = confinement._OWN_PROCESS_ONLY["tgkill"][platform.machine() != "x86_64"]
parent = os.getppid()
assert library.syscall(tgkill, parent, parent, 0) == 0
library.prctl(38, 1, 0, 0, 0)
assert confinement._seccomp(library)
assert library.syscall(tgkill, os.getpid(), threading.get_native_id(), 0) == 0
assert (library.syscall(tgkill, parent, parent, 0), ctypes.get_errno()) == (-1, errno.EPERM)
os.abort()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the filter is one of Linux")
def test_a_process_signals_its_own_threads_alone_and_can_abort() -> None:
    ended = subprocess.run([sys.executable, "-c", SIGNALS], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGABRT, ended.stderr


def test_since_5_1_both_architectures_have_the_same_numbers() -> None:
    calls: dict[str, tuple[int | None, int | None]] = getattr(confinement, "_FORBIDDEN")  # noqa: B009 - it is private
    newer = [numbers for numbers in calls.values() if max(number or 0 for number in numbers) >= 424]
    assert newer
    assert all(first == second for first, second in newer)
