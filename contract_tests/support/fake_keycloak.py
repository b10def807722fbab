"""A Keycloak and an API in memory that record their requests, with a clock that tests move."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import KeycloakAuth

if TYPE_CHECKING:
    from collections.abc import Callable

API = "https://api.example.com"
TOKEN_URL = "https://keycloak.example.com/token"
CLIENT_SECRET = "client-secret-1"
PASSWORD = "password-1"


@dataclass
class Keycloak:
    """Issues the tokens t1, t2, … and the refresh tokens r1, r2, … for one use each.

    Attributes:
        lifetime: The value of `expires_in`.
        refresh_lifetime: The value of `refresh_expires_in`.
        fields: Fields that override those of the answers.
        revoked: The access tokens that the API refuses.
        failure: Answers token requests in place of the endpoint; None for normal answers.
        forms: The forms of the token requests.
        seen: The tokens that the API got; None for a request without one.
    """

    lifetime: object = 3600
    refresh_lifetime: object = 7200
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    now: float = 1000.0
    revoked: set[str] = field(default_factory=set[str])
    failure: Callable[[httpx.Request], httpx.Response] | None = None
    forms: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    requests: list[httpx.Request] = field(default_factory=list[httpx.Request])
    seen: list[str | None] = field(default_factory=list[str | None])
    usable: set[str] = field(default_factory=set[str])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request to the API."""
        header = request.headers.get("Authorization")
        token = None if header is None else header.removeprefix("Bearer ")
        with self.lock:
            self.seen.append(token)
        return httpx.Response(401 if token is None or token in self.revoked else 200, json={})

    def issue(self, request: httpx.Request) -> httpx.Response:
        """Answer a request to the token endpoint."""
        form = dict(httpx.QueryParams(request.content.decode()))
        with self.lock:
            self.forms.append(form)
            self.requests.append(request)
            count = len(self.forms)
        if self.failure is not None:
            return self.failure(request)
        with self.lock:
            if form["grant_type"] == "refresh_token":
                if form["refresh_token"] not in self.usable:
                    return refused("invalid_grant", "Token is not active")
                self.usable.remove(form["refresh_token"])
            answer: dict[str, Any] = {"access_token": f"t{count}", "expires_in": self.lifetime}
            if form["grant_type"] != "client_credentials":
                self.usable.add(f"r{count}")
                answer |= {"refresh_token": f"r{count}", "refresh_expires_in": self.refresh_lifetime}
        return httpx.Response(200, json=answer | self.fields)

    @property
    def grants(self) -> list[str]:
        """The requested grants, in order."""
        return [form["grant_type"] for form in self.forms]

    @property
    def basic(self) -> str | None:
        """The HTTP Basic credentials of the last token request; None without them."""
        scheme, _, value = self.requests[-1].headers.get("Authorization", "").partition(" ")
        return base64.b64decode(value).decode() if scheme == "Basic" else None

    def auth(self, **options: Any) -> KeycloakAuth:
        """Return an auth that signs in here, with a user's password unless the options say otherwise."""
        defaults: dict[str, Any] = {
            "api_url": API,
            "client_id": "api-client",
            "client_secret": CLIENT_SECRET,
            "username": "a@example.com",
            "password": PASSWORD,
            "transport": httpx.MockTransport(self.issue),
            "clock": lambda: self.now,
        }
        return KeycloakAuth(TOKEN_URL, **defaults | options)

    def client(self, auth: httpx.Auth, **options: Any) -> httpx.Client:
        """Return a client of the API."""
        return httpx.Client(transport=httpx.MockTransport(self), base_url=API, auth=auth, **options)

    def async_client(self, auth: httpx.Auth, **options: Any) -> httpx.AsyncClient:
        """Return an asyncio client of the API."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self), base_url=API, auth=auth, **options)


@dataclass
class Gate:
    """Holds token requests until it is opened, and then answers them with `failure` or a token."""

    keycloak: Keycloak
    failure: Callable[[httpx.Request], httpx.Response] | None = None
    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.entered.set()
        assert self.opened.wait(30)
        if self.failure is not None:
            return self.failure(request)
        return httpx.Response(200, json={"access_token": f"t{len(self.keycloak.forms)}", "expires_in": 3600})


def refused(error: str, description: str | None = None, status: int = 400) -> httpx.Response:
    """Return an answer of Keycloak's that refuses a token."""
    body = {"error": error} | ({} if description is None else {"error_description": description})
    return httpx.Response(status, json=body)


def refusing(
    error: str, description: str | None = None, status: int = 400
) -> Callable[[httpx.Request], httpx.Response]:
    """Return a handler that refuses every token."""
    return lambda _: refused(error, description, status)


def down(_: httpx.Request) -> httpx.Response:
    """Answer as a gateway whose Keycloak is down."""
    return httpx.Response(503, text="no healthy upstream")


def unreachable(request: httpx.Request) -> httpx.Response:
    """Raise the error of a refused connection."""
    raise httpx.ConnectError("refused", request=request)
