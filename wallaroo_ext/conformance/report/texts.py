"""Texts that an instance may have chosen, as they can stand in a report."""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

from wallaroo_ext._util.terminal_text import visible

_SURROGATE = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """A text without line breaks and runs of white space."""
    return " ".join(visible(text).split())


def shortened(text: str, length: int) -> str:
    """The beginning of a text that is longer than this; `…` says that there is more."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def well_formed(text: str) -> str:
    """A text that can be encoded: halves of surrogate pairs become replacement characters."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """A value as JSON that every reader takes; what JSON does not have is a string."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False, default=str)
    return well_formed(text)


def _plain(value: Any) -> Any:
    """A value without the numbers that JSON does not have, and with names that are strings."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in cast("list[Any]", value)]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
