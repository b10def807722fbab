"""The options that say how the texts in a file of rows are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Decimal = Literal[".", ","]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """How the texts in a file of rows are written, as far as it is known.

    Attributes:
        encoding: The encoding of CSV and JSON; None for UTF-8, or what a byte order mark says.
        delimiter: The character between two fields of CSV; None for the one that the first rows show.
        decimal: The decimal point of numbers in CSV; None for a point, where no column has commas in its place.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: Decimal | None = None

    def __post_init__(self) -> None:
        from wallaroo_ext.errors import InvalidDataError
        from wallaroo_ext.inference.files.texts.csv_dialect import check_delimiter
        from wallaroo_ext.inference.files.texts.encoding import check_encoding

        check_encoding(self.encoding)
        delimiter = check_delimiter(self.delimiter)
        if self.decimal not in {None, ".", ","}:
            raise InvalidDataError(f"`decimal` is '.' or ',', not {self.decimal!r}.")
        if self.decimal == "," == delimiter:
            raise InvalidDataError("`delimiter` and `decimal` are both ',': numbers could not be told from two fields.")


AS_WRITTEN = TextOptions()
"""Nothing is known: all is seen in the file."""
