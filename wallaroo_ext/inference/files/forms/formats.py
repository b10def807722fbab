"""Recognising the format of a file of rows: by its first bytes, and, where they are a text, by the suffix of its name.

Formats that are not read are recognised, too, to say how they are converted. Nothing is ever unpickled.
"""

from __future__ import annotations

import os
import re
import zipfile
from typing import IO, Any, Literal

from wallaroo_ext._util.files.signatures import ARROW_FILE, ARROW_MESSAGE, FEATHER_1, PARQUET, is_tar
from wallaroo_ext.errors import InvalidDataError

Format = Literal["arrow file", "arrow stream", "feather 1", "parquet", "npy", "npz", "json", "csv"]

HEAD_BYTES = 512
"""How many bytes of the beginning of a file tell its format."""

_DUCKDB = slice(8, 12)
_BLANKS = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"

_ZIP = b"PK\x03\x04"
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 22
_BINARY: dict[bytes, Format] = {
    ARROW_FILE: "arrow file",
    ARROW_MESSAGE: "arrow stream",
    FEATHER_1: "feather 1",
    PARQUET: "parquet",
    b"\x93NUMPY": "npy",
    _ZIP: "npz",
}
_BY_SUFFIX: dict[str, Format] = {
    ".arrow": "arrow file",
    ".arrows": "arrow stream",
    ".feather": "arrow file",
    ".ipc": "arrow file",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".npy": "npy",
    ".npz": "npz",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".jsonlines": "json",
    ".csv": "csv",
}
_PLAIN_TEXT = (".tsv", ".tab", ".txt", ".dat", ".data")
"""Suffixes of texts that are JSON or CSV, whichever they look like."""

SUFFIXES = (*_BY_SUFFIX, *_PLAIN_TEXT)
"""The suffixes of files of rows, for messages."""

_AS_PARQUET = "write it as Parquet"
_UNPACK = "an archive: unpack it, and name the file with the rows"
_PACKED = "compressed in a way that is not read: unpack it, or compress it by gzip or zstd"
_PICKLE = f"a pickle, which could run any program: load it where it is trusted, and {_AS_PARQUET}"
_PAGE = "a page for a browser: download the file itself, which may need a sign-in"
_PANDAS = f"read it with pandas, and {_AS_PARQUET}"
_REFUSED: tuple[tuple[bytes, str], ...] = (
    *((b"\x80" + bytes([protocol]), _PICKLE) for protocol in range(2, 6)),
    (b"PARE", f"an encrypted Parquet file: decrypt it with its keys, and {_AS_PARQUET}"),
    (b"\x89HDF\r\n\x1a\n", f"an HDF5 file: read it with pandas.read_hdf or h5py, and {_AS_PARQUET}"),
    (b"ORC", f"an ORC file: read it with pyarrow.orc.read_table, and {_AS_PARQUET}"),
    (b"Obj\x01", f"an Avro file: read it with fastavro, and {_AS_PARQUET}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file: save it as CSV UTF-8, or read it with pandas.read_excel"),
    (b"SQLite format 3\x00", f"an SQLite database: {_PANDAS}"),
    (b"MATLAB ", f"a file of MATLAB: read it with scipy.io.loadmat, and {_AS_PARQUET}"),
    (b"$FL2", f"a file of SPSS: {_PANDAS}"),
    (b"7z\xbc\xaf\x27\x1c", _UNPACK),
    (b"Rar!\x1a\x07", _UNPACK),
    (b"\x1f\x9d", _PACKED),
    (b"\x06\x00\x00sNaPpY", _PACKED),  # behind a byte that counts as blank
)
"""The first bytes of formats that are not read, what they are, and what to do."""

_REFUSED_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"%pdf", "a PDF: write its rows as CSV"),
    (b"<?xml", "XML: write its rows as CSV"),
    (b"<stata_dta>", f"a file of Stata: {_PANDAS}"),
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the file with git lfs pull"),
    (b"<!doctype html", _PAGE),
    (b"<html", _PAGE),
)
"""The same of texts, in any case."""

_OLD_STREAM = re.compile(rb".[\0-\x7f]\0\0[\x04-\x40]\0{5}", re.DOTALL)
"""The beginning of an Arrow stream without the mark of later ones: a message's length, and where its table is."""

_CONTROLS = bytes(each for each in range(32) if each not in b"\t\n\f\r\x1b")
_JSON = re.compile(rb'(\[\s*)?\{\s*"[^"]*"\s*:')
"""The beginning of records, which no line of names of a CSV file has."""

_IN_ZIP = (
    ("xl/", "an Excel file: save it as CSV UTF-8, or read it with pandas.read_excel"),
    ("content.xml", "an OpenDocument file: save it as CSV UTF-8, or read it with pandas.read_excel"),
    ("/data.pkl", f"a file of PyTorch, {_PICKLE.removeprefix('a pickle, ')}"),
)
"""Names within zip files that tell what they are."""

