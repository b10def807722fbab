"""Requests to Keycloak's token endpoint."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import httpx

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.urls import parse_http_url
from wallaroo_ext.errors import AuthenticationError
from wallaroo_ext.redaction.known_secrets import KnownSecrets
from wallaroo_ext.redaction.tracebacks import hide_arguments
from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
from wallaroo_ext.transport.process_connections import fork_safe
from wallaroo_ext.transport.response_errors import connection_error
from wallaroo_ext.transport.response_limits import ACCEPTED_ENCODINGS, AnswerRefused, LimitedTransport
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.policy import RetryPolicy
from wallaroo_ext.transport.retry.transport import RetryTransport
from wallaroo_ext.transport.wire_errors import NO_ANSWER

if TYPE_CHECKING:
    import ssl

    from wallaroo_ext.auth.grants import Credentials, Form

DEFAULT_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=10.0, pool=10.0)
OPERATION = "request_token"
MAX_ANSWER_SIZE = 1 << 20
"""The largest answer of a token endpoint, in bytes; a token with many roles has some thousand."""
_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=0)
_OF_THE_TRANSFER = {b"content-encoding", b"content-length", b"transfer-encoding"}
_SECRET_FIELDS = ("password", "access_token", "refresh_token", "id_token")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the token endpoint.

    Attributes:
        response: The answer with its body, without the request, which holds secrets.
        fields: The body if it is a JSON object; otherwise empty.
    """

    response: httpx.Response
    fields: dict[str, Any] = field(repr=False)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def error(self) -> str:
        """OAuth's error code; empty if there is none."""
        return str(self.fields.get("error") or "")

    @property
    def description(self) -> str:
        """The description of the error, in lower case."""
        return str(self.fields.get("error_description") or self.error).lower()


class TokenEndpoint:
    """Requests tokens, with connections and timeouts of its own.

    A client with a secret authenticates by HTTP Basic. Keycloak decodes `%` and `+` there since release 20, and did not
    before. So credentials with those, or with characters whose encoding is ambiguous there, go into the form, which all
    releases read in the same way. A client without a secret is named in the form.

    Args:
        url: The endpoint.
        credentials: The client's credentials.
        transport: The transport for the requests; it is not closed. None for connections of its own.
        verify: How the server's certificate is checked, as httpx takes it.
        timeout: In seconds. The sum of connect, write and read limits the whole request, retries included.

    Raises:
        ConfigurationError: The URL is invalid.
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
        self.url = str(parse_http_url(url, "The token endpoint's URL"))
        self._credentials = credentials
        self._transport: httpx.BaseTransport | None = None if transport is None else fork_safe(transport)
        self._verify = verify
        self._timeout = timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout)
        self._secrets = KnownSecrets()
        self._secrets.add_client(credentials.client_id, credentials.client_secret)
        self._secrets.add(credentials.password, credentials.refresh_token)

    @hide_arguments
    def request(self, form: Form) -> Answer:
        """Post a form.

        Raises:
            ConnectionFailedError: There is no answer, or it is unreadable.
            AuthenticationError: The answer is larger than any answer with a token, or in an unknown encoding.
        """
        failure: Exception
        try:
            return self._send(form)
        except AnswerRefused as error:
            failure = self._rejected_error(error)
        except NO_ANSWER as error:
            failure = connection_error(OPERATION, error)
        # Raised outside the handler: otherwise its context is httpx's error, which holds the request with the password.
        raise failure

    def _rejected_error(self, error: AnswerRefused) -> AuthenticationError:
        message = f"{OPERATION}: {error.status}, {error}, which is no answer with a token."
        return AuthenticationError(message, status=error.status, operation=OPERATION, advice=doubt_about(self.url))

    def _send(self, form: Form) -> Answer:
        self._secrets.add(*(form.fields.get(name) for name in _SECRET_FIELDS))
        with self._client() as http:
            response = http.send(self._build_request(http, form))
        answer = _answer(response, self.url)
        self._secrets.add(*(value for name in _SECRET_FIELDS if isinstance(value := answer.fields.get(name), str)))
        return answer

    def _client(self) -> httpx.Client:
        """Return a client for one request: tokens are requested too rarely to keep a connection open."""
        if self._transport is not None:
            return httpx.Client(transport=_UnclosedTransport(_with_limits(self._transport)), timeout=self._timeout)
        pool = PooledTransport(verify=self._verify, limits=_ONE_CONNECTION, backend="httpx")
        return httpx.Client(transport=_with_limits(pool), timeout=self._timeout)

    def _build_request(self, http: httpx.Client, form: Form) -> httpx.Request:
        headers, fields = client_authentication(self._credentials.client_id, self._credentials.client_secret)
        return http.build_request(
            "POST",
            self.url,
            data={"grant_type": form.grant_type} | form.fields | fields,
            headers={"Accept": "application/json", "Accept-Encoding": ACCEPTED_ENCODINGS} | headers,
            extensions={
                request_options.OPERATION: OPERATION,
                request_options.ANSWER_LIMIT: MAX_ANSWER_SIZE,
                request_options.MAX_DEADLINE: self._longest(),
            },
        )

    def _longest(self) -> float | None:
        """Return how long a token request may take in all, in seconds; None for no limit."""
        times = (self._timeout.connect, self._timeout.write, self._timeout.read)
        return None if None in times else sum(each for each in times if each is not None)


def _with_limits(transport: httpx.BaseTransport) -> httpx.BaseTransport:
    """Return a transport that reads whole answers, within their size limit and deadline."""
    if isinstance(transport, RetryTransport):
        return transport
    return RetryTransport(LimitedTransport(transport), RetryPolicy(attempts=1, deadline=None))


class _UnclosedTransport(httpx.BaseTransport):
    """A transport that stays open when its client is closed, because others use it too."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)


