"""Ties processes together: what a stopped run or a killed test leaves behind ends with it."""

from __future__ import annotations

import ctypes
import signal
import sys

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36


def end_with_parent() -> None:
    """Let this process end with the one that has started it, where the system can do that."""
    _control_process(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def take_orphans() -> None:
    """Let what is left behind below this process become its child, where the system can do that."""
    _control_process(_SET_CHILD_SUBREAPER, 1)


def _control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
