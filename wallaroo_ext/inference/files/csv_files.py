r"""CSV files as columns of texts, each text exactly what the file says.

pyarrow parses CSV in blocks. Here no block ends between "\r" and "\n", because pyarrow loses one of them there within
quotes; a row of our own is put behind the last one, because pyarrow takes a quote that is never closed for the end of
the file; and a byte-order mark before the first one, because pyarrow drops it there. A file with a NUL is refused:
behind one, pyarrow ends a row at a line break that is within quotes. The standard library reads the header.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from io import RawIOBase
from typing import TYPE_CHECKING, Any, Protocol

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyarrow import RecordBatch

pa: Any = import_module("pyarrow")
arrow_csv: Any = import_module("pyarrow.csv")

BLOCK_BYTES = 1 << 20
_MOST_BLOCK_BYTES = 1 << 30
_HEADER_BYTES = 1 << 16
_BOM = b"\xef\xbb\xbf"
_END = "\x04"
"""What each field of the row has that is put behind the last one of the file."""

_SEPARATORS = ";\t|,"
"""What other programs write between two fields, such as spreadsheets where numbers have commas."""

_SHOWN = 80
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r(?!\Z)|\n)")


class Readable(Protocol):
    """A file that is open for reading, of Python or of pyarrow."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; none at the end."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file separates and quotes its fields.

    Attributes:
        delimiter: What stands between two fields.
        quote: What stands around a field; False where nothing does.
        double_quote: Whether a quote within quotes is written twice.
        escape: What stands before a quote within quotes; False where nothing does.
    """

    delimiter: str = ","
    quote: str | bool = '"'
    double_quote: bool = True
    escape: str | bool = False

    @property
    def of_python(self) -> dict[str, Any]:
        """The same for the standard library."""
        quoting = {} if isinstance(self.quote, str) else {"quoting": csv.QUOTE_NONE}
        quote = self.quote if isinstance(self.quote, str) else None
        escape = self.escape if isinstance(self.escape, str) else None
        own = {"delimiter": self.delimiter, "quotechar": quote, "escapechar": escape}
        return own | quoting | {"doublequote": self.double_quote, "strict": True}


class CsvFile:
    """A CSV file with a line of names.

    Args:
        opened: Opens it for reading, any number of times.
        dialect: How it is written.
        block: How many bytes are parsed at a time, at first; more where a row is longer.

    Attributes:
        names: The columns; none where the file is empty.

    Raises:
        InvalidDataError: It has no line of names that can be used, or is not in UTF-8. As with every error of it, the
            message is the end of a sentence that begins with the file.
    """

    def __init__(
        self, opened: Callable[[], Readable], dialect: Dialect | None = None, block: int | None = None
    ) -> None:
        self.block = block or BLOCK_BYTES
        self._opened = opened
        self._dialect = dialect or Dialect()
        source = opened()
        try:
            self.names, self._begin = self._header(source)
        finally:
            source.close()
        self._check_names()

    def _check_names(self) -> None:
        other = next((sign for sign in _SEPARATORS if len(self.names) == 1 and sign in self.names[0]), None)
        if other is not None:
            usual = self._dialect.delimiter
            raise InvalidDataError(
                f"its line of names, {self.names[0][:_SHOWN]!r}, has {other!r} and no {usual!r}: save it with "
                f"{usual!r} between fields, or give its one column another name."
            )
        seen: set[str] = set()
        for number, name in enumerate(self.names):
            if not name and number:
                raise InvalidDataError(f"column {number} of the header has no name: give it one.")
            if name in seen:
                raise InvalidDataError(f"two columns have the name {name!r}: rename one of them.")
            seen.add(name)

    def _header(self, source: Readable) -> tuple[list[str], int]:
        """Read the names, and how many bytes they and what is before them take."""
        content = b""
        while True:
            piece = source.read(_HEADER_BYTES)
            content += piece
            try:
                return self._names_of(content, ended=not piece)
            except _IncompleteError:
                continue
            except UnicodeDecodeError as error:
                raise self.not_unicode() from error
            except csv.Error as error:
                raise InvalidDataError(f"the line of names cannot be read: {error}.") from error

    def _names_of(self, content: bytes, *, ended: bool) -> tuple[list[str], int]:
        begin = len(_BOM) if content.startswith(_BOM) else 0
        lines = _Lines(content, begin, ended=ended)
        for names in csv.reader(lines, **self._dialect.of_python):
            if names:
                _check_no_nul(content[: lines.end])
                return names, lines.end
        return [], len(content)

    def not_unicode(self) -> InvalidDataError:
        """Return the error for a file in another encoding."""
        return InvalidDataError("it is not in UTF-8: save it as UTF-8.")

    def texts(self, columns: Sequence[str] | None = None, skip: int = 0) -> Iterator[RecordBatch]:
        """Give the rows, all fields as texts; lines without anything are no rows.

        Args:
            columns: The columns to give, all by default.
            skip: How many rows to leave out at the beginning.

        Raises:
            InvalidDataError: A row has more or fewer fields than names, a quote is never closed, or the file is not in
                UTF-8; the message names the row, from 0.
        """
        parser_of = partial(_Parser, self, self._dialect, list(columns or self.names))
        done = skip
        while self.names:
            try:
                for batch in rows_after(done, self._parsed(parser_of())):
                    done += batch.num_rows
                    yield batch
            except _BlockTooSmallError:
                continue
            return

    def _parsed(self, parser: _Parser) -> Iterator[RecordBatch]:
        """Yield the rows, with the present size of blocks."""
        source = self._opened()
        try:
            yield from parser.rows(source, self._begin)
        except UnicodeDecodeError as error:
            raise self.not_unicode() from error
        finally:
            source.close()


def _check_no_nul(content: bytes) -> None:
    if b"\0" in content:
        raise InvalidDataError("it has a NUL character: save it as UTF-8, without any.")


def rows_after(row: int, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """Give the rows from one on."""
    for batch in batches:
        given = batch.slice(min(row, batch.num_rows))
        row = max(0, row - batch.num_rows)
        if given.num_rows:
            yield given


class _IncompleteError(Exception):
    """The line of names goes on behind what was read."""


class _BlockTooSmallError(Exception):
    """A row is longer than a block; the file's blocks are larger now."""


