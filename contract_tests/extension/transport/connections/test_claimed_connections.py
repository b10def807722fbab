"""Can threads share connections without one closing what another one uses?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest

from contract_tests.support.servers import http_servers
from wallaroo_ext.transport.connections.claimed_connections import claim_connections

if TYPE_CHECKING:
    from collections.abc import Generator

PATH = http_servers.path_of("list_workspaces")


@pytest.fixture
def seen() -> Generator[Any]:
    """Yield a server, with what it was asked."""
    with http_servers.serving() as serving:
        yield serving


@pytest.fixture
def client() -> Generator[httpx.Client]:
    """Yield a client whose connections are claimed."""
    with claim_connections(httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=1))) as made:
        yield made


def always(_: object) -> bool:
    return True


def pool_of(client: httpx.Client) -> Any:
    return client._transport._pool  # type: ignore[attr-defined]


def look(client: httpx.Client) -> None:
    """Do what another thread does that begins a request: close what looks idle or expired."""
    pool = pool_of(client)
    with pool._optional_thread_lock:
        closing = pool._assign_requests_to_connections()
    pool._close_connections(closing)


@pytest.mark.parametrize("looks", ["has_expired", "is_idle"])
def test_a_connection_in_use_is_not_closed_by_another_thread(
    looks: str, seen: Any, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> Generator[bytes]:
        yield b"{}"
        # The other thread saw the connection idle just before, and now finds that the answer has come.
        with monkeypatch.context() as early:
            early.setattr(httpcore.HTTP11Connection, looks, always)
            early.setattr(pool_of(client), "_max_keepalive_connections", 0)
            look(client)

    client.post(seen.url + PATH)
    assert client.post(seen.url + PATH, content=body()).status_code == 200
    assert seen.connections == 1


def test_a_connection_that_was_taken_from_the_pool_is_not_used(seen: Any, client: httpx.Client) -> None:
    client.post(seen.url + PATH)
    (connection,) = pool_of(client).connections
    pool_of(client)._connections.clear()
    with pytest.raises(httpcore.ConnectionNotAvailable):
        connection.handle_request(httpcore.Request("POST", seen.url + PATH))
    connection.close()
    assert len(seen.requests) == 1


@pytest.mark.parametrize("status", [200, 400])
def test_a_connection_is_used_again_after_its_answer(status: int) -> None:
    with (
        http_servers.serving(lambda handler, _: http_servers.answer(handler, status, b"{}")) as seen,
        claim_connections(httpx.Client(trust_env=False)) as client,
    ):
        for _ in range(3):
            client.post(seen.url + PATH)
    assert (len(seen.requests), seen.connections) == (3, 1)


def test_a_connection_that_failed_makes_room_for_another(client: httpx.Client) -> None:
    def respond(handler: Any, number: int) -> None:
        if number == 0:
            handler.close_connection = True
            return
        http_servers.answer(handler, 200, b"{}")

    with http_servers.serving(respond) as seen:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(seen.url + PATH)
        assert client.post(seen.url + PATH).status_code == 200
    assert len(pool_of(client).connections) == 1
