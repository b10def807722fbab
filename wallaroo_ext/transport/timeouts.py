"""The timeouts of a client."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a client waits for each step of a request, in seconds.

    Attributes:
        connect: For each step of making a connection: the look-up of a name, each of its addresses, TLS.
        read: For the next part of an answer. Scoring many rows and converting a model take long.
        write: For the next part of a body to be sent.
        pool: For a free connection, once as many are open as the limits allow.
    """

    connect: float = 10.0
    read: float = 300.0
    write: float = 300.0
    pool: float = 60.0

    def __post_init__(self) -> None:
        _check_each({field.name: getattr(self, field.name) for field in fields(self)})


def to_httpx_timeout(given: Timeouts | httpx.Timeout | float) -> httpx.Timeout:
    """Return timeouts in the form that httpx takes.

    Args:
        given: `Timeouts`, one number for all of them, or httpx's own, in which None means no limit, as infinity does
            in the others.

    Raises:
        ConfigurationError: One of them is no positive number.
    """
    if isinstance(given, httpx.Timeout):
        _check_each({name: value for name, value in given.as_dict().items() if value is not None})
        return httpx.Timeout(**{name: _limit(value) for name, value in given.as_dict().items()})
    if isinstance(given, Timeouts):
        return httpx.Timeout(
            connect=_limit(given.connect), read=_limit(given.read), write=_limit(given.write), pool=_limit(given.pool)
        )
    _check("`timeout`", given)
    return httpx.Timeout(_limit(given))


def _limit(seconds: float | None) -> float | None:
    """Return a time as httpx takes it, with which no socket waits for an infinite one."""
    return None if seconds == math.inf else seconds


def _check_each(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        _check(f"The timeout {name}", value)


def _check(name: str, value: Any) -> None:
    """Raise ConfigurationError unless a value is a time that can be waited for, or infinity."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not (0 < value <= threading.TIMEOUT_MAX or value == math.inf):
        raise ConfigurationError(
            f"{name} is a positive number of seconds, not {value!r}.", advice="math.inf means no limit."
        )
