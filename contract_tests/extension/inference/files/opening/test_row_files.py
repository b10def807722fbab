"""Is a table the same from wherever it is read: in each encoding, with each separator, compressed in each way?"""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
import tarfile
import threading
import traceback
import zipfile
from email.message import Message
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from urllib.response import addinfourl

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from contract_tests.support.data.packed import PACKED
from contract_tests.support.servers.http_servers import unused
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.batch.reading.discovery import find_files
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.inference.files.opening import filesystems, row_files, temporary_copy
from wallaroo_ext.inference.files.opening.row_files import open_rows
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

arrow: Any = pa
pq: Any = parquet
ipc: Any = feather

PLAIN = b"a,b\n1,x\n2,y\n"
ROWS = {"a": [1, 2], "b": ["x", "y"]}
LETTERS = {
    "utf-8": "aä€商😀",
    "utf-8-sig": "aä€商😀",
    "utf-16": "aä€商😀",
    "utf-16-le": "aä€商😀",
    "utf-16-be": "aä€商😀",
    "utf-32": "aä€商😀",
    "cp1252": "aäß€é",
    "latin-1": "aäßé£",
    "cp1250": "ałśŁž",
    "cp1251": "aЖдёй",
    "cp932": "a商品りンソ表",
    "euc_kr": "a가격",
    "gb18030": "a价格😀",
    "mac_roman": "aäß€é",
}
"""Some letters of each encoding."""

