"""Opening a file of rows, wherever it is: a path, a URL, an open file, a pipe.

What is opened is unpacked if it is compressed, and can be read any number of times from its beginning.
"""

from __future__ import annotations

import errno
import inspect
import io
import os
import re
import stat
import sys
from contextlib import closing, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from wallaroo_ext._util.files.user_paths import near_file_name, user_path
from wallaroo_ext._util.locations import is_url, links_of, without_secrets
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.inference.files.opening.compression import (
    ENDINGS,
    check_unpacked,
    compression_at,
    unpack,
    unpacked_suffix,
)
from wallaroo_ext.inference.files.opening.filesystems import reaching, resolve
from wallaroo_ext.inference.files.opening.storage_options import StoredUrl, secrets_removed
from wallaroo_ext.inference.files.opening.temporary_copy import PIECE, TemporaryCopy

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext._util.files.readable import Readable

fs: Any = import_module("pyarrow.fs")

STDIN = "The standard input"
_MOST_UNPACKED = 1 << 30
_MOST_TIMES = 200
_WILDCARDS = set("*?[")
_JSON = re.compile(r'\s*(\[\s*)?\{\s*"')
_ONE_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")


class RowFile:
    """A file of rows, unpacked.

    Args:
        name: Its name for messages.
        opener: Opens it for reading bytes at any place, any number of times.
        suffix: The suffix of its name without that of a compression, in lower case; empty if it has none.
        opened: Whether a program gave it as an open file, of bytes or of text; None if it was named.
    """

    def __init__(
        self,
        name: str,
        opener: Callable[[], IO[bytes]],
        *,
        suffix: str = "",
        opened: Literal["bytes", "text"] | None = None,
    ) -> None:
        self.name = name
        self.suffix = suffix
        self.opened = opened
        self._opener = opener

    def open(self) -> IO[bytes]:
        """Open it for reading bytes."""
        return self._opener()


@contextmanager
def open_rows(source: Any) -> Generator[RowFile]:
    """Yield the file of rows that a source names or is.

    A pipe, a file of another machine and what is compressed are copied to memory, or to a temporary file where they are
    large.

    Args:
        source: A path, a URL, or a file that is open for reading bytes or text, from its position on.

    Raises:
        InvalidDataError: No file can be read from it.
        ConfigurationError: A library is missing that opens such URLs, or it cannot be reached.
        OSError: The file cannot be opened.
    """
    if callable(getattr(source, "read", None)):
        with _open_again(source, _name_of(source), is_named=False) as file:
            yield file
        return
    text = os.fsdecode(source)
    if not text:
        raise InvalidDataError("An empty text names no file.")
    if is_url(text):
        with secrets_removed(text), _open_url(source if isinstance(source, StoredUrl) else text) as file:
            yield file
        return
    with _open_path(user_path(text), text) as file:
        yield file


@contextmanager
def _open_path(path: Path, shown: str) -> Generator[RowFile]:
    if stat.S_ISREG(_state(path, shown).st_mode):
        with _unpacked(shown, partial(path.open, "rb"), path.name) as file:
            yield file
        return
    with path.open("rb") as pipe, _open_again(pipe, shown, is_named=True) as file:
        yield file


@contextmanager
def _open_again(source: Any, name: str, *, is_named: bool) -> Generator[RowFile]:
    """Yield the rest of an open file as one that can be opened any number of times."""
    with TemporaryCopy() as rest:
        kind: Literal["bytes", "text"] = "bytes"
        while piece := _next_piece(source, name):
            if isinstance(piece, str):
                kind = "text"
            rest.write(piece.encode() if isinstance(piece, str) else piece)
        with _unpacked(name, rest.open, PurePath(name).name, None if is_named else kind) as file:
            yield file


@contextmanager
def _open_url(url: str | StoredUrl) -> Generator[RowFile]:
    system, path = resolve(url)
    shown = without_secrets(url)
    if isinstance(system, fs.LocalFileSystem):
        with _open_path(Path(path), shown) as file:
            yield file
        return
    with TemporaryCopy() as content:
        with closing(_open(system, path, shown)) as stream:
            content.write_all(stream)
        with _unpacked(shown, content.open, _name_in(shown)) as file:
            yield file


def _name_in(url: str) -> str:
    """Return the name of the file that a URL names, which is in its first link with a path."""
    links = (link for link in links_of(url) if link.partition("://")[2])
    return PurePath(next(links, url)).name


@contextmanager
def _unpacked(
    shown: str, opener: Callable[[], IO[bytes]], name: str, kind: Literal["bytes", "text"] | None = None
) -> Generator[RowFile]:
    """Yield a file that can be read at any place, or its unpacked copy."""
    suffix = unpacked_suffix(name)
    with opener() as packed:
        compression = compression_at(packed)
        if compression is None:
            yield RowFile(shown, opener, suffix=suffix, opened=kind)
            return
        most = max(_MOST_UNPACKED, _MOST_TIMES * packed.seek(0, os.SEEK_END))
    with TemporaryCopy() as content:
        try:
            with closing(unpack(opener(), compression)) as stream:
                content.write_all(stream, most)
            with content.open() as beginning:
                check_unpacked(beginning)
        except InvalidDataError as error:
            raise InvalidDataError(f"{shown} cannot be read: {error}") from error
        yield RowFile(shown, content.open, suffix=suffix, opened=kind)


