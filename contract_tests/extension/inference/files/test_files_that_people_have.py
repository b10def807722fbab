"""Is each file that programs of all kinds write read as it is meant, or refused with what to do?"""

from __future__ import annotations

import gzip
import io
import sys
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from contract_tests.support.data.packed import PACKED
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.texts.text_options import TextOptions
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from pathlib import Path

arrow: Any = pa

GERMAN = "Größe;Gewicht\r\n1,5;2\r\n-0,25;3\r\n"
GERMAN_ROWS = {"Größe": [1.5, -0.25], "Gewicht": [2, 3]}
WITH_COMMAS = {"decimal": ","}

READ: list[tuple[str, str, bytes, dict[str, Any], dict[str, list[Any]]]] = [
    ("Excel in German", "a.csv", GERMAN.encode("cp1252"), {"encoding": "cp1252"} | WITH_COMMAS, GERMAN_ROWS),
    ("Excel's CSV UTF-8 in German", "a.csv", GERMAN.encode("utf-8-sig"), WITH_COMMAS, GERMAN_ROWS),
    ("Excel's Unicode Text", "a.txt", GERMAN.replace(";", "\t").encode("utf-16"), WITH_COMMAS, GERMAN_ROWS),
    ("the same in the other order", "a.txt", b"\xfe\xff" + "ä\tb\n1\t2".encode("utf-16-be"), {}, {"ä": [1], "b": [2]}),
    ("texts with commas", "a.csv", GERMAN.encode(), {"decimal": "."}, {"Größe": ["1,5", "-0,25"], "Gewicht": [2, 3]}),
    ("Excel with sep=", "a.csv", b"sep=;\r\na;b\r\n1;2\r\n", {}, {"a": [1], "b": [2]}),
    ("the same with a mark", "a.csv", b"\xef\xbb\xbfsep=|\na|b\n1|2\n", {}, {"a": [1], "b": [2]}),
    ("the same in quotes", "a.csv", b'"sep=;"\na;b\n1;2\n', {"delimiter": ";"}, {"a": [1], "b": [2]}),
    (
        "Excel in French",
        "a.csv",
        "âge;né\r\n30;été\r\n".encode("cp1252"),
        {"encoding": "cp1252"},
        {"âge": [30], "né": ["été"]},
    ),
    (
        "Excel in Japanese",
        "a.csv",
        "商品,価格\r\nりんご,120\r\n".encode("cp932"),
        {"encoding": "shift_jis"},
        {"商品": ["りんご"], "価格": [120]},
    ),
    (
        "Excel in Chinese",
        "a.csv",
        "名称,价格\r\n苹果,5\r\n".encode("gbk"),
        {"encoding": "gbk"},
        {"名称": ["苹果"], "价格": [5]},
    ),
    ("Excel in Polish", "a.csv", "łódź;b\r\n1;2\r\n".encode("cp1250"), {"encoding": "cp1250"}, {"łódź": [1], "b": [2]}),
    (
        "Excel on an old Mac",
        "a.csv",
        "größe;b\r1;2\r".encode("mac_roman"),
        {"encoding": "macroman"},
        {"größe": [1], "b": [2]},
    ),
    ("Google Sheets", "a.csv", b'name,"price, net"\r\n"a ""b""",1.5\r\n', {}, {"name": ['a "b"'], "price, net": [1.5]}),
    ("LibreOffice with quoted texts", "a.csv", b'"a","b"\n"x",1\n"y, z",2\n', {}, {"a": ["x", "y, z"], "b": [1, 2]}),
    ("LibreOffice in German", "a.csv", b'"a","b"\n"1,5",1\n', WITH_COMMAS, {"a": [1.5], "b": [1]}),
    ("pandas with its index", "a.csv", b",a,b\n0,1.0,x\n1,,y\n", {}, {"a": [1.0, None], "b": ["x", "y"]}),
    ("pandas with gzip", "a.csv.gz", gzip.compress(b"a,b\n1.5,True\n"), {}, {"a": [1.5], "b": [True]}),
    ("pandas with zstd", "a.csv.zst", PACKED[".zst"](b"a,b\n1,2\n"), {}, {"a": [1], "b": [2]}),
    ("pandas with sep=tab", "a.tsv", b"a\tb\n1\t2\n", {}, {"a": [1], "b": [2]}),
    ("pandas' missing values", "a.csv", b"a\n1\n<NA>\nNone\n", {}, {"a": [1, None, None]}),
    ("polars", "a.csv", b"a,b\n1,1e-05\n2,inf\n", {}, {"a": [1, 2], "b": [1e-05, float("inf")]}),
    ("R's write.csv", "a.csv", b'"","x","y"\n"1",1,NA\n"2",3,"a"\n', {}, {"x": [1, 3], "y": ["NA", "a"]}),
    ("R's write.csv2", "a.csv", b'"";"x"\n"1";1,5\n"2";NA\n', WITH_COMMAS, {"x": [1.5, None]}),
    ("MySQL", "a.tsv", b"a\tb\n1\t\\N\n\\N\t2.5\n", {}, {"a": [1, None], "b": [None, 2.5]}),
    ("PostgreSQL's COPY with HEADER", "a.csv", b"a|b\n1|x\n|y\n", {}, {"a": [1, None], "b": ["x", "y"]}),
    ("Oracle's SQL Developer", "a.csv", b'"A","B"\n1,(null)\n2,3\n', {}, {"A": [1, 2], "B": [None, 3]}),
    ("SQL Server", "a.csv", "a,ä\r\n1,NULL\r\n2,3\r\n".encode("utf-16"), {}, {"a": [1, 2], "ä": [None, 3]}),
    ("Spark, without quotes", "part-00000.csv", b"a,b\n1,2\n", {}, {"a": [1], "b": [2]}),
    ("a system of before 2000", "a.csv", b"a,b\r1,2\r3,4\r", {}, {"a": [1, 3], "b": [2, 4]}),
    (
        "a name with the other separator",
        "a.csv",
        "Größe (m, cm);b\n1;2\n".encode(),
        {},
        {"Größe (m, cm)": [1], "b": [2]},
    ),
    ("texts with the other separator", "a.csv", b"a,b\nx;y,1\nz,2\n", {}, {"a": ["x;y", "z"], "b": [1, 2]}),
    ("one column", "a.csv", b"a\n1\n2\n", {}, {"a": [1, 2]}),
    (
        "one column of texts",
        "a.csv",
        b'review\n"good, but; not | all"\nbad\n',
        {},
        {"review": ["good, but; not | all", "bad"]},
    ),
    ("one column with another sign", "a.csv", b"a;b\n1\n", {"delimiter": ","}, {"a;b": [1]}),
    ("a spectrum", "a.csv", b"350.5,351.0,351.5\n1,2,3\n", {}, {"350.5": [1], "351.0": [2], "351.5": [3]}),
    (
        "numbers as names, in the order of texts",
        "a.csv",
        b"0,1,10,2\n5,6,7,8\n",
        {},
        {"0": [5], "1": [6], "10": [7], "2": [8]},
    ),
    ("pandas without names", "a.csv", b"0,1,2\n5,6,7\n", {}, {"0": [5], "1": [6], "2": [7]}),
    ("spaces", "a.csv", b"a b\n1 2\n", {"delimiter": " "}, {"a": [1], "b": [2]}),
    ("Hive's separator", "a.csv", b"a\x01b\n1\x012\n", {"delimiter": "\x01"}, {"a": [1], "b": [2]}),
    ("quotes around all, line breaks within", "a.csv", b'"a","b"\r\n"1","x\r\ny"\r\n', {}, {"a": [1], "b": ["x\r\ny"]}),
    ("no line end", "a.csv", b"a;b\n1;2", {}, {"a": [1], "b": [2]}),
    ("names only", "a.csv", b"a;b\n", {}, {"a": [], "b": []}),
    ("PowerShell", "a.csv", '"a","b"\r\n"1","2"\r\n'.encode("utf-16"), {}, {"a": [1], "b": [2]}),
    ("UTF-32", "a.csv", "ä,b\n1,2\n".encode("utf-32"), {}, {"ä": [1], "b": [2]}),
    (
        "UTF-16 without a mark",
        "a.csv",
        "ä,b\n1,2\n".encode("utf-16-le"),
        {"encoding": "utf-16-le"},
        {"ä": [1], "b": [2]},
    ),
    (
        "UTF-32 without a mark",
        "a.csv",
        "ä,b\n1,2\n".encode(f"utf-32-{sys.byteorder[0]}e"),
        {"encoding": "utf-32"},
        {"ä": [1], "b": [2]},
    ),
    ("JSON in UTF-16", "a.json", '[{"ä": 1}]'.encode("utf-16"), {}, {"ä": [1]}),
    ("JSON with a mark", "a.json", b'\xef\xbb\xbf[{"a": 1}]', {}, {"a": [1]}),
    ("JSON in cp1252", "a.json", '[{"ä": 1}]'.encode("cp1252"), {"encoding": "cp1252"}, {"ä": [1]}),
    ("JSON with gzip", "a.json.gz", gzip.compress(b'{"a": [1]}'), {}, {"a": [1]}),
]

