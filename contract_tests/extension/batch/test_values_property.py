"""Does every key and every value of every type come back as it was written, in files around the sizes of blocks?

Tables of the types that Parquet, Arrow and CSV can carry are written to a few files, scored on a model that gives back
what it is sent, and compared. The readers' blocks are made small, so that small files have several.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from pyarrow import feather, parquet

from contract_tests.support.data.batch_rows import csv_content, read_output
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.echo_instance import URL, Echo
from wallaroo_ext import BatchRetries, PartSize, connect, infer, infer_dataset
from wallaroo_ext.batch.reading import readers
from wallaroo_ext.inference.files import csv_files

if TYPE_CHECKING:
    import decimal
    from collections.abc import Generator, Iterator

    from wallaroo_mlops_client import Client

arrow: Any = pa
pq: Any = parquet
ipc: Any = feather
QUICK = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
LONG = settings(QUICK, max_examples=120)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
TIMES = st.integers(-(2**40), 2**40)


def integers(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


def decimals(digits: int, scale: int) -> st.SearchStrategy[decimal.Decimal]:
    most = 10 ** (digits - scale) - 1
    return st.decimals(-most, most, places=scale, allow_nan=False)


def scalars() -> Iterator[tuple[Any, st.SearchStrategy[Any]]]:
    """Yield types other than lists and records, with their values."""
    for bits in (8, 16, 32, 64):
        yield getattr(arrow, f"int{bits}")(), integers(bits, signed=True)
        yield getattr(arrow, f"uint{bits}")(), integers(bits, signed=False)
    for bits in (16, 32, 64):
        yield getattr(arrow, f"float{bits}")(), st.floats(width=bits)
    for kind in (arrow.string(), arrow.large_string(), arrow.string_view()):
        yield kind, TEXTS
    for kind in (arrow.binary(), arrow.large_binary(), arrow.binary_view()):
        yield kind, st.binary(max_size=8)
    yield arrow.binary(3), st.binary(min_size=3, max_size=3)
    yield arrow.bool_(), st.booleans()
    yield arrow.null(), st.none()
    yield arrow.date32(), st.dates()
    yield arrow.time32("ms"), st.integers(0, 86_399_999)
    yield arrow.time64("us"), st.integers(0, 86_399_999_999)
    yield arrow.time64("ns"), st.integers(0, 86_399_999_999).map(lambda value: value * 1000)
    yield arrow.decimal32(7, 2), decimals(7, 2)
    yield arrow.decimal64(15, 0), decimals(15, 0)
    yield arrow.decimal128(38, 10), decimals(20, 10)
    yield arrow.decimal256(60, 20), decimals(25, 20)
    for unit in ("ms", "us", "ns"):
        for zone in (None, "UTC", "Europe/Berlin", "+05:30"):
            yield arrow.timestamp(unit, zone), TIMES
    for unit in ("s", "ms", "us", "ns"):
        yield arrow.duration(unit), TIMES if unit in {"us", "ns"} else st.integers(-(2**30), 2**30)


SCALARS = list(scalars())


def nested(kind: Any, values: st.SearchStrategy[Any]) -> Iterator[tuple[Any, st.SearchStrategy[Any]]]:
    """Yield types of lists and records of another type, with their values."""
    some = st.lists(st.none() | values, max_size=3)
    yield arrow.list_(kind), some
    yield arrow.large_list(kind), some
    yield arrow.list_(kind, 2), st.lists(st.none() | values, min_size=2, max_size=2)
    yield (
        arrow.struct([("x", kind), ("y", arrow.list_(kind))]),
        st.fixed_dictionaries({"x": st.none() | values, "y": some}),
    )
    yield (
        arrow.map_(arrow.string(), kind),
        st.dictionaries(TEXTS, values, max_size=2).map(lambda each: list(each.items())),
    )


INNER = [(kind, values) for kind, values in SCALARS if not arrow.types.is_null(kind)]
KINDS = SCALARS + [each for kind, values in INNER[:20:3] for each in nested(kind, values)]


@st.composite
def columns(draw: st.DrawFn) -> list[Any]:
    """Return three columns, each of one type, of a length around the readers' blocks."""
    rows = draw(st.sampled_from([0, 1, 2, 6, 7, 8, 13, 14, 15, 40]))
    return [column(draw, rows) for _ in range(3)]


