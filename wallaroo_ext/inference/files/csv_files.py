r"""Reading CSV files as columns of texts, each text exactly as the file has it.

pyarrow parses CSV in blocks, and this module works around what it gets wrong:

- No block ends between "\r" and "\n", because within quotes pyarrow would lose one of them.
- A row of our own follows the last one, because pyarrow takes a quote that is never closed for the end of the file.
- A byte order mark precedes the first row, because pyarrow drops one there.
- A file with a NUL is refused, because behind it pyarrow ends a row at a line break within quotes.

The standard library reads the header.
"""

from __future__ import annotations

import codecs
import csv
import re
from functools import partial
from importlib import import_module
from io import RawIOBase
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.arrow.read_ahead import ReadAhead
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.texts.csv_dialect import Dialect, check_delimiter, find_dialect, separator_line
from wallaroo_ext.inference.files.texts.encoding import check_encoding, open_as_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pyarrow import RecordBatch

    from wallaroo_ext._util.files.readable import Readable

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")
arrow_csv: Any = import_module("pyarrow.csv")

BLOCK_BYTES = 1 << 20
_MAX_BLOCK_BYTES = 1 << 30
_HEADER_BYTES = 1 << 16
_BOM = codecs.BOM_UTF8
_MARK, _MARK_IN_CP1252 = _BOM.decode(), _BOM.decode("cp1252")
_END = "\x04"
"""The text of each field in the row that is appended to the file."""

_NEVER_CLOSED = "a quote that begins a field is never closed."

_MAX_SHOWN = 80
_MANY = 10
"""From this many on, falling numbers are taken for names, not for a row of values."""

_COMMENTS = ("#", "%", "//")
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r(?!\Z)|\n)")


class CsvFile:
    """A CSV file with a header line.

    Args:
        open_file: Opens the file for reading, any number of times.
        dialect: How the file separates and quotes its fields; None to see it in the first rows.
        block: How many bytes to parse at a time at first; it grows if a row is longer.
        encoding: The encoding of the file; None for UTF-8, or what a byte order mark says.
        delimiter: The separator of fields, where no dialect is given; None to see it in the first rows.

    Attributes:
        names: The columns; empty if the file is.
        dialect: How the file separates and quotes its fields.

    Raises:
        InvalidDataError: The header cannot be used, or the file is in another encoding. The message, like that of every
            error here, is the end of a sentence that begins with the file's name.
    """

    def __init__(
        self,
        open_file: Callable[[], Readable],
        dialect: Dialect | None = None,
        block: int | None = None,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
    ) -> None:
        self.block = block or BLOCK_BYTES
        self._open = partial(open_as_utf8, open_file, check_encoding(encoding))
        separator = check_delimiter(delimiter)
        self._named = Dialect(separator) if dialect is None and separator is not None else dialect
        self.dialect = self._named or Dialect()
        source = self._open()
        try:
            self.names, self._begin = self._header(source)
        finally:
            source.close()
        self._check_names()

    def _check_names(self) -> None:
        if "".join(self.names).isspace():
            raise InvalidDataError("its first line is blank, and has to be that of the names.")
        if _are_values(self.names):
            raise InvalidDataError(
                f"its first line has numbers and no names, {_shown(self.dialect.delimiter.join(self.names))}: write "
                "the names of the columns into a line before it."
            )
        marked = next(
            (mark for mark in (_MARK, _MARK_IN_CP1252) if self.names and self.names[0].startswith(mark)), None
        )
        if marked is not None:
            raise InvalidDataError(
                f"its first name, {self.names[0]!r}, begins with a byte order mark that was read as letters: remove it."
            )
        seen: set[str] = set()
        for number, name in enumerate(self.names):
            if not name and number:
                behind = f", or remove the {self.dialect.delimiter!r} at the end of the lines"
                last = behind if number == len(self.names) - 1 else ""
                raise InvalidDataError(f"column {number} of the header has no name: give it one{last}.")
            if name in seen:
                other = ", or write the names into a line before the first row" if _is_number(name) else ""
                raise InvalidDataError(f"two columns have the name {name!r}: rename one of them{other}.")
            seen.add(name)

    def _header(self, source: Readable) -> tuple[list[str], int]:
        """Return the names, and the number of bytes up to the end of the header."""
        content = b""
        wanted = _HEADER_BYTES
        while True:
            while len(content) < wanted and (piece := source.read(_HEADER_BYTES)):
                content += piece
            try:
                return self._names_of(content, ended=len(content) < wanted)
            except _IncompleteError:
                wanted = len(content) + _HEADER_BYTES
            except csv.Error as error:
                raise InvalidDataError(f"the line of names cannot be read: {error}.") from error

    def _names_of(self, content: bytes, *, ended: bool) -> tuple[list[str], int]:
        begin = self._find_dialect(content, ended=ended)
        lines = _Lines(content, begin, ended=ended)
        for names in csv.reader(lines, **self.dialect.python_options):
            if names:
                _check_no_nul(content[: lines.end])
                return names, lines.end
        return [], len(content)

    def _find_dialect(self, content: bytes, *, ended: bool) -> int:
        """Find out the dialect unless it is named, and return where the line of names, or an empty one, begins."""
        text = content.decode(errors="ignore")  # of the last character, there may be a part
        separator, length = separator_line(text)
        if separator is not None and self._named in {None, Dialect(separator)}:
            self.dialect = Dialect(check_delimiter(separator) or ",")
            return len(text[:length].encode())
        if self._named is None:
            next((row for row in csv.reader(_Lines(content, 0, ended=ended)) if row), None)  # the names are whole then
            self.dialect = find_dialect(text, ended=ended)
        return 0

    def texts(self, columns: Sequence[str] | None = None, skip: int = 0) -> Iterator[RecordBatch]:
        """Yield the rows with all fields as texts; empty lines are no rows.

        Args:
            columns: The columns to yield; by default all.
            skip: How many rows to leave out at the beginning.

        Raises:
            InvalidDataError: A row has more or fewer fields than the header, a quote is never closed, the file is not
                in UTF-8, or it was joined of several; the message names the row, counted from 0.
        """
        wanted = list(columns or self.names)
        make_parser = partial(_Parser, self, self.dialect, wanted)
        done = skip
        while self.names:
            try:
                for batch in skip_rows(done, self._parse(make_parser())):
                    self._check_single(batch, done)
                    done += batch.num_rows
                    yield batch
            except _BlockTooSmallError:
                continue
            return

    def _check_single(self, batch: Any, first: int) -> None:
        """Raise InvalidDataError where another file seems to begin: at a byte order mark, or the line of names again.

        Where a single column is read, or the names are numbers, a row of the names is one like any other.
        """
        names: list[str] = batch.schema.names
        if names[0] == self.names[0]:
            row = _first_row(pc.starts_with(batch.column(0), _MARK))
            if row is not None:
                raise _joined(f"row {first + row} begins with a byte order mark")
        if len(names) == 1 or all(map(_is_number, names)):
            return
        again = pc.equal(batch.column(0), names[0])
        for name, texts in zip(names[1:], batch.columns[1:], strict=True):
            if _first_row(again) is None:
                return
            again = pc.and_(again, pc.equal(texts, name))
        row = _first_row(again)
        if row is not None:
            raise _joined(f"row {first + row} is the line of names again")

    def _parse(self, parser: _Parser) -> Iterator[RecordBatch]:
        """Yield the rows, parsed with the current block size."""
        source = self._open()
        try:
            yield from parser.rows(source, self._begin)
        finally:
            source.close()


