"""Numbers that are missing, in every form that has some, and what they are sent as."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from wallaroo_ext import InvalidDataError
from wallaroo_ext.inference.inputs.rows import rows_to_send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_ext.inference.missing_option import Missing

arrow: Any = pa
pd: Any = import_module("pandas")
pq: Any = parquet
polars: Any = pl
NAN = float("nan")


@dataclass(frozen=True)
class Gap:
    """A column with a gap in its second row.

    Attributes:
        name: What is missing.
        sent: The column as it is sent with `missing="nan"`; None where that is refused, too.
        forms: The forms of rows that have it, by name.
        rejected: Whether `missing="reject"` refuses it.
        in_vectors: Whether the column can be in a vector.
    """

    name: str
    sent: list[Any] | None
    forms: dict[str, Callable[[Path], Any]]
    rejected: bool = True
    in_vectors: bool = False


def _text_file(name: str, text: str) -> Callable[[Path], Path]:
    """Return a form in a file of text, which is written into a directory."""

    def write(directory: Path) -> Path:
        path = directory / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def _where_true(values: list[Any]) -> Any:
    """Return a frame with the first of two values, and null in place of the other, which stays in memory."""
    frame = polars.DataFrame({"a": values, "is": [True, False]})
    return frame.select(polars.when("is").then("a").alias("a"))


def _masked(kind: Any, offset: Any) -> Any:
    """Return two lists, of which the second is null, and has values in memory yet."""
    return kind.from_arrays(arrow.array([0, 1, 2], offset), [1.5, 2.5], mask=arrow.array([False, True]))


def _forms(values: list[Any], dtype: str, kind: Any) -> dict[str, Callable[[Path], Any]]:
    """Return the forms of a column with None in the second row."""
    table = arrow.table({"a": arrow.array(values, kind)})
    texts = ["" if value is None else str(value) for value in values]
    return {
        "pyarrow": lambda _: table,
        "nullable types of pandas": lambda _: pd.DataFrame({"a": pd.array(values, dtype=dtype)}),
        "objects in pandas": lambda _: pd.DataFrame({"a": pd.Series(values, dtype=object)}),
        "Arrow in pandas": lambda _: pd.DataFrame({"a": pd.array(values, dtype=pd.ArrowDtype(kind))}),
        "polars": lambda _: polars.DataFrame({"a": values}),
        "records": lambda _: [{"a": value} for value in values],
        "lists": lambda _: {"a": values},
        "lists with pandas' NA": lambda _: {"a": [pd.NA if value is None else value for value in values]},
        "masked arrays": lambda _: {
            "a": np.ma.masked_array([value or 0 for value in values], [value is None for value in values])
        },
        "a Parquet file": lambda directory: (
            pq.write_table(table, directory / "rows.parquet"),
            directory / "rows.parquet",
        )[1],
        "a CSV file": _text_file("rows.csv", "\n".join(["a,b", *(f"{text},1" for text in texts)])),
        "a JSON file": _text_file("rows.json", json.dumps([{"a": value} for value in values])),
    }


GAPS = [
    Gap("null among fractions", [1.5, NAN, 2.5], _forms([1.5, None, 2.5], "Float64", arrow.float64()), in_vectors=True),
    Gap(
        "NaN among fractions",
        [1.5, NAN, 2.5],
        {
            "numpy": lambda _: {"a": np.array([1.5, NAN, 2.5])},
            "pandas": lambda _: pd.DataFrame({"a": [1.5, NAN, 2.5]}),
            "pyarrow": lambda _: arrow.table({"a": [1.5, NAN, 2.5]}),
            "polars": lambda _: polars.DataFrame({"a": [1.5, NAN, 2.5]}),
            "records": lambda _: [{"a": value} for value in (1.5, NAN, 2.5)],
            "lists": lambda _: {"a": [1.5, NAN, 2.5]},
            "a CSV file": _text_file("rows.csv", "a\n1.5\nnan\n2.5\n"),
        },
    ),
    Gap("null among whole numbers", [1.0, NAN, 2.0], _forms([1, None, 2], "Int64", arrow.int64()), in_vectors=True),
    Gap(
        "null beside a whole number that no 64-bit float is",
        None,
        {"lists": lambda _: {"a": [2**53 + 1, None]}, "pyarrow": lambda _: arrow.table({"a": [2**53 + 1, None]})},
    ),
    Gap(
        "null in lists of numbers",
        [[1.0, 2.0], [NAN, 3.0]],
        {
            "lists": lambda _: {"a": [[1, 2], [None, 3]]},
            "records": lambda _: [{"a": [1, 2]}, {"a": [None, 3]}],
            "pyarrow": lambda _: arrow.table({"a": arrow.array([[1, 2], [None, 3]], arrow.list_(arrow.int8(), 2))}),
            "polars": lambda _: polars.DataFrame({"a": [[1, 2], [None, 3]]}),
            "masked arrays": lambda _: {
                "a": np.ma.masked_array([[1, 2], [0, 3]], [[False, False], [True, False]]),
            },
        },
    ),
    Gap(
        "a whole list of numbers",
        [[1.5], None],
        {
            "lists": lambda _: {"a": [[1.5], None]},
            "pyarrow": lambda _: arrow.table({"a": [[1.5], None]}),
            "pandas": lambda _: pd.DataFrame({"a": [np.array([1.5]), None]}),
            "arrays in lists": lambda _: {"a": [np.array([1.5]), None]},
            "polars' when": lambda _: _where_true([[1.5], [2.5]]),
            "masked lists of pyarrow": lambda _: arrow.table({"a": _masked(arrow.ListArray, arrow.int32())}),
            "masked large lists of pyarrow": lambda _: arrow.table({"a": _masked(arrow.LargeListArray, arrow.int64())}),
        },
    ),
    Gap(
        "null among texts",
        ["x", None],
        {
            "lists": lambda _: {"a": ["x", None]},
            "records of pandas": lambda _: pd.DataFrame({"a": ["x", None]}).to_dict("records"),
            "pandas": lambda _: pd.DataFrame({"a": ["x", None]}),
            "objects in pandas": lambda _: pd.DataFrame({"a": pd.Series(["x", NAN], dtype=object)}),
            "pyarrow": lambda _: arrow.table({"a": ["x", None]}),
            "polars": lambda _: polars.DataFrame({"a": ["x", None]}),
        },
        rejected=False,
    ),
    Gap(
        "null among booleans",
        [True, None],
        {
            "lists": lambda _: {"a": [True, None]},
            "objects in pandas": lambda _: pd.DataFrame({"a": pd.Series([True, NAN], dtype=object)}),
            "nullable types of pandas": lambda _: pd.DataFrame({"a": pd.array([True, None], dtype="boolean")}),
            "pyarrow": lambda _: arrow.table({"a": [True, None]}),
        },
        rejected=False,
    ),
]


def sent_or_refused(gap: Gap, missing: Missing, directory: Path) -> str:
    """Return what a gap is sent as, or that it is refused, for the page; all forms agree on it."""
    outcomes: set[str] = set()
    for make in gap.forms.values():
        try:
            outcomes.add(f"`{rows_to_send(make(directory), ['a'], missing=missing).column('a').to_pylist()}`")
        except InvalidDataError:
            outcomes.add("refused")
    return ", ".join(sorted(outcomes))
