"""Arrow schemas as an upload has them: base64 of the serialised schema."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    import pyarrow as pa

    Schema = pa.Schema | bytes | str
    """A schema, or what it is as bytes or base64 already."""

_MESSAGE = b"\xff\xff\xff\xff"
"""What an Arrow message begins with, and no base64."""


def encoded(name: str, schema: Schema) -> str:
    """A schema as base64.

    Args:
        name: The argument that it came by.
        schema: A `pyarrow.Schema`; its bytes, as `serialize` gives them; or the base64 of these, as text or bytes.

    Raises:
        InvalidDataError: It is none of these.
    """
    if isinstance(schema, str):
        return _checked(name, schema)
    content = _message(name, schema)
    if content.startswith(_MESSAGE):
        return base64.b64encode(content).decode("ascii")
    return _checked(name, content.decode("ascii", errors="replace"))


def _message(name: str, schema: Any) -> bytes:
    try:
        return bytes(memoryview(schema.serialize() if hasattr(schema, "serialize") else schema))
    except TypeError:
        raise InvalidDataError(f"{name} is a pyarrow.Schema, or its base64, not {type(schema).__name__}.") from None


def _checked(name: str, text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidDataError(f"{name} is no base64 of a serialised schema; give the pyarrow.Schema itself.") from None
    return text
