"""Authentication with a token that was obtained elsewhere."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from wallaroo_ext.auth.httpx_auth import TokenAuth
from wallaroo_ext.auth.origins import Origins
from wallaroo_ext.auth.token_manager import TokenManager
from wallaroo_ext.auth.tokens import Token, is_token
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.tracebacks import hide_arguments

TokenValue = str | Mapping[str, Any]
"""A token, or a token endpoint's answer: `access_token` and, if it is known, `expires_in` in seconds."""
TokenSource = Callable[[], TokenValue | Awaitable[TokenValue]]


class BearerToken(TokenAuth):
    """A token that was obtained elsewhere, or a function that gets one.

    A token is sent as it is, but for blanks around it, and a 401 is returned. A function is called for the first
    request, and again when its token is refused or, if it returns a lifetime, shortly before its end: by a tenth of it
    and 60 s at most. It is called once at a time for all threads and event loops, in a thread of its own. An `async`
    function runs there in an event loop of its own; if it needs a particular loop, it hands over to that
    (`asyncio.run_coroutine_threadsafe(...).result()`). Its exceptions reach the caller unchanged. It must not use a
    client that waits for its own token.

    Args:
        token: The token, without the word `Bearer`; or a function without arguments that returns it, or returns a
            mapping with `access_token` and `expires_in` in seconds.
        api_url: The API's URL; the token is only sent to its origin and to the inference hosts.
        inference_hosts: Further hosts of the instance, as `host`, `host:port` or a URL.
        clock: Seconds on a monotonic clock.

    Raises:
        ConfigurationError: The token, a URL or a host is invalid.
    """

    @hide_arguments
    def __init__(
        self,
        token: str | TokenSource,
        *,
        api_url: str,
        inference_hosts: Iterable[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        origins = Origins(api_url, inference_hosts=inference_hosts)
        if callable(token):
            source = token
            super().__init__(
                origins, TokenManager(hide_arguments(lambda _: _token(_call(source), clock())), clock=clock)
            )
        else:
            first = _token(token, 0.0)
            super().__init__(origins, TokenManager(lambda _: first, clock=clock, token=first), renews=False)

    def __repr__(self) -> str:
        return "BearerToken(...)"


def _call(source: TokenSource) -> TokenValue:
    value = source()
    if not inspect.isawaitable(value):
        return value
    import asyncio

    async def awaited() -> TokenValue:
        return await value

    return asyncio.run(awaited())


def _token(value: object, now: float) -> Token:
    """Return a token from a caller's value; one without a lifetime is valid until it is refused."""
    if isinstance(value, str) and is_token(value.strip()):
        return Token(value.strip())
    token = Token.from_answer(value, now) if isinstance(value, Mapping) else None  # pyright: ignore[reportUnknownArgumentType] - from_answer looks at the values
    if token is None:
        raise ConfigurationError(
            "This is no valid token: give a text of visible ASCII characters, without spaces and without the word "
            "Bearer; a function may also return a mapping with access_token and expires_in."
        )
    return token
