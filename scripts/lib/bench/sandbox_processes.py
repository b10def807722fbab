"""Finds the sandboxes that a process runs, and the memory that processes take, from Linux's /proc."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def sandboxes_below(pid: int) -> list[int]:
    """Return the ids of the sandbox processes that a process started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children if b"wallaroo_ext.cli" in Path(f"/proc/{child}/cmdline").read_bytes()]


def tree(pid: int) -> list[int]:
    """Return a process and all of its descendants."""
    pids = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        children: list[str] = []
        with suppress(OSError):  # the thread has ended
            children = (thread / "children").read_text(encoding="ascii").split()
        for child in children:
            with suppress(OSError):  # it has ended
                pids += tree(int(child))
    return pids


def memory_of_tree_mib(pid: int) -> float:
    """Return the MiB that a process and its descendants take, with shared memory counted once."""
    total = 0
    for process in tree(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def memory_mib(pid: int, field: str) -> float:
    """Return a process's resident memory in MiB: the field `VmRSS` for the present, `VmHWM` for the peak."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024