def _first_row(found: Any) -> int | None:
    """Return the first row of a mask; None if it has none."""
    row = pc.index(found, pa.scalar(value=True)).as_py()
    return None if row < 0 else row


def _joined(problem: str) -> InvalidDataError:
    return InvalidDataError(
        f"{problem}, as if files had been joined: remove it there, or name the files apart by infer_dataset "
        "(wallaroo-ext batch)."
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text.strip()))


def _are_values(names: list[str]) -> bool:
    """Return whether the first line has values in place of names.

    Numbers are names, too, such as those of wavelengths or quantiles, or of columns that are counted from 0; but those
    are in order, perhaps in that of texts.
    """
    if not names or not all(map(_is_number, names)) or (names == sorted(names) and "." not in "".join(names)):
        return False
    pairs = list(pairwise(map(float, names)))
    rising, falling = (all(sign * one < sign * other for one, other in pairs) for sign in (1, -1))
    return not (rising or (falling and len(names) >= _MANY))


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
        places = {name: str(place) for place, name in enumerate(file.names)}
        self._positions = [places[name] for name in columns]
        self._end = dialect.delimiter.join([_END] * len(file.names))
        self._schema = pa.schema([(name, pa.string()) for name in columns])
        self._single_column = len(file.names) == 1
        self._has_blank_line = False
        self._wrong_row: Any = None

    def rows(self, source: Readable, begin: int) -> Iterator[RecordBatch]:
        """Yield the rows without the one that was appended."""
        end = self._end.encode() + b"\n"
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
        if row is not None and row.text.rstrip("\r\n").endswith(self._end):
            return InvalidDataError(f"row {row.number - 1}: {_NEVER_CLOSED}")
        if row is not None:
            fields = f"{row.actual_columns} fields, and the line of names has {row.expected_columns}"
            return InvalidDataError(
                f"row {row.number - 1} has {fields}: {row.text[:_MAX_SHOWN]!r}.", advice=self._advice_on(row)
            )
        return InvalidDataError(str(error).partition("\n")[0])

    def _advice_on(self, row: Any) -> str:
        """Return what to do about a row with the wrong number of fields; empty if the message says enough."""
        first = self._file.names[0]
        if first.startswith(_COMMENTS):
            return f"The first line, {_shown(first)}, is a comment: remove all lines before that of the names."
        delimiter = self._dialect.delimiter
        if row.number == 1 and row.actual_columns == row.expected_columns + 1:
            if row.text.rstrip("\r\n").endswith(delimiter):
                return f"Remove the {delimiter!r} at the end of the lines."
            return "If the first field is the name of the row, as R writes it, give it a name in the first line, too."
        if row.expected_columns == 1:
            return (
                f"The first line, {_shown(first)}, has to be that of the names: remove a title that stands before it."
            )
        return ""

    def _grow_block(self) -> None:
        if self._file.block >= _MAX_BLOCK_BYTES:
            raise InvalidDataError(f"a row has more than {_MAX_BLOCK_BYTES:,} bytes.")
        self._file.block *= 4
        raise _BlockTooSmallError

    def _without_end(self, batch: Any) -> Any:
        """Return the last rows without the appended one; raise InvalidDataError if an open quote has swallowed it."""
        if batch is None or any(column[-1].as_py() != _END for column in batch.columns):
            raise InvalidDataError(_NEVER_CLOSED)
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