class _Lines:
    """The lines of the beginning of a file.

    Attributes:
        end: Where the last one that was given ends.
    """

    def __init__(self, content: bytes, begin: int, *, ended: bool) -> None:
        self.end = begin
        self._content = content
        self._ended = ended

    def __iter__(self) -> Iterator[str]:
        while self.end < len(self._content):
            line = _LINE.match(self._content, self.end)
            if line is None and not self._ended:
                break
            begin, self.end = self.end, len(self._content) if line is None else line.end()
            yield self._content[begin : self.end].decode()
        if not self._ended:
            raise _IncompleteError


class _Parser:
    """Parses a file once, from its beginning."""

    def __init__(self, file: CsvFile, dialect: Dialect, columns: list[str]) -> None:
        self._file = file
        self._dialect = dialect
        self._places = [str(file.names.index(name)) for name in columns]
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._lines = len(file.names) == 1
        self._blank = False
        self._wrong: Any = None

    def rows(self, source: Readable, begin: int) -> Iterator[RecordBatch]:
        """Yield the rows, but for the one that was put behind them."""
        end = self._dialect.delimiter.join([_END] * len(self._file.names)).encode() + b"\n"
        last: Any = None
        for batch in self._batches(_Blocks(source, begin, end, blank_lines=self._lines, dialect=self._dialect)):
            if last is not None:
                yield self._given(last)
            last = batch
        yield self._given(self._without_end(last))

    def _batches(self, blocks: _Blocks) -> Iterator[Any]:
        """Yield what pyarrow makes of the blocks, without empty batches."""
        try:
            yield from (batch for batch in self._opened(blocks) if batch.num_rows)
        except pa.ArrowInvalid as error:
            if "straddling object" in str(error):
                self._grow()
            raise self._refused(error) from error

    def _opened(self, blocks: _Blocks) -> Any:
        names = [str(number) for number in range(len(self._file.names))]
        return arrow_csv.open_csv(
            pa.PythonFile(blocks, mode="r"),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=self._file.block, column_names=names),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote,
                double_quote=self._dialect.double_quote,
                escape_char=self._dialect.escape,
                newlines_in_values=True,
                ignore_empty_lines=not self._lines,
                invalid_row_handler=self._note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=self._places,
                column_types=dict.fromkeys(self._places, pa.string()),
                strings_can_be_null=self._lines,  # only a line without anything is one, and not a text without anything
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )

    def _note(self, row: Any) -> str:
        """Keep what is wrong with a row, for the message."""
        self._wrong = row
        return "error"

    def _refused(self, error: Exception) -> InvalidDataError:
        row = self._wrong
        if row is not None:
            fields = f"{row.actual_columns} fields, and the line of names has {row.expected_columns}"
            return InvalidDataError(f"row {row.number - 1} has {fields}: {row.text[:_SHOWN]!r}.")
        if "UTF8" in str(error):
            return self._file.not_unicode()
        return InvalidDataError(str(error).partition("\n")[0])

    def _grow(self) -> None:
        if self._file.block >= _MOST_BLOCK_BYTES:
            raise InvalidDataError(f"a row has more than {_MOST_BLOCK_BYTES:,} bytes.")
        self._file.block *= 4
        raise _BlockTooSmallError

    def _without_end(self, batch: Any) -> Any:
        """The last rows without the one that is not the file's; where that is within a field, a quote is open."""
        if batch is None or any(column[-1].as_py() != _END for column in batch.columns):
            raise InvalidDataError("a quote that begins a field is never closed.")
        return batch.slice(0, batch.num_rows - 1)

    def _given(self, batch: Any) -> Any:
        """Return a batch under the names of the file."""
        if self._lines:
            batch = self._without_blank_lines(batch)
        return pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)

    def _without_blank_lines(self, batch: Any) -> Any:
        """Return the rows of a file with one column, in which lines without anything are allowed at the end only."""
        column = batch.column(0)
        begun = batch.slice(0, len(column) - column.null_count)
        if begun.num_rows and (self._blank or begun.column(0).null_count):
            raise InvalidDataError(
                'it has one column, and lines without anything between its rows: write "" for a text '
                "without anything, or remove them."
            )
        self._blank = self._blank or bool(column.null_count)
        return begun