REFUSED: list[tuple[str, bytes, dict[str, Any], str]] = [
    (
        "Excel in German",
        GERMAN.encode("cp1252"),
        {},
        r"byte 0xf6 in line 1 .* In cp1252 that place reads 'Größe'; .*--encoding cp1252",
    ),
    (
        "Excel's commas",
        GERMAN.encode(),
        {},
        r"row 0: '1,5' in the column 'Größe' has a comma.*decimal=','.*--decimal ,",
    ),
    (
        "quoted thousands",
        b'a,b\n"1,234",1\n"12",2\n',
        {},
        r"'1,234' in the column 'a' has a comma.*; remove separators of thousands",
    ),
    ("points of thousands", b"a;b\n1.234,5;2\n", WITH_COMMAS, r"'1\.234,5' in the column 'a' has a point"),
    ("a point in place of a comma", b"a;b\n1,5;2\n1.5;2\n", WITH_COMMAS, r"row 1: '1\.5' .* has a point"),
    ("Japanese", "商品,価格\nりんご\n".encode("cp932"), {}, r"In cp932 that place reads '商品'"),
    (
        "Excel in Chinese, which may be other languages",
        "名称,价格\n苹果,5\n".encode("gbk"),
        {},
        r"That place may read '츰냔' in euc_kr, '名称' in gb18030, .*: name the right one, as in encoding=",
    ),
    ("French on a Mac", "prénom;né\rHélène;1\r".encode("mac_roman"), {}, "In mac_roman that place reads 'prénom'"),
    ("a late byte", b"a,b\n" + b"1,2\n" * 99_999 + "1,größe\n".encode("cp1252"), {}, r"in line 100001 .*'größe'"),
    ("the wrong encoding", "ä,b\n1,2\n".encode(), {"encoding": "ascii"}, "it is not in ascii, as `encoding` says"),
    (
        "a mark of another",
        "ä,b\n1,2\n".encode("utf-16"),
        {"encoding": "cp1252"},
        "byte order mark of UTF-16, and `encoding`",
    ),
    ("UTF-16 without a mark", "ä,b\n1,2\n".encode("utf-16-be"), {}, "say encoding='utf-16-be'"),
    (
        "UTF-16 that is cut off",
        "a,b\n1,2\n".encode("utf-16")[:-1],
        {},
        "it is not in utf-16-le, as its first bytes say",
    ),
    ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", {}, "it is no text: byte 0x89 in line 1 .* Name it by its right"),
    ("NUL", b"a,b\n1,\0\n", {}, "has a NUL character"),
    ("two separators", b"a,b;c\n1,2;3\n", {}, "can be read with ',' and with ';' .*delimiter=','"),
    ("one column with a sign in its name", b"weight (kg; net)\n1\n2\n", {}, "line of names has ';', and no row has it"),
    ("comments", b"# made by x\na,b\n1,2\n", {}, "is a comment: remove all lines before that of the names"),
    ("a title", b"Report of May\n\na,b\n1,2\n", {}, "remove a title that stands before it"),
    ("no names", b"5.1,3.5,1.4\n4.9,3.0,1.4\n", {}, "has numbers and no names, .*: write the names"),
    ("no names, and whole numbers", b"5,3,14\n4,9,2\n", {}, "has numbers and no names, '5,3,14': write the names"),
    ("no names, and equal values", b"0,0,5\n1,2,3\n", {}, "two columns have the name '0': .*write the names"),
    ("an empty name", b"a,,c\n1,2,3\n", {}, "column 1 of the header has no name: give it one"),
    ("a separator at each end", b"a,b,\n1,2,\n", {}, "remove the ',' at the end of the lines"),
    ("a separator at the end of rows", b"a,b\n1,2,\n", {}, "Remove the ',' at the end of the lines"),
    ("R's write.table", b'"x","y"\n"1",1,2\n', {}, "as R writes it, give it a name in the first line"),
    ("MySQL's quotes", b'a,b\n1,"x\\"y"\n', {}, "write a quote within quotes twice"),
    ("a sum below the rows", b"a,b\n1,2\n\nTotal: 3\n", {}, "row 1 has 1 fields"),
    ("nothing", b"", {}, "is empty"),
    ("a byte order mark alone", b"\xef\xbb\xbf", {}, "is empty"),
]