SAY_SO = {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
"""The encodings that need no name."""


class Pipe(io.RawIOBase):
    """An open file that gives its bytes once, in small pieces."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._left = content

    def read(self, size: int = -1, /) -> bytes:
        size = min(7, size if size > 0 else 7)
        found, self._left = self._left[:size], self._left[size:]
        return found


def in_memory(name: str, content: bytes) -> str:
    """Return the URL of a file of fsspec's file system in memory."""
    fsspec = pytest.importorskip("fsspec", reason="file systems of fsspec need: pip install fsspec")
    with fsspec.filesystem("memory").open(f"/rows/{name}", "wb") as opened:
        opened.write(content)
    return f"memory://rows/{name}"


def of_batch(source: Any, texts: TextOptions, skip: int = 0) -> Any:
    """Return the rows that a batch reads, from one on."""
    opened = open_source(source, texts=texts)
    opened.decide()
    read = [batch for _, batch in opened.batches(Position(0, skip))]
    return arrow.Table.from_batches(read, opened.decide().schema)


def written(rows: list[list[str]], separator: str, quoting: Any, line_end: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def read_from(place: str, path: Path, text: str, texts: TextOptions) -> Any:
    """Return the rows of a file, read from one of the places where it may be."""
    content = path.read_bytes()
    if place == "an open text":
        return to_table(io.StringIO(text, newline=""), texts=TextOptions(delimiter=texts.delimiter))
    if place == "a batch":
        return of_batch(str(path), texts)
    sources: dict[str, Callable[[], Any]] = {
        "a path": lambda: path,
        "a URL of a path": path.as_uri,
        "a URL": lambda: in_memory(path.name, content),
        "bytes": lambda: io.BytesIO(content),
        "a pipe": lambda: Pipe(content),
    }
    return to_table(sources[place](), texts=texts)


class TestSameRows:
    @settings(deadline=None, max_examples=30)
    @given(
        st.data(),
        st.sampled_from(sorted(LETTERS)),
        st.sampled_from(",;\t|"),
        st.sampled_from(sorted(PACKED)),
        st.sampled_from(["a path", "a URL of a path", "a URL", "bytes", "a pipe", "an open text", "a batch"]),
        st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        st.sampled_from(["\n", "\r\n"]),
        st.booleans(),
    )
    def test_a_table_is_the_same_from_everywhere(
        self,
        data: Any,
        encoding: str,
        separator: str,
        packing: str,
        place: str,
        quoting: Any,
        line_end: str,
        named: Any,
    ) -> None:
        fields = st.text(f'{LETTERS[encoding]} ,;\t|"', min_size=1, max_size=5)
        whole = st.integers(-(2**63), 2**63 - 1)  # of the others, not all have one type beside each other
        rows = [["names", "zahl", LETTERS[encoding]]]
        rows += data.draw(st.lists(st.tuples(fields, whole.map(str), fields).map(list), min_size=1, max_size=5))
        plain = to_table(
            io.StringIO(written(rows, ",", csv.QUOTE_ALL, "\n"), newline=""), texts=TextOptions(delimiter=",")
        )
        text = written(rows, separator, quoting, line_end)
        texts = TextOptions(encoding=None if encoding in SAY_SO else encoding, delimiter=separator if named else None)
        with TemporaryDirectory() as directory:
            path = Path(directory) / f"rows.csv{packing}"
            path.write_bytes(PACKED[packing](text.encode(encoding)))
            assert read_from(place, path, text, texts).equals(plain)

    @pytest.mark.parametrize("packing", PACKED)
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
    def test_a_batch_goes_on_from_any_row(self, tmp_path: Path, packing: str, encoding: str) -> None:
        text = "番号,値\n" + "".join(f'{number},"{"商" * (number % 7)}\n"\n' for number in range(40))
        path = tmp_path / f"rows.csv{packing}"
        path.write_bytes(PACKED[packing](text.encode(encoding)))
        texts = TextOptions(encoding=None if encoding in SAY_SO else encoding)
        whole = of_batch(path, texts)
        assert whole.num_rows == 40
        for skip in range(0, 41, 5):
            assert of_batch(path, texts, skip).equals(whole.slice(skip))

    @pytest.mark.parametrize("packing", PACKED)
    @pytest.mark.parametrize("form", ["parquet", "arrow", "json"])
    def test_other_formats_may_be_compressed(self, tmp_path: Path, form: str, packing: str) -> None:
        table = arrow.table(ROWS)
        path = tmp_path / f"rows.{form}"
        if form == "parquet":
            pq.write_table(table, path)
        elif form == "arrow":
            ipc.write_feather(table, str(path), compression="uncompressed")
        else:
            path.write_text('[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', encoding="utf-8")
        packed = path.with_name(path.name + packing)
        packed.write_bytes(PACKED[packing](path.read_bytes()))
        assert to_table(packed).equals(table)
        assert to_table(io.BytesIO(packed.read_bytes())).equals(table)
        if form != "json":
            assert of_batch(packed, TextOptions(), 1).equals(table.slice(1))

    def test_how_it_is_compressed_is_in_the_bytes_and_not_in_the_name(self, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").write_bytes(gzip.compress(PLAIN))
        (tmp_path / "rows.csv.zst").write_bytes(PLAIN)
        for path in tmp_path.iterdir():
            assert to_table(path).to_pydict() == ROWS
            assert of_batch(path, TextOptions()).to_pydict() == ROWS

    @given(st.integers(1, len(PLAIN) - 1))
    def test_gzip_may_have_several_members(self, cut: int) -> None:
        content = gzip.compress(PLAIN[:cut]) + gzip.compress(PLAIN[cut:])
        assert to_table(io.BytesIO(content)).to_pydict() == ROWS

    @pytest.mark.parametrize("packing", list(filter(None, PACKED)))
    def test_every_member_counts_and_nothing_else_may_follow(self, packing: str, tmp_path: Path) -> None:
        members = PACKED[packing](PLAIN[:6]) + PACKED[packing](PLAIN[6:])
        assert to_table(io.BytesIO(members)).to_pydict() == ROWS
        path = tmp_path / f"rows.csv{packing}"
        for behind in (b"other bytes behind it", members[:20], b"\n" * 40):
            path.write_bytes(members + behind)
            for read in (to_table, of_batch):
                with pytest.raises(InvalidDataError, match=r"it is compressed \(.*(cannot be unpacked|ends too early)"):
                    read(path, texts=AS_WRITTEN)

    def test_zeros_may_follow_a_member_of_xz(self) -> None:
        pack = PACKED[".xz"]
        content = pack(PLAIN[:6]) + bytes(8) + pack(PLAIN[6:]) + bytes(100_000)
        assert to_table(io.BytesIO(content)).to_pydict() == ROWS

    def test_what_is_large_is_copied_to_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(temporary_copy, "_IN_MEMORY", 4)
        pipe: Any = Pipe(gzip.compress(PLAIN))
        assert to_table(pipe).to_pydict() == ROWS


NAMES = [
    "rows [1].csv",
    "rows[0-9].csv",
    "rows-*.csv",
    "rows?.csv",
    "größe mit leerzeichen.csv",
    "gro\u0308\u00dfe.csv",
    "商品.csv",
    "#1 100%.csv",
    "100%25.csv",
    "a;b,c'd\"e.csv",
    "-rows.csv",
    "--json.csv",
    "~rows.csv",
    "$HOME.csv",
    "rows.tar.csv",
    ".csv.csv",
    "new\nline.csv",
    "ROWS.CSV",
    "rows.Csv.GZ",
]


class TestNames:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_name_that_a_file_has_is_its_name(
        self, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / name).write_bytes(PLAIN)
        for decoy in ("rows-1.csv", "rows1.csv", "rows5.csv"):
            (tmp_path / decoy).write_bytes(b"a,b\n9,9\n")
        monkeypatch.chdir(tmp_path)
        for source in (
            tmp_path / name,
            str(tmp_path / name),
            f"./{name}",
            (tmp_path / name).as_uri(),
            f"file://{tmp_path}/{name}",
        ):
            assert to_table(source).to_pydict() == ROWS, source
            assert of_batch(source, TextOptions()).to_pydict() == ROWS, source

    def test_a_pattern_is_one_where_no_file_has_its_name(self, tmp_path: Path) -> None:
        for name in ("rows-1.csv", "rows-2.csv"):
            (tmp_path / name).write_bytes(PLAIN)
        assert len(find_files(tmp_path / "rows-[0-9].csv", None).paths) == 2
        with pytest.raises(FileNotFoundError, match="scores all that a pattern fits"):
            to_table(tmp_path / "rows-*.csv")

    def test_a_path_of_bytes_within_an_object_is_a_path(self, tmp_path: Path) -> None:
        class BytesPath(os.PathLike[bytes]):
            def __fspath__(self) -> bytes:
                return os.fsencode(tmp_path / "rows.csv")

        (tmp_path / "rows.csv").write_bytes(PLAIN)
        source: Any = BytesPath()
        assert to_table(source).to_pydict() == ROWS

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("rwos.csv", "rows.csv"),
            ("rows.cvs", "rows.csv"),
            ("Rows.csv", "rows.csv"),
            ("gr\u00f6\u00dfe.csv", "gro\u0308\u00dfe.csv"),
        ],
    )
    def test_a_near_name_is_said(self, tmp_path: Path, name: str, near: str) -> None:
        for each in ("rows.csv", "gro\u0308\u00dfe.csv"):
            (tmp_path / each).write_bytes(PLAIN)
        with pytest.raises(FileNotFoundError, match=f"there is '{near}'"):
            to_table(tmp_path / name)
        with pytest.raises(InvalidDataError, match=f"but '{near}' beside it"):
            open_source(tmp_path / name)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ('[{"a": 1}]', "the text of a file is given as io.StringIO"),
            ('{"a": [1]}', "the text of a file is given as io.StringIO"),
            ('"rows.csv"', "leave its quotes out"),
            ("'rows.csv'", "leave its quotes out"),
            ("s3:/bucket/rows.csv", "a URL has two slashes or more"),
            ("dbfs:/rows.csv", "a URL has two slashes or more"),
        ],
    )
    def test_what_is_no_name_says_so(self, name: str, message: str) -> None:
        with pytest.raises(FileNotFoundError, match=message):
            to_table(name)

    def test_an_open_file_that_gives_nothing_says_why(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        with (
            path.open("wb") as opened,
            pytest.raises(InvalidDataError, match=r"is not open for reading\. Open it with"),
        ):
            to_table(opened)
        with path.open("w+b") as opened:
            opened.write(PLAIN)
            with pytest.raises(InvalidDataError, match=r"\.csv is empty: .* was read already: go back .* by seek\(0\)"):
                to_table(opened)

    def test_errors_have_no_secret_of_a_url_within_another(self) -> None:
        secret, signature = "s3cret-91Xk", "s1gn%2F55Qa"
        url = f"zip://a.csv::{unused().replace('://', f'://me:{secret}@')}/rows.zip?signature={signature}"
        with pytest.raises((ConfigurationError, InvalidDataError)) as raised:
            to_table(url)
        told = "".join(traceback.format_exception(raised.value))
        assert "/rows.zip" in told
        assert not [each for each in (secret, signature, unquote(signature)) if each in told]

    @pytest.mark.parametrize("name", ["rows.csv", "deep/gr\u00f6\u00dfe rows.csv", "rows", "rows.csv.gz"])
    def test_a_file_within_an_archive_has_its_own_name(self, tmp_path: Path, name: str) -> None:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            archive.writestr(name, gzip.compress(PLAIN) if name.endswith(".gz") else PLAIN)
        assert to_table(f"zip://{name}::{tmp_path}/all.zip").to_pydict() == ROWS
        assert to_table(f"zip://{name}::file://{tmp_path}/all.zip").to_pydict() == ROWS

    def test_what_is_no_file_of_another_machine_says_so(self) -> None:
        memory: Any = import_module("fsspec").filesystem("memory")
        memory.pipe("/several/rows.csv", PLAIN)
        with pytest.raises(InvalidDataError, match=r"no file memory://several, but a directory, .*infer_dataset"):
            to_table("memory://several")
        with pytest.raises(
            InvalidDataError, match=r"no file memory://several/\*\.csv: one file is read, and infer_data"
        ):
            to_table("memory://several/*.csv")


class _Awaited:
    async def read(self, _: int) -> bytes:
        return PLAIN


class _Waiting(io.RawIOBase):
    def read(self, _: int = -1, /) -> None: ...


class _Numbers:
    def read(self, _: int) -> list[int]:
        return [1]


def _read(opened: io.BytesIO) -> io.BytesIO:
    """Return an open file that was read to its end."""
    opened.read()
    return opened


def _closed() -> io.BytesIO:
    closed = io.BytesIO(PLAIN)
    closed.close()
    return closed


def _as_text(content: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding)


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(arrow.table({"a": [1]}), sink)
    return sink.getvalue()


def _archive() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as archive:
        entry = tarfile.TarInfo("rows.csv")
        entry.size = len(PLAIN)
        archive.addfile(entry, io.BytesIO(PLAIN))
    return sink.getvalue()


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("awaited", _Awaited, "has to be awaited"),
    ("waiting", _Waiting, "does not wait for its bytes: open it as a blocking file"),
    ("numbers", _Numbers, "gives list, and no bytes"),
    ("closed", _closed, "cannot be read: I/O operation on closed file. Open it"),
    ("text in another encoding", lambda: _as_text("ö".encode("cp1252"), "utf-8"), "Open it with the mode 'rb'"),
    ("parquet as text", lambda: _as_text(_parquet(), "latin-1"), "is open as a text: open it with the mode 'rb'"),
    ("nothing", lambda: io.BytesIO(b""), "The open file is empty: it has to have the rows"),
    ("a file at its end", lambda: _read(io.BytesIO(PLAIN)), r"or was read already: go back .* by seek\(0\)"),
    ("nothing from the web", lambda: addinfourl(io.BytesIO(b""), Message(), "https://x"), "^The open file is empty"),
    ("blanks", lambda: io.BytesIO(b" \n"), "is empty"),
    ("gzip of nothing", lambda: io.BytesIO(gzip.compress(b"")), "is empty"),
    ("an archive", lambda: io.BytesIO(_archive()), "is an archive: unpack it"),
    ("twice", lambda: io.BytesIO(gzip.compress(gzip.compress(PLAIN))), "compressed twice: unpack it once"),
    ("a generator", lambda: (row for row in [{"a": 1}]), "make a list of it"),
    ("bytes", lambda: PLAIN, r"io\.BytesIO\(content\)"),
]


