"""Reading JSON files of rows, whichever way they have their rows, records in constant memory.

Records and rows of values stand in one list, or one after another, as in JSON lines. Any other object is the whole
file; `json_orientations` says what it means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import ONLY_INPUT
from wallaroo_ext.inference.files.forms.json_orientations import columns_of_document, is_answer_of_2022, sent_in_2022
from wallaroo_ext.inference.files.forms.json_stream import JsonStream
from wallaroo_ext.inference.files.forms.log_exports import flat_record, input_name, is_log
from wallaroo_ext.inference.wrapped_rows import wrapped_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from wallaroo_ext._util.files.readable import Readable


LINES = {".jsonl", ".ndjson", ".jsonlines"}
"""The suffixes of files with a value on each line, even if it is the only one."""

_PIECE_ROWS = 16_384
_MOST_FIELDS = 10_000


@dataclass(slots=True)
class Piece:
    """Some rows of a file.

    Attributes:
        first: The number of the first row.
        columns: The columns, as lists of Python's values or as columns of Arrow. Fields that only later pieces have
            are missing, which means null.
        index: The columns that are an index.
    """

    first: int
    columns: dict[str, Any]
    index: set[str] = field(default_factory=set[str])

    @property
    def rows(self) -> int:
        """The number of rows."""
        return next((len(values) for values in self.columns.values()), 0)


class JsonFile:
    """A JSON file of rows.

    Args:
        open_file: Opens the file for reading, any number of times.
        suffix: The suffix of its name. A file of JSON lines has a row in each line, even if there is one only.
        names: The columns that are wanted, which name the values of rows that are lists.
    """

    def __init__(self, open_file: Callable[[], Readable], suffix: str = "", names: Sequence[str] = ()) -> None:
        self._open_file = open_file
        self._lines = suffix.lower() in LINES
        self._names = list(names)

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows, a part at a time; an object that is the whole file comes in one part.

        Raises:
            InvalidDataError: The file is no JSON, or has no rows. The message, like that of every error here, is the
                end of a sentence that begins with the file's name.
        """
        source = self._open_file()
        try:
            yield from self._pieces(JsonStream(source))
        finally:
            source.close()

    def read_all(self) -> tuple[dict[str, Any], set[str]]:
        """Return all rows as columns, and which of them are an index.

        Of scored rows, columns that are neither inputs nor wanted are left out, as their values may be of any type.

        Raises:
            InvalidDataError: The file is no JSON, or has no rows.
        """
        columns: dict[str, Any] = {}
        index: set[str] = set()
        for piece in self.pieces():
            index |= piece.index
            for name, values in piece.columns.items():
                if name in columns:
                    columns[name].extend(values)
                else:
                    columns[name] = [None] * piece.first + values if piece.first else values
        if is_log(columns, nested=False):
            kept = [name for name in columns if input_name(name) is not None or name in self._names]
            columns = {name: columns[name] for name in kept}
        return columns, index

    def _pieces(self, stream: JsonStream) -> Iterator[Piece]:
        begin = stream.peek()
        if not begin:
            raise InvalidDataError("it is empty: rows are a list of records, or a record on each line.")
        if begin not in "{[":
            raise InvalidDataError(
                f"it begins with {begin!r}, and rows in JSON with '[' or '{{': write records, or give its name the "
                "suffix of what it is."
            )
        if begin == "{":
            yield from self._from_objects(stream)
        elif begin == "[" and self._lines:
            yield from _rows_of_lists(_each(stream, stream.value()), self._names)
        else:
            yield from self._from_list(stream)

    def _from_objects(self, stream: JsonStream) -> Iterator[Piece]:
        """Yield the rows of a file that begins with an object."""
        first = stream.value()
        if is_answer_of_2022(first):
            yield _sent_in_2022(_each(stream, first))
            return
        if stream.peek() or self._lines:
            yield from _rows_of_records(_each(stream, first))
            return
        rows = wrapped_rows(first)
        if isinstance(rows, list):
            yield from self._from_wrapped(cast("list[Any]", rows))
            return
        columns, index = columns_of_document(first if rows is None else rows, self._names)
        yield Piece(0, columns, index)

    def _from_wrapped(self, rows: list[Any]) -> Iterator[Piece]:
        """Yield the rows of a list that an object wraps, in one part, because the object is in memory as a whole."""
        numbered, most = ((1, row) for row in rows), len(rows)
        if isinstance(rows[0], list):
            yield from _rows_of_lists(numbered, self._names, most)
        else:
            yield from _rows_of_records(numbered, most)

    def _from_list(self, stream: JsonStream) -> Iterator[Piece]:
        """Yield the rows of a file that is a list."""
        stream.take("[")
        begin = stream.peek()
        if begin == "]":
            raise InvalidDataError("it is an empty list, which has no columns. There is nothing to score.")
        elements = _elements(stream)
        if begin != "{":
            yield from _rows_of_lists(elements, self._names)
            return
        first = next(elements)
        numbered = chain([first], elements)
        if is_answer_of_2022(first[1]):
            yield _sent_in_2022(numbered)
        else:
            yield from _rows_of_records(numbered)


