"""Is JSON read as what its writer meant, piece by piece, and is what cannot be meant refused with its place?"""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.extension.inference.files.forms.test_kinds_of_files import by_batch
from wallaroo_ext import InvalidDataError
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.inference.files.forms import json_files, json_stream
from wallaroo_ext.inference.files.forms.json_files import JsonFile
from wallaroo_ext.inference.inputs.rows import rows_to_send

if TYPE_CHECKING:
    from collections.abc import Callable

pa: Any = import_module("pyarrow")

NAMES = st.text(st.characters(codec="utf-8", categories=["L", "P"]), min_size=1, max_size=4)
SAFE = st.integers(-(2**53), 2**53)
COLUMNS = st.sampled_from(
    [
        SAFE,
        SAFE | st.floats(allow_nan=False, allow_infinity=False),
        st.floats(),
        st.text(st.characters(codec="utf-8"), max_size=3),
        st.booleans(),
        st.none() | st.text(max_size=2),
        st.integers(2**62, 2**64 - 1),
        st.lists(st.floats(allow_nan=False), max_size=3),
    ]
)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Return columns with names that are no labels of rows."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    rows = draw(st.integers(1, 5))
    return {name: draw(st.lists(draw(COLUMNS), min_size=rows, max_size=rows)) for name in names}


def rows_of(frame: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(frame, values, strict=True)) for values in zip(*frame.values(), strict=True)]


ORIENTATIONS: dict[str, Callable[[dict[str, list[Any]]], str]] = {
    "records": lambda frame: json.dumps(rows_of(frame), indent=1),
    "lines": lambda frame: "\n".join(map(json.dumps, rows_of(frame))),
    "joined": lambda frame: "".join(map(json.dumps, rows_of(frame))),
    "split": lambda frame: json.dumps(
        {"columns": list(frame), "index": [], "data": [list(row.values()) for row in rows_of(frame)]}
    ),
    "columns": lambda frame: json.dumps(
        {name: {str(row): value for row, value in enumerate(values)} for name, values in frame.items()}
    ),
    "index": lambda frame: json.dumps({str(7 - row): record for row, record in enumerate(rows_of(frame))}),
    "lists": json.dumps,
}


@pytest.mark.parametrize("orient", ORIENTATIONS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(frame=frames(), piece=st.integers(1, 3), size=st.integers(1, 40))
def test_every_orientation_has_the_same_rows(orient: str, frame: dict[str, list[Any]], piece: int, size: int) -> None:
    """However long the pieces are in which a file is read and parsed."""
    suffix = ".jsonl" if orient in {"lines", "joined"} else ".json"
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_files, "_PIECE_ROWS", piece)
        patch.setattr(json_stream, "_PIECE_BYTES", size)
        path = Path(directory) / f"rows{suffix}"
        path.write_text(ORIENTATIONS[orient](frame), encoding="utf-8")
        expected = rows_to_send(frame, missing="nan")
        assert repr(rows_to_send(path, missing="nan").to_pydict()) == repr(expected.to_pydict())
        assert repr(by_batch(path).to_pydict()) == repr(expected.to_pydict())
        assert by_batch(path).schema.equals(expected.schema)


