"""No network: while a run is on recordings, whoever opens a socket or asks for a name's address is refused."""

from __future__ import annotations

import socket
import sys
from typing import Any

_NAMES = {
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.getnameinfo",
}
_OPENED = "socket.__new__"
_ON_THIS_MACHINE = getattr(socket, "AF_UNIX", None)
"""Pairs of such sockets wake event loops; nothing leaves the process by them."""


class NetworkUsedError(Exception):
    """Something tried to use the network. It is none of OSError, which clients take for a connection that failed."""


class NoNetwork:
    """Refuses the network between `begin` and `end`, in all threads, in C code as well, and not in other processes.

    Attributes:
        attempts: What was tried; also what somebody caught.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self._is_on = False
        self._is_installed = False

    def begin(self) -> None:
        """Refuse from now on."""
        if not self._is_installed:  # the interpreter keeps such a hook for ever
            sys.addaudithook(self._heard)
            self._is_installed = True
        self._is_on = True

    def end(self) -> None:
        """Let everything through again."""
        self._is_on = False

    def taken(self) -> list[str]:
        """Return what was tried since this was last asked."""
        attempts, self.attempts = self.attempts, []
        return attempts

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on or not event.startswith("socket."):
            return
        if event in _NAMES or (event == _OPENED and arguments[1] != _ON_THIS_MACHINE):
            target = " ".join(str(argument) for argument in arguments if not isinstance(argument, socket.socket))
            attempt = f"{event} {target}".strip()
            self.attempts.append(attempt)
            raise NetworkUsedError(f"A run on recordings uses no network, and this was tried: {attempt}.")