def _read(path: Path, texts: TextOptions) -> dict[str, list[Any]]:
    return to_table(path, texts=texts).to_pydict()


def _read_as_batch(path: Path, texts: TextOptions) -> dict[str, list[Any]]:
    opened = open_source(path, texts=texts)
    opened.decide()
    batches = [batch for _, batch in opened.batches(Position(0, 0))]
    return arrow.Table.from_batches(batches, opened.decide().schema).to_pydict()


@pytest.mark.parametrize(
    ("name", "content", "options", "rows"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_it_is_read_as_it_is_meant(
    tmp_path: Path, name: str, content: bytes, options: dict[str, Any], rows: dict[str, list[Any]]
) -> None:
    (tmp_path / name).write_bytes(content)
    texts = TextOptions(**options)
    assert _read(tmp_path / name, texts) == rows
    assert to_table(io.BytesIO(content), texts=texts).to_pydict() == rows
    if "json" not in name:
        assert _read_as_batch(tmp_path / name, texts) == rows


@pytest.mark.parametrize(
    ("content", "options", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_it_is_refused_with_what_to_do(tmp_path: Path, content: bytes, options: dict[str, Any], message: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    for read in (_read, _read_as_batch):
        with pytest.raises(
            InvalidDataError, match=rf"(?s)(rows\.csv.*{message}|The files have no columns: they are empty)"
        ):
            read(path, TextOptions(**options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "utf8x"}, "`encoding` says 'utf8x', which is none of texts: name one such as utf8"),
        ({"encoding": "Latinn-1"}, "which is none of texts: name one such as latin-1"),
        ({"encoding": "hex"}, "none of texts: name one such as utf-8, utf-16, cp1252"),
        ({"encoding": "idna"}, "none of texts"),
        ({"encoding": ""}, "none of texts"),
        ({"encoding": "a\0b"}, "none of texts"),
        ({"encoding": 5}, "none of texts"),
        ({"delimiter": "::"}, "`delimiter` is one sign such as"),
        ({"delimiter": ""}, "`delimiter` is one sign"),
        ({"delimiter": '"'}, "`delimiter` is one sign"),
        ({"delimiter": "ä"}, "`delimiter` is one sign"),
        ({"delimiter": "a"}, "`delimiter` is one sign"),
        ({"decimal": ";"}, "`decimal` is '.' or ','"),
        ({"decimal": ",", "delimiter": "comma"}, "are both ','"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        TextOptions(**options)
