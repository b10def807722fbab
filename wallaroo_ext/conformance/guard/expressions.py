"""Locations in requests and answers, and OpenAPI's runtime expressions for them, such as `$request.body#/name`."""

from __future__ import annotations

import re

Location = tuple[str, ...]
"""The location of a value in a message: `body`, `path`, `query`, `header` or `cookie`, and the keys below it."""

IN_TEMPLATE = re.compile(r"\{(\$[^}]*)\}")
"""An expression in a template such as `{$request.body#/name}-{$response.body#/id}`."""

_EXPRESSION = re.compile(
    r"\$(request|response)\.(?:body(?:#(?P<pointer>(?:/[^}]*)?))?|(path|query|header|cookie)\.(.+))"
)


def matches(pattern: Location, location: Location) -> bool:
    """Return whether a location matches a pattern: `*` stands for any key, a last `**` for any number of keys."""
    if pattern and pattern[-1] == "**":
        location = location[: len(pattern) - 1]
        pattern = pattern[:-1]
    return len(pattern) == len(location) and all(
        key in {"*", found} for key, found in zip(pattern, location, strict=True)
    )


class UndescribedError(ValueError):
    """The contract does not say in full what an operation changes and names; the message says what is missing."""


def location_of(expression: str) -> Location:
    """Return the location that a runtime expression stands for.

    Raises:
        UndescribedError: It is no expression.
    """
    found = _EXPRESSION.fullmatch(expression)
    if found is None:
        raise UndescribedError(f"x-names has {expression!r}, which is no runtime expression.")
    where, name = found[3], found[4]
    if where is not None:
        return (where, name.lower() if where == "header" else name)
    pointer = found["pointer"] or ""
    return ("body", *(key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]))


def expression_of(location: Location) -> str:
    """Return the runtime expression for a location in a request."""
    if location[0] != "body":
        return f"$request.{location[0]}.{'/'.join(location[1:])}"
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in location[1:])
    return "$request.body" + (f"#{pointer}" if pointer else "")
