"""Finding the columns of a table that are an index of pandas, and so not data."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from pyarrow import Schema, Table

_PANDAS = b"pandas"
_UNNAMED = re.compile(r"__index_level_\d+__")
"""The name that pandas gives to an index without one. Other programs keep the column and drop its metadata."""


def unnamed_index(level: int) -> str:
    """Return the name that pandas gives to a level of an index without one."""
    return f"__index_level_{level}__"


def index_columns(schema: Schema) -> set[str]:
    """Return the columns that pandas keeps an index in."""
    metadata = (schema.metadata or {}).get(_PANDAS)
    listed: list[Any] = [] if metadata is None else list_of(_parse_object(metadata).get("index_columns"))
    names = set(schema.names)
    return {name for name in names if _UNNAMED.fullmatch(name)} | (names & {n for n in listed if isinstance(n, str)})


def _parse_object(metadata: bytes) -> dict[str, Any]:
    try:
        return object_of(json.loads(metadata))
    except ValueError:  # written by another program
        return {}


def without_index(table: Table, keep: Collection[str] = ()) -> Table:
    """Return a table without the columns that pandas keeps an index in, except those in `keep`."""
    index = index_columns(table.schema) - set(keep)
    return table.select([n for n, name in enumerate(table.column_names) if name not in index]) if index else table


def index_metadata(*names: str) -> dict[bytes, bytes]:
    """Return schema metadata that marks columns as an index."""
    return {_PANDAS: json.dumps({"index_columns": names}).encode()}
