"""Who signs in at a real Keycloak in the tests, with both kinds of client, and a clock that tests move."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import httpx
import jwt

from scripts.lib.keycloak.server import RELATIVE_PATH
from wallaroo_ext import KeycloakAuth, aio, call, connect, contract
from wallaroo_ext.transport.retry.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_mlops_client.models import Workspace

    from scripts.lib.keycloak.realm import Admin
    from scripts.lib.keycloak.server import KeycloakServer

    Listing = Callable[[], list[Workspace]]

Kind = Literal["sync", "async"]

REQUIRED = "REQUIRE_KEYCLOAK"
"""The environment variable that makes a missing Keycloak a failure."""
TOKEN_PATH = contract.operation("request_token").path
USER_INFO = f"{RELATIVE_PATH}/realms/master/protocol/openid-connect/userinfo"
"""What Keycloak itself answers to good tokens only, of sessions that have not ended."""
TLS = httpx.create_ssl_context()
"""Nothing here speaks it, but each client of httpx would make one, which takes longer than to be answered."""
USER, PASSWORD = "user@example.com", "password-of-the-user"
CLIENT, SECRET = "api-client", "secret-of-the-api-client"
TOKEN_REQUESTS = {"LOGIN", "LOGIN_ERROR", "CLIENT_LOGIN", "CLIENT_LOGIN_ERROR", "REFRESH_TOKEN", "REFRESH_TOKEN_ERROR"}


class MovedClock(Clock):
    """The machine's clock, some seconds ahead; it can stand still, too."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stands_at: float | None = None

    def now(self) -> float:
        return (time.monotonic() if self._stands_at is None else self._stands_at) + self.ahead

    def stop(self) -> None:
        """Stand still from now on."""
        self._stands_at = time.monotonic()


@dataclass
class Seen:
    """A transport that keeps what is sent through it."""

    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])

    def transport(self) -> httpx.BaseTransport:
        """Return the transport."""
        return httpx.MockTransport(self._send)

    def _send(self, request: httpx.Request) -> httpx.Response:
        with httpx.Client(verify=TLS) as http:
            response = http.send(request)
        self.requests.append(request)
        return httpx.Response(response.status_code, headers=response.headers, content=response.content)


def auth(keycloak: KeycloakServer, **options: Any) -> KeycloakAuth:
    """Who signs in at Keycloak, with the user's password unless something else is said, for what Keycloak serves."""
    usual: dict[str, Any] = {
        "api_url": keycloak.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "username": USER,
        "password": PASSWORD,
        "scope": "openid",
        "verify": TLS,
    }
    chosen = {name: value for name, value in (usual | options).items() if value is not None}
    return KeycloakAuth(keycloak.url + chosen.pop("path", TOKEN_PATH), **chosen)


def user_info(keycloak: KeycloakServer, who: httpx.Auth, kind: Kind) -> int:
    """Return the status of Keycloak's own answer to who signs in."""
    url = keycloak.url + USER_INFO
    if kind == "sync":
        return httpx.get(url, auth=who, timeout=30, verify=TLS).status_code

    async def ask() -> int:
        async with httpx.AsyncClient(auth=who, timeout=30, verify=TLS) as http:
            return (await http.get(url)).status_code

    return asyncio.run(ask())


@contextmanager
def listing(kind: Kind, environment: dict[str, str], **options: Any) -> Generator[Listing]:
    """Yield what lists the workspaces that a client sees, for the time of a `with` block."""
    from wallaroo_mlops_client.api.workspaces import list_workspaces
    from wallaroo_mlops_client.models import ListWorkspacesRequest

    client, body = connect(environment=environment, **options), ListWorkspacesRequest()
    if kind == "sync":
        with client:
            yield lambda: call(list_workspaces, client=client, body=body).workspaces
        return
    with asyncio.Runner() as runner:
        runner.run(client.__aenter__())
        try:
            yield lambda: runner.run(aio.call(list_workspaces, client=client, body=body)).workspaces
        finally:
            runner.run(client.__aexit__(None, None, None))


def claims(token: str) -> dict[str, Any]:
    """Return what a token says."""
    return jwt.decode(token, options={"verify_signature": False})


def token_requests(admin: Admin, client: str = CLIENT) -> list[str]:
    """Return the token requests of a client, as Keycloak counted them, the oldest first."""
    return [event for event in admin.events(client=client) if event in TOKEN_REQUESTS]


@contextmanager
def client_attributes(admin: Admin, **attributes: str) -> Generator[None]:
    """Yield a client with other attributes for the time of a `with` block; underscores stand for dots."""
    wanted = {name.replace("_", "."): value for name, value in attributes.items()}
    before = admin.client(CLIENT)["attributes"]
    admin.change_client(CLIENT, attributes=wanted)
    try:
        yield
    finally:
        admin.change_client(CLIENT, attributes={name: before.get(name, "") for name in wanted})


@contextmanager
def rotation(admin: Admin) -> Generator[None]:
    """Refresh tokens that are good for one use, for the time of a `with` block."""
    admin.send("PUT", "", {"revokeRefreshToken": True})
    try:
        yield
    finally:
        admin.send("PUT", "", {"revokeRefreshToken": False})
