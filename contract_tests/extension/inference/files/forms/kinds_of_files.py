"""The kinds of files that rows are read from, each as a program writes it, and the rows that are in it.

`test_kinds_of_files` reads every one by every way, and `taken_page` writes down for people what is taken.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import warnings
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
from pyarrow import feather, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

arrow: Any = pa
pd: Any = import_module("pandas")
pq: Any = parquet
ipc: Any = feather
polars: Any = pl
numpy: Any = np

ROWS: dict[str, list[Any]] = {"a": [1.5, -2.0, 0.25], "b": [1, 2, -3], "s": ["x", "ü", ""], "f": [True, False, True]}
NUMBERS = {name: ROWS[name] for name in ("a", "b")}
VECTORS: dict[str, list[Any]] = {"tensor": [[1.0, 2.0], [3.5, -4.0], [0.0, 6.0]]}
SCORED: dict[str, list[Any]] = {
    "time": [1_700_000_000_000] * 3,
    "in.a": ROWS["a"],
    "in.s": ROWS["s"],
    "out.y": [[0.5], [0.25], [0.125]],
    "out_other.y": [[1.5]] * 3,
    "check_failures": [[], ["y > 1"], []],
    "anomaly.count": [0, 1, 0],
    "metadata.elapsed": [[1, 2]] * 3,
}
SENT = {"a": ROWS["a"], "s": ROWS["s"]}
TIMES = {"t": [dt.datetime(2020, 1, 2, 3, 4, 5, 6000), dt.datetime(1969, 12, 31)]}  # noqa: DTZ001 - without a zone


@dataclass(frozen=True)
class KindOfFile:
    """A kind of files.

    Attributes:
        group: The format, for the page.
        name: What it is called.
        file: The name of the file.
        write: Writes it to a path.
        rows: The rows that are in it, as they are sent.
        in_pieces: Whether runs over many rows read it piece by piece, and never as a whole.
    """

    group: str
    name: str
    file: str
    write: Callable[[Path], object]
    rows: dict[str, list[Any]]
    in_pieces: bool = True


def records(rows: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]


def nested(rows: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return scored rows as records whose parts are records."""
    found: list[dict[str, Any]] = []
    for record in records(rows):
        parts: dict[str, Any] = {}
        for name, value in record.items():
            part, dot, field = name.partition(".")
            if dot:
                parts.setdefault(part, {})[field] = value
            else:
                parts[part] = value
        found.append(parts)
    return found


def text(content: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content.encode(encoding))


def lines(values: list[Any], end: str = "\n") -> str:
    return "".join(json.dumps(value, ensure_ascii=False) + end for value in values)


def oriented(orient: str, rows: dict[str, list[Any]] = ROWS, **options: Any) -> Callable[[Path], object]:
    return lambda path: pd.DataFrame(rows).to_json(path, orient=orient, **options)


def _json(name: str, content: Any, rows: dict[str, list[Any]] = ROWS) -> KindOfFile:
    return KindOfFile("JSON", name, "rows.json", text(json.dumps(content)), rows, in_pieces=isinstance(content, list))


_SPLIT = {"columns": list(SCORED), "index": [0, 1, 2], "data": [list(record.values()) for record in records(SCORED)]}
_OF_2022 = [
    {
        "model_name": model,
        "original_data": SENT,
        "outputs": [{"Float": {"v": 1, "dim": [3, 1], "data": [0.5, 0.25, 0.125]}}],
        "check_failures": [],
        "time": 1_660_000_000_000,
    }
    for model in ("one", "two")
]

