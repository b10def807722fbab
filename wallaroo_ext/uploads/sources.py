"""The sources of a model's bytes: a path, an open file, memory, or an iterator."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext._util.locations import is_url, without_secrets
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


ModelSource = str | PathLike[str] | BinaryIO | bytes | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes]
"""A model's file: its path, an open binary file, its bytes, or an iterator of them."""

_AGAIN = "Nothing was uploaded; upload it again."


@dataclass(frozen=True, slots=True)
class Source:
    """A model's bytes, to be read once.

    Attributes:
        what: The kind of source, as the beginning of a sentence.
        size: How many bytes there are; None where that is unknown.
        pieces: The bytes, in pieces of any size.
        file_name: The file's own name; None for none.
        is_unchanged: Returns whether nobody has written to it since it was opened.
    """

    what: str
    size: int | None
    pieces: Iterator[Any] | AsyncIterator[Any]
    file_name: str | None = None
    is_unchanged: Callable[[], bool] = lambda: True

    def check_room(self, end: int) -> None:
        """Raise InvalidDataError where there are more bytes than were announced."""
        if self.size is not None and end > self.size:
            raise InvalidDataError(f"{self.what} has more than the {self.size} bytes that it had.", advice=_AGAIN)

    def check_end(self, end: int) -> None:
        """Raise InvalidDataError where there are fewer bytes than were announced, none, or others than before."""
        if end == 0:
            raise InvalidDataError(f"{self.what} is empty.", advice="Nothing was uploaded.")
        if self.size is not None and end < self.size:
            raise InvalidDataError(f"{self.what} ended after {end} of {self.size} bytes.", advice=_AGAIN)
        if not self.is_unchanged():
            raise InvalidDataError(f"{self.what} was written to while it was sent.", advice=_AGAIN)


@dataclass(frozen=True, slots=True)
class Extent:
    """What there is to read of an open file.

    Attributes:
        begin: The file's position.
        size: How many bytes follow it.
    """

    begin: int
    size: int


def is_open_file(model: object) -> bool:
    """Return whether a model is an open file."""
    return callable(getattr(model, "read", None))


def extent_of(file: Any) -> Extent | None:
    """Return what there is to read of an open file; None where that cannot be known before its end, as for a pipe.

    It may take long: a file that decompresses while it is read, as `gzip.open` gives it, goes through all of its bytes.
    """
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (OSError, ValueError, AttributeError, TypeError):
        return None
    return Extent(here, max(end - here, 0))


@contextmanager
def open_source(model: ModelSource, size: int | None, extent: Extent | None = None) -> Generator[Source]:
    """Yield the source of a model's bytes; a file that is opened here is closed at the end.

    Args:
        model: The model.
        size: How many bytes it has according to the caller; None where that is unknown.
        extent: What there is to read of a model that is an open file; None where that is unknown.

    Raises:
        InvalidDataError: No bytes can be read from it, it is empty, or it has another size.
        OSError: The file cannot be opened.
    """
    if isinstance(model, str | PathLike):
        if is_url(text := os.fspath(model)):
            raise InvalidDataError(
                f"{without_secrets(text)} is a URL, and a model is a file of this machine.",
                advice="Download it, or give an open file, such as fsspec's.",
            )
        path = user_path(text)
        with _regular(path).open("rb") as file:
            yield _checked(_of_path(path, file), size)
    else:
        yield _checked(_of_object(model, size, extent), size)


def opener_again(
    model: ModelSource, size: int | None, extent: Extent | None
) -> Callable[[], AbstractContextManager[Source]] | None:
    """Return a function that opens a model as `open_source` does now; None for what can be read only once."""
    if isinstance(model, str | PathLike | bytes | bytearray | memoryview):
        return lambda: open_source(model, size)
    if extent is None:
        return None
    file: Any = model

    def open_again() -> AbstractContextManager[Source]:
        file.seek(extent.begin)
        return open_source(model, size, extent)

    return open_again


