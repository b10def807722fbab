"""Is each value of a CSV file read as it is written, whatever the file's quoting, length and spelling?"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_tests.support.data.batch_rows import csv_content
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files import csv_files
from wallaroo_ext.inference.files.csv_files import CsvFile
from wallaroo_ext.inference.files.csv_types import ColumnType, from_texts
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from pathlib import Path

arrow: Any = pa
PARTS = st.sampled_from(["a", '"', "\n", "\r\n", "\r", ",", "é", " ", 'x"y', "", "NA", "00123"])


def rows_of(content: bytes, block: int | None = None, skip: int = 0) -> list[list[str]]:
    """Return the rows of a file, as they are read in blocks of so many bytes."""
    file = CsvFile(lambda: io.BytesIO(content), block=block)
    return [list(row.values()) for batch in file.texts(skip=skip) for row in batch.to_pylist()]


def with_header(rows: list[list[str]], line_end: str, *, quoted: bool) -> bytes:
    """Return rows as CSV under the names `c0`, `c1` and so on."""
    names = [f"c{n}" for n in range(len(rows[0]) if rows else 2)]
    return csv_content([names, *rows], line_end=line_end, quoted=quoted)


class TestReading:
    @settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.integers(2, 3).flatmap(
            lambda width: st.lists(
                st.lists(st.lists(PARTS, max_size=6).map("".join), min_size=width, max_size=width), max_size=12
            )
        ),
        st.sampled_from(["\n", "\r\n"]),
        st.booleans(),
        st.sampled_from([0, 1, 2]),
        st.integers(8, 70),
    )
    def test_every_text_is_the_one_that_was_written_wherever_a_block_ends(
        self, rows: list[list[str]], line_end: str, quoted: Any, cut: int, block: int
    ) -> None:
        content = with_header(rows, line_end, quoted=quoted)
        if cut == 1 and content.endswith(line_end.encode()):
            content = content[: -len(line_end)]
        if cut == 2:
            content += b"\r\n\n"
        names, *expected = [row for row in csv.reader(io.StringIO(content.decode(), newline="")) if row]
        if any(len(row) != len(names) for row in expected):
            with pytest.raises(InvalidDataError, match=r"row \d+ has \d+ fields"):
                rows_of(content, block)
            return
        assert rows_of(content, block) == expected
        assert rows_of(content, block, skip=1) == expected[1:]

    @pytest.mark.parametrize("line_end", ["\n", "\r\n"])
    def test_a_megabyte_of_quoted_line_breaks(self, tmp_path: Path, line_end: str) -> None:
        rows = [[str(n), f'{n}{line_end}"second" line,{line_end}'] for n in range(60_000)]
        content = with_header(rows, line_end, quoted=False)
        assert len(content) > 1 << 20
        (tmp_path / "rows.csv").write_bytes(content)
        table: Any = to_table(tmp_path / "rows.csv")
        assert table.column("c0").to_pylist() == list(range(60_000))
        assert table.column("c1").to_pylist() == [row[1] for row in rows]

    def test_a_field_longer_than_a_block(self) -> None:
        long = "line\r\n" * 500_000
        rows = [["1", "a"], ["2", long], ["3", "b"]]
        assert rows_of(with_header(rows, "\n", quoted=False)) == rows

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"a,b\n1,2", [["1", "2"]]),
            (b"\xef\xbb\xbfa,b\n1,2\n", [["1", "2"]]),
            (b"a,b\r1,2\r3,4", [["1", "2"], ["3", "4"]]),
            (b"\n\na,b\n\n1,2\n\n\n", [["1", "2"]]),
            (b"a,b", []),
            (b"a,b\n", []),
            (b"", []),
            (b"\r\n", []),
            (b'a,b\n1,x"y\n', [["1", 'x"y']]),
            (b'a\nx\n""\ny\n\n\n', [["x"], [""], ["y"]]),
            (b'"a\nb",c\n1,2', [["1", "2"]]),
            ('a,b\n1\ufeff,"\ufeff"\n'.encode(), [["1\ufeff", "\ufeff"]]),
            ("\ufeff\ufeff\ufeffa,b\n1,2\n".encode(), [["1", "2"]]),
            (b"a\na\n", [["a"]]),
            (b"0,1\n0,1\n", [["0", "1"]]),
            (b"a,b\na,c\nc,b\nA,B\nb,a\n", [["a", "c"], ["c", "b"], ["A", "B"], ["b", "a"]]),
        ],
    )
    def test_unusual_files(self, content: bytes, expected: list[list[str]]) -> None:
        for block in (8, None):
            assert rows_of(content, block) == expected

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"a,a\n1,2\n", "two columns have the name 'a'"),
            (b"a,\n1,2\n", "column 1 of the header has no name"),
            (b"\n \t \n\n", "its first line is blank"),
            ('a,b\n1,2\n\ufeff1,"x"\n'.encode(), "row 1 begins with a byte order mark, as if files had been joined"),
            ('\ufeffa\n\ufeff"x"\n'.encode(), "row 0 begins with a byte order mark"),
            ("\ufeffa,b\n1,2\n3,4\n\ufeffa,b\n1,2\n".encode(), "row 2 begins with a byte order mark"),
            (b"a,b\n1,2\n3,4\na,b\n1,2\n", "row 2 is the line of names again, as if files had been joined: remove"),
            ("\ufeffï»¿a,b\n1,2\n".encode(), "its first name, 'ï»¿a', begins with a byte order mark that was read as"),
            ("\n\ufeffa,b\n1,2\n".encode(), r"its first name, '\\ufeffa', begins with a byte order mark"),
            (b'a,0\n1,2\n"a","0"\n1,2\n', "row 1 is the line of names again"),
            (b"a,b\n1,2\n3\n", "row 1 has 1 fields, and the line of names has 2: '3'"),
            (b"a,b\n1,2,3\n", "row 0 has 3 fields"),
            (b'a,b\n1,"2\n3,4\n', "a quote that begins a field is never closed"),
            (b'a\n1\n"2\n3\n', "a quote that begins a field is never closed"),
            (b'a,b\n1,"2,3\n', "a quote that begins a field is never closed"),
            (b'a,b\n1,2\n"3,4\n5,6\n', "row 1: a quote that begins a field is never closed.$"),
            (b'a,b,c\n1,"2,3\n4,5,6', "row 0: a quote that begins a field is never closed.$"),
            (b'a,"b\n1,2\n', "the line of names cannot be read"),
            ("größe,b\n1,2\n".encode("cp1252"), "not in UTF-8"),
            ("a,b\n1,größe\n".encode("cp1252"), "not in UTF-8"),
            ('a,b\n\0,"é,,,'.encode(), "has a NUL"),
            (b"a\0,b\n1,2\n", "has a NUL"),
            ("a,b\n1,2\n".encode("utf-16-le"), "has a NUL"),
            (b"a\n1\n\n2\n", 'write ""'),
            (b'a,b\n1,"x"y\n', "goes on behind the quote"),
            (b'a,b\n1,"x" \n', "goes on behind the quote"),
            (b'a,b\n1,"x\\"y"\n', "goes on behind the quote"),
            (b'a,b\n1,""x\n', "goes on behind the quote"),
        ],
    )
    def test_what_two_readers_could_read_differently_is_refused(
        self, tmp_path: Path, content: bytes, message: str
    ) -> None:
        with pytest.raises(InvalidDataError, match=message):
            rows_of(content)
        (tmp_path / "rows.csv").write_bytes(content)
        with pytest.raises(InvalidDataError, match=rf"rows\.csv cannot be read as a \.csv file: .*{message}"):
            to_table(tmp_path / "rows.csv")

    @pytest.mark.parametrize("block", [8, 9, 10, 11, 12, 13])
    @pytest.mark.parametrize("field", ['"some ""text"" here"more', '"a\n,b"c', '"""a"b', '"a"""b"c'])
    def test_a_field_behind_its_quote_is_found_wherever_a_block_ends(self, field: str, block: int) -> None:
        fine = '1,"a ""b"", c"\n2,""\n3,x"y"z\n4,""""\n'
        with pytest.raises(InvalidDataError, match="goes on behind the quote"):
            rows_of(f"a,b\n{fine}5,{field}\n6,7\n".encode(), block)
        assert rows_of(f"a,b\n{fine}".encode(), block)[2:] == [["3", 'x"y"z'], ["4", '"']]

    @pytest.mark.parametrize("block", [8, 9, 10, 11, 12, 13])
    def test_an_empty_line_between_rows_is_found_wherever_a_block_ends(self, block: int) -> None:
        with pytest.raises(InvalidDataError, match='write ""'):
            rows_of(b"a\n123\n456\n789\n\n123\n456\n", block)

    def test_a_row_longer_than_the_largest_block_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(csv_files, "_MAX_BLOCK_BYTES", 1 << 10)
        with pytest.raises(InvalidDataError, match="a row has more than 1,024 bytes"):
            rows_of(b"a,b\n1," + b"x" * 5000 + b"\n", 1 << 10)

    def test_a_row_far_behind_is_counted(self) -> None:
        content = b"a,b\n" + b'1,"x\ny"\n' * 200_000 + b"1\n"
        with pytest.raises(InvalidDataError, match="row 200000 has 1 fields"):
            rows_of(content)

    def test_a_first_column_without_a_name_is_an_index(self, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_text(",a\n0,1.5\n1,2.5\n", encoding="utf-8")
        assert to_table(tmp_path / "rows.csv").to_pydict() == {"a": [1.5, 2.5]}
        assert to_table(tmp_path / "rows.csv", index=[""]).to_pydict() == {"": [0, 1], "a": [1.5, 2.5]}


KINDS: list[tuple[list[str], str, list[Any]]] = [
    (["1", "-2"], "int64", [1, -2]),
    (["-9223372036854775808", "9223372036854775807"], "int64", [-(2**63), 2**63 - 1]),
    (["0", "18446744073709551615"], "uint64", [0, 2**64 - 1]),
    (["1", "1.5"], "double", [1.0, 1.5]),
    (["1E5", ".5", "5.", "-0.0"], "double", [1e5, 0.5, 5.0, -0.0]),
    (["9007199254740992", "0.5"], "double", [2.0**53, 0.5]),
    (["1152921504606846976", "0.5"], "double", [2.0**60, 0.5]),
    ([" 1", "2\t"], "int64", [1, 2]),
    (["1", "", "NA", "null"], "int64", [1, None, None, None]),
    (["inf", "-inf", "1"], "double", [float("inf"), float("-inf"), 1.0]),
    (["true", "False", ""], "bool", [True, False, None]),
    (["true", "1"], "string", ["true", "1"]),
    (["1", "true"], "string", ["1", "true"]),
    (["", "", "x"], "string", ["", "", "x"]),
    (["", ""], "null", [None, None]),
    (["NA", "NA"], "string", ["NA", "NA"]),
    (["NA", "DE", "", "null", "N/A", "#N/A", "nan"], "string", ["NA", "DE", "", "null", "N/A", "#N/A", "nan"]),
    (["00123", "5"], "string", ["00123", "5"]),
    (["1.5", "007"], "string", ["1.5", "007"]),
    (["+1", "2"], "string", ["+1", "2"]),
    (["+5.5", "+9.5"], "string", ["+5.5", "+9.5"]),
    (["+5.5", "+9.0"], "string", ["+5.5", "+9.0"]),
    (["1.5", " +2.5"], "string", ["1.5", " +2.5"]),
    (["007.5", "-00.5", "00."], "double", [7.5, -0.5, 0.0]),
    (["0x10"], "string", ["0x10"]),
    (["1_000", "1"], "string", ["1_000", "1"]),
    (["1,000"], "string", ["1,000"]),
    ([" x", "1 "], "string", [" x", "1 "]),
    (["2024-01-01"], "string", ["2024-01-01"]),
    (["2024-01-01T00:00:00+02:00"], "string", ["2024-01-01T00:00:00+02:00"]),
    (["12:00:00"], "string", ["12:00:00"]),
    (["Nan"], "string", ["Nan"]),
]


def typed(chunks: list[list[str]]) -> tuple[str, list[Any]]:
    found = ColumnType("x")
    first = 0
    for chunk in chunks:
        found.add(arrow.array(chunk, arrow.string()), "rows.csv", first)
        first += len(chunk)
    kind = found.kind
    values = [v for chunk in chunks for v in from_texts(arrow.array(chunk, arrow.string()), kind).to_pylist()]
    return str(kind), values


class TestTypes:
    @pytest.mark.parametrize(("texts", "kind", "values"), KINDS)
    def test_a_type_holds_all_texts_exactly_in_whatever_pieces_they_come(
        self, texts: list[str], kind: str, values: list[Any]
    ) -> None:
        for chunks in ([texts], [[text] for text in texts], [texts[:1], texts[1:]]):
            assert typed(chunks) == (kind, values)

    def test_no_number_is_one(self) -> None:
        kind, [value, _] = typed([["nan", "1.5"]])
        assert (kind, value == value) == ("double", False)  # noqa: PLR0124 - so NaN is found

    @pytest.mark.parametrize(
        "texts",
        [
            ["0.5", "9007199254740993"],
            ["9007199254740993", "0.5"],
            ["18446744073709551617"],
            ["18446744073709551615", "-1"],
            ["-9223372036854775809"],
            ["1e400"],
            ["1e-400", "1"],
        ],
    )
    def test_numbers_that_no_type_has_are_refused_with_their_row(self, texts: list[str]) -> None:
        for chunks in ([["1"], texts], [["1"], *([text] for text in texts)]):
            with pytest.raises(InvalidDataError, match=r"rows\.csv, row [12]: .*column 'x'.*`types`"):
                typed(chunks)

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("0xFF", "int8"),
            ("0XFFFFFFFFFFFFFFFF", "int64"),
            ("0x10", "uint8"),
            ("1e400", "float64"),
            ("1e39", "float32"),
            ("-70000", "float16"),
        ],
    )
    def test_a_named_type_makes_no_other_number_of_a_text(self, text: str, kind: str) -> None:
        with pytest.raises(arrow.ArrowInvalid):
            from_texts(arrow.array([" 1", text, ""]), arrow.type_for_alias(kind))

    def test_infinite_numbers_are_some_of_a_named_type(self) -> None:
        found = from_texts(arrow.array(["inf", " -Infinity", "+inf", "0.1"]), arrow.float32())
        assert found.to_pylist()[:3] == [float("inf"), float("-inf"), float("inf")]

    def test_a_type_that_changes_behind_the_first_megabyte(self, tmp_path: Path) -> None:
        for last, kind in (("1.5", "double"), ("x", "string")):
            (tmp_path / "rows.csv").write_text("a,b\n" + "1,1\n" * 400_000 + f"2,{last}\n", encoding="utf-8")
            table: Any = to_table(tmp_path / "rows.csv")
            assert [str(each) for each in table.schema.types] == ["int64", kind]
            assert str(table.column("b")[-1].as_py()) == last
