"""Reading Arrow IPC streams and Feather files of version 1, to which programs give the same names as to Arrow files.

Streams that were joined to one file, as by `cat`, are read one after another; Arrow files cannot be, and are refused.
"""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.arrow.limits import bytes_without_meaning
from wallaroo_ext._util.files.signatures import ARROW_FILE
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.formats import check_ends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import RecordBatch, Schema, Table

pa: Any = import_module("pyarrow")

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


_MOST_ALIGNMENT = 128
"""The most bytes that stand between the last batch of an Arrow file and its footer; a joined file has more."""


class ArrowStream:
    """An Arrow IPC stream in a file, or several of the same columns.

    Args:
        opened: The file, of Python or of pyarrow, at its beginning.

    Raises:
        InvalidDataError: The file does not end as the writer of a stream ends one, and so was cut off: between two
            record batches, nothing else would tell.
    """

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self._size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, self._size - len(_END)))
        end = opened.read(len(_END))
        if bytes(end) != _END:
            raise InvalidDataError("it is an Arrow stream without its end: it was cut off, or its writer not closed.")
        opened.seek(0)
        self._reader = pa.ipc.open_stream(opened)

    @property
    def schema(self) -> Schema:
        """The columns of the stream."""
        return self._reader.schema

    def batches(self) -> Iterator[RecordBatch]:
        """Yield the record batches, each checked.

        Raises:
            InvalidDataError: Behind the end of the stream is something else than one of the same columns.
        """
        reader = self._reader
        while True:
            for batch in reader:
                batch.validate(full=True)  # with a wrong offset, other memory would be read
                yield batch
            if self._opened.tell() == self._size:
                return
            reader = self._next_stream()

    def _next_stream(self) -> Any:
        try:
            found = pa.ipc.open_stream(self._opened)
        except (pa.ArrowException, OSError) as error:
            raise InvalidDataError("it goes on behind the end of its Arrow stream: remove what is there.") from error
        if not found.schema.equals(self.schema):
            raise InvalidDataError(
                "it has several Arrow streams one after another, whose columns differ: write each to a file of its own."
            )
        return found

    def read_all(self) -> Table:
        """Return all rows."""
        return pa.Table.from_batches(self.batches(), self.schema)


def check_one_arrow_file(opened: Any) -> None:
    """Check that an Arrow file is whole, and a single one.

    Args:
        opened: The file, which can be read at any place.

    Raises:
        InvalidDataError: It lacks its beginning or its end, or Arrow files were joined, of which pyarrow would read the
            first one's rows in place of the last one's.
    """
    check_ends(opened, ARROW_FILE)
    try:
        unknown = bytes_without_meaning(opened)
    except ValueError as error:
        raise InvalidDataError(f"it is no Arrow file: {error}.") from error
    if unknown > _MOST_ALIGNMENT:
        raise InvalidDataError(
            "it is several Arrow files, one after another: write each to a file of its own, or all to one by pyarrow."
        )


def read_feather_1(opened: Any) -> Table:
    """Return the rows of a Feather file of version 1.

    Raises:
        InvalidDataError: This release of pyarrow has dropped the format.
    """
    feather: Any = import_module("pyarrow.feather")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return feather.read_table(opened)
    except pa.ArrowException as error:
        raise InvalidDataError(f"it is a Feather file of version 1: write it with version 2 ({error}).") from error
