"""Blocks the network during a run on recordings: opening a socket or resolving a host's name is an error."""

from __future__ import annotations

import socket
import sys
from typing import Any

_BLOCKED_EVENTS = {
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "socket.gethostbyaddr",
    "socket.getnameinfo",
}
_NEW_SOCKET = "socket.__new__"
_LOCAL_FAMILY = getattr(socket, "AF_UNIX", None)
"""Event loops wake themselves by pairs of such sockets, which lead nowhere else."""


class NetworkUsedError(Exception):
    """Something tried to use the network. It is no OSError: clients would take that for a failed connection."""


class NetworkBlock:
    """Blocks the network between `start` and `stop`: in all threads and in C code, and not in other processes.

    Attributes:
        attempts: The attempts to use the network, also those whose error was caught.
    """

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self._is_on = False
        self._is_installed = False

    def start(self) -> None:
        """Block the network."""
        if not self._is_installed:  # an audit hook cannot be removed again
            sys.addaudithook(self._audit)
            self._is_installed = True
        self._is_on = True

    def stop(self) -> None:
        """Unblock the network."""
        self._is_on = False

    def take_attempts(self) -> list[str]:
        """Return the attempts since the last call."""
        attempts, self.attempts = self.attempts, []
        return attempts

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_on or not event.startswith("socket."):
            return
        if event in _BLOCKED_EVENTS or (event == _NEW_SOCKET and arguments[1] != _LOCAL_FAMILY):
            target = " ".join(str(argument) for argument in arguments if not isinstance(argument, socket.socket))
            attempt = f"{event} {target}".strip()
            self.attempts.append(attempt)
            raise NetworkUsedError(f"A run on recordings uses no network, and this was tried: {attempt}.")
