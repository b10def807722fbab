"""Does without pandas, which pyarrow imports wherever it is installed, in programs that have no values of pandas."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


class _NoPandas:
    """A finder of modules that lets pandas be missing."""

    @staticmethod
    def find_spec(fullname: str, *_: object) -> None:
        """Raise for pandas, and leave all other modules to the other finders.

        Raises:
            ModuleNotFoundError: The module is pandas.
        """
        if fullname == "pandas":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def hide_pandas() -> None:
    """Let this process find no pandas from now on.

    Where it is installed, pyarrow imports it to look whether a value is of pandas. That would take most of the time
    that a short program takes.
    """
    sys.meta_path.insert(0, _NoPandas())


def to_values(column: Any) -> list[Any]:
    """Return the values of an Arrow column; times and durations that Python's own types cannot hold become texts."""
    try:
        return column.to_pylist()
    except (ValueError, OverflowError):
        return column.cast(_with_texts(column.type)).to_pylist()


def _with_texts(kind: pa.DataType) -> pa.DataType:
    """Return a type with texts in place of its times and durations."""
    import pyarrow as pa

    inner: Any = kind
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_with_texts(inner.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _with_texts(field.type)) for field in inner])
    if pa.types.is_map(kind):
        return pa.map_(_with_texts(inner.key_type), _with_texts(inner.item_type))
    return kind
