"""A bearer token and its lifetime, from a token endpoint's answer."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_MARGIN = 60.0
_DEFAULT_LIFETIME = 60.0
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")  # the characters that a header takes without quoting


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token. Its times are seconds on the monotonic clock of its manager.

    Attributes:
        access: The access token, which is sent with requests.
        obtained_at: When it was requested.
        renew_at: When to renew it.
        expires_at: When it expires.
        refresh: The refresh token, which gets a new token without the user's password.
        refresh_until: When the refresh token expires.
    """

    access: str = field(repr=False)
    obtained_at: float = 0.0
    renew_at: float = math.inf
    expires_at: float = math.inf
    refresh: str | None = field(default=None, repr=False)
    refresh_until: float = math.inf

    @staticmethod
    def from_answer(fields: Mapping[str, Any], asked_at: float) -> Token | None:
        """Return the token in a token endpoint's answer, or None if there is none.

        A lifetime that is missing or invalid is taken as 60 s, the shortest that was seen. A refresh token without a
        lifetime is valid until it is refused, and so is an offline one, whose lifetime is 0.

        Args:
            fields: The answer.
            asked_at: When it was requested, so that the time of the request counts as part of the lifetime.
        """
        access, refresh = fields.get("access_token"), fields.get("refresh_token")
        if not is_token(access):
            return None
        lifetime = _seconds(fields.get("expires_in")) or _DEFAULT_LIFETIME
        return Token(
            access=access,
            obtained_at=asked_at,
            renew_at=asked_at + lifetime - min(lifetime / 10, _LONGEST_MARGIN),
            expires_at=asked_at + lifetime,
            refresh=refresh if isinstance(refresh, str) and refresh else None,
            refresh_until=asked_at + (_seconds(fields.get("refresh_expires_in")) or math.inf),
        )

    def with_refresh(self, refresh: str, until: float) -> Token:
        """Return the same token with a refresh token."""
        return replace(self, refresh=refresh, refresh_until=until)

    def postponed(self, until: float) -> Token:
        """Return the same token with a later renewal, at its expiry at the latest."""
        return replace(self, renew_at=min(self.expires_at, max(self.renew_at, until)))


def is_token(value: object) -> TypeGuard[str]:
    """Return whether a value can be sent as a token. The HTTP library would quote any other in its error."""
    return isinstance(value, str) and _VISIBLE_ASCII.fullmatch(value) is not None


def _seconds(value: object) -> float | None:
    """Return a positive number of seconds, from a number or a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < math.inf else None
