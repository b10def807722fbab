"""Proxies on this machine that lead every request to one server, so that a test needs no name that can be looked up."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator

_SECONDS = 20


@dataclass
class Asked:
    """A running proxy.

    Attributes:
        address: Its host and port.
        names: The host and port that each connection asked for.
        users: The user and password that each connection gave.
    """

    address: str = ""
    names: list[str] = field(default_factory=list[str])
    users: list[str] = field(default_factory=list[str])


@contextmanager
def socks5(target: str) -> Generator[Asked]:
    """Run a proxy that speaks SOCKS 5, for names.

    Args:
        target: The URL of the server that all connections are led to.
    """
    asked = Asked()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked.address = f"127.0.0.1:{listener.getsockname()[1]}"
        threading.Thread(target=_accept, args=(listener, asked, target), daemon=True).start()
        try:
            yield asked
        finally:
            with suppress(OSError):  # not everywhere may a listener be shut down
                listener.shutdown(socket.SHUT_RDWR)  # closing it would not wake the thread that accepts


def _accept(listener: socket.socket, asked: Asked, target: str) -> None:
    with suppress(OSError):  # shut down at the end
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, asked, target), daemon=True).start()


def _serve(connection: socket.socket, asked: Asked, target: str) -> None:
    connection.settimeout(_SECONDS)
    place = urlsplit(target)
    with connection, suppress(OSError), socket.create_connection((place.hostname or "", place.port or 0)) as server:
        _sign_in(connection, asked)
        _, _, _, _, length = struct.unpack("BBBBB", _exactly(connection, 5))
        name = _exactly(connection, length).decode()
        (port,) = struct.unpack("!H", _exactly(connection, 2))
        asked.names.append(f"{name}:{port}")
        connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        back = threading.Thread(target=_copy, args=(server, connection), daemon=True)
        back.start()
        _copy(connection, server)
        back.join(_SECONDS)


def _sign_in(connection: socket.socket, asked: Asked) -> None:
    """Take a user and a password where the client offers to give them."""
    _, count = _exactly(connection, 2)
    offered = _exactly(connection, count)
    if 2 not in offered:
        connection.sendall(b"\x05\x00")
        return
    connection.sendall(b"\x05\x02")
    _, length = _exactly(connection, 2)
    user = _exactly(connection, length).decode()
    password = _exactly(connection, _exactly(connection, 1)[0]).decode()
    asked.users.append(f"{user}:{password}")
    connection.sendall(b"\x01\x00")


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)


def _exactly(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise ConnectionError
        received += part
    return received