def _each(stream: JsonStream, first: Any) -> Iterator[tuple[int, Any]]:
    """Yield the values that stand one after another, with their lines."""
    yield 1, first
    while stream.peek():
        line = stream.line
        yield line, stream.value()


def _elements(stream: JsonStream) -> Iterator[tuple[int, Any]]:
    """Yield the values of a list, with their lines."""
    while True:
        line = stream.line
        yield line, stream.value()
        if stream.take(",]") == "]":
            break
    if stream.peek():
        raise InvalidDataError(
            f"line {stream.line} goes on after the end of the list: write one list, or a record on each line."
        )


def _sent_in_2022(numbered: Iterator[tuple[int, Any]]) -> Piece:
    """Return what was sent for answers of release 2022.4 in one part, as consecutive ones may be of one request."""
    return Piece(0, sent_in_2022([record for _, record in numbered]))


def _rows_of_records(numbered: Iterator[tuple[int, Any]], most: int | None = None) -> Iterator[Piece]:
    """Yield records as columns; a field that a record lacks is null, as programs leave out what is null.

    Args:
        numbered: The records with their lines.
        most: The most rows of a part; by default so many that they take little memory.
    """
    most = most or _PIECE_ROWS
    names: dict[str, None] = {}
    records: list[dict[str, Any]] = []
    first = 0
    for row, (line, record) in enumerate(numbered):
        if not isinstance(record, dict):
            raise InvalidDataError(f"row {row}, line {line}, is no record, and those before it are.")
        if len(records) == most:
            yield Piece(first, _columns_of_records(records, names))
            records, first = [], row
        records.append(flat_record(cast("dict[str, Any]", record)))
        if records[-1].keys() != names.keys():
            names |= dict.fromkeys(records[-1])
            if len(names) > _MOST_FIELDS and row:
                raise InvalidDataError(f"its records have more than {_MOST_FIELDS:,} fields: write them as columns.")
    if not names:
        raise InvalidDataError("its records have no fields. There is nothing to score.")
    yield Piece(first, _columns_of_records(records, names))


def _columns_of_records(records: list[dict[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [record.get(name) for record in records] for name in names}


def _rows_of_lists(numbered: Iterator[tuple[int, Any]], names: list[str], most: int | None = None) -> Iterator[Piece]:
    """Yield rows that are lists: under names if they are given, otherwise as the vectors of the only input."""
    most = most or _PIECE_ROWS
    rows: list[list[Any]] = []
    first = 0
    for row, (line, values) in enumerate(numbered):
        if not isinstance(values, list):
            raise InvalidDataError(f"row {row}, line {line}, is no list, and those before it are.")
        values = cast("list[Any]", values)
        if not names and len({_kind_of(value) for value in values}) > 1:
            raise InvalidDataError(
                f"row {row}, line {line}, is a list of numbers and other values, which is no vector: name its columns "
                "(columns=, --columns), or write records."
            )
        if names and len(values) != len(names):
            raise InvalidDataError(f"row {row}, line {line}, has {len(values)} values for {len(names)} columns.")
        if len(rows) == most:
            yield Piece(first, _columns_of_lists(rows, names))
            rows, first = [], row
        rows.append(values)
    yield Piece(first, _columns_of_lists(rows, names))


def _kind_of(value: Any) -> type:
    """Return the type of a value; that of all numbers, which may be null, is one."""
    kind: type = value.__class__
    return float if value is None or kind in {int, float} else kind


def _columns_of_lists(rows: list[list[Any]], names: list[str]) -> dict[str, Any]:
    if not names:
        return {ONLY_INPUT: rows}
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
