"""Judges times in answers by the clocks that the run knows: this machine's, a gateway's, those of the instance."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.transport.http_dates import seconds_since_1970

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

LEEWAY_SECONDS = 90.0
"""How far times may lie outside, as clocks may be apart; a wrong offset from UTC is half an hour at least."""

Witness: TypeAlias = "Callable[[], float | None]"
"""Returns how far a clock of the instance is ahead of this machine's, in seconds; None where it does not show."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What several clocks showed while a request was answered; each part of an instance may have its own.

    Attributes:
        began: When the first request was sent, by this machine's clock.
        ended: When the last answer was there, by this machine's clock.
        ahead: How far each clock is ahead of this machine's, in seconds.
        leeway: How many seconds a time may lie outside.
    """

    began: float
    ended: float
    ahead: tuple[float, ...] = (0.0,)
    leeway: float = LEEWAY_SECONDS

    def __contains__(self, moment: Any) -> bool:
        """Return whether a time, in seconds since 1970 or as RFC 3339 writes it, is about what one of them showed."""
        seconds = datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)
        return any(
            self.began + ahead - self.leeway <= seconds <= self.ended + ahead + self.leeway for ahead in self.ahead
        )

    def have(self, moments: Iterable[Any], witnesses: Iterable[Witness]) -> bool:
        """Return whether one clock showed all of these times.

        Where no clock known so far did, those of the instance's other parts are asked: it is as healthy if all of it
        is an hour ahead of this machine and of the gateway. A time that nothing else of the instance agrees with is
        wrong.

        Args:
            moments: The times.
            witnesses: Clocks of other parts of the instance, each of which is only asked if those before disagree.
        """
        given = list(moments)
        if any(self._one_has(given, ahead) for ahead in self.ahead):
            return True
        others = (witness() for witness in witnesses)
        return any(ahead is not None and self._one_has(given, ahead) for ahead in others)

    def _one_has(self, moments: list[Any], ahead: float) -> bool:
        return all(moment in replace(self, ahead=(ahead,)) for moment in moments)


def clocks_of(answer: httpx.Response, *, began: float | None = None, leeway: float = LEEWAY_SECONDS) -> Clocks:
    """Return what the clocks show at a new answer: that of its header `Date`, and this machine's.

    Args:
        answer: The answer.
        began: When the first request was sent, by this machine's clock; now, if it is None.
        leeway: How many seconds a time may lie outside.
    """
    now = time.time()
    clocks = Clocks(now if began is None else began, now, leeway=leeway)
    shown = seconds_since_1970(answer.headers.get("Date", ""))
    return clocks if shown is None else replace(clocks, ahead=(0.0, shown - now))


def clock_of_rows(suite: Suite) -> Witness:
    """Return the clock by which the run's first rows were scored."""
    return lambda: suite.fixtures.rows_ahead if suite.has_fixtures else None


def clock_of_things(api: Api) -> Witness:
    """Return the clock by which the instance says when a workspace was made, one that is made for this."""

    def ahead() -> float | None:
        try:
            made = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
            asked = time.time()
            listed = api.call("list_workspaces", {})["workspaces"]
        except (NoAnswerError, WithheldError):
            return None
        created_at = next((each.get("created_at") for each in listed if each["id"] == made), None)
        return None if created_at is None else datetime.fromisoformat(created_at).timestamp() - asked

    return ahead
