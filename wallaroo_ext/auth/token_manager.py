"""Keeping a token: it is renewed in time, and once for all who need it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext.auth.single_flight import SingleFlight
from wallaroo_ext.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext._util.after_fork import Process
    from wallaroo_ext.auth.tokens import Token

logger = logging.getLogger("wallaroo_ext.auth")

PATIENCE_SECONDS = 1.0
"""For how long a caller with a token that is still good waits for a newer one."""
PAUSE_SECONDS = 5.0
"""How long after a renewal ahead of time that failed the next one is tried."""
_Renewal = SingleFlight["Token | None"]
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class TokenManager:
    """Gives a token that is good, to any number of threads and event loops, without a lock.

    While the token is fresh, it is given at once. Otherwise one renewal is under way at a time, in a thread of its own,
    and everybody waits for that one; whoever stops waiting does not stop it. When it fails, all who wait get the error,
    and the next call tries again. A token that has to be renewed soon, and is still good, is used when the renewal
    takes longer than a second, and when it fails for another reason than a refusal.

    A process that is forked meanwhile does not have that thread: its own next call renews.

    Args:
        renew: Gives a token in place of an old one, or the first one. It runs in any thread.
        clock: Seconds on a monotonic clock.
        token: The token to begin with.
    """

    def __init__(
        self, renew: Callable[[Token | None], Token], *, clock: Callable[[], float], token: Token | None = None
    ) -> None:
        self._renew = renew
        self._clock = clock
        self._token = token
        self._distrusted: Token | None = None
        self._under_way: dict[
            Process, _Renewal
        ] = {}  # at most one of a process: `setdefault` is one step for all threads

    def fresh(self) -> Token | None:
        """Return the token, unless it has to be renewed."""
        token = self._token
        is_fresh = token is not None and self._clock() < token.renew_at and _differs(token, self._distrusted)
        return token if is_fresh else None

    def distrust(self, token: Token) -> None:
        """Give another token than a refused one from now on, to whoever asks next."""
        self._distrusted = token

    def wait(self, refused: Token | None = None) -> Token:
        """Return a good token, renewed where necessary, for a thread.

        Args:
            refused: A token that was refused, so that another one is given in any case.
        """
        while True:
            held = self._token_or_renewal(refused)
            if not isinstance(held, SingleFlight):
                return held
            held.wait(self._patience(held, refused))
            token = self._outcome(held, refused)
            if token is not None:
                return token

    async def wait_async(self, refused: Token | None = None) -> Token:
        """Return a good token, renewed where necessary, for an event loop; see `wait`."""
        while True:
            held = self._token_or_renewal(refused)
            if not isinstance(held, SingleFlight):
                return held
            await held.wait_async(self._patience(held, refused))
            token = self._outcome(held, refused)
            if token is not None:
                return token

    def forget(self) -> None:
        """Drop the token, once a renewal that is under way has ended."""
        renewal = self._under_way.get(this_process())
        if renewal is not None:
            renewal.wait()
        self._token = None

    def _token_or_renewal(self, refused: Token | None) -> Token | _Renewal:
        """Return a fresh token, or the renewal that is under way, begun where there is none."""
        seen = self._token
        token = self.fresh()
        if token is not None and _differs(token, refused):
            return token
        renewal = self._under_way.setdefault(this_process(), SingleFlight(lambda: self._renewed(seen)))
        if renewal.runs_here:
            raise ConfigurationError(
                "What gives the token has called the instance with that same token. Let it use another client."
            )
        renewal.start()
        return renewal

    def _renewed(self, seen: Token | None) -> Token | None:
        """Renew the token that its caller saw, and keep the new one; None where another one has come in between."""
        try:
            if self._token is not seen:
                return None
            try:
                token = self._renew(seen)
            except Exception as error:
                self._postpone(seen, error)
                raise
            self._token = token
            logger.debug("There is a new token, to be renewed in %.0f s.", token.renew_at - self._clock())
            return token
        finally:
            self._under_way.pop(this_process(), None)

    def _postpone(self, old: Token | None, error: Exception) -> None:
        """Leave a token that is still good in use, so that callers do not wait for a server that is down."""
        logger.debug("The token could not be renewed: %s", type(error).__name__)
        now = self._clock()
        if old is not None and now < old.expires_at and not _is_refusal(error):
            self._token = old.postponed(now + PAUSE_SECONDS)

    def _patience(self, renewal: _Renewal, refused: Token | None) -> float | None:
        return None if self._still_good(refused) is None else max(0.0, PATIENCE_SECONDS - renewal.age)

    def _outcome(self, renewal: _Renewal, refused: Token | None) -> Token | None:
        """Return what a renewal gave, or a token that is still good; None to look again."""
        token = self._still_good(refused)
        if not renewal.ended:
            return token
        try:
            return renewal.result()
        except Exception as error:
            if token is None or _is_refusal(error):
                raise
            return token

    def _still_good(self, refused: Token | None) -> Token | None:
        token = self._token
        if token is None or self._clock() >= token.expires_at:
            return None
        return token if _differs(token, refused) and _differs(token, self._distrusted) else None


def _differs(token: Token, refused: Token | None) -> bool:
    return refused is None or token.access != refused.access


def _is_refusal(error: Exception) -> bool:
    """Return whether an error says that there will be no token, not that there is none at the moment."""
    if isinstance(error, AuthenticationError):
        return error.status in _REFUSALS
    return isinstance(error, ConfigurationError)