class Endless:
    """A file that does not end, of records or of lines."""

    def __init__(self, begin: bytes, record: bytes) -> None:
        self.given = 0
        self._pieces = itertools.chain([begin], itertools.repeat(record * 1000))

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes."""
        found = b""
        while len(found) < size:
            found += next(self._pieces)
        self.given += len(found)
        return found

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(("begin", "record"), [(b"", b'{"a": 1}\n'), (b'[{"a": 0}', b',{"a": 1}'), (b"[[0]", b",[1]")])
def test_rows_come_before_the_file_has_ended(begin: bytes, record: bytes) -> None:
    source = Endless(begin, record)
    pieces = JsonFile(lambda: source, ".json").pieces()
    assert [next(pieces).first for _ in range(3)] == [0, 16_384, 32_768]
    assert source.given < 1 << 20


def read(tmp_path: Path, content: str | bytes, *, suffix: str = ".json", columns: list[str] | None = None) -> Any:
    """Return the rows of a JSON file, which runs over many rows refuse in the same words, or read alike."""
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    by_infer, by_run = outcome(lambda: rows_to_send(path, columns, missing="nan")), outcome(lambda: by_batch(path))
    assert columns is not None or repr(by_infer) == repr(by_run)
    if isinstance(by_infer, InvalidDataError):
        raise by_infer
    return by_infer


def outcome(read_it: Callable[[], Any]) -> Any:
    """Return the columns that are read, or the error."""
    try:
        return read_it().to_pydict()
    except InvalidDataError as error:
        return error


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"a": 1}\n{"a": 2}\n{"a": ', "ends within the value that begins in line 3: it was cut off"),
        ('{"a": 1}\n{"a": "x', "ends within the value that begins in line 2"),
        ('[{"a": 1},\n{"a": 2}', "ends within the value that begins in line 2"),
        ('[{"a": 1},\n', "line 2 has '' where a record or a list has to be"),
        ('{"a": 1}\n\n{"a": x}\n', "line 3 is no JSON: expecting value: 'x}'"),
        ("{'a': 1}", "line 1 is no JSON: expecting property name"),
        ('[{"a": 1}\n{"a": 2}]', "line 2 has '{' where ',' or ']' has to be"),
        ('[{"a": 1}]\n[{"a": 2}]', "line 2 goes on after the end of the list"),
        ('{"a": 1}\n[2]', "row 1, line 2, is no record"),
        ('[[1],\n{"a": 2}]', "row 1, line 2, is no list"),
        ('{"a": 1}\n{"a": 2, "a": 3}', "line 2: an object has the name 'a' twice"),
        ('[{"a": {"b": 1, "b": 1}}]', "line 1: an object has the name 'b' twice"),
        ('{"a": 1}\n{"a":\n1e400}', "line 3: the number 1e400 is beyond those of 64 bits"),
        ('{"a": 1}\n{"a": -1e-400}', "line 2: the number -1e-400 is beyond those of 64 bits"),
        (f'{{"a": {"9" * 5000}}}', "line 1 has a whole number with thousands of digits"),
        ('[{"a": 1}, {"a": 18446744073709551616}]', "The column 'a' cannot be read: row 1, 18446744073709551616: "),
        ('[{"a": 1}, {"a": "1"}]', "The column 'a' cannot be read: row 1, '1': "),
        ('[{"a": true}, {"a": 1}]', "The column 'a' cannot be read: row 1, 1: the column has booleans and numbers"),
        ('[{"a": [1]}, {"a": 1}]', "The column 'a' cannot be read: row 1, 1: "),
        ('[1, "x"]', "line 1 has '1, \"x\"]' where a record or a list has to be"),
        ("", "it is empty: rows are a list of records"),
        (" \n", "it is empty: rows are a list of records"),
        ("[]", "it is an empty list"),
        ("{}", "it is an empty object"),
        ("[{}]", "its records have no fields"),
        (
            "a,b\n1,2\n",
            "it begins with 'a', and rows in JSON with '[' or '{': write records, or give its name the suffix",
        ),
        ("[{}][{}]", "line 1 goes on after the end of the list: write one list, or a record on each line"),
        ('[{"a": 1}, {"a": "1"}]', "row 1, '1': the column has texts and numbers"),
        ('[{"a": "1"}, {"a": false}]', "row 1, False: the column has texts and booleans"),
        (b'{"a": "x"}\n{"a": "\xfc"}', "not in UTF-8: byte 0xfc in line 2"),
        ('{"a": [1], "b": [1, 2]}', "'a' 1 and 'b' 2; if it is one record, write it in a list"),
        ('{"columns": ["a", "b"], "data": [[1, 2], [3]]}', "row 1 of its `data` is no list of 2 values"),
        ('{"columns": ["a", "a"], "data": [[1, 2]]}', "two columns have the name 'a'"),
        ('{"columns": [["a", "x"]], "data": [[1]]}', "rename them to texts"),
        ('{"a": {"0": 1}, "b": {"1": 1}}', "its objects 'a' and 'b' have other names"),
        ('{"p": {"x": 1}, "q": {"x": 2}}', "an object of objects, which may be columns or rows"),
        ("[[1, true]]", "row 0, line 1, is a list of numbers and other values, which is no vector"),
        ('{"schema": {"fields": [{"name": "a"}]}, "data": [{"b": 1}]}', "row 0 of its `data` has other fields"),
        ('{"schema": {"fields": [{"name": "a", "type": "duration"}]}, "data": []}', "'a' has durations as texts"),
        ('{"schema": {"fields": [{"name": "a", "type": "number"}]}, "data": [{"a": "x"}]}', "'a' has other values"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, content: str | bytes, problem: str) -> None:
    with pytest.raises(InvalidDataError) as raised:
        read(tmp_path, content)
    message = str(raised.value)
    assert problem in message
    assert message.startswith(f"{tmp_path / 'rows.json'} cannot be read as a .json file: ")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('[{"a": NaN}, {"a": Infinity}, {"a": -Infinity}]', {"a": [float("nan"), float("inf"), -float("inf")]}),
        ('[{"a": 1}, {"a": 18446744073709551615}]', {"a": [1, 2**64 - 1]}),
        ('[{"a": "1"}, {"a": "2"}]', {"a": ["1", "2"]}),
        ('[{"a": 1, "s": "x"}, {"s": "y", "a": 2}]', {"a": [1, 2], "s": ["x", "y"]}),
        ('[{"a": 1}, {"b": "x"}]', {"a": [1.0, float("nan")], "b": [None, "x"]}),
        ('[{"a": {"x": 1, "y": [2]}}]', {"a": [{"x": 1, "y": [2]}]}),
        ('{"0": {"0": 1, "1": 2}, "1": {"0": 3, "1": 4}}', {"0": [1, 2], "1": [3, 4]}),
        ('{"2020-01-01": {"a": 1}, "2020-01-02T00:00": {"a": 2}}', {"a": [1, 2]}),
        ('{"a": {"1577836800000": 1}}', {"a": [1]}),
        ('{"a": {"x": 1}, "b": 2}', {"a": [{"x": 1}], "b": [2]}),
        ('{"columns": [0, 1.5], "data": [[1, 2]]}', {"0": [1], "1.5": [2]}),
        ('{"columns": ["a"], "data": []}', {"a": []}),
        ('{"columns": [1, 2], "data": [3, 4], "x": [5, 6]}', {"columns": [1, 2], "data": [3, 4], "x": [5, 6]}),
        ("[[1, 2.5], [3, null]]", {"tensor": [[1.0, 2.5], [3.0, float("nan")]]}),
        ('[{"outputs": [1.5, 2.5]}]', {"outputs": [[1.5, 2.5]]}),
        ('[{"data": {"x": 1}}, {"data": {"x": 2}}]', {"data": [{"x": 1}, {"x": 2}]}),
        ('[{"data": {"x": [1]}}]', {"data": [{"x": [1]}]}),
        ('[{"instances": [1.5, 2.5]}, {"instances": [3.5, 4.5]}]', {"instances": [[1.5, 2.5], [3.5, 4.5]]}),
        ('{"instances": [{"instances": [1.5]}]}', {"instances": [[1.5]]}),
        ('[{"original_data": {"a": 1}}]', {"original_data": [{"a": 1}]}),
        ('[{"t": 1577836800000, "u": "2020-01-01"}]', {"t": [1577836800000], "u": ["2020-01-01"]}),
    ],
)
def test_what_has_one_meaning_is_read(tmp_path: Path, content: str, rows: dict[str, list[Any]]) -> None:
    assert repr(read(tmp_path, content)) == repr(rows)


def test_columns_decide_what_an_object_of_objects_is(tmp_path: Path) -> None:
    content = '{"p": {"x": 1, "y": 2}, "q": {"x": 3, "y": 4}}'
    assert read(tmp_path, content, columns=["q"]) == {"q": [3, 4]}
    assert read(tmp_path, content, columns=["y", "x"]) == {"y": [2, 4], "x": [1, 3]}


def test_columns_name_the_values_of_lists(tmp_path: Path) -> None:
    assert read(tmp_path, '[[1, "x"], [2, "y"]]', columns=["n", "s"]) == {"n": [1, 2], "s": ["x", "y"]}
    with pytest.raises(InvalidDataError, match="row 1, line 2, has 3 values for 2 columns"):
        read(tmp_path, "[[1, 2],\n[1, 2, 3]]", columns=["a", "b"])


def test_the_schema_of_a_table_gives_its_types(tmp_path: Path) -> None:
    fields = [
        {"name": "i", "type": "integer"},
        {"name": "t", "type": "datetime"},
        {"name": "z", "type": "datetime", "tz": "UTC"},
        {"name": "far", "type": "datetime"},
        {"name": "n", "type": "number"},
    ]
    row = {"i": 7, "t": "2020-01-02T03:04:05.678", "z": "2020-01-02T03:04:05Z", "far": "9999-12-31T00:00:00", "n": 1}
    content = {"schema": {"fields": fields, "primaryKey": ["i"], "pandas_version": "1.4.0"}, "data": [row]}
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    for read_it in (rows_to_send, by_batch):
        schema: Any = read_it(path).schema
        kinds = {field.name: str(field.type) for field in schema}
        assert kinds == {"t": "timestamp[ns]", "z": "timestamp[ns, tz=UTC]", "far": "timestamp[us]", "n": "double"}
    assert rows_to_send(path, ["i"]).to_pydict() == {"i": [7]}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5], "double"),
        ([None, "x"], "string"),
        ([1, 2**64 - 1], "uint64"),
        ([[], [1]], "list<item: int64>"),
        ([[1], [0.5]], "list<item: double>"),
    ],
)
def test_the_pieces_of_a_file_have_one_type(
    tmp_path: Path, values: list[Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "_PIECE_ROWS", 1)
    assert read(tmp_path, json.dumps([{"a": value} for value in values])) == {"a": values}
    source = open_source(tmp_path / "rows.json")
    assert str(source.decide().schema.field("a").type) == kind


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([1, "x"], "its values are of type int64, and of type string from about row 1 on"),
        ([1, 0.5, "x"], "its values are of type int64, and of type string from about row 2 on"),
        ([2**53 + 1, 0.5], "9007199254740993 in row 0 has no place among the others"),
        ([-1, 2**64 - 1], "18446744073709551615 in row 1 has no place|-1 in row 0 has no place"),
    ],
)
def test_pieces_without_one_type_are_refused_before_a_row_is_sent(
    tmp_path: Path, values: list[Any], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "_PIECE_ROWS", 1)
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"a": value} for value in values]), encoding="utf-8")
    with pytest.raises(InvalidDataError, match=problem):
        open_source(path).decide()
    with pytest.raises(InvalidDataError, match="The column 'a' cannot be read"):
        rows_to_send(path)


def test_the_row_of_a_refused_value_is_counted_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "_PIECE_ROWS", 2)
    with pytest.raises(InvalidDataError, match="row 5, 1: "):
        read(tmp_path, json.dumps([{"a": "x"}] * 4 + [{"a": "y"}, {"a": 1}]))


def test_records_with_ever_other_fields_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_files, "_MOST_FIELDS", 100)
    content = "".join(json.dumps({f"field {number}": 1}) for number in range(102)).encode()
    with pytest.raises(InvalidDataError, match="more than 100 fields"):
        list(JsonFile(lambda: io.BytesIO(content), ".jsonl").pieces())
