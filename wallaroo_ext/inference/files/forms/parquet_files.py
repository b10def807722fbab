"""Opening Parquet files, whichever program wrote them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from wallaroo_ext._util.file_signatures import PARQUET
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.formats import HEAD_BYTES, check_ends, refuse_known

pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

_ARROW = "parquet-cpp"


def open_parquet(opened: Any, **options: Any) -> Any:
    """Return a Parquet file.

    Times of 96 bits are read in nanoseconds where Arrow wrote them, as for pandas, and otherwise in microseconds, which
    is all that Spark has: nanoseconds would end in the year 2262, and Spark's last day is in 9999.

    Args:
        opened: The file, which can be read at any place.
        options: Further arguments of `pyarrow.parquet.ParquetFile`.

    Raises:
        InvalidDataError: It is encrypted, cut off, or of another format.
    """
    refuse_known(bytes(opened.read(HEAD_BYTES)))
    opened.seek(0)
    try:
        metadata = parquet.read_metadata(opened)
    except pa.ArrowInvalid:
        check_ends(opened, PARQUET)
        raise
    unit = "ns" if str(metadata.created_by).startswith(_ARROW) else "us"
    return parquet.ParquetFile(opened, metadata=metadata, coerce_int96_timestamp_unit=unit, **options)


def encrypted(error: OSError) -> InvalidDataError | None:
    """Return the error for a file of which some columns are encrypted; None if that is not what an error says."""
    if "ecrypt" not in str(error):
        return None
    return InvalidDataError("it has encrypted columns: decrypt them with their keys, and write it anew.")