JSON = [
    KindOfFile("JSON", "`orient='records'`", "rows.json", oriented("records"), ROWS),
    KindOfFile("JSON", "`orient='split'`", "rows.json", oriented("split"), ROWS, in_pieces=False),
    KindOfFile("JSON", "`orient='columns'`, the default of pandas", "rows.json", oriented("columns"), ROWS, False),
    KindOfFile("JSON", "`orient='index'`", "rows.json", oriented("index"), ROWS, in_pieces=False),
    KindOfFile("JSON", "`orient='table'`, without its index", "rows.json", oriented("table"), ROWS, in_pieces=False),
    KindOfFile("JSON", "`orient='values'`, as vectors", "rows.json", text(json.dumps(VECTORS["tensor"])), VECTORS),
    _json("columns of lists", ROWS),
    _json("columns of vectors, as releases of 2022 take them", VECTORS, VECTORS),
    _json("records of vectors", records(VECTORS), VECTORS),
    _json('a request of KServe V1 or Vertex AI, `{"instances": records}`', {"instances": records(ROWS)}),
    _json("a request of TensorFlow Serving, its `instances` as vectors", {"instances": VECTORS["tensor"]}, VECTORS),
    _json('a request of MLflow, `{"dataframe_split": …}`', {"dataframe_split": pd.DataFrame(ROWS).to_dict("split")}),
    KindOfFile(
        "JSON", "one record", "rows.json", text('{"a": 1.5, "tensor": [1, 2]}'), {"a": [1.5], "tensor": [[1, 2]]}, False
    ),
    KindOfFile("JSON", "with a byte order mark", "rows.json", text(lines(records(ROWS)), "utf-8-sig"), ROWS),
    KindOfFile("JSON", "in UTF-16", "rows.json", text(lines(records(ROWS)), "utf-16"), ROWS),
    KindOfFile("JSON lines", "a record on each line", "rows.jsonl", oriented("records", lines=True), ROWS),
    KindOfFile("JSON lines", "in a file called .json", "rows.json", oriented("records", lines=True), ROWS),
    KindOfFile("JSON lines", "of polars", "rows.ndjson", lambda path: polars.DataFrame(ROWS).write_ndjson(path), ROWS),
    KindOfFile("JSON lines", "one line", "one.jsonl", text('{"tensor": [1, 2]}'), {"tensor": [[1, 2]]}),
    KindOfFile(
        "JSON lines", "blank lines and CRLF", "rows.jsonl", text("\r\n" + lines(records(ROWS), "\r\n\r\n")), ROWS
    ),
    KindOfFile(
        "JSON lines",
        "two files joined, each with a byte order mark",
        "rows.json",
        text('\ufeff{"a":1}\n' * 2),
        {"a": [1, 1]},
    ),
    KindOfFile("JSON lines", "a list on each line, as vectors", "rows.jsonl", text(lines(VECTORS["tensor"])), VECTORS),
    KindOfFile("JSON lines", "records over several lines", "rows.json", text('{"a":\n1}\n{"a":\n2}'), {"a": [1, 2]}),
    KindOfFile(
        "JSON lines", "fields left out where they are null", "rows.jsonl", text('{"s":"x"}\n{}\n'), {"s": ["x", None]}
    ),
    KindOfFile("logs", "the vendor's `export_logs`", "logs.json", text(lines(records(SCORED))), SENT),
    KindOfFile(
        "logs", "the vendor's `.df.json`, split", "logs.df.json", text(json.dumps(_SPLIT)), SENT, in_pieces=False
    ),
    KindOfFile("logs", "answers in JSON, nested", "answer.json", text(json.dumps(nested(SCORED))), SENT),
    KindOfFile(
        "logs",
        "one nested record",
        "answer.json",
        text(json.dumps(nested(SCORED)[0])),
        {n: v[:1] for n, v in SENT.items()},
        False,
    ),
    KindOfFile(
        "logs", "scored rows as columns, the default of pandas", "logs.json", oriented("columns", SCORED), SENT, False
    ),
    KindOfFile("logs", "scored rows as columns of lists", "logs.json", text(json.dumps(SCORED)), SENT, in_pieces=False),
    KindOfFile("logs", "answers of 2022", "answer.json", text(json.dumps(_OF_2022)), SENT, in_pieces=False),
    KindOfFile("logs", "answers of 2022 in lines", "answer.jsonl", text(lines(_OF_2022)), SENT, in_pieces=False),
    KindOfFile("logs", "one answer of 2022", "answer.json", text(json.dumps(_OF_2022[0])), SENT, in_pieces=False),
]


