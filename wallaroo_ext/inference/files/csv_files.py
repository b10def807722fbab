r"""Reading CSV files as columns of texts, each text exactly as the file has it.

pyarrow parses CSV in blocks, and this module works around what it gets wrong:

- No block ends between "\r" and "\n", because within quotes pyarrow would lose one of them.
- A row of our own follows the last one, because pyarrow takes a quote that is never closed for the end of the file.
- A byte-order mark precedes the first row, because pyarrow drops one there.
- A file with a NUL is refused, because behind it pyarrow ends a row at a line break within quotes.

The standard library reads the header.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from io import RawIOBase
from typing import TYPE_CHECKING, Any, Protocol

from wallaroo_ext._util.read_ahead import ReadAhead
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyarrow import RecordBatch

pa: Any = import_module("pyarrow")
arrow_csv: Any = import_module("pyarrow.csv")

BLOCK_BYTES = 1 << 20
_MAX_BLOCK_BYTES = 1 << 30
_HEADER_BYTES = 1 << 16
_BOM = b"\xef\xbb\xbf"
_END = "\x04"
"""The text of each field in the row that is appended to the file."""

_SEPARATORS = ";\t|,"
"""Separators that other programs write, such as spreadsheets in countries with decimal commas."""

_MAX_SHOWN = 80
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r(?!\Z)|\n)")


class Readable(Protocol):
    """A file of Python or of pyarrow that is open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file separates and quotes its fields.

    Attributes:
        delimiter: The character between two fields.
        quote: The character around a field; False if fields are never quoted.
        double_quote: Whether a quote within quotes is written twice.
        escape: The character before a quote within quotes; False if there is none.
    """

    delimiter: str = ","
    quote: str | bool = '"'
    double_quote: bool = True
    escape: str | bool = False

    @property
    def python_options(self) -> dict[str, Any]:
        """The same dialect as arguments for the standard library's reader."""
        quoting = {} if isinstance(self.quote, str) else {"quoting": csv.QUOTE_NONE}
        quote = self.quote if isinstance(self.quote, str) else None
        escape = self.escape if isinstance(self.escape, str) else None
        options = {"delimiter": self.delimiter, "quotechar": quote, "escapechar": escape}
        return options | quoting | {"doublequote": self.double_quote, "strict": True}


class CsvFile:
    """A CSV file with a header line.

    Args:
        open_file: Opens the file for reading, any number of times.
        dialect: How the file separates and quotes its fields.
        block: How many bytes to parse at a time at first; it grows if a row is longer.

    Attributes:
        names: The columns; empty if the file is.

    Raises:
        InvalidDataError: The header cannot be used, or the file is not in UTF-8. The message, like that of every error
            here, is the end of a sentence that begins with the file's name.
    """

    def __init__(
        self, open_file: Callable[[], Readable], dialect: Dialect | None = None, block: int | None = None
    ) -> None:
        self.block = block or BLOCK_BYTES
        self._open_file = open_file
        self._dialect = dialect or Dialect()
        source = open_file()
        try:
            self.names, self._begin = self._header(source)
        finally:
            source.close()
        self._check_names()

    def _check_names(self) -> None:
        other_separator = next((sign for sign in _SEPARATORS if len(self.names) == 1 and sign in self.names[0]), None)
        if other_separator is not None:
            usual = self._dialect.delimiter
            raise InvalidDataError(
                f"its line of names, {self.names[0][:_MAX_SHOWN]!r}, has {other_separator!r} and no {usual!r}: save it "
                f"with {usual!r} between fields, or give its one column another name."
            )
        seen: set[str] = set()
        for number, name in enumerate(self.names):
            if not name and number:
                raise InvalidDataError(f"column {number} of the header has no name: give it one.")
            if name in seen:
                raise InvalidDataError(f"two columns have the name {name!r}: rename one of them.")
            seen.add(name)

    def _header(self, source: Readable) -> tuple[list[str], int]:
        """Return the names, and the number of bytes up to the end of the header."""
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
        for names in csv.reader(lines, **self._dialect.python_options):
            if names:
                _check_no_nul(content[: lines.end])
                return names, lines.end
        return [], len(content)

    def not_unicode(self) -> InvalidDataError:
        """Return the error for a file in another encoding."""
        return InvalidDataError("it is not in UTF-8: save it as UTF-8.")

    def texts(self, columns: Sequence[str] | None = None, skip: int = 0) -> Iterator[RecordBatch]:
        """Yield the rows with all fields as texts; empty lines are no rows.

        Args:
            columns: The columns to yield; by default all.
            skip: How many rows to leave out at the beginning.

        Raises:
            InvalidDataError: A row has more or fewer fields than the header, a quote is never closed, or the file is
                not in UTF-8; the message names the row, counted from 0.
        """
        make_parser = partial(_Parser, self, self._dialect, list(columns or self.names))
        done = skip
        while self.names:
            try:
                for batch in skip_rows(done, self._parse(make_parser())):
                    done += batch.num_rows
                    yield batch
            except _BlockTooSmallError:
                continue
            return

    def _parse(self, parser: _Parser) -> Iterator[RecordBatch]:
        """Yield the rows, parsed with the current block size."""
        source = self._open_file()
        try:
            yield from parser.rows(source, self._begin)
        except UnicodeDecodeError as error:
            raise self.not_unicode() from error
        finally:
            source.close()


