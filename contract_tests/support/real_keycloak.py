"""Signs in at a real Keycloak in the tests, with both kinds of client and a clock that tests move."""

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
"""A path at which Keycloak answers only to good tokens of sessions that have not ended."""
TLS = httpx.create_ssl_context()
"""One for all clients: nothing here speaks TLS, but each client would make one, which takes longer than an answer."""
USER, PASSWORD = "user@example.com", "password-of-the-user"
CLIENT, SECRET = "api-client", "secret-of-the-api-client"
TOKEN_REQUESTS = {"LOGIN", "LOGIN_ERROR", "CLIENT_LOGIN", "CLIENT_LOGIN_ERROR", "REFRESH_TOKEN", "REFRESH_TOKEN_ERROR"}


class MovedClock(Clock):
    """The machine's clock, some seconds ahead, which can stand still."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stands_at: float | None = None

    def now(self) -> float:
        return (time.monotonic() if self._stands_at is None else self._stands_at) + self.ahead

    def stop(self) -> None:
        """Make the clock stand still."""
        self._stands_at = time.monotonic()


@dataclass
class Seen:
    """A transport that keeps the requests that it sends."""

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
    """Return an auth for Keycloak's own paths, with the user's password unless the options say otherwise."""
    defaults: dict[str, Any] = {
        "api_url": keycloak.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "username": USER,
        "password": PASSWORD,
        "scope": "openid",
        "verify": TLS,
    }
    chosen = {name: value for name, value in (defaults | options).items() if value is not None}
    return KeycloakAuth(keycloak.url + chosen.pop("path", TOKEN_PATH), **chosen)


def user_info(keycloak: KeycloakServer, who: httpx.Auth, kind: Kind) -> int:
    """Ask Keycloak for the user info. Returns the status of the answer."""
    url = keycloak.url + USER_INFO
    if kind == "sync":
        return httpx.get(url, auth=who, timeout=30, verify=TLS).status_code

    async def ask() -> int:
        async with httpx.AsyncClient(auth=who, timeout=30, verify=TLS) as http:
            return (await http.get(url)).status_code

    return asyncio.run(ask())


@contextmanager
def listing(kind: Kind, environment: dict[str, str], **options: Any) -> Generator[Listing]:
    """Connect a client. Yields a function that lists its workspaces."""
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
    """Return the claims of a token."""
    return jwt.decode(token, options={"verify_signature": False})


def token_requests(admin: Admin, client: str = CLIENT) -> list[str]:
    """Return the token requests of a client that Keycloak recorded, the oldest first."""
    return [event for event in admin.events(client=client) if event in TOKEN_REQUESTS]


@contextmanager
def client_attributes(admin: Admin, **attributes: str) -> Generator[None]:
    """Change the client's attributes while a `with` block runs; underscores stand for dots."""
    changes = {name.replace("_", "."): value for name, value in attributes.items()}
    before = admin.client(CLIENT)["attributes"]
    admin.change_client(CLIENT, attributes=changes)
    try:
        yield
    finally:
        admin.change_client(CLIENT, attributes={name: before.get(name, "") for name in changes})


@contextmanager
def rotation(admin: Admin) -> Generator[None]:
    """Make refresh tokens good for one use while a `with` block runs."""
    admin.send("PUT", "", {"revokeRefreshToken": True})
    try:
        yield
    finally:
        admin.send("PUT", "", {"revokeRefreshToken": False})
