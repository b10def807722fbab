"""Reading the header `Retry-After`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.transport.http_dates import seconds_since_1970

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
    until = seconds_since_1970(text)
    if until is None:
        return None
    answered = seconds_since_1970(response.headers.get("Date", ""))
    return max(0.0, until - (date if answered is None else answered))
