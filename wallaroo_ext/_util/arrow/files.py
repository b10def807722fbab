"""Arrow IPC files in memory: writing tables to them and reading them back; needs the extra `arrow`, for pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pyarrow as pa

MEDIA_TYPE = "application/vnd.apache.arrow.file"
"""The media type of an Arrow IPC file, in the list of IANA."""
NO_FILE = "no Arrow file: "
"""How the messages of `from_file` begin, for those that have said so already."""


def to_file(table: pa.Table) -> pa.Buffer:
    """Return a table as an Arrow IPC file."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


class _BufferSink:
    """A file object for pyarrow that keeps the buffers written to it, without copying them."""

    closed = False

    def __init__(self) -> None:
        self.buffers: list[memoryview] = []

    def write(self, buffer: Any) -> int:
        """Keep the next buffer: bytes, or the memory of a column."""
        self.buffers.append(memoryview(buffer))
        return len(buffer)

    def flush(self) -> None:
        """Do nothing: no data is held back."""

    def close(self) -> None:
        """Do nothing: no file is open."""


def to_buffers(table: pa.Table) -> list[memoryview]:
    """Return a table as the buffers of an Arrow IPC file; the large ones are the memory of its columns."""
    import pyarrow as pa

    sink = _BufferSink()
    with pa.ipc.new_file(cast("Any", sink), table.schema) as writer:
        writer.write_table(table)
    return sink.buffers


def from_file(content: bytes | memoryview, limit: int | None = None) -> pa.Table:
    """Return the table of an Arrow IPC file; it shares the file's memory unless the file is compressed.

    Args:
        content: The file.
        limit: How much memory the table may take, in bytes; None for any amount.

    Raises:
        ValueError: The content is no Arrow IPC file, or is truncated.
        TooLargeError: The table would take more memory than the limit; nothing was decompressed.
        MemoryError: There is not enough memory for the table.
    """
    import pyarrow as pa

    from wallaroo_ext._util.arrow.limits import check_file

    try:
        if limit is not None:
            check_file(content, limit)
        with pa.ipc.open_file(pa.BufferReader(content)) as reader:
            table = reader.read_all()
        table.validate(full=True)  # a wrong offset would make its reader read other memory
    except pa.ArrowMemoryError:  # which is an ArrowException as well
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"{NO_FILE}{error}") from error
    return table
