"""Is a format told by the first bytes, and is what is not read refused with what to do, and never loaded?"""

from __future__ import annotations

import base64
import gzip
import io
import os
import pickle
import warnings
import zipfile
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyarrow import parquet

from contract_tests.extension.inference.files.forms.test_kinds_of_files import by_batch
from wallaroo_ext import InvalidDataError
from wallaroo_ext.inference.files.forms.formats import format_of, is_known
from wallaroo_ext.inference.inputs.rows import rows_to_send

if TYPE_CHECKING:
    from pathlib import Path

pa: Any = import_module("pyarrow")
pq: Any = parquet
feather: Any = import_module("pyarrow.feather")
orc: Any = import_module("pyarrow.orc")
encryption: Any = import_module("pyarrow.parquet.encryption")
polars: Any = import_module("polars")
TABLE = pa.table({"a": [1.5, 2.5]})


def zipped(*names: str) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return found.getvalue()


def in_orc() -> bytes:
    sink = pa.BufferOutputStream()
    orc.write_table(TABLE, sink)
    return sink.getvalue().to_pybytes()


def in_avro() -> bytes:
    found = io.BytesIO()
    polars.from_arrow(TABLE).write_avro(found)
    return found.getvalue()


def in_an_old_stream() -> bytes:
    """Return a stream as pyarrow wrote it before 0.15."""
    found = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4, use_legacy_format=True)
    with pa.ipc.new_stream(found, TABLE.schema, options=options) as writer:
        writer.write_table(TABLE)
    return found.getvalue()


class Dangerous:
    """An object whose pickle would end this process if it were loaded."""

    def __reduce__(self) -> Any:
        return os._exit, (1,)


def objects() -> bytes:
    found = io.BytesIO()
    np.save(found, np.array([Dangerous()], dtype=object))
    return found.getvalue()


def many_objects() -> bytes:
    found = io.BytesIO()
    np.savez(found, a=np.array([Dangerous()], dtype=object))
    return found.getvalue()


REFUSED: dict[str, tuple[bytes, str]] = {
    **{f"a pickle of protocol {n}": (pickle.dumps(Dangerous(), n), "it is a pickle") for n in range(2, 6)},
    "an array of objects": (objects(), "it has objects of Python, which are pickled and so not loaded"),
    "arrays of objects": (many_objects(), "it has objects of Python, which are pickled and so not loaded"),
    "an Excel file": (zipped("[Content_Types].xml", "xl/workbook.xml"), "it is an Excel file: save it as CSV UTF-8"),
    "an OpenDocument file": (zipped("content.xml", "mimetype"), "it is an OpenDocument file"),
    "a file of PyTorch": (zipped("model/data.pkl"), "it is a file of PyTorch, which could run any program"),
    "another zip file": (zipped("rows.csv"), "it is a zip file: unpack it"),
    "a broken zip file": (zipped("a.npy")[:40], "it is a zip file that is broken"),
    "ORC": (in_orc(), "it is an ORC file: read it with pyarrow.orc.read_table"),
    "an old Arrow stream": (in_an_old_stream(), "it is an Arrow stream of before 2019: read it with pyarrow.ipc"),
    "Avro": (in_avro(), "it is an Avro file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600), "it is an HDF5 file: read it with pandas.read_hdf"),
    "an old Excel file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "it is an old Excel file"),
    "SQLite": (b"SQLite format 3\x00" + bytes(600), "it is an SQLite database"),
    "DuckDB": (bytes(8) + b"DUCK" + bytes(600), "it is a database of DuckDB: write the table with COPY"),
    "a 7z archive": (b"7z\xbc\xaf\x27\x1c" + bytes(600), "it is an archive: unpack it"),
    "a RAR archive": (b"Rar!\x1a\x07\x01\x00" + bytes(600), "it is an archive: unpack it"),
    "compress of Unix": (b"\x1f\x9d\x90a" + bytes(600), "it is compressed in a way that is not read: unpack it"),
    "snappy in frames": (b"\xff\x06\x00\x00sNaPpY" + bytes(600), "it is compressed in a way that is not read"),
    "a page": (b"\n<!DOCTYPE html><p>Sign in", "it is a page for a browser"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\n", "it is a pointer of Git LFS"),
    "encrypted Parquet": (b"PARE" + bytes(100), "it is an encrypted Parquet file"),
    "an error of an object store": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "it is XML"),
}


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        (name, suffix)
        for name in REFUSED
        for suffix in (".parquet", ".arrow", ".json", ".npy", ".csv", "")
        if suffix != ".csv" or "objects" not in name  # where a batch says that it is numpy's
    ],
)
def test_what_is_not_read_says_what_to_do_whatever_its_name(name: str, suffix: str, tmp_path: Path) -> None:
    content, problem = REFUSED[name]
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(content)
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError) as raised:
            read(path)
        message = str(raised.value)
        assert message.startswith(f"{path} cannot be read")
        assert problem in message
        assert "\n" not in message


