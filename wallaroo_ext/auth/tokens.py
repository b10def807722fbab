"""A bearer token and its times, as a token endpoint's answer gives them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_MARGIN = 60.0
_DEFAULT_LIFETIME = 60.0
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")  # all that a header takes without quoting


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token. Its times are seconds on the monotonic clock of the object that keeps it.

    Attributes:
        access: What is sent.
        obtained_at: When it was asked for.
        renew_at: When the next one is asked for.
        expires_at: Until when it is good.
        refresh: What a new one can be had for, without the user's password.
        refresh_until: Until when `refresh` is good.
    """

    access: str = field(repr=False)
    obtained_at: float = 0.0
    renew_at: float = math.inf
    expires_at: float = math.inf
    refresh: str | None = field(default=None, repr=False)
    refresh_until: float = math.inf

    @staticmethod
    def from_answer(fields: Mapping[str, Any], asked_at: float) -> Token | None:
        """Return the token in a token endpoint's answer, None where there is none.

        A lifetime that is missing or makes no sense is taken as 60 s, the shortest that was seen. A refresh token
        without one is good until it is refused, and so is an offline one, whose lifetime is given as 0.

        Args:
            fields: The answer.
            asked_at: When it was asked for, so that the time on the way counts against the token.
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
        """Return the same token, renewed later, but not after its expiry."""
        return replace(self, renew_at=min(self.expires_at, max(self.renew_at, until)))


def is_token(value: object) -> TypeGuard[str]:
    """Return whether a value can be sent as a token. What cannot would be quoted in the error of the HTTP library."""
    return isinstance(value, str) and _VISIBLE_ASCII.fullmatch(value) is not None


def _seconds(value: object) -> float | None:
    """Return a positive time, also where it is written as a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < math.inf else None
