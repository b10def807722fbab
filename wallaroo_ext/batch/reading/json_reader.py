"""Reading JSON files of a data set, records in constant memory."""

from __future__ import annotations

from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.locations import without_secrets
from wallaroo_ext.batch.reading.widening import LostValueError, common_types, converted, without_common_type
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.csv_files import skip_rows
from wallaroo_ext.inference.files.forms.json_files import JsonFile
from wallaroo_ext.inference.files.forms.log_exports import input_name, is_log
from wallaroo_ext.inference.files.opening.compression import unpacked_suffix
from wallaroo_ext.inference.files.opening.row_files import open_stream
from wallaroo_ext.inference.files.texts.encoding import check_encoding, open_as_utf8
from wallaroo_ext.inference.inputs.columns import python_column
from wallaroo_ext.inference.pandas_index import index_metadata
from wallaroo_ext.inference.refused_columns import reason_of, refused_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyarrow import RecordBatch

    from wallaroo_ext.inference.files.forms.json_files import Piece

pa: Any = import_module("pyarrow")


class JsonReader:
    """Reads a JSON file.

    It is read once for the types of its columns, which only all of its values tell, and once more for the rows.
    """

    def __init__(self, system: Any, path: str, encoding: str | None = None) -> None:
        self.path = without_secrets(path)
        opener = partial(open_as_utf8, partial(open_stream, system, path), check_encoding(encoding))
        self._file = JsonFile(opener, unpacked_suffix(self.path))

    @property
    def schema(self) -> Any:
        """The columns of the file, each with a type that holds all of its values."""
        return self._found[0]

    @property
    def rows(self) -> int | None:
        """The number of rows of the file."""
        return self._found[1]

    @cached_property
    def _found(self) -> tuple[Any, int]:
        """The columns, and the number of rows."""
        seen: dict[str, _Seen] = {}
        index: set[str] = set()
        rows = 0
        for piece in self._pieces():
            index |= piece.index
            rows = piece.first + piece.rows
            for name, values in piece.columns.items():
                seen.setdefault(name, _Seen(name, piece.first)).add(values, piece.first)
        fields = [self._field(each) for each in self._wanted(seen)]
        reasons = list(map(reason_of, fields))
        if reasons and None not in reasons:
            raise InvalidDataError(str(reasons[0]))
        return pa.schema(fields, metadata=index_metadata(*index) if index else None), rows

    def _pieces(self) -> Iterator[Piece]:
        try:
            yield from self._file.pieces()
        except InvalidDataError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InvalidDataError:
        return InvalidDataError(f"{self.path} cannot be read as a .json file: {error}")

    def _wanted(self, seen: dict[str, _Seen]) -> list[_Seen]:
        """Return the columns without those of scored rows that are no inputs and cannot be converted."""
        log = is_log(seen, nested=False)
        return [each for name, each in seen.items() if each.error is None or not log or input_name(name) is not None]

    def _field(self, seen: _Seen) -> Any:
        """Return the field of a column; one that says so if the values cannot be read."""
        if seen.error is not None:
            return refused_field(seen.name, str(self._unreadable(seen.error)))
        try:
            return pa.field(seen.name, self._common_type(seen))
        except InvalidDataError as error:
            return refused_field(seen.name, str(error))

    def _common_type(self, seen: _Seen) -> Any:
        """Return the type that holds all values of a column.

        Raises:
            InvalidDataError: There is none.
        """
        if len(seen.kinds) == 1:
            return next(iter(seen.kinds))
        lost: LostValueError | None = None
        for kind in common_types(list(seen.kinds)):
            lost = self._first_lost(seen.name, kind)
            if lost is None:
                return kind
        if lost is not None:
            why = f"{lost.text} in row {lost.row} has no place among the others"
        else:
            one, other = without_common_type(list(seen.kinds))
            why = f"its values are of type {one}, and of type {other} from about row {seen.kinds[other]} on"
        raise self._unreadable(
            InvalidDataError(f"The column {seen.name!r} cannot be read: {why}: write values of one type.")
        )

    def _first_lost(self, name: str, kind: Any) -> LostValueError | None:
        """Return the error for the first value of a column that does not fit a type; None if all do."""
        for piece in self._pieces():
            try:
                converted(_column(piece, name), kind)
            except LostValueError as lost:
                return LostValueError(None if lost.row is None else piece.first + lost.row, lost.text)
        return None

    def batches(self, columns: Sequence[str], skip: int = 0) -> Iterator[RecordBatch]:
        """Yield some columns of the rows after the first `skip`."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        yield from skip_rows(skip, self._batches(schema))

    def _batches(self, schema: Any) -> Iterator[RecordBatch]:
        for piece in self._pieces():
            try:
                found = [converted(_column(piece, each.name), each.type) for each in schema]
            except (LostValueError, InvalidDataError) as error:
                raise InvalidDataError(f"{self.path} has changed since its columns were read.") from error
            yield pa.RecordBatch.from_arrays(found, schema=schema)


class _Seen:
    """The types of the values of a column.

    Args:
        name: The column.
        first: The first row of the first piece that has it.

    Attributes:
        name: The column.
        kinds: The types, each with the first row of the piece in which it was seen first.
        error: Why some values cannot be converted; None if all can.
    """

    def __init__(self, name: str, first: int) -> None:
        self.name = name
        self.kinds: dict[Any, int] = {pa.null(): 0} if first else {}
        self.error: InvalidDataError | None = None

    def add(self, values: Any, first: int) -> None:
        """Take values into account."""
        if self.error is not None:
            return
        try:
            self.kinds.setdefault(_converted(self.name, values, first).type, first)
        except InvalidDataError as error:
            self.error = error


def _column(piece: Piece, name: str) -> Any:
    """Return a column of a piece; nulls if only later pieces have it."""
    values = piece.columns.get(name)
    return pa.nulls(piece.rows) if values is None else _converted(name, values, piece.first)


def _converted(name: str, values: Any, first: int) -> Any:
    """Return values as a column of Arrow, which they may be already."""
    return python_column(name, cast("list[Any]", values), first) if isinstance(values, list) else values
