"""The sandboxes that a process runs, and the memory that a process takes, as Linux tells them."""

from __future__ import annotations

from pathlib import Path


def sandboxes_below(pid: int) -> list[int]:
    """The processes of sandboxes that a process started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children if b"wallaroo_ext.cli" in Path(f"/proc/{child}/cmdline").read_bytes()]


def memory_mib(pid: int, field: str) -> float:
    """A process's resident memory in MiB: `VmRSS` for what it takes now, `VmHWM` for its peak."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024