def doubt_about(url: str | httpx.URL) -> str:
    """Return what to ask oneself where a URL does not answer as a token endpoint does."""
    return f"Is {url} the token endpoint, or does a proxy answer in its place?"


def client_authentication(client_id: str, client_secret: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the form fields that authenticate a client.

    They use HTTP Basic if all releases of Keycloak read it in the same way, otherwise the form.

    Args:
        client_id: The client.
        client_secret: Its secret; None for a public client.
    """
    if client_secret is None:
        return {}, {"client_id": client_id}
    if not _needs_no_encoding(client_id, client_secret):
        return {}, {"client_id": client_id, "client_secret": client_secret}
    return {"Authorization": basic_header(client_id, client_secret)}, {}


def basic_header(client_id: str, client_secret: str) -> str:
    """Return the header `Authorization` of a client, even if some releases of Keycloak read it differently.

    The id and the secret are form-encoded if that makes a difference, as RFC 6749 (2.3.1) says and Keycloak decodes
    them since release 20.

    Args:
        client_id: The client.
        client_secret: Its secret; empty for none.
    """
    if not _needs_no_encoding(client_id, client_secret):
        client_id, client_secret = quote_plus(client_id), quote_plus(client_secret)
    return f"Basic {base64.b64encode(f'{client_id}:{client_secret}'.encode()).decode()}"


def _needs_no_encoding(client_id: str, client_secret: str) -> bool:
    """Return whether an id and a secret are the same with and without form encoding, in any character encoding."""
    pair = f"{client_id}:{client_secret}"
    return ":" not in client_id and pair.isascii() and not {"%", "+"} & set(pair)


def _answer(response: httpx.Response, url: str) -> Answer:
    """Return the answer without its request, which holds secrets."""
    body = response.content
    try:
        fields = object_of(json.loads(body))
    except (ValueError, RecursionError):
        fields = {}
    kept = httpx.Response(
        response.status_code,
        headers=[(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_TRANSFER],
        content=body,
        request=httpx.Request("POST", url, extensions=response.request.extensions),
    )
    return Answer(kept, fields)
