"""Writing the rejected rows to a file of JSON lines beside the output."""

from __future__ import annotations

import base64
import json
import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wallaroo_ext.batch.scoring.rejections import Rejection
    from wallaroo_ext.batch.writing.storage import Storage

NAME = "_errors.jsonl"
"""The name of the file; readers of data sets skip names that begin with an underscore."""


def add(storage: Storage, known_bytes: int, records: Sequence[dict[str, Any]]) -> int:
    """Append records, after dropping those that a killed run left behind.

    Args:
        storage: The directory of the output.
        known_bytes: The size of the file when the last part was completed.
        records: The records.

    Returns:
        The new size of the file.
    """
    content = storage.read(NAME)[:known_bytes]
    content += b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)
    with storage.writing(NAME) as opened:
        opened.write(content)
    return len(content)


def restore(storage: Storage, known_bytes: int) -> None:
    """Drop the records that a killed run left behind; remove the file if no other records are in it."""
    content = storage.read(NAME)
    if content and not known_bytes:
        storage.remove(NAME)
    elif len(content) > known_bytes:
        add(storage, known_bytes, ())


def first_reason(storage: Storage) -> str:
    """Return the reason of the first rejected row."""
    return json.loads(storage.read(NAME).partition(b"\n")[0])["reason"]


def record(rejection: Rejection, file: str, row_in_file: int) -> dict[str, Any]:
    """Return the record of a rejected row.

    Args:
        rejection: The row.
        file: The path of its file.
        row_in_file: Its number among the rows of that file that pass the filter.
    """
    keys = {name: _json_value(value) for name, value in rejection.keys.items()}
    return {"row": rejection.row, "file": file, "row_in_file": row_in_file, "keys": keys, "reason": rejection.reason}


def _json_value(value: Any) -> Any:
    """Return a value that JSON can hold in place of a key."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {str(name): _json_value(each) for name, each in cast("dict[Any, Any]", value).items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
