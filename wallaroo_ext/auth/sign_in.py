"""Getting a token in place of an old one: by the refresh token, then by the grant."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from wallaroo_ext.auth.grants import Form, refresh_form
from wallaroo_ext.auth.refusals import allows_another_grant, refusal
from wallaroo_ext.auth.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.auth.token_endpoint import Answer, TokenEndpoint

logger = logging.getLogger("wallaroo_ext.auth")


class SignIn:
    """Signs in at a token endpoint.

    Args:
        endpoint: The endpoint.
        first: What leads to a first token, to be tried in this order.
        clock: Seconds on a monotonic clock.
    """

    def __init__(self, endpoint: TokenEndpoint, first: list[Form], clock: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._first = first
        self._clock = clock

    def renewed(self, old: Token | None) -> Token:
        """A token in place of an old one, or the first one.

        Raises:
            AuthenticationError: No form was granted.
            ConnectionFailedError: The endpoint could not be reached.
        """
        *before, last = self._forms(old)
        for form in before:
            token, answer = self._ask(form, old)
            if token is not None:
                return token
            if not allows_another_grant(answer):
                raise refusal(answer, renewing=form.renews)
        token, answer = self._ask(last, old)
        if token is None:
            raise refusal(answer, renewing=last.renews)
        return token

    def _forms(self, old: Token | None) -> list[Form]:
        """What to try, in this order; nothing twice."""
        forms = list(self._first)
        if old is not None and old.refresh is not None and self._clock() < old.refresh_until:
            renewal = refresh_form(old.refresh)
            forms = [renewal, *(form for form in forms if form != renewal)]
        return forms

    def _ask(self, form: Form, old: Token | None) -> tuple[Token | None, Answer]:
        asked_at = self._clock()
        answer = self._endpoint.ask(form)
        logger.debug("%s answered %d to the grant %s.", self._endpoint.url, answer.status, form.grant_type)
        if not answer.response.is_success:
            return None, answer
        return _keep_refresh(Token.from_answer(answer.fields, asked_at), form, old), answer


def _keep_refresh(token: Token | None, form: Form, old: Token | None) -> Token | None:
    """A renewed token with the refresh token that renewed it, where the answer has no other one."""
    if token is None or token.refresh is not None or not form.renews:
        return token
    used = form.fields["refresh_token"]
    until = old.refresh_until if old is not None and old.refresh == used else token.refresh_until
    return token.with_refresh(used, until)