def _arrow_file(table: Any, batches: int = 1, **options: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with arrow.ipc.new_file(str(path), table.schema, options=arrow.ipc.IpcWriteOptions(**options)) as writer:
            writer.write_table(table, max_chunksize=max(1, table.num_rows // batches))

    return write


def _arrow_stream(table: Any, batches: int = 1, **options: Any) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with arrow.ipc.new_stream(str(path), table.schema, options=arrow.ipc.IpcWriteOptions(**options)) as writer:
            writer.write_table(table, max_chunksize=max(1, table.num_rows // batches))

    return write


def _write_feather_1(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        ipc.write_feather(arrow.table(ROWS), str(path), version=1)


def _growing_dictionaries(path: Path) -> None:
    """Write record batches whose dictionaries grow, so that the file has their deltas."""
    kind = arrow.dictionary(arrow.int8(), arrow.string())
    schema = arrow.schema([("s", kind)])
    options = arrow.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with arrow.ipc.new_stream(str(path), schema, options=options) as writer:
        for codes, names in (([0, 1], ["x", "y"]), ([2, 0], ["x", "y", "z"])):
            column = arrow.DictionaryArray.from_arrays(arrow.array(codes, arrow.int8()), names)
            writer.write_batch(arrow.record_batch([column], schema=schema))


_TABLE = arrow.table(ROWS)
_VIEWS = arrow.table(
    {
        "s": arrow.array(ROWS["s"], arrow.string_view()),
        "y": arrow.array([b"x", b"", None], arrow.binary_view()),
        "l": arrow.array([[1.0], [], [2.0, 3.0]], arrow.list_view(arrow.float64())),
    }
)
_LARGE = arrow.table(
    {
        "s": arrow.array(ROWS["s"], arrow.large_string()),
        "l": arrow.array([[1.0], [], [2.0, 3.0]], arrow.large_list(arrow.float64())),
        "h": arrow.array(np.array([0.5, 1.0, -2.0], np.float16)),
    }
)
_RUNS = arrow.table({"a": arrow.RunEndEncodedArray.from_arrays(arrow.array([2, 3], arrow.int32()), [1.5, 2.5])})
_TENSORS = arrow.table(
    {
        "tensor": arrow.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12, dtype=np.float32).reshape(3, 2, 2)),
        "f": arrow.ExtensionArray.from_storage(arrow.bool8(), arrow.array([1, 0, None], arrow.int8())),
        "j": arrow.array(["{}", "[1]", "2"], arrow.json_(arrow.string())),
    }
)
_SCORED = arrow.table(SCORED)
_NESTED = arrow.Table.from_pylist(nested(SCORED))

ARROW = [
    KindOfFile("Arrow", "an Arrow file (Feather 2)", "rows.arrow", _arrow_file(_TABLE), ROWS),
    KindOfFile("Arrow", "several record batches", "rows.feather", _arrow_file(_TABLE, 3), ROWS),
    KindOfFile("Arrow", "compressed by lz4", "rows.feather", _arrow_file(_TABLE, compression="lz4"), ROWS),
    KindOfFile("Arrow", "compressed by zstd", "rows.arrow", _arrow_file(_TABLE, compression="zstd"), ROWS),
    KindOfFile("Arrow", "a stream", "rows.arrows", _arrow_stream(_TABLE, 3), ROWS),
    KindOfFile(
        "Arrow",
        "a compressed stream in a file called .arrow",
        "rows.arrow",
        _arrow_stream(_TABLE, compression="zstd"),
        ROWS,
    ),
    KindOfFile("Arrow", "dictionaries that grow", "rows.arrows", _growing_dictionaries, {"s": ["x", "y", "z", "x"]}),
    KindOfFile("Arrow", "views of texts, bytes and lists", "rows.arrow", _arrow_file(_VIEWS), _VIEWS.to_pydict()),
    KindOfFile("Arrow", "large types and half floats", "rows.arrow", _arrow_file(_LARGE), _LARGE.to_pydict()),
    KindOfFile("Arrow", "run-end encoded", "rows.arrow", _arrow_file(_RUNS), {"a": [1.5, 1.5, 2.5]}),
    KindOfFile(
        "Arrow",
        "tensors of one shape, `bool8` and JSON",
        "rows.arrow",
        _arrow_file(_TENSORS),
        {"tensor": np.arange(12.0).reshape(3, 2, 2).tolist(), "f": [True, False, None], "j": ["{}", "[1]", "2"]},
    ),
    KindOfFile("Arrow", "no rows", "none.arrow", _arrow_file(_TABLE.slice(0, 0)), {name: [] for name in ROWS}),
    KindOfFile(
        "Arrow", "a stream without rows", "none.arrow", _arrow_stream(_TABLE.slice(0, 0)), {name: [] for name in ROWS}
    ),
    KindOfFile("Arrow", "Feather 1", "rows.feather", _write_feather_1, ROWS, in_pieces=False),
    KindOfFile(
        "Arrow",
        "of polars",
        "rows.arrow",
        lambda path: polars.DataFrame(ROWS).write_ipc(path, compression="zstd"),
        ROWS,
    ),
    KindOfFile(
        "Arrow", "a stream of polars", "rows.arrows", lambda path: polars.DataFrame(ROWS).write_ipc_stream(path), ROWS
    ),
    KindOfFile("logs", "the vendor's `export_logs`, in Arrow", "logs.arrow", _arrow_file(_SCORED), SENT),
    KindOfFile("logs", "answers in Arrow, nested", "logs.arrow", _arrow_file(_NESTED), SENT),
    KindOfFile("logs", "in Parquet", "logs.parquet", lambda path: pq.write_table(_SCORED, path), SENT),
    KindOfFile("logs", "in Parquet, nested", "logs.parquet", lambda path: pq.write_table(_NESTED, path), SENT),
]


def _pandas(change: Callable[[Any], Any], **options: Any) -> Callable[[Path], object]:
    return lambda path: change(pd.DataFrame(ROWS)).to_parquet(path, **options)


def _parquet(name: str, table: Any, rows: dict[str, list[Any]], **options: Any) -> KindOfFile:
    return KindOfFile("Parquet", name, "rows.parquet", lambda path: pq.write_table(table, path, **options), rows)


def _spark_vectors(path: Path) -> None:
    """Write dense and sparse vectors as Spark's VectorUDT has them."""
    kind = arrow.struct(
        [
            ("type", arrow.int8()),
            ("size", arrow.int32()),
            ("indices", arrow.list_(arrow.int32())),
            ("values", arrow.list_(arrow.float64())),
        ]
    )
    vectors = [(1, None, None, [1.0, 2.0, 3.0]), (0, 3, [1], [5.0])]
    names = [field.name for field in kind]
    values = [dict(zip(names, vector, strict=True)) for vector in vectors]
    pq.write_table(arrow.table({"features": arrow.array(values, kind)}), path)


_NULLABLE = {"a": [1.5, None, 0.25], "b": [1, 2, -3], "s": ["x", None, ""]}
_POLARS = {
    "a": ROWS["a"],
    "e": polars.Series(["u", "v", "u"], dtype=polars.Enum(["u", "v"])),
    "l": [[1.0], [], [2.0]],
    "r": polars.Series([[1.0, 2.0]] * 3, dtype=polars.Array(polars.Float32, 2)),
    "d": polars.Series([decimal.Decimal("1.5")] * 3, dtype=polars.Decimal(20, 3)),
}
_DECIMALS = arrow.table(
    {
        "d": arrow.array([decimal.Decimal("1.25"), decimal.Decimal("-3.00")], arrow.decimal128(38, 2)),
        "w": arrow.array([decimal.Decimal(12), decimal.Decimal(-3)], arrow.decimal128(18, 0)),
    }
)

PARQUET = [
    *(
        _parquet(f"compressed by {codec}", _TABLE, ROWS, compression=codec)
        for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4")
    ),
    KindOfFile("Parquet", "of pandas", "rows.parquet", _pandas(lambda frame: frame), ROWS),
    KindOfFile(
        "Parquet",
        "of pandas with an index",
        "rows.parquet",
        _pandas(lambda frame: frame.set_index("s")),
        {n: v for n, v in ROWS.items() if n != "s"},
    ),
    KindOfFile(
        "Parquet",
        "of pandas with an index of two columns",
        "rows.parquet",
        _pandas(lambda frame: frame.set_index(["s", "b"])),
        {"a": ROWS["a"], "f": ROWS["f"]},
    ),
    KindOfFile(
        "Parquet",
        "of pandas with an index without a name",
        "rows.parquet",
        _pandas(lambda frame: frame.set_axis([7, 9, 8])),
        ROWS,
    ),
    KindOfFile(
        "Parquet",
        "of pandas with categories",
        "rows.parquet",
        _pandas(lambda frame: frame.astype({"s": "category"})),
        ROWS,
    ),
    KindOfFile(
        "Parquet",
        "of pandas with types of Arrow",
        "rows.parquet",
        _pandas(lambda frame: frame.convert_dtypes(dtype_backend="pyarrow").astype({"a": "double[pyarrow]"})),
        ROWS,
    ),
    _parquet("times of 96 bits", arrow.table(TIMES), TIMES, use_deprecated_int96_timestamps=True),
    _parquet("times of format version 1.0", arrow.table(TIMES), TIMES, version="1.0"),
    _parquet(
        "of DuckDB or Spark, with decimals",
        _DECIMALS,
        {"d": [1.25, -3.0], "w": [12, -3]},
        store_decimal_as_integer=True,
    ),
    _parquet("decimals of fixed length, as older Spark writes", _DECIMALS, {"d": [1.25, -3.0], "w": [12, -3]}),
    KindOfFile(
        "Parquet",
        "vectors of Spark, dense and sparse",
        "rows.parquet",
        _spark_vectors,
        {"features": [[1.0, 2.0, 3.0], [0.0, 5.0, 0.0]]},
    ),
    KindOfFile(
        "Parquet",
        "of polars",
        "rows.parquet",
        lambda path: polars.DataFrame(_POLARS).write_parquet(path),
        {"a": ROWS["a"], "e": ["u", "v", "u"], "l": [[1.0], [], [2.0]], "r": [[1.0, 2.0]] * 3, "d": [1.5] * 3},
    ),
    _parquet(
        "lists of a fixed size",
        arrow.table({"v": arrow.array(VECTORS["tensor"], arrow.list_(arrow.float32(), 2))}),
        {"v": VECTORS["tensor"]},
    ),
    _parquet("large types and half floats", _LARGE, _LARGE.to_pydict()),
    _parquet("no rows", _TABLE.slice(0, 0), {name: [] for name in ROWS}),
    KindOfFile("Parquet", "in a file without a suffix", "rows", lambda path: pq.write_table(_TABLE, path), ROWS),
]


def _named_fields(path: Path) -> None:
    rows = list(zip(*NUMBERS.values(), strict=True))
    np.save(path, np.array(rows, [("a", "f8"), ("b", "i8")]))


_MATRIX = np.array(VECTORS["tensor"])

NUMPY = [
    KindOfFile(
        "numpy",
        "`.npy`, an array as the only input",
        "rows.npy",
        lambda path: np.save(path, _MATRIX),
        VECTORS,
        in_pieces=False,
    ),
    KindOfFile(
        "numpy",
        "in Fortran's order",
        "rows.npy",
        lambda path: np.save(path, np.asfortranarray(_MATRIX)),
        VECTORS,
        in_pieces=False,
    ),
    KindOfFile("numpy", "with named fields", "rows.npy", _named_fields, NUMBERS, in_pieces=False),
    KindOfFile(
        "numpy",
        "`.npz` with names",
        "rows.npz",
        lambda path: numpy.savez_compressed(path, **{n: np.array(v) for n, v in NUMBERS.items()}),
        NUMBERS,
        in_pieces=False,
    ),
    KindOfFile(
        "numpy", "`.npz` of one array", "rows.npz", lambda path: np.savez(path, _MATRIX), VECTORS, in_pieces=False
    ),
]

KINDS = [*JSON, *ARROW, *PARQUET, *NUMPY]
