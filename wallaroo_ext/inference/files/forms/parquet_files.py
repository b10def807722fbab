"""Opening Parquet files, whichever program wrote them."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from wallaroo_ext._util.files.signatures import PARQUET
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES, check_ends, refuse_known

pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

_ARROW = "parquet-cpp"
_JOINED = PARQUET + PARQUET
"""The end of a file and the beginning of the next one."""

_TAIL_BYTES = 8
"""The bytes of the length of the metadata and of the signature, at the end of a file."""

_PIECE_BYTES = 1 << 20


def open_parquet(opened: Any, **options: Any) -> Any:
    """Return a Parquet file.

    Times of 96 bits are read in nanoseconds where Arrow wrote them, as for pandas, and otherwise in microseconds, which
    is all that Spark has: nanoseconds would end in the year 2262, and Spark's last day is in 9999.

    Args:
        opened: The file, which can be read at any place.
        options: Further arguments of `pyarrow.parquet.ParquetFile`.

    Raises:
        InvalidDataError: It is encrypted, cut off, several files, or of another format.
    """
    refuse_known(bytes(opened.read(HEAD_BYTES)))
    opened.seek(0)
    try:
        metadata = parquet.read_metadata(opened)
    except pa.ArrowInvalid:
        check_ends(opened, PARQUET)
        raise
    _check_one_file(opened, metadata)
    unit = "ns" if str(metadata.created_by).startswith(_ARROW) else "us"
    return parquet.ParquetFile(opened, metadata=metadata, coerce_int96_timestamp_unit=unit, **options)


def _check_one_file(opened: Any, metadata: Any) -> None:
    """Raise InvalidDataError if files were joined, of which pyarrow would read the first one's rows as the last one's.

    The positions in the metadata at the end count from the beginning of the last file. So as many bytes as the other
    files have seem to lie between its rows and its metadata, where there are indexes of pages at most. Of a file with
    encrypted columns, whose metadata is signed and so longer, pyarrow would end the process when it is asked for those.
    """
    tail = opened.seek(0, os.SEEK_END) - _TAIL_BYTES
    opened.seek(tail)
    if int.from_bytes(opened.read(_TAIL_BYTES - len(PARQUET)), "little") != metadata.serialized_size:
        return
    most = tail - metadata.serialized_size - _rows_end(metadata) + len(PARQUET)
    opened.seek(0)
    seen = b""
    while most > len(_JOINED) and (piece := bytes(opened.read(min(_PIECE_BYTES, most)))):
        seen = seen[-len(_JOINED) :] + piece
        most -= len(piece)
        if _JOINED in seen:
            raise InvalidDataError(
                "it is several Parquet files, one after another: write each to a file of its own, or all to one by "
                "pyarrow."
            )


def _rows_end(metadata: Any) -> int:
    """Return where the last row group ends, as the metadata says."""
    if not metadata.num_row_groups:
        return len(PARQUET)
    group = metadata.row_group(metadata.num_row_groups - 1)
    chunks = [group.column(number) for number in range(group.num_columns)]
    return max((_chunk_begin(chunk) + chunk.total_compressed_size for chunk in chunks), default=len(PARQUET))


def _chunk_begin(chunk: Any) -> int:
    begins: list[int | None] = [chunk.dictionary_page_offset, chunk.data_page_offset]
    return min(begin for begin in begins if begin is not None)


def encrypted(error: OSError) -> InvalidDataError | None:
    """Return the error for a file of which some columns are encrypted; None if that is not what an error says."""
    if "ecrypt" not in str(error):
        return None
    return InvalidDataError("it has encrypted columns: decrypt them with their keys, and write it anew.")