class TestRefused:
    @pytest.mark.parametrize(("source", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
    def test_what_cannot_be_read_is_said_with_what_to_do(self, source: Callable[[], Any], message: str) -> None:
        with pytest.raises(InvalidDataError, match=message):
            to_table(source())

    @pytest.mark.parametrize("packing", [each for each in PACKED if each])
    def test_a_compressed_file_that_was_cut_off(self, tmp_path: Path, packing: str) -> None:
        content = PACKED[packing](b"a,b\n" + os.urandom(2000).hex().encode())
        path = tmp_path / f"rows.csv{packing}"
        for end in (len(content) - 4, len(content) // 2):
            path.write_bytes(content[:end])
            for read in (to_table, open_source):
                with pytest.raises(InvalidDataError, match=r"rows\.csv.*ends too early: copy or download it again"):
                    read(path)

    def test_a_compressed_file_that_was_changed(self, tmp_path: Path) -> None:
        content = bytearray(gzip.compress(PLAIN))
        content[-6] ^= 1
        (tmp_path / "rows.csv.gz").write_bytes(content)
        reads: list[Any] = [to_table, partial(of_batch, texts=TextOptions())]
        for read in reads:
            with pytest.raises(InvalidDataError, match=r"rows\.csv\.gz.*cannot be unpacked"):
                read(tmp_path / "rows.csv.gz")

    def test_what_would_fill_the_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(row_files, "_MOST_UNPACKED", 1 << 20)
        with pytest.raises(InvalidDataError, match=r"more than 1,048,576 bytes: unpack it"):
            to_table(io.BytesIO(gzip.compress(b"a\n" + b"1\n" * (1 << 20))))

    def test_a_directory_a_text_and_a_name_that_the_system_refuses(self, tmp_path: Path) -> None:
        with pytest.raises(IsADirectoryError, match="infer_dataset"):
            to_table(tmp_path)
        with pytest.raises(FileNotFoundError, match=r"io\.StringIO\(text\)"):
            to_table("a,b\n1,2\n")
        with pytest.raises(InvalidDataError, match="is no path"):
            to_table("a\0b.csv")
        with pytest.raises(OSError, match="too long"):
            to_table("x" * 5000)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
    def test_a_file_without_permission(self, tmp_path: Path) -> None:
        (tmp_path / "rows.csv").touch(0o000)
        with pytest.raises(PermissionError, match=r"rows\.csv"):
            to_table(tmp_path / "rows.csv")

    @pytest.mark.parametrize("url", ["nothing://bucket/rows.csv", "memory://rows/none.csv"])
    def test_a_url_that_names_nothing(self, url: str) -> None:
        with pytest.raises(
            (ConfigurationError, InvalidDataError), match=r"cannot be opened: |There is no file memory:"
        ):
            to_table(url)

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("abfss://c@account.dfs.core.windows.net/rows.csv", r"needs adlfs: pip install fsspec adlfs\.$"),
            ("ABFS://c@account.dfs.core.windows.net/rows.csv", r"needs adlfs: pip install fsspec adlfs\.$"),
            ("hf://datasets/a/b/rows.csv", r"needs huggingface_hub: pip install fsspec huggingface_hub\.$"),
            ("s3a://bucket/rows.csv", r"needs s3fs: pip install fsspec s3fs\.$"),
            ("simplecache::s3://bucket/rows.csv", r"cannot be opened: Install s3fs"),
            ("wasbs://c@account/rows.csv", r"Protocol not known: wasbs\. Name it as s3://.* or copy the file"),
        ],
    )
    def test_a_url_that_lacks_its_library_says_what_to_install(
        self, url: str, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For Azure, pyarrow's own library would end the process."""
        for name in ("adlfs", "huggingface_hub", "s3fs"):
            monkeypatch.setitem(sys.modules, name, None)
        for read in (to_table, of_batch):
            with pytest.raises(ConfigurationError, match=message):
                read(url, texts=AS_WRITTEN)

    @pytest.mark.parametrize("scheme", ["gs", "gcs"])
    def test_a_server_that_cannot_be_reached_is_not_asked_for_a_quarter_of_an_hour(
        self, scheme: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(filesystems, "_GOOGLE_SECONDS", 1)
        url = f"{scheme}://anonymous@bucket/rows.csv?scheme=http&endpoint_override=127.0.0.1:9"
        for read in (to_table, of_batch):
            with pytest.raises(ConfigurationError, match=r"rows\.csv cannot be opened: .{1,320} Look at its name"):
                read(url, texts=AS_WRITTEN)

    def test_a_url_without_the_library_that_opens_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "fsspec.core", None)
        with pytest.raises(ConfigurationError, match=r"^memory://rows/a\.csv needs fsspec: pip install fsspec\.$"):
            to_table("memory://rows/a.csv?token=secret")

    @pytest.mark.parametrize("source", [io.BytesIO(PLAIN), [io.BytesIO(PLAIN)], b"rows.csv", iter(["rows.csv"])])
    def test_a_batch_takes_no_open_file(self, source: Any) -> None:
        with pytest.raises(InvalidDataError, match="A source is a path, a list of paths or a data set, not"):
            open_source(source)

    def test_a_batch_takes_no_pipe_and_no_directory_in_a_list(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(InvalidDataError, match="is no regular file, and a batch reads its files more than once"):
            open_source(tmp_path / "pipe.csv")
        with pytest.raises(InvalidDataError, match="is a directory: name it alone"):
            open_source([tmp_path])


@pytest.fixture
def filled_pipe(tmp_path: Path) -> Iterator[Path]:
    """Yield the path of a named pipe into which a thread writes rows."""
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(PLAIN),))
    writer.start()
    yield path
    writer.join()


def test_a_named_pipe_is_read_once(filled_pipe: Path) -> None:
    assert to_table(filled_pipe).to_pydict() == ROWS


def test_a_file_has_no_suffix_and_is_known_by_its_beginning(tmp_path: Path) -> None:
    for content in (PLAIN, b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'):
        (tmp_path / "rows").write_bytes(content)
        assert to_table(tmp_path / "rows").to_pydict() == ROWS


def test_an_open_file_is_read_any_number_of_times() -> None:
    with open_rows(Pipe(PLAIN)) as file:
        for _ in range(2):
            with file.open() as opened:
                assert opened.read() == PLAIN
        with file.open() as one, file.open() as other:
            assert (one.read(3), other.read(5), one.read(3)) == (PLAIN[:3], PLAIN[:5], PLAIN[3:6])
            assert (one.seek(-4, os.SEEK_END), one.read()) == (len(PLAIN) - 4, PLAIN[-4:])