def _next_piece(source: Any, name: str) -> str | bytes:
    """Return what an open file has next.

    Raises:
        InvalidDataError: It cannot be read.
    """
    try:
        piece: Any = source.read(PIECE)
        if isinstance(piece, str):
            piece.encode()
            return piece
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InvalidDataError(
            f"{name} is open as a text, which it is not in the encoding {getattr(source, 'encoding', None)}: "
            f"{error.reason}. Open it with the mode 'rb'."
        ) from None
    except io.UnsupportedOperation:
        raise InvalidDataError(f"{name} is not open for reading.", advice="Open it with the mode 'rb'.") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).rstrip(".")
        raise InvalidDataError(f"{name} cannot be read: {reason}.", advice="Open it with the mode 'rb'.") from error
    if inspect.iscoroutine(piece):
        piece.close()
        raise InvalidDataError(f"{name} has to be awaited: read it, and give io.BytesIO(content).")
    if piece is None:
        raise InvalidDataError(f"{name} does not wait for its bytes: open it as a blocking file.")
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise InvalidDataError(f"{name} gives {type(piece).__name__}, and no bytes: open it with the mode 'rb'.")
    return bytes(cast("Any", piece))


def _name_of(source: Any) -> str:
    """Return the name of an open file for messages."""
    name = getattr(source, "name", None)
    if source is getattr(sys.stdin, "buffer", None) or name == "<stdin>":
        return STDIN
    return name if isinstance(name, str) and not name.startswith("<") else "The open file"


def _state(path: Path, shown: str) -> os.stat_result:
    """Return what the system knows of a file.

    Raises:
        OSError: There is no such file, and the message says what to name; or it is a directory.
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, f"{error.strerror}{_instead(path)}", shown) from None
    except ValueError as error:  # a NUL
        raise InvalidDataError(f"{shown!r} is no path: {error}.") from None
    except OSError as error:
        advice = _CONTENT if "\n" in shown else ""
        raise OSError(error.errno, f"{error.strerror}{advice}", shown[:_MOST_SHOWN]) from None
    if stat.S_ISDIR(found.st_mode):
        what = f"{os.strerror(errno.EISDIR)}, and rows are read from one file: infer_dataset (wallaroo-ext batch)"
        raise IsADirectoryError(errno.EISDIR, f"{what} scores all that are in it", shown)
    return found


_CONTENT = ": rows are named by a path, and the text of a file is given as io.StringIO(text)"
_ONE_FILE = ": one file is read, and infer_dataset (wallaroo-ext batch) scores all that a pattern fits"
_MOST_SHOWN = 200


def _instead(path: Path) -> str:
    """Return what to name in place of a file that does not exist, as the end of a sentence."""
    text = str(path)
    if "\n" in path.name or _JSON.match(text):
        return _CONTENT
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return ": leave its quotes out"
    if _ONE_SLASH.match(text):
        return ": a URL has two slashes or more behind its colon, as in s3://bucket/rows.csv"
    if set(str(path)) & _WILDCARDS:
        return _ONE_FILE
    near = near_file_name(path)
    return "" if near is None else f": there is {near!r}"


def open_stream(system: Any, path: str, shown: str | None = None) -> Readable:
    """Open a file of a file system of pyarrow for reading from its beginning, unpacked as it is read.

    Args:
        system: The file system.
        path: The path of the file in it.
        shown: Its name for messages; its path by default.
    """
    with closing(_open(system, path, shown)) as beginning:
        compression = compression_at(beginning)
    return unpack(_open(system, path, shown), compression)


def _open(system: Any, path: str, shown: str | None) -> Any:
    try:
        with reaching(shown or path, system):
            return system.open_input_stream(path, compression=None)
    except FileNotFoundError:
        name = shown or path
        why = ", or its server cannot be reached, or does not give it" if name.startswith("http") else ""
        raise InvalidDataError(f"There is no file {name}{why or _several(system, path)}.") from None
    except (OSError, ConfigurationError):
        raise
    except Exception as error:  # each library that fsspec uses has its own
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise InvalidDataError(f"{shown or path} cannot be opened: {reason}.") from error


def _several(system: Any, path: str) -> str:
    """Return what to do about a path that is no file, but names several, as the end of a sentence."""
    if "*" in path:
        return _ONE_FILE
    with suppress(Exception):  # each library that fsspec uses has its own
        if system.get_file_info(path).type == fs.FileType.Directory:
            return ", but a directory, and rows are read from one file: infer_dataset scores all that are in it"
    return ""


@contextmanager
def open_seekable(system: Any, path: str) -> Generator[Any]:
    """Yield a file of a file system for reading at any place; one that is compressed, as an unpacked temporary copy.

    On other machines, only a file whose name says that it is compressed is looked at, because that takes a request.
    """
    if isinstance(system, fs.LocalFileSystem) or PurePath(path).suffix.lower() in ENDINGS:
        with closing(_open(system, path, None)) as beginning:
            compression = compression_at(beginning)
        if compression is not None:
            with TemporaryCopy() as content, closing(unpack(_open(system, path, None), compression)) as stream:
                content.write_all(stream)
                with content.open() as beginning:
                    check_unpacked(beginning)
                with content.open() as opened:
                    yield opened
            return
    with reaching(path, system):
        found = system.open_input_file(path)
    with found as opened:
        yield opened
