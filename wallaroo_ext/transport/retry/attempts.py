"""What became of a request's attempts; it stays with the request, and so with its answer and its error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_KEY = "wallaroo_ext.attempts"


class Attempt(NamedTuple):
    """One time that a request was sent.

    Attributes:
        outcome: The answer's status, or the name of httpx's exception.
        seconds: How long it took.
        pause: How long the client waited afterwards, in seconds; None after the last attempt.
        stopped: Why there was no further attempt, where another one might have helped.
    """

    outcome: str
    seconds: float
    pause: float | None = None
    stopped: str | None = None


def keep(request: httpx.Request, attempts: tuple[Attempt, ...]) -> None:
    """Put the attempts where `attempts_of` finds them."""
    request.extensions[_KEY] = attempts


def attempts_in(extensions: Mapping[str, Any]) -> tuple[Attempt, ...]:
    """Return the attempts that a request's extensions hold so far."""
    return extensions.get(_KEY, ())


def attempts_of(subject: httpx.Request | httpx.Response | httpx.RequestError) -> tuple[Attempt, ...]:
    """The attempts of a request, given itself, its answer or its error; none where another client than ours sent it."""
    from httpx import Request

    try:
        request = subject if isinstance(subject, Request) else subject.request
    except RuntimeError:  # httpx's own: there is no request yet
        return ()
    return attempts_in(request.extensions)


def described(attempts: tuple[Attempt, ...]) -> str:
    """Return the attempts in words, for an error's message; empty where there is nothing to say beyond the error."""
    if not attempts or (len(attempts) == 1 and attempts[0].stopped is None):
        return ""
    each = ", then ".join(f"{attempt.outcome} after {attempt.seconds:.3g} s" for attempt in attempts)
    count = "1 attempt" if len(attempts) == 1 else f"{len(attempts)} attempts"
    stopped = attempts[-1].stopped
    return f"{count}: {each}{f'; {stopped}' if stopped else ''}."