def _check_no_nul(content: bytes) -> None:
    if b"\0" in content:
        raise InvalidDataError("it has a NUL character: save it as UTF-8, without any.")


def skip_rows(count: int, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    """Yield the rows after the first `count`."""
    for batch in batches:
        rest = batch.slice(min(count, batch.num_rows))
        count = max(0, count - batch.num_rows)
        if rest.num_rows:
            yield rest


class _IncompleteError(Exception):
    """The header goes on after the bytes that were read so far."""


class _BlockTooSmallError(Exception):
    """A row is longer than a block; the block size of the file was increased."""


class _Lines:
    """Iterates over the first lines of a file.

    Attributes:
        end: The position where the last line that was yielded ends.
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
    """Parses a file once, from its beginning to its end."""

    def __init__(self, file: CsvFile, dialect: Dialect, columns: list[str]) -> None:
        self._file = file
        self._dialect = dialect
        self._positions = [str(file.names.index(name)) for name in columns]
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._single_column = len(file.names) == 1
        self._has_blank_line = False
        self._wrong_row: Any = None

    def rows(self, source: Readable, begin: int) -> Iterator[RecordBatch]:
        """Yield the rows without the one that was appended."""
        end = self._dialect.delimiter.join([_END] * len(self._file.names)).encode() + b"\n"
        last: Any = None
        for batch in self._batches(_Blocks(source, begin, end, blank_lines=self._single_column, dialect=self._dialect)):
            if last is not None:
                yield self._named(last)
            last = batch
        yield self._named(self._without_end(last))

    def _batches(self, blocks: _Blocks) -> Iterator[Any]:
        """Yield the batches that pyarrow parses from the blocks, without empty ones."""
        ahead = ReadAhead(blocks)
        try:
            ahead.reader = self._open_csv(ahead)
            while (batch := ahead.next()) is not None:
                if batch.num_rows:
                    yield batch
        except pa.ArrowInvalid as error:
            if "straddling object" in str(error):
                self._grow_block()
            raise self._error_of(error) from error
        finally:
            ahead.end()

    def _open_csv(self, ahead: ReadAhead) -> Any:
        names = [str(number) for number in range(len(self._file.names))]
        return arrow_csv.open_csv(
            pa.PythonFile(ahead.opened(), mode="r"),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=self._file.block, column_names=names),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._dialect.delimiter,
                quote_char=self._dialect.quote,
                double_quote=self._dialect.double_quote,
                escape_char=self._dialect.escape,
                newlines_in_values=True,
                ignore_empty_lines=not self._single_column,
                invalid_row_handler=self._remember_wrong_row,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=self._positions,
                column_types=dict.fromkeys(self._positions, pa.string()),
                strings_can_be_null=self._single_column,  # an empty line is null, and a quoted empty text is not
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )

    def _remember_wrong_row(self, row: Any) -> str:
        """Keep a row with the wrong number of fields for the message."""
        self._wrong_row = row
        return "error"

    def _error_of(self, error: Exception) -> InvalidDataError:
        row = self._wrong_row
        if row is not None:
            fields = f"{row.actual_columns} fields, and the line of names has {row.expected_columns}"
            return InvalidDataError(f"row {row.number - 1} has {fields}: {row.text[:_MAX_SHOWN]!r}.")
        if "UTF8" in str(error):
            return self._file.not_unicode()
        return InvalidDataError(str(error).partition("\n")[0])

    def _grow_block(self) -> None:
        if self._file.block >= _MAX_BLOCK_BYTES:
            raise InvalidDataError(f"a row has more than {_MAX_BLOCK_BYTES:,} bytes.")
        self._file.block *= 4
        raise _BlockTooSmallError

    def _without_end(self, batch: Any) -> Any:
        """Return the last rows without the appended one; raise InvalidDataError if an open quote has swallowed it."""
        if batch is None or any(column[-1].as_py() != _END for column in batch.columns):
            raise InvalidDataError("a quote that begins a field is never closed.")
        return batch.slice(0, batch.num_rows - 1)

    def _named(self, batch: Any) -> Any:
        """Return a batch with the column names of the file."""
        if self._single_column:
            batch = self._without_blank_lines(batch)
        return pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)

    def _without_blank_lines(self, batch: Any) -> Any:
        """Return the rows of a file with one column, in which empty lines are allowed at the end only."""
        column = batch.column(0)
        rows = batch.slice(0, len(column) - column.null_count)
        if rows.num_rows and (self._has_blank_line or rows.column(0).null_count):
            raise InvalidDataError(
                'it has one column, and empty lines between its rows: write "" for an empty text, or remove the empty '
                "lines."
            )
        self._has_blank_line = self._has_blank_line or bool(column.null_count)
        return rows


class _Quotes:
    """Finds a field that goes on after its closing quote, which pyarrow would drop silently."""

    def __init__(self, dialect: Dialect) -> None:
        usual = isinstance(dialect.quote, str) and dialect.double_quote and not dialect.escape
        self._quote = str(dialect.quote).encode() if usual else None
        quote, delimiter = re.escape(self._quote or b'"'), re.escape(dialect.delimiter.encode())
        ends = rb"[%b\r\n]" % delimiter
        self._ends = dialect.delimiter.encode() + b"\r\n"
        self._open = re.compile(rb"%b(?:[^%b]++|%b%b)*+" % (quote, quote, quote, quote))
        plain = rb"[^%b\r\n%b][^%b\r\n]*+" % (delimiter, quote, delimiter)
        self._fields = re.compile(rb"(?:(?:%b|%b%b|)%b)*+" % (plain, self._open.pattern, quote, ends))
        self._carry = b""
        """The shortest beginning that stands for the field that goes on in the next block."""

    def check(self, block: bytes) -> None:
        """Check the next bytes.

        Raises:
            InvalidDataError: A field goes on after its closing quote.
        """
        if self._quote is None:
            return
        if self._quote not in block and not self._carry.startswith(self._quote):
            self._carry = b"" if block[-1:] in self._ends else b"x"
            return
        content = self._carry + block
        whole = self._fields.match(content)
        rest = content[whole.end() if whole else 0 :]
        self._carry = self._open_field(rest) if rest.startswith(self._quote) else rest[:1]

    def _open_field(self, rest: bytes) -> bytes:
        quote = self._quote or b""
        inner = self._open.match(rest)
        end = inner.end() if inner else 0
        if end + len(quote) < len(rest):
            shown = rest[max(0, end - _MAX_SHOWN // 2) : end + _MAX_SHOWN // 2].decode(errors="replace")
            raise InvalidDataError(
                f"a field goes on behind the quote that ends it, {shown!r}: write a quote within quotes twice."
            )
        return quote if end == len(rest) else quote * 2


class _Blocks(RawIOBase):
    """The bytes after the header, in blocks for pyarrow that never end between a carriage return and a line feed."""

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
        """Return True: pyarrow asks for it."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next block, which may be a few bytes larger than `size`; empty at the end."""
        block = bytes(self._source.read(size))
        while block.endswith(b"\r") and (more := self._source.read(1)):
            block += more
        if not self._blank_lines:
            block = self._without_blank_lines(block, size)
        if block:
            _check_no_nul(block)
            self._quotes.check(block)
            self._last = block[-1:]
            block, self._bom = self._bom + block, b""
            return block
        end, self._end = self._end, b""
        return (b"" if self._last in b"\r\n" else b"\n") + end if end else b""

    def _without_blank_lines(self, block: bytes, size: int) -> bytes:
        """Return the first block from its first row on, because pyarrow needs a row in it."""
        rows = block.lstrip(b"\r\n")
        while block and not rows:
            block = bytes(self._source.read(size))
            rows = block.lstrip(b"\r\n")
        self._blank_lines = bool(rows)
        return rows