def column(draw: st.DrawFn, rows: int) -> Any:
    kind, values = draw(st.sampled_from(KINDS))
    some = draw(st.lists(st.none() | values, min_size=1, max_size=6))
    array = arrow.array((some * rows)[:rows], kind)
    if arrow.types.is_string(kind) and draw(st.booleans()):
        return array.dictionary_encode()
    return array


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the readers take few rows and bytes at a time."""
    monkeypatch.setattr(readers, "BATCH_ROWS", 7)
    monkeypatch.setattr(csv_files, "BLOCK_BYTES", 40)


@pytest.fixture(scope="module")
def echoing() -> Generator[Client]:
    with Echo().client() as client:
        yield client


def scored(client: Client, url: str, source: Path, **options: Any) -> Any:
    """Return what a run over a source wrote."""
    with tempfile.TemporaryDirectory() as target:
        more: Any = {"request_rows": 5, "part_size": PartSize(rows=11), "retries": BatchRetries(attempts=1), **options}
        infer_dataset(client, url, source, target, **more)
        return read_output(target)


def check_tables(client: Client, tables: list[Any], form: str) -> None:
    """Make sure that the keys of tables come back with their types, each beside the value of its row."""
    whole = arrow.concat_tables(tables)
    with tempfile.TemporaryDirectory() as directory:
        for number, table in enumerate(tables):
            path = str(Path(directory) / f"{number}.{form}")
            if form == "parquet":
                pq.write_table(table, path, row_group_size=5)
            else:
                ipc.write_feather(table, path, chunksize=5, compression="uncompressed")
        keys = [name for name in whole.column_names if name != "n"]
        found = scored(client, URL, Path(directory), keys=keys, columns=["n"])
    if not whole.num_rows:
        return
    for name in keys:
        assert found.column(name).type == whole.column(name).type
        assert repr(found.column(name).to_pylist()) == repr(whole.column(name).to_pylist())
    assert found.column("out.n").to_pylist() == whole.column("n").to_pylist()


def tables_of(some: list[Any], cuts: list[int]) -> list[Any]:
    """Return columns, and the numbers of their rows, in several tables."""
    rows = len(some[0])
    named = {f"x{number}": each for number, each in enumerate(some)}
    table = arrow.table(named | {"n": arrow.array(range(rows), arrow.int64())})
    ends = sorted({0, rows, *(cut % (rows + 1) for cut in cuts)})
    pairs = list(pairwise(ends)) or [(0, 0)]
    return [table.slice(begin, end - begin) for begin, end in pairs]


def _keys_of_every_type(some: list[Any], cuts: list[int], form: str, client: Client) -> None:
    check_tables(client, tables_of(some, cuts), form)


CASES = given(columns(), st.lists(st.integers(0, 40), max_size=2), st.sampled_from(["parquet", "arrow"]))


@CASES
@settings(QUICK, max_examples=20)
def test_keys_of_every_type(echoing: Client, some: list[Any], cuts: list[int], form: str) -> None:
    _keys_of_every_type(some, cuts, form, echoing)


@pytest.mark.slow
@CASES
@settings(LONG)
def test_keys_of_every_type_at_length(echoing: Client, some: list[Any], cuts: list[int], form: str) -> None:
    _keys_of_every_type(some, cuts, form, echoing)


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_nulls_of_each_type(echoing: Client, form: str) -> None:
    check_tables(echoing, tables_of([arrow.nulls(9, kind) for kind, _ in KINDS], [4]), form)


CSV_TEXTS = st.text(st.sampled_from('a0é,;"\r\n\t 1.NA'), max_size=9)
NUMBERS = {
    "f": st.floats(width=32, allow_nan=False),
    "d": st.floats(allow_nan=False),
    "i": integers(64, signed=True),
    "b": st.booleans(),
    "s": CSV_TEXTS,
}
_ELEMENTS = {
    "f": TensorProto.FLOAT,
    "d": TensorProto.DOUBLE,
    "i": TensorProto.INT64,
    "b": TensorProto.BOOL,
    "s": TensorProto.STRING,
}
_TYPES = {"f": "float32", "d": "float64", "i": "int64", "b": "bool", "s": "string"}


@pytest.fixture(scope="module")
def identity(sandbox: dict[str, str]) -> str:
    """Return the URL of a model in a sandbox that gives back its five inputs, each of another type."""
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in _ELEMENTS]
    graph = helper.make_graph(
        nodes,
        "identity",
        [helper.make_tensor_value_info(name, kind, ["N"]) for name, kind in _ELEMENTS.items()],
        [helper.make_tensor_value_info(f"{name}_out", kind, ["N"]) for name, kind in _ELEMENTS.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return deployed(sandbox, model.SerializeToString(), "identity")


@pytest.fixture(scope="module")
def client(sandbox: dict[str, str]) -> Generator[Client]:
    with connect(environment=sandbox) as connected:
        yield connected


RECORDS = st.lists(st.fixed_dictionaries({"k": CSV_TEXTS} | NUMBERS), min_size=1, max_size=12)


def _quotes_all(row: dict[str, Any]) -> bool:
    """Return whether Python's writer would leave a carriage return without quotes."""
    return any("\r" in str(value) for value in row.values())


