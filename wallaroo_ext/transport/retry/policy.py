"""What is retried, how often, and after which pauses."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from wallaroo_ext.errors import ConfigurationError

TRANSIENT_STATUSES = frozenset(
    status.value  # a policy's repr shows the numbers
    for status in (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    )
)
"""The statuses after which another attempt may succeed. 500 is not among them: the instance tried and failed. Nor is
520 or another status that HTTP does not define, because its meaning is unknown."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often a request is sent, and how long a client waits in between.

    A request is sent again if the contract marks its operation as idempotent, and the attempt ended in a transient
    status, a timeout or a broken connection. Any other request is sent again only if no connection was made. A body
    that cannot be read twice is never sent twice.

    Attributes:
        attempts: How often a request is sent at most, the first time included; 1 disables retries.
        first_pause: The longest pause before the second attempt, in seconds. It doubles with each attempt; a pause is a
            random part of it, so that clients do not all come back at once.
        longest_pause: The limit of that doubling, in seconds.
        longest_retry_after: The longest `Retry-After` that is obeyed, in seconds. After a longer one the request is not
            sent again, and the error says how long to wait.
        deadline: The time for all attempts of a request, in seconds; None or infinity for no limit. It shortens the
            timeouts of an attempt, and ends an answer that comes too slowly. A streamed body, such as a large upload,
            may take longer to send: then the time counts from its end until the answer begins, and again until the
            answer ends.
        budget: How many tokens a client has for retries, so that it does not burden an instance that is down.
        cost: How many tokens a retry takes from the budget; a success gives them back.
        timeout_cost: How many tokens a retry after a timeout takes.
        statuses: The statuses after which a request is sent again.
    """

    attempts: int = 3
    first_pause: float = 0.5
    longest_pause: float = 8.0
    longest_retry_after: float = 60.0
    deadline: float | None = 600.0
    budget: int = 500
    cost: int = 5
    timeout_cost: int = 10
    statuses: frozenset[int] = TRANSIENT_STATUSES

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigurationError(f"A request is sent at least once, not {self.attempts} times.")
        if self.deadline is not None and not self.deadline > 0:
            raise ConfigurationError(f"A deadline is a positive number of seconds, not {self.deadline}.")
        for name in ("first_pause", "longest_pause", "longest_retry_after", "budget", "cost", "timeout_cost"):
            if not getattr(self, name) >= 0:
                raise ConfigurationError(f"{name} is zero or more, not {getattr(self, name)}.")
