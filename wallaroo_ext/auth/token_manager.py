"""The manager of a token: it renews the token in time, and once for all who need it."""

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
"""How long a caller waits for a new token while the old one is still valid."""
PAUSE_SECONDS = 5.0
"""How long to wait after an early renewal that failed before the next one is tried."""
_Renewal = SingleFlight["Token | None"]
_REFUSALS = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class TokenManager:
    """Provides a valid token to any number of threads and event loops, without a lock.

    A fresh token is returned at once. Otherwise one renewal runs at a time, in a thread of its own, and everybody waits
    for it; a caller that stops waiting does not stop it. If it fails, all who wait get the error, and the next call
    tries again. A token that is due for renewal but still valid is used if the renewal takes longer than a second, or
    if it fails for another reason than a refusal.

    A forked child does not have the renewal's thread: its own next call renews the token.

    Args:
        renew: Returns a new token that replaces an old one, or the first one. It may run in any thread.
        clock: Seconds on a monotonic clock.
        token: The first token.
    """

    def __init__(
        self, renew: Callable[[Token | None], Token], *, clock: Callable[[], float], token: Token | None = None
    ) -> None:
        self._renew = renew
        self._clock = clock
        self._token = token
        self._refused: Token | None = None
        self._renewals: dict[Process, _Renewal] = {}  # at most one for each process: `setdefault` is atomic

    def fresh_token(self) -> Token | None:
        """Return the token, or None if it has to be renewed."""
        token = self._token
        is_fresh = token is not None and self._clock() < token.renew_at and _differs(token, self._refused)
        return token if is_fresh else None

    def invalidate(self, token: Token) -> None:
        """Stop using a token that was refused: the next caller gets another one."""
        self._refused = token

    def get(self, refused: Token | None = None) -> Token:
        """Return a valid token, renewed if necessary, to a thread.

        Args:
            refused: A token that was refused; another one is returned.
        """
        while True:
            found = self._token_or_renewal(refused)
            if not isinstance(found, SingleFlight):
                return found
            found.wait(self._patience(found, refused))
            token = self._outcome(found, refused)
            if token is not None:
                return token

    def get_young(self) -> Token:
        """Return a token in the first half of its life, for a request that is not sent again when it expires.

        Where no other token can be had, it is an older one that is still valid.
        """
        token = self.get()
        if self._clock() - token.obtained_at <= (token.expires_at - token.obtained_at) / 2:
            return token
        try:
            return self.get(refused=token)
        except Exception:
            if self._still_good(None) is None:
                raise
            return token

    async def get_async(self, refused: Token | None = None) -> Token:
        """Return a valid token, renewed if necessary, to an event loop; see `get`."""
        while True:
            found = self._token_or_renewal(refused)
            if not isinstance(found, SingleFlight):
                return found
            await found.wait_async(self._patience(found, refused))
            token = self._outcome(found, refused)
            if token is not None:
                return token

    def forget(self) -> None:
        """Drop the token. If a renewal is running, wait for it first."""
        renewal = self._renewals.get(this_process())
        if renewal is not None:
            renewal.wait()
        self._token = None

    def _token_or_renewal(self, refused: Token | None) -> Token | _Renewal:
        """Return a fresh token, or the running renewal, which is started if there is none."""
        seen = self._token
        token = self.fresh_token()
        if token is not None and _differs(token, refused):
            return token
        renewal = self._renewals.setdefault(this_process(), SingleFlight(lambda: self._renew_and_keep(seen)))
        if renewal.runs_in_this_thread:
            raise ConfigurationError(
                "The function that returns the token has called the instance with that same token: let it use another "
                "client."
            )
        renewal.start()
        return renewal

    def _renew_and_keep(self, seen: Token | None) -> Token | None:
        """Renew the token that the caller saw. Return the new one; None if another renewal has already replaced it."""
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
            self._renewals.pop(this_process(), None)

    def _postpone(self, old: Token | None, error: Exception) -> None:
        """Postpone the renewal of a token that is still valid, so that callers do not wait while the server is down."""
        logger.debug("The token could not be renewed: %s", type(error).__name__)
        now = self._clock()
        if old is not None and now < old.expires_at and not _is_refusal(error):
            self._token = old.postponed(now + PAUSE_SECONDS)

    def _patience(self, renewal: _Renewal, refused: Token | None) -> float | None:
        return None if self._still_good(refused) is None else max(0.0, PATIENCE_SECONDS - renewal.age)

    def _outcome(self, renewal: _Renewal, refused: Token | None) -> Token | None:
        """Return the token of a renewal, or one that is still valid; None to look again."""
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
        return token if _differs(token, refused) and _differs(token, self._refused) else None


def _differs(token: Token, refused: Token | None) -> bool:
    return refused is None or token.access != refused.access


def _is_refusal(error: Exception) -> bool:
    """Return whether an error is final, so that trying again would not help."""
    if isinstance(error, AuthenticationError):
        return error.status in _REFUSALS
    return isinstance(error, ConfigurationError)