def _checked(source: Source, size: int | None) -> Source:
    if size is not None and size != source.size:
        raise InvalidDataError(f"{source.what} has {source.size} bytes, and `size` says {size}.")
    if source.size == 0:
        raise InvalidDataError(f"{source.what} is empty.")
    return source


def _regular(path: Path) -> Path:
    """Return a path that can be opened without waiting for somebody to write to it."""
    try:
        mode = path.stat().st_mode
    except ValueError as error:
        raise InvalidDataError(f"{str(path)!r} is no path of a file: {error}.") from None
    if stat.S_ISDIR(mode):
        raise InvalidDataError(
            f"{path} is a directory, and a model is one file.", advice="Pack it, such as with shutil.make_archive."
        )
    if not stat.S_ISREG(mode):
        raise InvalidDataError(f"{path} is no regular file.", advice="Open it, and give the open file.")
    return path


def _of_path(path: Path, file: BinaryIO) -> Source:
    def state() -> tuple[int, int]:
        now = os.fstat(file.fileno())
        return now.st_size, now.st_mtime_ns

    before = state()
    return Source(f"The file {path.name}", before[0], _read(file), path.name, lambda: state() == before)


def _of_object(model: Any, size: int | None, extent: Extent | None) -> Source:
    if is_open_file(model):
        return Source("The open file", size if extent is None else extent.size, _read(model), _name_of(model))
    if isinstance(model, bytes | bytearray | memoryview):
        view = as_bytes(model)
        return Source("The model", len(view), (bytes(view[at : at + PIECE]) for at in range(0, len(view), PIECE)))
    if isinstance(model, AsyncIterable):
        return Source("The iterator", size, aiter(model))  # pyright: ignore[reportUnknownArgumentType] - each piece is looked at
    if isinstance(model, Iterable):
        return Source("The iterator", size, iter(model))  # pyright: ignore[reportUnknownArgumentType] - the same
    raise InvalidDataError(
        f"A model is a path, an open binary file, bytes or an iterator of bytes, not {type(model).__name__}."
    )


def _read(file: Any) -> Iterator[Any]:
    while piece := file.read(PIECE):
        yield piece
    if piece is None:
        raise InvalidDataError("The open file does not wait for its bytes.", advice="Open it as a blocking file.")


def _name_of(file: Any) -> str | None:
    """Return the name of an open file; None for a descriptor's number and names such as `<stdin>`."""
    name = getattr(file, "name", None)
    return Path(name).name if isinstance(name, str) and not name.startswith("<") else None


PIECE = 256 * 1024
"""How many bytes are read, hashed and sent at a time. Larger ones are copied more often where the network is slower."""

_ENOUGH = PIECE // 4


class EvenPieces:
    """Takes pieces of any size, and yields pieces of `PIECE` bytes, the last one smaller.

    A piece of about the right size is passed on without a copy.
    """

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, piece: Any) -> Iterator[bytes]:
        """Take a piece, and yield those that are complete.

        Raises:
            InvalidDataError: It does not consist of bytes.
        """
        view = as_bytes(piece)
        if isinstance(piece, bytes) and not self._held and _ENOUGH <= len(piece) <= PIECE:
            yield piece
            return
        begin = 0
        while begin < len(view):
            end = begin + PIECE - len(self._held)
            self._held += view[begin:end]  # a copy, because the caller may write into the piece again
            begin = end
            if len(self._held) == PIECE:
                yield from self.rest()

    def rest(self) -> Iterator[bytes]:
        """Yield what is left."""
        if self._held:
            whole = bytes(self._held)
            self._held.clear()
            yield whole


def as_bytes(piece: Any) -> memoryview:
    """Return the bytes of an object, without a copy.

    Raises:
        InvalidDataError: It does not consist of bytes.
    """
    try:
        return memoryview(piece).cast("B")
    except TypeError:
        raise InvalidDataError(
            f"A model consists of bytes, not of {type(piece).__name__}. Open a file with the mode 'rb'."
        ) from None
