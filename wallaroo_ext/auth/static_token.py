"""Tokens that were obtained elsewhere."""

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
"""A token, or a token endpoint's answer: `access_token` and, where it is known, `expires_in` in seconds."""
TokenSource = Callable[[], TokenValue | Awaitable[TokenValue]]


class BearerToken(TokenAuth):
    """A token that was obtained elsewhere, or a function that gets one.

    A token is sent as it is, and a 401 is the answer. A function is called for the first request, and again when a
    token is refused or, where the function tells its lifetime, a tenth of that and at most 60 s ahead of its end. It is
    called once at a time for all threads and event loops, in a thread of its own; an `async` function runs there in an
    event loop of its own, so a function that needs a particular loop hands over to it
    (`asyncio.run_coroutine_threadsafe(...).result()`). What it raises reaches the caller as it is. It must not use a
    client that waits for its own token.

    Args:
        token: The token, without the word `Bearer`; or a function without arguments, which gives it, or gives a
            mapping with `access_token` and `expires_in` in seconds.
        api_url: The API's URL; the token goes to its origin and to the inference hosts only.
        inference_hosts: Further hosts of the instance, as `host`, `host:port` or a URL.
        clock: Seconds on a monotonic clock.

    Raises:
        ConfigurationError: It is no token, or a URL or host is none.
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
            give = token
            super().__init__(origins, TokenManager(hide_arguments(lambda _: _token(_call(give), clock())), clock=clock))
        else:
            first = _token(token, 0.0)
            super().__init__(origins, TokenManager(lambda _: first, clock=clock, token=first), renews=False)

    def __repr__(self) -> str:
        return "BearerToken(...)"


def _call(give: TokenSource) -> TokenValue:
    given = give()
    if not inspect.isawaitable(given):
        return given
    import asyncio

    async def awaited() -> TokenValue:
        return await given

    return asyncio.run(awaited())


def _token(given: object, now: float) -> Token:
    """Return a token from what was given; one without a lifetime is good until it is refused."""
    if isinstance(given, str) and is_token(given.strip()):
        return Token(given.strip())
    token = Token.from_answer(given, now) if isinstance(given, Mapping) else None  # pyright: ignore[reportUnknownArgumentType] - from_answer looks at the values
    if token is None:
        raise ConfigurationError(
            "What was given as a token is none: it is a text of visible ASCII characters without spaces, and without "
            "the word Bearer before it; a function may also give a mapping with access_token and expires_in."
        )
    return token
