"""Reading dates in headers, which servers and gateways may write in any way."""

from __future__ import annotations


def seconds_since_1970(text: str) -> float | None:
    """Return an HTTP date in seconds since 1970; None if it is invalid. One without a time zone is in UTC."""
    if not text:
        return None
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):  # the second for a number of any length
        return None
