"""The rows that were rejected, in a file of JSON lines beside the output."""

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
"""Its name begins so that readers of data sets pass over it."""


def add(storage: Storage, known_bytes: int, records: Sequence[dict[str, Any]]) -> int:
    """Write records behind those of the parts that are complete, and drop what a killed run left behind those.

    Args:
        storage: The output's directory.
        known_bytes: How long the file was with the last complete part.
        records: The records.

    Returns:
        How long the file is now.
    """
    content = storage.read(NAME)[:known_bytes]
    content += b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)
    with storage.writing(NAME) as opened:
        opened.write(content)
    return len(content)


def restore(storage: Storage, known_bytes: int) -> None:
    """Drop what is behind the records of the parts that are complete; a file without any is removed."""
    content = storage.read(NAME)
    if content and not known_bytes:
        storage.remove(NAME)
    elif len(content) > known_bytes:
        add(storage, known_bytes, ())


def first_reason(storage: Storage) -> str:
    """Return why the first of the rejected rows was."""
    return json.loads(storage.read(NAME).partition(b"\n")[0])["reason"]


def record(rejection: Rejection, file: str, row_in_file: int) -> dict[str, Any]:
    """Return a rejected row as a record.

    Args:
        rejection: The row.
        file: The file that it is from.
        row_in_file: Its number among the rows of that file that pass the filter.
    """
    keys = {name: _plain(value) for name, value in rejection.keys.items()}
    return {"row": rejection.row, "file": file, "row_in_file": row_in_file, "keys": keys, "reason": rejection.reason}


def _plain(value: Any) -> Any:
    """Return what JSON has for a value."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list | tuple):
        return [_plain(each) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in cast("dict[Any, Any]", value).items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
