"""What the libraries below httpx let through, as errors of httpx.

httpx translates the errors of its connections, but not all: those of SOCKS, of names that cannot be encoded and, with
asyncio, of TLS come unchanged. Callers only know `NO_ANSWER`, and `response_errors.connection_error` makes an error of
this package's tree of it.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext.redaction.tracebacks import clear_frames

if TYPE_CHECKING:
    from collections.abc import Generator

NO_ANSWER = (httpx.RequestError, httpx.InvalidURL)
"""What httpx raises when a request got no answer, or none that can be read."""
NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""What httpx raises when no connection was made, so that nothing of the request was sent."""
_SOCKS = "socksio"
NO_HTTP = "what answers at this port does not speak HTTP"
"""What an error says where another protocol is spoken."""
NO_ANSWER_AT_ALL = "Server disconnected without sending a response."
"""What an error says where a connection ended before an answer began, as httpcore words it."""
_IN_WORDS = {
    "illegal status line": NO_HTTP,
    "illegal request line": NO_HTTP,
    "Receive buffer too long": "the headers of its answer take more than 100 KiB",
    "Received server _SWITCH_UPGRADE event without a pending proposal": "it changed to another protocol",
}
"""What h11 and httpcore say of answers that cannot be read, in words."""
_QUOTED = re.compile(r"[:,]?\s*\(?(\n|b['\"]|bytearray\().*", re.DOTALL)


def without_quotes(text: str) -> str:
    """Return what an error says of an answer that cannot be read, without the bytes of it, in which secrets may be."""
    return _QUOTED.sub("", text)


@contextmanager
def as_httpx_errors() -> Generator[None]:
    """Raise errors of the libraries below httpx as errors of httpx."""
    try:
        yield
    except httpx.RemoteProtocolError as error:
        text = without_quotes(str(error))
        text = _IN_WORDS.get(text, text)
        if text == str(error):
            raise
        clear_frames(error)
        raise httpx.RemoteProtocolError(text) from None
    except (httpx.RequestError, httpx.InvalidURL, httpx.StreamError):
        raise
    except Exception as error:
        kind = _kind(error)
        if kind is None:
            raise
        clear_frames(error)
        raise kind(f"{type(error).__name__}: {error}") from None


def _kind(error: Exception) -> type[httpx.TransportError] | None:
    """Return the class of httpx for an error; None for one that is no failure of a connection."""
    if type(error).__module__.partition(".")[0] == _SOCKS:
        return httpx.ProxyError
    return httpx.ReadError if isinstance(error, OSError | EOFError | UnicodeError) else None
