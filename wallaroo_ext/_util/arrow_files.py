"""Tables as Arrow IPC files in memory, and back; needs the extra `arrow`, for pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"ARROW1"
"""What an Arrow IPC file begins with."""


def to_file(table: pa.Table) -> pa.Buffer:
    """Return a table as an Arrow IPC file."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


class _Pieces:
    """What pyarrow writes to as to a file: it keeps the columns' own memory, and copies nothing."""

    closed = False

    def __init__(self) -> None:
        self.pieces: list[memoryview] = []

    def write(self, piece: Any) -> int:
        """Take the next piece: bytes, or a buffer of a column."""
        self.pieces.append(memoryview(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


def to_pieces(table: pa.Table) -> list[memoryview]:
    """Return a table as the pieces of an Arrow IPC file, the large ones over the memory of its columns."""
    import pyarrow as pa

    sink = _Pieces()
    with pa.ipc.new_file(cast("Any", sink), table.schema) as writer:
        writer.write_table(table)
    return sink.pieces


def from_file(content: bytes | memoryview, limit: int | None = None) -> pa.Table:
    """Return the table of an Arrow IPC file, over the same memory, or decompressed.

    Args:
        content: The file.
        limit: How much memory it may take, in bytes; None for any amount.

    Raises:
        ValueError: It is no Arrow IPC file, or a truncated one.
        TooLargeError: It would take more memory than the limit; nothing was decompressed.
        MemoryError: There is not enough memory for it.
    """
    import pyarrow as pa

    from wallaroo_ext._util.arrow_limits import check_file

    try:
        if limit is not None:
            check_file(content, limit)
        with pa.ipc.open_file(pa.BufferReader(content)) as reader:
            table = reader.read_all()
        table.validate(full=True)  # a wrong offset would have its reader read other memory
    except pa.ArrowMemoryError:  # which is an ArrowException as well
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"no Arrow file: {error}") from error
    return table