def _values_of_csv(rows: list[dict[str, Any]], quoted: Any, line_end: str, client: Client, url: str) -> None:
    quoted = quoted or any(map(_quotes_all, rows))
    with tempfile.TemporaryDirectory() as directory:
        for number, part in enumerate((rows[: len(rows) // 2], rows[len(rows) // 2 :])):
            if part:
                texts = [[str(row[name]) for name in ("k", *_TYPES)] for row in part]
                content = csv_content([["k", *_TYPES], *texts], line_end=line_end, quoted=quoted)
                (Path(directory) / f"{number}.csv").write_bytes(content)
        found = scored(client, url, Path(directory), keys=["k", "i"], columns=list(_TYPES), types=_TYPES)
    assert found.column("k").to_pylist() == [row["k"] for row in rows]
    assert found.column("i").to_pylist() == [row["i"] for row in rows]
    for name in _TYPES:
        assert repr(found.column(f"out.{name}_out").to_pylist()) == repr([row[name] for row in rows]), name


CSV_CASES = given(RECORDS, st.booleans(), st.sampled_from(["\n", "\r\n"]))


@CSV_CASES
@settings(QUICK)
def test_values_of_csv(client: Client, identity: str, rows: Any, quoted: Any, line_end: str) -> None:
    _values_of_csv(rows, quoted, line_end, client, identity)


@pytest.mark.slow
@CSV_CASES
@settings(LONG)
def test_values_of_csv_at_length(client: Client, identity: str, rows: Any, quoted: Any, line_end: str) -> None:
    _values_of_csv(rows, quoted, line_end, client, identity)


@given(RECORDS, st.sampled_from(["parquet", "arrow"]))
@settings(QUICK)
def test_values_of_parquet_and_arrow(client: Client, identity: str, rows: Any, form: str) -> None:
    schema = arrow.schema(
        [("k", arrow.string()), *((name, arrow.type_for_alias(kind)) for name, kind in _TYPES.items())]
    )
    table = arrow.Table.from_pylist(rows, schema)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"0.{form}"
        if form == "parquet":
            pq.write_table(table, path, row_group_size=5)
        else:
            ipc.write_feather(table, str(path), chunksize=5, compression="uncompressed")
        found = scored(client, identity, path, keys=["k"])
        answer: Any = infer(client, identity, table.drop_columns(["k"]))
    for each in (found, answer):
        for name in _TYPES:
            assert repr(each.column(f"out.{name}_out").to_pylist()) == repr(table.column(name).to_pylist())


def test_days_are_the_same_days(echoing: Client) -> None:
    days = arrow.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None], arrow.date32())
    check_tables(echoing, tables_of([days], [1]), "parquet")
