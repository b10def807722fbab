"""Finding the inputs among scored rows, so that exported logs and saved answers can be scored again.

Scored rows are recognised by their columns: each is a part of an answer (`time`, `in`, `out`, `anomaly`,
`check_failures`, `metadata`, and `out_` with a model's name), nested or with a dot before the field, and one is of
`in`. Then the fields of `in` are the inputs, under their own names, and the other columns are no data: like an index of
pandas they are sent only where they are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import SEPARATOR, is_part

if TYPE_CHECKING:
    from collections.abc import Collection

_INPUT = "in"
_PREFIX = f"{_INPUT}{SEPARATOR}"
_SINGLE = {"time", "check_failures"}


def _is_of_answer(name: str) -> bool:
    return name in _SINGLE or is_part(name.partition(SEPARATOR)[0])


def is_log(names: Collection[str], *, nested: bool) -> bool:
    """Return whether columns are those of scored rows.

    Args:
        names: The columns.
        nested: Whether the column `in` has records, if there is one.
    """
    has_inputs = any(name.startswith(_PREFIX) for name in names) or (nested and _INPUT in names)
    return has_inputs and all(map(_is_of_answer, names))


def input_name(name: str) -> str | None:
    """Return the name of the input that a column of scored rows has; None if it has none."""
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else None


def check_no_lists(name: str, texts: Any) -> None:
    """Raise InvalidDataError if an input in a CSV file of scored rows has lists, which are texts of JSON there."""
    first = next((text for text in texts.slice(0, 1).to_pylist() if text is not None), "")
    if first.startswith("[") and first.endswith("]"):
        raise InvalidDataError(
            f"The column {name!r} has lists, which CSV has as texts: export the logs as .parquet, .arrow or .jsonl."
        )


def flat_record(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with the fields of `in` as its own, if it is one of scored rows; otherwise the record itself."""
    inputs = record.get(_INPUT)
    if not isinstance(inputs, dict) or not is_log(record, nested=True):
        return record
    fields = {f"{_PREFIX}{name}": value for name, value in cast("dict[str, Any]", inputs).items()}
    return fields | {name: value for name, value in record.items() if name != _INPUT}
