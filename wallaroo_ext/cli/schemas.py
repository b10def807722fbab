"""Arrow schemas from files, for uploads; needs the extra `arrow`."""

from __future__ import annotations

import base64
import binascii
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext.cli.output import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

_ARROW, _PARQUET = b"ARROW1", b"PAR1"


def schema_in(file: Path | None) -> pa.Schema | None:
    """The schema in a file: of an Arrow or a Parquet file with any rows, serialised, or that as base64.

    Raises:
        UsageError: There is none, or pyarrow is not installed.
        OSError: The file cannot be read.
    """
    if file is None:
        return None
    try:
        arrow: Any = import_module("pyarrow")
    except ImportError:
        raise UsageError("Schemas need pyarrow: pip install 'wallaroo-ext[arrow]'.") from None
    with file.open("rb") as opened:
        begin = opened.read(len(_ARROW))
    try:
        if begin.startswith(_PARQUET):
            return import_module("pyarrow.parquet").read_schema(file)
        if begin.startswith(_ARROW):
            return arrow.ipc.open_file(file).schema
        return arrow.ipc.read_schema(arrow.py_buffer(_message(file.read_bytes())))
    except (arrow.ArrowException, ValueError, OSError):
        raise UsageError(
            f"There is no Arrow schema in {file}: give an .arrow or .parquet file that has it, the schema as "
            f"`serialize` writes it, or the base64 of that."
        ) from None


def _message(content: bytes) -> bytes:
    """A serialised schema, which may be written as base64."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        return content
