"""A client of httpx without sign-in, with the same limits, deadlines and proxies as a client of `connect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from wallaroo_ext.transport.connections.pooled_connections import PooledTransport
from wallaroo_ext.transport.response_limits import ACCEPTED_ENCODINGS, LimitedTransport
from wallaroo_ext.transport.retry.policy import RetryPolicy
from wallaroo_ext.transport.retry.transport import RetryTransport

if TYPE_CHECKING:
    import ssl

_ONE_CONNECTION = httpx.Limits(max_connections=1, max_keepalive_connections=1)


def plain_client(
    base_url: str = "", *, seconds: float, verify: ssl.SSLContext | bool = True, answer_limit: int | None = None
) -> httpx.Client:
    """Return a client for a few requests, each sent once.

    Args:
        base_url: The beginning of all URLs.
        seconds: How long a request may take, its answer included.
        verify: How certificates are checked, as httpx takes it.
        answer_limit: How large an answer may be, in bytes; see `connect`.
    """
    wire = PooledTransport(verify=verify, limits=_ONE_CONNECTION, backend="httpx")
    transport = RetryTransport(LimitedTransport(wire, answer_limit), RetryPolicy(attempts=1, deadline=seconds))
    headers = {"Accept-Encoding": ACCEPTED_ENCODINGS}
    return httpx.Client(base_url=base_url, transport=transport, timeout=seconds, headers=headers)