_REFUSED_SUFFIXES: dict[str, str] = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), _PICKLE),
    **dict.fromkeys((".br", ".sz", ".snappy", ".lzo", ".z", ".lzma", ".zz", ".zlib", ".deflate"), _PACKED),
    **dict.fromkeys((".dta", ".sav", ".sas7bdat", ".xpt"), f"a file for statistics: {_PANDAS}"),
    **dict.fromkeys((".rds", ".rda", ".rdata"), "a file of R: write it by arrow::write_parquet"),
}
"""Suffixes of formats whose first bytes can be those of other files."""


def format_of(head: bytes, suffix: str) -> Format:
    """Return the format of a file.

    Args:
        head: Its first bytes, `HEAD_BYTES` or all.
        suffix: The suffix of its name, in lower case; empty if it has none.

    Raises:
        InvalidDataError: Its format is not read. The message is the end of a sentence that begins with its name.
    """
    for start, form in _BINARY.items():
        if _begins(head, start):
            return form
    refuse_known(head, suffix)
    named = _BY_SUFFIX.get(suffix)
    if not suffix or suffix in _PLAIN_TEXT:
        return "json" if head.lstrip(_BLANKS)[:1] in {b"[", b"{"} else "csv"
    if named is None:
        raise UnknownFormatError(is_text=_is_text(head))
    return "json" if named == "csv" and _JSON.match(head.lstrip(_BLANKS)) else named


def is_known(suffix: str) -> bool:
    """Return whether files with a suffix may be files of rows, whatever is in them."""
    return suffix in _BY_SUFFIX


class UnknownFormatError(InvalidDataError):
    """A file is none of rows, as far as its name and its first bytes tell.

    Args:
        is_text: Whether the first bytes are a text.
    """

    def __init__(self, *, is_text: bool) -> None:
        rename = ": if it is CSV or JSON, give its name that suffix" if is_text else ""
        super().__init__(f"rows are read from {', '.join(SUFFIXES)} files, and it is none of them{rename}.")


def refuse_known(head: bytes, suffix: str = "") -> None:
    """Raise InvalidDataError if a file is of a known format that is not read, by its first bytes and its suffix."""
    start = head.lstrip(_BLANKS)
    why = next((why for first, why in _REFUSED if _begins(start, first)), None)
    why = why or next((why for first, why in _REFUSED_TEXTS if start.lower().startswith(first)), None)
    if is_tar(head) and not _is_text(head):
        why = "an archive: unpack it"
    if head[_DUCKDB] == b"DUCK" and not _is_text(head):
        why = "a database of DuckDB: write the table with COPY … TO 'rows.parquet'"
    if _OLD_STREAM.match(head):
        why = f"an Arrow stream of before 2019: read it with pyarrow.ipc.open_stream, and {_AS_PARQUET}"
    why = why or _REFUSED_SUFFIXES.get(suffix)
    if why is not None:
        raise InvalidDataError(f"it is {why}.")


def _begins(head: bytes, start: bytes) -> bool:
    """Return whether a file begins as those of a format do, and not as a text: a CSV file may begin with ORCID."""
    return head.startswith(start) and not (start.isascii() and start.decode().isprintable() and _is_text(head))


def _is_text(head: bytes) -> bool:
    return head.translate(None, _CONTROLS) == head


def check_ends(opened: Any, signature: bytes) -> None:
    """Raise InvalidDataError if a file that could not be read lacks its beginning or its end.

    Args:
        opened: The file, which can be read at any place.
        signature: What files of its format begin and end with.
    """
    size = opened.seek(0, os.SEEK_END)
    if not size:
        raise InvalidDataError("it is empty.")
    opened.seek(0)
    head = bytes(opened.read(len(signature)))
    opened.seek(max(0, size - len(signature)))
    tail = bytes(opened.read(len(signature)))
    if head == signature != tail:
        raise InvalidDataError("it has no end: it was cut off, or its writer not closed. Copy or write it again.")
    if head != signature:
        raise InvalidDataError("it does not begin as such files do: give its name the suffix of what it is.")


def check_zip(opened: IO[bytes]) -> None:
    """Raise InvalidDataError if a zip file is not one of numpy's arrays, each of its own name."""
    try:
        with zipfile.ZipFile(opened) as archive:
            names = archive.namelist()
            begin = min((each.header_offset for each in archive.infolist()), default=0)
            opened.seek(-_ZIP_END_BYTES - len(archive.comment), os.SEEK_END)
            has_end = bytes(opened.read(len(_ZIP_END))) == _ZIP_END
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InvalidDataError("it is a zip file that is broken: it may have been cut off.") from error
    for part, why in _IN_ZIP:
        if any(name.startswith(part) or name.endswith(part) for name in names):
            raise InvalidDataError(f"it is {why}.")
    if not names or not all(name.endswith(".npy") for name in names):
        raise InvalidDataError("it is a zip file: unpack it, and name the file with the rows.")
    if begin or not has_end or len(set(names)) < len(names):
        raise InvalidDataError("it is several zip files, or arrays of one name: save the arrays anew by numpy.savez.")
