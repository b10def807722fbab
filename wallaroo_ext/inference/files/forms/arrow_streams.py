"""Reading Arrow IPC streams and Feather files of version 1, to which programs give the same names as to Arrow files."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import RecordBatch, Schema, Table

pa: Any = import_module("pyarrow")

_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class ArrowStream:
    """An Arrow IPC stream in a file.

    Args:
        opened: The file, of Python or of pyarrow, at its beginning.

    Raises:
        InvalidDataError: The file does not end as the writer of a stream ends one, and so was cut off: between two
            record batches, nothing else would tell.
    """

    def __init__(self, opened: Any) -> None:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - len(_END)))
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
        """Yield the record batches, each checked."""
        for batch in self._reader:
            batch.validate(full=True)  # with a wrong offset, other memory would be read
            yield batch

    def read_all(self) -> Table:
        """Return all rows."""
        return pa.Table.from_batches(self.batches(), self.schema)


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
