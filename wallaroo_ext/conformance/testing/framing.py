"""Sends requests on connections of their own: is what comes one message of HTTP, the whole of it, and no more?"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx
from typing_extensions import override

from wallaroo_ext.conformance.guard.interceptor import Incoming
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.transport.connections.proxies import proxy_for

if TYPE_CHECKING:
    from wallaroo_ext.conformance.suite import Suite

_PATIENCE_SECONDS = 30.0
_QUIET_SECONDS = 0.5
"""How long nothing may come behind a message before it counts as all: not every server ends the connection."""
_CHUNK_BYTES = 65_536
_WRITTEN_HERE = {"host", "connection", "content-length", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Message:
    """An answer as it came.

    Attributes:
        status: Its status.
        headers: Its headers.
        body: Its body.
        behind: What came behind it, which belongs to no answer.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    behind: bytes


def send_alone(suite: Suite, request: httpx.Request) -> Message:
    """Send a request on a connection of its own, and return what came.

    Raises:
        WithheldError: The request may not be sent, or would go through a proxy, which writes messages anew.
        NoAnswerError: The instance did not answer, or its answers broke off each time.
    """
    url = httpx.URL(suite.interceptor.inference.destination(str(request.url)))
    if proxy_for(url) is not None:
        raise WithheldError("Requests to the instance go through a proxy, which writes messages anew.")
    headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() not in _WRITTEN_HERE]
    content = request.read()
    outgoing = suite.interceptor.admit(request.method, str(url), headers, content)
    if content or request.method == "POST":
        headers.append(("Content-Length", str(len(content))))
    start = [f"{request.method} {url.raw_path.decode('ascii')} HTTP/1.1", f"Host: {url.netloc.decode('ascii')}"]

    def send(authorization: str) -> tuple[Message, Incoming]:
        again = {"authorization": authorization} if authorization else {}
        lines = [*start, "Connection: close"]
        lines += [f"{name}: {again.get(name.lower(), value)}" for name, value in headers]
        sent = "\r\n".join([*lines, "", ""]).encode("latin-1") + content
        found = _exchange(suite, url, request.method, sent)
        return found, Incoming(found.status, found.headers, found.body)

    return suite.interceptor.exchange(outgoing, send, checks=())[0]


def _exchange(suite: Suite, url: httpx.URL, method: str, sent: bytes) -> Message:
    """Send a request, and read until the connection ends, or nothing more comes behind the answer.

    Raises:
        httpx.NetworkError: The connection broke.
        httpx.RemoteProtocolError: What came is no message of HTTP, or breaks off.
    """
    received, is_open = b"", True
    try:
        with closing(_connect(suite, url)) as connection:
            connection.sendall(sent)
            while is_open:
                more = _receive(connection, is_whole=_message(method, received) is not None)
                received, is_open = received + more, bool(more)
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    found = _message(method, received, is_over=True)
    if found is None:
        raise httpx.RemoteProtocolError(f"The answer breaks off, or is none: {received[:100]!r}")
    return found


def _connect(suite: Suite, url: httpx.URL) -> socket.socket:
    is_secure = url.scheme == "https"
    plain = socket.create_connection((url.host, url.port or (443 if is_secure else 80)), timeout=_PATIENCE_SECONDS)
    if not is_secure:
        return plain
    context = ssl.create_default_context(cafile=suite.instance.settings.ca_bundle)
    return context.wrap_socket(plain, server_hostname=url.host)


def _receive(connection: socket.socket, *, is_whole: bool) -> bytes:
    """Return what comes next; nothing at the end, or where nothing comes behind a whole message."""
    connection.settimeout(_QUIET_SECONDS if is_whole else _PATIENCE_SECONDS)
    try:
        return connection.recv(_CHUNK_BYTES)
    except TimeoutError:
        if is_whole:
            return b""
        raise


class _Received(io.BytesIO):
    """What was received, as `http.client` reads it from a connection."""

    @override
    def close(self) -> None:
        """Stay open, so that what was not read can be."""

    def makefile(self, _mode: str) -> io.BytesIO:
        """Return what was received, as a socket does."""
        return self


def _message(method: str, received: bytes, *, is_over: bool = False) -> Message | None:
    """Return the first final answer in what was received; None if it is not whole.

    Args:
        method: The method of the request.
        received: What was received.
        is_over: Whether nothing more comes, which ends an answer that does not say where it ends.
    """
    stream = _Received(received)
    try:
        while True:
            answer = http.client.HTTPResponse(cast("Any", stream), method=method)
            answer.begin()
            if answer.status >= http.HTTPStatus.OK:
                break
        body = answer.read()
    except (http.client.HTTPException, ValueError):
        return None
    has_end = answer.length is not None or answer.chunked
    return Message(answer.status, answer.getheaders(), body, stream.read()) if has_end or is_over else None
