"""Reading the header `Retry-After`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def retry_after(response: httpx.Response, date: float) -> float | None:
    """Return how many seconds an answer's `Retry-After` asks to wait; None if it has no valid one.

    A date is compared with the answer's own `Date`, if there is one, because the clocks of two machines differ.

    Args:
        response: The answer.
        date: The time, in seconds since 1970.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until = _seconds_since_1970(text)
    if until is None:
        return None
    answered = _seconds_since_1970(response.headers.get("Date", ""))
    return max(0.0, until - (date if answered is None else answered))


def _seconds_since_1970(text: str) -> float | None:
    """Return an HTTP date in seconds since 1970; None if it is invalid."""
    if not text:
        return None
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