class _Quotes:
    """Finds a field that goes on behind the quote that ends it: pyarrow would drop that quote without a word."""

    def __init__(self, dialect: Dialect) -> None:
        usual = isinstance(dialect.quote, str) and dialect.double_quote and not dialect.escape
        self._quote = str(dialect.quote).encode() if usual else None
        quote, delimiter = re.escape(self._quote or b'"'), re.escape(dialect.delimiter.encode())
        ends = rb"[%b\r\n]" % delimiter
        self._ends = dialect.delimiter.encode() + b"\r\n"
        self._open = re.compile(rb"%b(?:[^%b]++|%b%b)*+" % (quote, quote, quote, quote))
        plain = rb"[^%b\r\n%b][^%b\r\n]*+" % (delimiter, quote, delimiter)
        self._fields = re.compile(rb"(?:(?:%b|%b%b|)%b)*+" % (plain, self._open.pattern, quote, ends))
        self._begun = b""
        """How the field begins that goes on in the next block, as short as possible."""

    def see(self, block: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidDataError: There is such a field.
        """
        if self._quote is None:
            return
        if self._quote not in block and not self._begun.startswith(self._quote):
            self._begun = b"" if block[-1:] in self._ends else b"x"
            return
        content = self._begun + block
        whole = self._fields.match(content)
        rest = content[whole.end() if whole else 0 :]
        self._begun = self._open_field(rest) if rest.startswith(self._quote) else rest[:1]

    def _open_field(self, rest: bytes) -> bytes:
        quote = self._quote or b""
        inner = self._open.match(rest)
        end = inner.end() if inner else 0
        if end + len(quote) < len(rest):
            shown = rest[max(0, end - _SHOWN // 2) : end + _SHOWN // 2].decode(errors="replace")
            raise InvalidDataError(
                f"a field goes on behind the quote that ends it, {shown!r}: write a quote within quotes twice."
            )
        return quote if end == len(rest) else quote * 2


class _Blocks(RawIOBase):
    """The bytes behind the header for pyarrow, in blocks that do not end between a carriage return and a line feed."""

    def __init__(self, source: Readable, begin: int, end: bytes, *, blank_lines: bool, dialect: Dialect) -> None:
        super().__init__()
        self._quotes = _Quotes(dialect)
        self._source = source
        self._bom = _BOM
        self._skip(begin)
        self._end = end
        self._blank_lines = blank_lines
        self._last = b"\n"

    def _skip(self, count: int) -> None:
        while count > 0:
            count -= len(self._source.read(min(count, _HEADER_BYTES))) or count

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next block, at most a few bytes larger than asked for; nothing at the end."""
        block = bytes(self._source.read(size))
        while block.endswith(b"\r") and (more := self._source.read(1)):
            block += more
        if not self._blank_lines:
            block = self._without_blank_lines(block, size)
        if block:
            _check_no_nul(block)
            self._quotes.see(block)
            self._last = block[-1:]
            block, self._bom = self._bom + block, b""
            return block
        end, self._end = self._end, b""
        return (b"" if self._last in b"\r\n" else b"\n") + end if end else b""

    def _without_blank_lines(self, block: bytes, size: int) -> bytes:
        """Return the first block from its first row on: pyarrow wants a row in it."""
        begun = block.lstrip(b"\r\n")
        while block and not begun:
            block = bytes(self._source.read(size))
            begun = block.lstrip(b"\r\n")
        self._blank_lines = bool(begun)
        return begun
