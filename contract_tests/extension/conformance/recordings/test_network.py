"""A run on recordings uses no network: what opens a socket or resolves a name fails."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from wallaroo_ext.conformance.recordings.network import NetworkBlock, NetworkUsedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@pytest.fixture
def network() -> Generator[NetworkBlock]:
    """Yield no network, while the test runs."""
    refusing = NetworkBlock()
    refusing.start()
    try:
        yield refusing
    finally:
        refusing.stop()


@pytest.fixture(scope="module")
def opened() -> Generator[socket.socket]:
    """Yield a socket that was there before."""
    with socket.socket() as found:
        yield found


USES: dict[str, Callable[[socket.socket], object]] = {
    "socket": lambda _: socket.socket(),
    "socket of IPv6": lambda _: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "connect": lambda opened: opened.connect(("127.0.0.1", 9)),
    "connect_ex": lambda opened: opened.connect_ex(("127.0.0.1", 9)),
    "bind": lambda opened: opened.bind(("127.0.0.1", 0)),
    "sendto": lambda opened: opened.sendto(b"", ("127.0.0.1", 9)),
    "create_connection": lambda _: socket.create_connection(("127.0.0.1", 9)),
    "getaddrinfo": lambda _: socket.getaddrinfo("localhost", 80),
    "gethostbyname": lambda _: socket.gethostbyname("localhost"),
    "gethostbyaddr": lambda _: socket.gethostbyaddr("127.0.0.1"),
    "httpx": lambda _: httpx.get("http://127.0.0.1:9/"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_network_is_refused(
    network: NetworkBlock, opened: socket.socket, use: Callable[[socket.socket], object]
) -> None:
    with pytest.raises(NetworkUsedError, match="A run on recordings uses no network"):
        use(opened)
    assert len(network.take_attempts()) == 1
    assert network.take_attempts() == []


def test_asyncio_is_refused_and_its_loops_are_not(network: NetworkBlock) -> None:
    async def ask() -> None:
        await asyncio.sleep(0)
        await asyncio.open_connection("127.0.0.1", 9)

    with pytest.raises(NetworkUsedError):
        asyncio.run(ask())
    assert len(network.take_attempts()) == 1


def test_afterwards_everything_goes_through(network: NetworkBlock) -> None:
    network.stop()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
    assert network.take_attempts() == []
