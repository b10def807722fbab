"""What HTTP calls its statuses."""

from __future__ import annotations

from http import HTTPStatus


def reason(status: int) -> str:
    """What a status is called; empty where there is none, or HTTP does not know it."""
    return next((known.phrase for known in HTTPStatus if known == status), "")
