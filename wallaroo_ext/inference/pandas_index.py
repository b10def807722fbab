"""Which columns of a table are an index of pandas, and so no values of its rows."""

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
"""How pandas calls an index without a name. Other programs keep the column and drop what pandas says about it."""


def index_columns(schema: Schema) -> set[str]:
    """Return the columns that pandas keeps an index in."""
    metadata = (schema.metadata or {}).get(_PANDAS)
    listed: list[Any] = [] if metadata is None else list_of(_object(metadata).get("index_columns"))
    names = set(schema.names)
    return {name for name in names if _UNNAMED.fullmatch(name)} | (names & {n for n in listed if isinstance(n, str)})


def _object(metadata: bytes) -> dict[str, Any]:
    try:
        return object_of(json.loads(metadata))
    except ValueError:  # another program's
        return {}


def without_index(table: Table, named: Collection[str] = ()) -> Table:
    """Return a table without the columns that pandas keeps an index in, but for those that are named."""
    index = index_columns(table.schema) - set(named)
    return table.select([n for n, name in enumerate(table.column_names) if name not in index]) if index else table


def index_named(*names: str) -> dict[bytes, bytes]:
    """Return the metadata of a schema which says that some columns are an index."""
    return {_PANDAS: json.dumps({"index_columns": names}).encode()}
