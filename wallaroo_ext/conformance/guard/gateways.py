"""Tells what a gateway says from what the instance says, and which requests may be sent again after it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
import requests
import urllib3

from wallaroo_ext.transport.basic_challenges import wants_basic
from wallaroo_ext.transport.retry.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BROKEN = (
    httpx.TimeoutException,
    httpx.NetworkError,
    httpx.RemoteProtocolError,
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)
"""The errors of a request whose answer did not come, or broke off."""
LONGEST_WAIT = 60.0
"""The longest `Retry-After` that is obeyed, in seconds."""
MOST_RUNS = 6
"""How often a test, or a request under another name, is tried that cannot be sent again as it is."""

_OF_GATEWAYS = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_OF_GATEWAYS_IN_WORDS = frozenset({HTTPStatus.REQUEST_TIMEOUT, *range(520, 528), 530})
"""Statuses that only a gateway has a use for, as long as the answer is none of the API, which would be JSON."""
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, requests.exceptions.ConnectTimeout)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_JSON = "json"
BASIC = "401 of a gateway that wants HTTP Basic"
TOO_LARGE = "413 of a gateway that lets no body of this size through"


class NoAnswerError(Exception):
    """A request got no answer of the instance, so that nothing is known of what it asked for.

    Args:
        operation: The contract's `operationId`; empty where the request belongs to no operation.
        reason: What came in place of an answer, for a person.
        may_be_repeated: Whether a like request with other names may have an answer.
        is_lasting: Whether it came each time, although others' requests were answered at the same time.
        is_limit: Whether it was a limit of a gateway, for which the instance is not to blame.

    Attributes:
        operation: The operation.
        reason: What came in place of an answer.
        may_be_repeated: Whether a like request may have an answer.
        is_lasting: Whether the instance is to blame.
        is_limit: Whether it was a limit of a gateway.
    """

    def __init__(
        self,
        operation: str,
        reason: str,
        *,
        may_be_repeated: bool,
        is_lasting: bool = False,
        is_limit: bool = False,
    ) -> None:
        super().__init__(f"{operation or 'A request'} got no answer of the instance: {reason}.")
        self.operation = operation
        self.reason = reason
        self.may_be_repeated = may_be_repeated
        self.is_lasting = is_lasting
        self.is_limit = is_limit


@dataclass(frozen=True, slots=True)
class Gap:
    """What came in place of an answer of the instance.

    Attributes:
        what: It in a few words, such as `503` or `no answer (ReadError)`.
        was_carried_out: Whether the instance may have carried the request out.
        is_limit: Whether it is a limit of a gateway: the number of requests, their size, or who may send them.
        is_final: Whether the same request would have no other answer the next time.
        wait: How many seconds it asks to wait; None where it does not say.
    """

    what: str
    was_carried_out: bool
    is_limit: bool = False
    is_final: bool = False
    wait: float | None = None

    def pause(self, attempt: int) -> float:
        """Return how many seconds to wait before the next attempt.

        Args:
            attempt: The number of the attempt that this came after, from 1.
        """
        pause = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)
        return pause if self.wait is None else min(max(self.wait, pause), LONGEST_WAIT)


def gap_of_answer(status: int, headers: Sequence[tuple[str, str]], now: float) -> Gap | None:
    """Return what an answer is in place of one of the instance; None where it is the instance's.

    By the contract, 503 is a gateway's, whatever its media type is; 502 and 504 can be nothing else by HTTP. 500 is the
    instance's. 401 and 413 are a gateway's where they are no JSON, and 401 asks for HTTP Basic.

    Args:
        status: Its status.
        headers: Its headers.
        now: The time, in seconds since 1970.
    """
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    is_in_words = _JSON not in kind.lower()
    if wants_basic(status, headers):
        return Gap(BASIC, was_carried_out=False, is_limit=True, is_final=True)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and is_in_words:
        return Gap(TOO_LARGE, was_carried_out=False, is_limit=True, is_final=True)
    if status not in _OF_GATEWAYS and not (status in _OF_GATEWAYS_IN_WORDS and is_in_words):
        return None
    is_limit = status == HTTPStatus.TOO_MANY_REQUESTS
    wait = retry_after(httpx.Response(status, headers=list(headers)), now)
    return Gap(str(status), was_carried_out=not is_limit, is_limit=is_limit, wait=wait)


def gap_of_error(error: Exception) -> Gap:
    """Return what an error is in place of an answer."""
    no_connection = isinstance(error, _NO_CONNECTION) or (
        isinstance(error, requests.ConnectionError) and "NewConnectionError" in str(error)
    )
    return Gap(f"no answer ({type(error).__name__})", was_carried_out=not no_connection)


def may_be_sent_again(gap: Gap, operation: Mapping[str, object] | None) -> bool:
    """Return whether the same request may be sent again.

    Args:
        gap: What came in place of an answer.
        operation: The operation as the contract writes it; None for a method that the contract does not have there,
            which is only sent where it changes nothing.
    """
    if not gap.was_carried_out or operation is None:
        return True
    return operation.get("x-idempotent") is True or operation.get("x-writes") == []
