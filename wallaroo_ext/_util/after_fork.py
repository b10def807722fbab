"""What belongs to one process, and what a forked child does with its copy of it.

A child that is forked has a copy of all that its parent holds: open connections, locks that other threads of the parent
have just taken, and work that waits for threads which the child does not have. So what must not be shared is kept in a
`PerProcess`, which makes another one in the child; what goes on in the parent alone remembers the `Process` that began
it, and a descriptor for which it matters is named to `keep_from_children`.

Before a fork, the modules are waited for that another thread is loading, because a child would wait for ever for them:
this package loads what it needs with the first call.

A process is told from its parent by a hook of `os.fork` and, where Python's hooks are not run, as under uWSGI, by its
id at the next use.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from wallaroo_ext.errors import ForkedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

T = TypeVar("T")


class Process:
    """Stands for a process: `this_process()` gives the same object all through one process, and another in a child."""

    __slots__ = ("_id",)

    def __init__(self) -> None:
        self._id = os.getpid()

    @property
    def is_this(self) -> bool:
        """Whether it is the process that runs now, and not an ancestor from which that was forked."""
        return self is this_process()

    def check(self, what: str) -> None:
        """Raise in a child that was forked from this process.

        Args:
            what: What this process began, as the beginning of a sentence.

        Raises:
            ForkedError: It is called in a child.
        """
        if self is not this_process():
            raise ForkedError(
                f"{what} was begun before this process was forked, and goes on in its parent alone.",
                advice="Begin it anew in this process.",
            )


_PATIENCE_SECONDS = 10.0
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
    "wallaroo_ext",
    "wallaroo_mlops_client",
}
"""The packages that a first call may load: those of the standard library, too, such as `encodings.idna`."""

_current = Process()
_descriptors: dict[int, os.stat_result] = {}
_loops: WeakSet[Any] = WeakSet()
_inherited: list[object] = []


def this_process() -> Process:
    """Return what stands for this process."""
    if _current._id != os.getpid():  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - of this module
        _begin_child()
    return _current


class PerProcess(Generic[T]):
    """Something that each process makes for itself when it first needs it.

    What an ancestor made stays in the memory of a child, untouched: to end it would use connections of the parent, or
    wait for a lock that nobody in the child releases.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[Process, T] = {}

    def get(self) -> T:
        """Return the one of this process; all threads get the same."""
        here = this_process()
        try:
            return self._made[here]
        except KeyError:
            return self._made.setdefault(here, self._make())


def keep_from_children(descriptor: int) -> None:
    """Have each child that is forked from now on let go of an open file or socket, whose number stays taken there.

    So a child can neither read nor write nor unlock what its parent has open, whatever it does with the objects that it
    inherits, and an end of the parent's connection reaches the server although the child lives on.
    """
    with suppress(OSError):
        _descriptors[descriptor] = os.fstat(descriptor)


def renew_in_children(loop: object) -> None:
    """Have each child that is forked from now on get a selector of its own for an event loop of asyncio.

    Both processes have one selector otherwise, and a child that ends its copy of the loop, if only by exiting, takes
    out of it what wakes the loop of its parent.
    """
    _loops.add(loop)


def leave_alone(inherited: object) -> None:
    """Keep an object that a child inherited from being finalized, which would reach into what its parent uses."""
    _inherited.append(inherited)


def _begin_child() -> None:
    """Begin as a process of its own, before anything else runs in it."""
    global _current  # noqa: PLW0603 - there is one process
    _current = Process()
    _let_go()
    for loop in list(_loops):
        with suppress(OSError, AttributeError):
            _renew(loop)


def _let_go() -> None:
    """Put an unconnected socket in the place of each descriptor that the parent keeps for itself.

    To close them would not do: who inherited one would close its number once more, which may be another file by then.
    An event loop's selector, which a child shares with its parent, keeps what the parent has registered.
    """
    descriptors = list(_descriptors.items())
    _descriptors.clear()
    with suppress(OSError), socket.socket() as unconnected:
        for descriptor, status in descriptors:
            with suppress(OSError):
                if _is_still(descriptor, status):
                    os.dup2(unconnected.fileno(), descriptor, inheritable=False)


def _renew(loop: Any) -> None:
    """Put new descriptors in the place of those that an event loop has: its selector, and the pair that wakes it."""
    own: Any = [getattr(loop, name) for name in ("_selector", "_ssock", "_csock")]  # asyncio has no other way to it
    with select.epoll() as selector, ExitStack() as stack:
        pair = [stack.enter_context(each) for each in socket.socketpair()]
        for new, old in zip((selector, *pair), own, strict=True):
            os.dup2(new.fileno(), old.fileno(), inheritable=False)
        for each in own[1:]:
            each.setblocking(False)
        selector.register(own[1].fileno(), select.EPOLLIN)


def _is_still(descriptor: int, status: os.stat_result) -> bool:
    """Whether a number still stands for the same open file; where a system tells no two sockets apart, it is not."""
    return status.st_ino != 0 and os.path.samestat(os.fstat(descriptor), status)


def _wait_for_imports() -> None:
    """Wait until no other thread is loading a module that this package needs; at most some seconds.

    A module's lock is not among those that Python makes anew in a child, so that who imports the module there hangs.
    """
    until = time.monotonic() + _PATIENCE_SECONDS
    while _others_import() and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)


def _others_import() -> bool:
    locks: dict[str, Any] = getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {})
    me = threading.get_ident()
    for name, reference in list(locks.items()):
        owner = getattr(reference(), "owner", None)
        if owner not in {None, me} and name.partition(".")[0] in _LOADED_LATE:
            return True
    return False


_undivided = threading.RLock()


def undivided() -> AbstractContextManager[object]:
    """Return a lock to hold for what no fork may come in the middle of: a fork waits for it, for some seconds.

    A C library may hold locks of its own meanwhile, as OpenSSL does while it reads certificates. In a child, nobody
    would release its copies of them.
    """
    return _undivided


def _prepare() -> None:
    _acquired[threading.get_ident()] = _undivided.acquire(timeout=_PATIENCE_SECONDS)
    _wait_for_imports()  # last, because another thread may begin one whenever this one waits


def _go_on() -> None:
    if _acquired.pop(threading.get_ident()):
        _undivided.release()


def _go_on_in_child() -> None:
    global _undivided  # noqa: PLW0603 - another thread of the parent may have held it
    _undivided = threading.RLock()
    _acquired.clear()
    _begin_child()


_acquired: dict[int, bool] = {}

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_prepare, after_in_parent=_go_on, after_in_child=_go_on_in_child)
