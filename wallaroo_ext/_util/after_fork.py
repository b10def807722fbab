"""Keeping objects safe across `os.fork`: what belongs to one process is not used by its children.

A forked child has a copy of everything that its parent holds: open connections, locks that other threads of the parent
have just taken, and work that waits for threads which do not exist in the child. So an object that must not be shared
is kept in a `PerProcess`, which makes another one in the child. Work that only continues in the parent remembers the
`Process` that started it. A descriptor that the child must not use is passed to `detach_in_children`.

Before a fork, this module waits until no other thread is importing a module, because the child would wait for that
import forever: this package imports what it needs at the first call. It waits, too, until the threads of
`end_before_forks` that have ended are gone.

A child is noticed by a hook of `os.fork` and, where Python's hooks do not run, as under uWSGI, by its process id at the
next use.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from wallaroo_ext.errors import ForkedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

T = TypeVar("T")


class Process:
    """Identifies a process: `this_process()` always returns the same object in a process, and another in a child."""

    __slots__ = ("_id",)

    def __init__(self) -> None:
        self._id = os.getpid()

    @property
    def is_this(self) -> bool:
        """Whether this is the running process, and not one that it was forked from."""
        return self is this_process()

    def check(self, what: str) -> None:
        """Raise in a child that was forked from this process.

        Args:
            what: What this process started, as the beginning of a sentence.

        Raises:
            ForkedError: The caller is in a child.
        """
        if self is not this_process():
            raise ForkedError(
                f"{what} was started before this process was forked, and continues only in its parent.",
                advice="Start it again in this process.",
            )


_PATIENCE_SECONDS = 10.0
_SECONDS_OF_AN_END = 1.0
_PAUSE_SECONDS = 0.002
_LOADED_LATE = sys.stdlib_module_names | {
    "aiohttp",
    "anyio",
    "attr",
    "attrs",
    "certifi",
    "dateutil",
    "h11",
    "httpcore",
    "httpx",
    "httpx_aiohttp",
    "idna",
    "numpy",
    "opentelemetry",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "sniffio",
    "socksio",
    "wallaroo_ext",
    "wallaroo_mlops_client",
}
"""The packages that a first call may import, those of the standard library included, such as `encodings.idna`."""

_current = Process()
_descriptors: dict[int, os.stat_result] = {}
_loops: WeakSet[Any] = WeakSet()
_inherited: list[object] = []
_threads: dict[int, int] = {}


def this_process() -> Process:
    """Return the object that identifies this process."""
    if _current._id != os.getpid():  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this module
        _start_child()
    return _current


class PerProcess(Generic[T]):
    """An object that each process makes for itself when it first needs it.

    The parent's object stays untouched in the memory of a child: finalizing it would use connections of the parent, or
    wait for a lock that nobody in the child releases.

    Args:
        make: Makes the object.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[Process, T] = {}

    def get(self) -> T:
        """Return the object of this process; all threads get the same one."""
        here = this_process()
        try:
            return self._made[here]
        except KeyError:
            return self._made.setdefault(here, self._make())


def detach_in_children(descriptor: int) -> None:
    """Detach an open file or socket in every child that is forked from now on; its number stays in use there.

    So a child can neither read nor write nor unlock what its parent has open, whatever it does with the objects that it
    inherits, and the server sees the end of the parent's connection although the child still runs.
    """
    with suppress(OSError):
        _descriptors[descriptor] = os.fstat(descriptor)


def renew_selector_in_children(loop: object) -> None:
    """Give every child that is forked from now on a selector of its own for an event loop of asyncio.

    Otherwise both processes share one selector, and a child that closes its copy of the loop, if only by exiting,
    removes the descriptor that wakes the loop of its parent.
    """
    _loops.add(loop)


def prevent_finalization(inherited: object) -> None:
    """Keep an inherited object from being finalized in a child, which would disturb what its parent uses."""
    _inherited.append(inherited)


def _start_child() -> None:
    """Set up a forked child, before anything else runs in it."""
    global _current  # noqa: PLW0603 - there is one process
    _current = Process()
    _detach_descriptors()
    for loop in list(_loops):
        with suppress(OSError, AttributeError):
            _renew_selector(loop)


