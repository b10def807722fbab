"""How long a client waits, for each thing that it waits for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long a client waits, in seconds, for each thing by itself.

    Attributes:
        connect: For a connection to be made, TLS included.
        read: For the next part of an answer. Scoring many rows and converting a model take long.
        write: For the instance to take the next part of a body.
        pool: For a connection to be free, where as many are open as the limits allow.
    """

    connect: float = 10.0
    read: float = 300.0
    write: float = 300.0
    pool: float = 60.0

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        _check(values)


def to_httpx_timeout(given: Timeouts | httpx.Timeout | float) -> httpx.Timeout:
    """Timeouts as httpx takes them.

    Args:
        given: Each by itself, or a number for all of them. Of httpx's own, None is kept: it means no end.

    Raises:
        ConfigurationError: They are no positive numbers.
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
