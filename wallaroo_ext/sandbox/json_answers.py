"""Values as JSON that every reader takes: what JSON has no form for is written as a text, and no number as null."""

from __future__ import annotations

import base64
from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """A value as JSON.

    NaN and the infinities, which JSON does not have, are null. Bytes are base64; of everything else that JSON has no
    form for, decimal numbers and durations for instance, it is what Python writes.
    """
    return orjson.dumps(value, default=_text, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def _text(value: Any) -> str:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)
