"""Keycloak's token endpoint: one form in, one answer out."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext.auth.origins import parsed
from wallaroo_ext.failures import connection_failed
from wallaroo_ext.json_values import object_of
from wallaroo_ext.retries import hints
from wallaroo_ext.wire import Wire, fork_safe

if TYPE_CHECKING:
    import ssl

    from wallaroo_ext.auth.grants import Credentials, Form

DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=10.0, pool=10.0)
OPERATION = "request_token"
_OF_THE_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}
_NONE_KEPT = httpx.Limits(max_keepalive_connections=0)
"""Tokens are asked for too rarely to keep a connection open."""
_LONGEST_ANSWER = 1 << 20  # bytes; a token with many roles has some thousand


@dataclass(frozen=True, slots=True)
class Answer:
    """What the token endpoint said.

    Attributes:
        response: The answer with its body, and without the request, which has secrets.
        fields: The JSON object that it is; empty where it is none.
    """

    response: httpx.Response
    fields: dict[str, Any] = field(repr=False)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def error(self) -> str:
        """OAuth's code of the error; empty where there is none."""
        return str(self.fields.get("error") or "")

    @property
    def description(self) -> str:
        """What it says about the error, in lower case."""
        return str(self.fields.get("error_description") or self.error).lower()


class TokenEndpoint:
    """Asks for tokens, with connections of its own and the same timeouts whoever waits.

    A client with a secret authenticates by HTTP Basic. Keycloak decodes `%` and `+` in it from release 20 on, and did
    not before; so credentials with those, and with characters that have no one encoding there, go into the form, which
    every release reads in the same way. A client without a secret names itself in the form.

    Args:
        url: The endpoint.
        credentials: Whose client it is.
        transport: What sends the requests; it is not closed. None for connections by `verify`.
        verify: How the server's certificate is checked, as httpx takes it.
        timeout: In seconds. The time to read is that for the whole answer, too.

    Raises:
        ConfigurationError: The URL is none.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout: httpx.Timeout | float = DEFAULT_TIMEOUT,
    ) -> None:
        self.url = str(parsed(url, "The token endpoint's URL"))
        self._credentials = credentials
        own = transport is None
        self._transport = Wire(verify=verify, limits=_NONE_KEPT, backend="httpx") if own else fork_safe(transport)
        self._timeout = timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout)

    def ask(self, form: Form) -> Answer:
        """Post a form.

        Raises:
            ConnectionFailedError: There is no answer, or it cannot be read.
        """
        try:
            return self._ask(form)
        except (httpx.TransportError, httpx.DecodingError) as error:
            failure = connection_failed(OPERATION, error)
        # Outside of the handler, so that httpx's error, which holds the request with the password, is not its context.
        raise failure

    def _ask(self, form: Form) -> Answer:
        with httpx.Client(transport=_Lent(self._transport), timeout=self._timeout) as http:
            response = http.send(self._request(http, form), stream=True)
            try:
                return _answer(response, self._read(response), self.url)
            finally:
                response.close()

    def _request(self, http: httpx.Client, form: Form) -> httpx.Request:
        headers, fields = _client_authentication(self._credentials)
        return http.build_request(
            "POST",
            self.url,
            data={"grant_type": form.grant_type} | form.fields | fields,
            headers={"Accept": "application/json"} | headers,
            extensions={hints.STREAM: True},  # it is read here, with a limit of its own
        )

    def _read(self, response: httpx.Response) -> bytes:
        """The body, unless it drips in too slowly; cut off where it is longer than any answer with a token."""
        body = bytearray()
        began_at, seconds = time.monotonic(), self._timeout.read
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _LONGEST_ANSWER:
                break
            if seconds is not None and time.monotonic() - began_at > seconds:
                raise httpx.ReadTimeout("the answer is not complete", request=response.request)
        return bytes(body[:_LONGEST_ANSWER])


class _Lent(httpx.BaseTransport):
    """A transport that others use too, and that is not closed with a client."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


def _client_authentication(credentials: Credentials) -> tuple[dict[str, str], dict[str, str]]:
    """The headers and the form's fields that say which client asks."""
    name, secret = credentials.client_id, credentials.client_secret
    if secret is None:
        return {}, {"client_id": name}
    pair = f"{name}:{secret}"
    if ":" in name or not pair.isascii() or {"%", "+"} & set(pair):
        return {}, {"client_id": name, "client_secret": secret}
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}


def _answer(response: httpx.Response, body: bytes, url: str) -> Answer:
    try:
        fields = object_of(json.loads(body))
    except (ValueError, RecursionError):
        fields = {}
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_TRANSFER]
    kept = httpx.Response(
        response.status_code,
        headers=headers,
        content=body,
        request=httpx.Request("POST", url, extensions=response.request.extensions),
    )
    return Answer(kept, fields)
