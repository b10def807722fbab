"""Bodies of requests as a cassette has them: as JSON that people can read, large and binary ones as their digest."""

from __future__ import annotations

import hashlib
import json
import re
from email import message_from_bytes
from typing import Any

from wallaroo_ext._util.arrow.files import MEDIA_TYPE
from wallaroo_ext.conformance.recordings.secrets import without_secrets
from wallaroo_ext.redaction.patterns import remove_secrets

LARGEST_BODY = 16_384
"""The size of the largest body that is recorded as it is, in bytes; of a larger one its digest is."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGEST_TABLE = 4 << 20
"""The largest Arrow table that is recorded as rows, in bytes of memory: a small file can hold a large table."""


def recorded_request_body(content: bytes, content_type: str) -> str:
    """Return a body as text: equal bodies give equal texts, whatever the boundary of their parts was.

    Args:
        content: The whole body.
        content_type: The header `Content-Type`, with its parameters.
    """
    return pretty(_as_json(content, content_type)) if content else ""


def pretty(value: Any) -> str:
    """Return JSON as a cassette has it: over several lines, the fields in their order; any file can hold it."""
    text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_json(content_type: str) -> bool:
    """Return whether a header `Content-Type` means JSON."""
    return _media_type(content_type) == "application/json"


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _as_json(content: bytes, content_type: str) -> Any:
    """Return what a cassette has of a body, as JSON."""
    kind = _media_type(content_type)
    if kind == "multipart/form-data":
        return {"parts": _parts(content, content_type)}
    if len(content) <= LARGEST_BODY:
        if kind == "application/json":
            return _json(content)
        if kind == MEDIA_TYPE:
            return _arrow(content)
        if kind.startswith("text/"):
            return _text(content)
    return _digest(content)


def _digest(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _json(content: bytes) -> Any:
    try:
        return without_secrets(json.loads(content))
    except (ValueError, RecursionError):
        return _digest(content)


def _text(content: bytes) -> dict[str, Any]:
    try:
        return {"text": remove_secrets(content.decode())}
    except UnicodeDecodeError:
        return _digest(content)


def _arrow(content: bytes) -> dict[str, Any]:
    """Return the rows of an Arrow file, because its bytes differ from one release of pyarrow to the next."""
    from wallaroo_ext._util.arrow.files import from_file
    from wallaroo_ext._util.arrow.limits import TooLargeError, check_expanded_size

    try:
        table = from_file(content, _LARGEST_TABLE)
        check_expanded_size(table, _LARGEST_TABLE)
    except (ValueError, TooLargeError, MemoryError):
        return _digest(content)
    columns = dict(zip(table.column_names, map(str, table.schema.types), strict=True))
    return {"arrow": {"columns": columns, "rows": json.loads(json.dumps(table.to_pylist(), default=str))}}


def _parts(content: bytes, content_type: str) -> list[dict[str, Any]]:
    """Return the parts of a multipart body, each with its name, file name and content."""
    boundary = message_from_bytes(b"Content-Type: " + content_type.encode()).get_param("boundary")
    delimiter = b"\r\n--" + str(boundary).encode()
    return [_part(part) for part in (b"\r\n" + content).split(delimiter)[1:-1]]


def _part(part: bytes) -> dict[str, Any]:
    head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = message_from_bytes(head)
    kind = str(headers.get("Content-Type", "text/plain"))
    names = {
        "name": headers.get_param("name", header="content-disposition"),
        "filename": headers.get_filename(),
    }
    return {name: value for name, value in names.items() if value is not None} | {
        "type": kind,
        "content": _as_json(content, kind),
    }