def test_an_unknown_file_says_which_suffixes_are_known(tmp_path: Path) -> None:
    path = tmp_path / "rows.unknown"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidDataError) as raised:
        rows_to_send(path)
    known = str(raised.value).partition("rows are read from ")[2].partition(" files")[0].split(", ")
    assert {".ipc", ".arrows", ".pq", ".jsonlines", ".tsv", ".txt"} < set(known)
    for suffix in known:
        assert is_known(suffix) or format_of(b"a,b\n", suffix) == "csv"


@pytest.mark.parametrize(
    "name", ["parent", "ORCID", "orchid", "PAR1", "FEA1", "ARROW1", "$FL2", "Obj", "MATLAB score", "species,DUCK"]
)
def test_a_column_may_be_named_as_other_formats_begin(name: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{name},last\n{name.count(',') * '1,'}1,2\n")
    names = [*name.split(","), "last"]
    assert rows_to_send(path).column_names == names
    assert by_batch(path).column_names == names


@pytest.mark.parametrize("content", [b'[{"a": 1}]', b'{"a": 1}\n{"a": 2}\n'])
def test_json_that_is_named_csv_is_not_read_as_names(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    assert rows_to_send(path).column_names == ["a"]
    with pytest.raises(InvalidDataError, match="it is a file of the format json"):
        by_batch(path)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_file_without_its_end_or_its_beginning_says_so(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{suffix}"
    table: Any = pa.table({"a": list(range(1000))})
    (pq.write_table if suffix == ".parquet" else feather.write_feather)(table, str(path))
    whole = path.read_bytes()
    for content, problem in (
        (whole[:-20], "it has no end: it was cut off, or its writer not closed"),
        (whole[:200], "it has no end: it was cut off, or its writer not closed"),
        (b"a,b\n1,2\n", "it does not begin as such files do"),
        (b"", "it is empty"),
    ):
        path.write_bytes(content)
        for read in (rows_to_send, by_batch):
            with pytest.raises(InvalidDataError, match=problem):
                read(path)


@pytest.mark.parametrize("suffix", [".csv.gz", ".json.gz", ".parquet.gz", ".npy.gz", ".arrow.gz"])
def test_what_is_compressed_twice_says_so(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(gzip.compress(gzip.compress(b"a,b\n1,2\n")))
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match="it is compressed twice: unpack it once"):
            read(path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("rows.pkl", "it is a pickle"),
        ("rows.joblib", "it is a pickle"),
        ("rows.dta", "it is a file for statistics"),
        ("rows.rds", "it is a file of R"),
        ("rows.csv.br", "it is compressed in a way that is not read: unpack it, or compress it by gzip or zstd"),
        ("rows.unknown", "rows are read from .* files, and it is none|of no known format: name it by format="),
    ],
)
def test_a_name_can_tell_what_is_not_read(name: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"(dp0\nS'a'\np1\n.")
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match=problem):
            read(path)


@pytest.mark.parametrize("name", ["rows", "rows.dat", "rows.csv", "rows.json", "rows.arrow", "rows.unknown"])
def test_the_first_bytes_are_surer_than_the_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    pq.write_table(TABLE, path)
    assert rows_to_send(path).equals(TABLE)


@pytest.mark.parametrize(("content", "rows"), [('[{"a": 1}]', {"a": [1]}), ("a,b\n1,2\n", {"a": [1], "b": [2]})])
def test_a_text_without_a_known_name_is_what_it_looks_like(content: str, rows: dict[str, Any], tmp_path: Path) -> None:
    for name in ("rows", "rows.txt", "rows.dat"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert rows_to_send(path).to_pydict() == rows
        assert by_batch(path).to_pydict() == rows


@pytest.mark.parametrize("kind", ["file", "stream", "parquet", "npy"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_named(kind: str, part: float, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{'parquet' if kind == 'parquet' else 'npy' if kind == 'npy' else 'arrow'}"
    write(kind, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match=path.name) as raised:
            read(path)
        assert "\n" not in str(raised.value)


def write(kind: str, path: Path) -> None:
    rows = pa.table({"a": np.arange(3000.0)})
    if kind == "parquet":
        pq.write_table(rows, path)
    elif kind == "npy":
        np.save(path, np.arange(3000.0))
    else:
        make = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
        with make(str(path), rows.schema) as writer:
            writer.write_table(rows, max_chunksize=1000)


def test_a_stream_that_was_cut_off_between_two_batches_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.arrows"
    write("stream", path)
    path.write_bytes(path.read_bytes()[:-8])
    assert pa.ipc.open_stream(path.read_bytes()).read_all().num_rows == 3000  # nothing else tells
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match="an Arrow stream without its end: it was cut off"):
            read(path)


def bytes_of(kind: str, table: Any) -> bytes:
    """Return a file of one of the formats that programs write."""
    found = io.BytesIO()
    if kind == "parquet":
        pq.write_table(table, found)
    elif kind == "parquet with indexes of pages":
        pq.write_table(table, found, write_page_index=True, row_group_size=100)
    elif kind == "npy":
        np.save(found, table.column("a").to_numpy())
    elif kind == "npz":
        np.savez(found, a=table.column("a").to_numpy())
    else:
        make = pa.ipc.new_stream if "stream" in kind else pa.ipc.new_file
        options = pa.ipc.IpcWriteOptions(compression="zstd" if "compressed" in kind else None)
        with make(found, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=100)
    return found.getvalue()


SIZES = {"none": 0, "one": 1, "some": 3, "many": 5000}
PARTS = [
    pa.table({"a": np.arange(float(size)), "s": pa.array([f"text {n}" for n in range(size)], pa.string())})
    for size in SIZES.values()
]


@pytest.mark.parametrize("one", PARTS, ids=SIZES)
@pytest.mark.parametrize("other", PARTS, ids=SIZES)
@pytest.mark.parametrize(
    ("kind", "suffix", "problem"),
    [
        ("file", ".arrow", "it is several Arrow files, one after another: write each to a file of its own"),
        ("compressed file", ".arrow", "it is several Arrow files, one after another: write each to a file of its own"),
        ("parquet", ".parquet", "it is several Parquet files, one after another: write each to a file of its own"),
        ("parquet with indexes of pages", ".parquet", "it is several Parquet files, one after another"),
        ("npz", ".npz", "it is several zip files, or arrays of one name: save the arrays anew by numpy.savez"),
        ("npy", ".npy", "it goes on behind its array: save several arrays by numpy.savez"),
    ],
)
def test_joined_files_are_not_read_as_one_of_them(
    one: Any, other: Any, kind: str, suffix: str, problem: str, tmp_path: Path
) -> None:
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(bytes_of(kind, one))
    for read in (rows_to_send, by_batch):
        assert read(path).num_rows == one.num_rows
    for content in (bytes_of(kind, one) + bytes_of(kind, other), 2 * bytes_of(kind, other) + bytes_of(kind, one)):
        path.write_bytes(content)
        for source in (path, io.BytesIO(content)):
            with pytest.raises(InvalidDataError, match=problem):
                rows_to_send(source)
        with pytest.raises(InvalidDataError, match=problem):
            by_batch(path)


def packed(*members: tuple[str, bytes]) -> bytes:
    """Return a zip file with these members, whatever their names."""
    found = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(found, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        for name, content in members:
            archive.writestr(name, content)
    return found.getvalue()


ARRAY = bytes_of("npy", TABLE)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (packed(("a.npy", ARRAY), ("a.npy", ARRAY)), "arrays of one name"),
        (packed(("a.npy", ARRAY * 2)), "it goes on behind its array"),
        (packed(("a.npy", ARRAY)) + ARRAY, "it is several zip files"),
        (ARRAY + packed(("a.npy", ARRAY)), "it goes on behind its array"),
        (packed(("a.npy", ARRAY)).replace(ARRAY, ARRAY[:-1] + b"x"), "it cannot be unpacked: Bad CRC-32"),
        (packed(("a.npy", ARRAY[:-1])), "it has fewer values than it says"),
        (packed(), "it is a zip file"),
    ],
)
def test_no_array_of_a_zip_file_is_lost(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    path.write_bytes(content)
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match=problem):
            read(path)


@pytest.mark.parametrize("one", PARTS, ids=SIZES)
@pytest.mark.parametrize("other", PARTS, ids=SIZES)
@pytest.mark.parametrize("kind", ["stream", "compressed stream"])
def test_joined_streams_are_read_one_after_another(one: Any, other: Any, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.arrows"
    content = bytes_of(kind, one) + bytes_of(kind, other) + bytes_of(kind, one)
    path.write_bytes(content)
    whole = pa.concat_tables([one, other, one])
    for table in (rows_to_send(path), by_batch(path), rows_to_send(io.BytesIO(content))):
        assert table.to_pydict() == whole.to_pydict()


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (bytes_of("stream", TABLE.rename_columns(["b"])), "several Arrow streams one after another"),
        (bytes_of("stream", pa.table({"a": [1]})), "several Arrow streams one after another"),
        (b"some text" + b"\xff\xff\xff\xff\0\0\0\0", "it goes on behind the end of its Arrow stream"),
        (bytes_of("file", TABLE), "an Arrow stream without its end"),
    ],
)
def test_what_follows_a_stream_is_not_lost(more: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.arrows"
    path.write_bytes(bytes_of("stream", TABLE) + more)
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match=problem):
            read(path)


class Keys(encryption.KmsClient):
    """Keys that anybody may read."""

    def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, _: str) -> bytes:
        return base64.b64decode(wrapped_key)


def keys_for(_: Any) -> Keys:
    return Keys()


@pytest.mark.parametrize("columns", [["a"], ["b"], ["a", "b"]])
def test_encrypted_columns_end_in_a_sentence_and_not_the_process(columns: list[str], tmp_path: Path) -> None:
    rows = pa.table({"a": [1.5], "b": ["x"]})
    wanted = encryption.EncryptionConfiguration("footer", column_keys={"key": columns}, plaintext_footer=True)
    factory = encryption.CryptoFactory(keys_for)
    properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), wanted)
    path = tmp_path / "rows.parquet"
    with pq.ParquetWriter(path, rows.schema, encryption_properties=properties) as writer:
        writer.write_table(rows)
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match="it has encrypted columns: decrypt them with their keys"):
            read(path)


def test_the_days_of_spark_end_in_9999(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow alone would read them as days of 1816."""
    from wallaroo_ext.inference.files.forms import parquet_files

    path = tmp_path / "rows.parquet"
    table = pa.table({"t": pa.array([253402214400000000], pa.timestamp("us"))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    assert pq.ParquetFile(path).schema.column(0).physical_type == "INT96"
    monkeypatch.setattr(parquet_files, "_ARROW", "another program")
    for read in (rows_to_send, by_batch):
        assert str(read(path).column("t")[0]) == "9999-12-31 00:00:00"


def test_an_array_is_mapped_to_memory_and_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.zeros((1 << 20, 4)))
    before = pa.total_allocated_bytes()
    table = rows_to_send(path, missing="nan")
    assert table.num_rows == 1 << 20
    assert pa.total_allocated_bytes() - before < 1 << 20
