"""The attempts of a request, kept with the request and so with its answer and its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from wallaroo_ext.errors import Attempt

_KEY = "wallaroo_ext.attempts"


def record_attempts(request: httpx.Request, attempts: tuple[Attempt, ...]) -> None:
    """Keep the attempts with their request, for `attempts_of`."""
    request.extensions[_KEY] = attempts


def attempts_in(extensions: Mapping[str, Any]) -> tuple[Attempt, ...]:
    """Return the attempts so far, from the extensions of a request."""
    return extensions.get(_KEY, ())


def attempts_of(subject: httpx.Request | httpx.Response | httpx.RequestError) -> tuple[Attempt, ...]:
    """Return the attempts of a request, an answer or an error; empty if another client sent the request."""
    from httpx import Request

    try:
        request = subject if isinstance(subject, Request) else subject.request
    except RuntimeError:  # raised by httpx: there is no request yet
        return ()
    return attempts_in(request.extensions)


def describe_attempts(attempts: tuple[Attempt, ...]) -> str:
    """Return the attempts as a sentence for an error's message; empty if the error says it all."""
    if not attempts or (len(attempts) == 1 and attempts[0].stopped is None):
        return ""
    each = ", then ".join(f"{attempt.outcome} after {attempt.seconds:.3g} s" for attempt in attempts)
    count = "1 attempt" if len(attempts) == 1 else f"{len(attempts)} attempts"
    stopped = attempts[-1].stopped
    return f"{count}: {each}{f'; {stopped}' if stopped else ''}."