def _detach_descriptors() -> None:
    """Replace each descriptor that the parent keeps for itself by an unconnected socket.

    Closing them is not enough: the object that inherited a descriptor would close its number again, which may be
    another file by then. The selector of an event loop, which a child shares with its parent, keeps what the parent has
    registered.
    """
    descriptors = list(_descriptors.items())
    _descriptors.clear()
    with suppress(OSError), socket.socket() as unconnected:
        for descriptor, status in descriptors:
            with suppress(OSError):
                if _is_same_file(descriptor, status):
                    os.dup2(unconnected.fileno(), descriptor, inheritable=False)


def _renew_selector(loop: Any) -> None:
    """Replace the descriptors of an event loop: its selector, and the pair of sockets that wakes it."""
    current: Any = [getattr(loop, name) for name in ("_selector", "_ssock", "_csock")]  # asyncio offers no other way
    with select.epoll() as selector, ExitStack() as stack:
        pair = [stack.enter_context(each) for each in socket.socketpair()]
        for new, old in zip((selector, *pair), current, strict=True):
            os.dup2(new.fileno(), old.fileno(), inheritable=False)
        for each in current[1:]:
            each.setblocking(False)
        selector.register(current[1].fileno(), select.EPOLLIN)


def _is_same_file(descriptor: int, status: os.stat_result) -> bool:
    """Return whether a descriptor is still the same open file; False on systems that cannot tell two sockets apart."""
    return status.st_ino != 0 and os.path.samestat(os.fstat(descriptor), status)


def end_before_forks() -> None:
    """Delay each fork that comes just after the end of this thread until its end is complete.

    Python takes a thread for ended before the C libraries that it used have cleaned up. OpenSSL holds a lock meanwhile,
    and in a child nobody would release the copy of it. Where the system has no `/proc`, nothing is delayed.
    """
    for each in list(_threads):
        if not _exists(each):
            _threads.pop(each, None)
    threading.current_thread()  # from now on, a thread that Python did not start is known to it, too
    _threads[threading.get_native_id()] = threading.get_ident()


def _wait_for_threads() -> None:
    """Wait until no other thread is importing a module that this package needs, or is being cleaned up.

    Python does not renew the locks of modules in a child, so importing such a module there would hang.
    """
    began_at = time.monotonic()
    reasons = ((_is_another_thread_importing, _PATIENCE_SECONDS), (_is_another_thread_ending, _SECONDS_OF_AN_END))
    while any(is_so() and time.monotonic() < began_at + patience for is_so, patience in reasons):
        time.sleep(_PAUSE_SECONDS)


def _is_another_thread_ending() -> bool:
    """Return whether a thread of `end_before_forks` has ended for Python, and not yet for the system."""
    if not _threads:
        return False
    # Not `enumerate`, whose lock this thread may hold if a signal handler forks, and not `native_id`, which is that of
    # the parent's thread in a child.
    running = getattr(threading, "_active", {})
    return any(ident not in running and _exists(each) for each, ident in list(_threads.items()))


def _exists(thread_id: int) -> bool:
    return Path(f"/proc/self/task/{thread_id}").exists()


def _is_another_thread_importing() -> bool:
    locks: dict[str, Any] = getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {})
    me = threading.get_ident()
    for name, reference in list(locks.items()):
        owner = getattr(reference(), "owner", None)
        if owner not in {None, me} and name.partition(".")[0] in _LOADED_LATE:
            return True
    return False


_fork_lock = threading.RLock()


def fork_lock() -> AbstractContextManager[object]:
    """Return a lock that delays forks while it is held, for ten seconds at most.

    Hold it around calls of a C library that takes locks of its own, as OpenSSL does while it reads certificates. In a
    child, nobody would release its copies of them.
    """
    return _fork_lock


def _prepare_fork() -> None:
    _acquired[threading.get_ident()] = _fork_lock.acquire(timeout=_PATIENCE_SECONDS)
    _wait_for_threads()  # last, because another thread may start an import whenever this one waits


def _resume_parent() -> None:
    if _acquired.pop(threading.get_ident()):
        _fork_lock.release()


def _resume_child() -> None:
    global _fork_lock  # noqa: PLW0603 - another thread of the parent may have held it
    _fork_lock = threading.RLock()
    _acquired.clear()
    _threads.clear()
    _start_child()


_acquired: dict[int, bool] = {}

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_prepare_fork, after_in_parent=_resume_parent, after_in_child=_resume_child)
