"""Does no function of the package send a token to another origin, whatever a server redirects to?"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

from contract_tests.support.servers.http_servers import path_of
from wallaroo_ext import ContractViolationError, WallarooError, aio, call, connect, infer, upload_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

API = "https://api.example.com"
AUTH = "https://keycloak.example.com"
ENVIRONMENT = {
    "WALLAROO_API_URL": API,
    "WALLAROO_AUTH_URL": AUTH,
    "WALLAROO_CLIENT_SECRET": "s-91XkZq8x",
    "WALLAROO_USER": "user",
    "WALLAROO_PASSWORD": "p-91XkZq8x",
}
FOREIGN = {
    "another port": "https://api.example.com:8443",
    "another host": "https://other.example.com",
    "no encryption": "http://api.example.com",
    "an inference host": "https://infer.example.com",
    "keycloak": AUTH,
}
STATUSES = (301, 302, 303, 307, 308)
ROWS = {"tensor": [[1.0]]}
SYNC: dict[str, Callable[[Client], Any]] = {
    "call": lambda client: call(list_workspaces, client=client, body=ListWorkspacesRequest()),
    "upload_model": lambda client: upload_model(client, b"model", name="m", workspace=1),
    "infer": lambda client: infer(client, f"{API}/infer/m-1", ROWS),
}
ASYNC: dict[str, Callable[[Client], Any]] = {
    "call": lambda client: aio.call(list_workspaces, client=client, body=ListWorkspacesRequest()),
    "upload_model": lambda client: aio.upload_model(client, b"model", name="m", workspace=1),
    "infer": lambda client: aio.infer(client, f"{API}/infer/m-1", ROWS),
}
CASES = list(product(("sync", "async"), SYNC))


class World:
    """Answers for every host: Keycloak with a token, the API with a redirect, and its target with 401."""

    def __init__(self, status: int, location: str) -> None:
        self.status = status
        self.location = location
        self.came: list[tuple[str, str, str | None]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == path_of("request_token"):
            return httpx.Response(200, json={"access_token": "t1", "expires_in": 60})
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.came.append((origin, request.url.path, request.headers.get("Authorization")))
        if request.url.path == "/end":
            return httpx.Response(401)
        return httpx.Response(self.status, headers={"Location": self.location})


def act(world: World, mode: str, action: str, *, follow: bool) -> None:
    client = connect(
        environment=ENVIRONMENT, transport=httpx.MockTransport(world), inference_hosts=["infer.example.com"]
    )
    if mode == "sync":
        with client:
            client.get_httpx_client().follow_redirects = follow
            SYNC[action](client)
        return

    async def main() -> None:
        async with client:
            client.get_async_httpx_client().follow_redirects = follow
            await ASYNC[action](client)

    asyncio.run(main())


@pytest.mark.parametrize(("mode", "action"), CASES)
@pytest.mark.parametrize("origin", [*FOREIGN.values(), API], ids=[*FOREIGN, "the API"])
def test_no_function_follows_a_redirect(origin: str, mode: str, action: str) -> None:
    for status in STATUSES:
        world = World(status, f"{origin}/end?token=hidden")
        with pytest.raises(ContractViolationError) as raised:
            act(world, mode, action, follow=False)
        assert [(where, token) for where, _, token in world.came] == [(API, "Bearer t1")]
        assert raised.value.status == status
        assert "hidden" not in str(raised.value)


@pytest.mark.parametrize(("mode", "action"), CASES)
@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
def test_nor_does_a_token_go_along_where_a_program_follows_them(origin: str, mode: str, action: str) -> None:
    for status in STATUSES:
        world = World(status, f"{origin}/end")
        with suppress(WallarooError, httpx.StreamError):  # httpx cannot send a stream to another place
            act(world, mode, action, follow=True)
        assert world.came[0][::2] == (API, "Bearer t1")
        assert [token for where, _, token in world.came[1:] if where != API or token] == [None] * (len(world.came) - 1)


@pytest.mark.parametrize(("mode", "action"), CASES)
def test_the_token_goes_along_within_the_api(mode: str, action: str) -> None:
    world = World(303, "/end")
    with pytest.raises(WallarooError):
        act(world, mode, action, follow=True)
    assert (API, "/end", "Bearer t1") in world.came
