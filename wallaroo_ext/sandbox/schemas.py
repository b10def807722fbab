"""Arrow schemas that come with an upload."""

from __future__ import annotations

import base64
import binascii

from wallaroo_ext.sandbox.problems import bad_request

_MEMORY = 64 << 20  # of what reading a schema may take, in bytes


def check_schema(name: str, text: str) -> None:
    """Raise a Problem, 400, unless a text is the base64 of an Arrow schema serialised as an IPC message.

    Args:
        name: The field that the text came in.
        text: The text.
    """
    try:
        message = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"{name}: the schema is no base64: {error}.") from None
    if not _is_schema(message):
        raise bad_request(f"{name}: the base64 holds no Arrow schema, as pyarrow's Schema.serialize() writes one.")


def _is_schema(message: bytes) -> bool:
    import pyarrow as pa

    from wallaroo_ext import arrow_limits

    try:
        arrow_limits.check_schema(message, _MEMORY)
        pa.ipc.read_schema(pa.py_buffer(message))
    except (pa.ArrowException, OSError, ValueError, arrow_limits.TooLargeError):
        return False
    return True
