"""The timeouts of a client."""

from __future__ import annotations

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
        connect: For a connection to be made, TLS included.
        read: For the next part of an answer. Scoring many rows and converting a model take long.
        write: For the next part of a body to be sent.
        pool: For a free connection, once as many are open as the limits allow.
    """

    connect: float = 10.0
    read: float = 300.0
    write: float = 300.0
    pool: float = 60.0

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        _check(values)


def to_httpx_timeout(given: Timeouts | httpx.Timeout | float) -> httpx.Timeout:
    """Return timeouts in the form that httpx takes.

    Args:
        given: `Timeouts`, one number for all of them, or httpx's own, in which None means no limit.

    Raises:
        ConfigurationError: One of them is no positive number.
    """
    if isinstance(given, httpx.Timeout):
        _check({name: value for name, value in given.as_dict().items() if value is not None})
        return given
    if isinstance(given, Timeouts):
        return httpx.Timeout(connect=given.connect, read=given.read, write=given.write, pool=given.pool)
    _check({"timeout": given})
    return httpx.Timeout(given)


def _check(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ConfigurationError(f"The timeout {name} is a positive number of seconds, not {value!r}.")
