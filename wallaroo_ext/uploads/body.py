"""The body of an upload's request: the bytes before the file, the file, and the bytes after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.uploads.sources import EvenPieces

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from wallaroo_ext.uploads.digest import BackgroundDigest
    from wallaroo_ext.uploads.envelope import Envelope
    from wallaroo_ext.uploads.progress import Reporter
    from wallaroo_ext.uploads.sources import Source


_BATCH = 4
"""How many pieces a thread reads at a time in asyncio, because changing threads takes as long as reading one."""

_WHAT = "This upload"


class UploadBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is read once, while it is sent, by either kind of client.

    A forked process cannot continue it: it would read its parent's file, and send its parent's pieces.

    In asyncio, a thread does what may block: reading a file or an iterator, and waiting for the digest.

    Args:
        source: The source of the file's bytes.
        envelope: The bytes around them.
        digest: The digest of the bytes; None for none.
        reporter: Reports the progress.

    Attributes:
        begun: Whether anything was read.
        sent: How many bytes of the file the connection has taken.
        may_be_whole: Whether the last byte was passed to the connection, so that the instance may have all.
        failure: The error that ended the reading; None for none.
    """

    def __init__(self, source: Source, envelope: Envelope, digest: BackgroundDigest | None, reporter: Reporter) -> None:
        self._source = source
        self._envelope = envelope
        self._intake = Intake(source, digest)
        self._reporter = reporter
        self._process = this_process()
        self.begun = False
        self.sent = 0
        self.may_be_whole = False
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        with self._noted():
            yield self._beginning()
            for piece in self._pieces():
                self._process.check(_WHAT)
                yield piece
                self._count(piece)
            yield self._ending()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._noted():
            yield self._beginning()
            async for piece in self._pieces_async():
                self._process.check(_WHAT)
                yield piece
                self._count(piece)
            yield self._ending()

    @contextmanager
    def _noted(self) -> Generator[None]:
        """Keep the error of a source, because some transports replace it by their own."""
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def _beginning(self) -> bytes:
        if self.begun:
            raise httpx.StreamConsumed
        self.begun = True
        self._reporter.at(0)
        return self._envelope.head

    def _count(self, piece: bytes) -> None:
        self._process.check(_WHAT)
        self.sent += len(piece)
        self._reporter.at(self.sent)

    def _ending(self) -> bytes:
        self.may_be_whole = True
        self._reporter.at(self.sent, last=True)
        return self._envelope.tail

    def _pieces(self) -> Iterator[bytes]:
        if isinstance(self._source.pieces, AsyncIterator):
            raise InvalidDataError("An asynchronous iterator is for wallaroo_ext.aio.upload_model.")
        for piece in self._source.pieces:
            yield from self._intake.push(piece)
        yield from self._last()

    async def _pieces_async(self) -> AsyncIterator[bytes]:
        if isinstance(self._source.pieces, AsyncIterator):
            async for piece in self._source.pieces:
                async for ready in _read_in_threads(self._intake.push(piece)):
                    yield ready
            pieces = self._last()
        else:
            pieces = self._pieces()
        async for ready in _read_in_threads(pieces):
            yield ready

    def _last(self) -> Iterator[bytes]:
        """Yield what is left; where no bytes follow the file, the last piece completes the body."""
        *before, last = self._intake.last()
        yield from before
        self.may_be_whole = not self._envelope.tail
        yield last


async def _read_in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the pieces of an iterator that may block."""
    import asyncio  # as much again as the rest of this package, for programs that may not need it

    while batch := await asyncio.to_thread(_batch, pieces):
        for piece in batch:
            yield piece


def _batch(pieces: Iterable[Any]) -> list[Any]:
    return list(islice(pieces, _BATCH))


class Intake:
    """Takes the pieces of a source, and yields those to send.

    It holds the last piece back until everything has been read and has the announced size, so that an instance never
    gets the whole of a file that changed.

    Args:
        source: The source of the bytes.
        digest: The digest of the bytes; None for none.
    """

    def __init__(self, source: Source, digest: BackgroundDigest | None) -> None:
        self._source = source
        self._digest = digest
        self._evened = EvenPieces()
        self._held = b""
        self._end = 0

    def push(self, piece: Any) -> Iterator[bytes]:
        """Take a piece, and yield those that can be sent.

        Raises:
            InvalidDataError: It does not consist of bytes, or there are more than announced.
        """
        for even in self._evened.add(piece):
            yield from self._passed(even)

    def last(self) -> Iterator[bytes]:
        """Take the end of the source, and yield the rest.

        Raises:
            InvalidDataError: The source has ended too early, is empty, or has changed.
        """
        for even in self._evened.rest():
            yield from self._passed(even)
        self._source.check_end(self._end)
        yield self._held

    def _passed(self, piece: bytes) -> Iterator[bytes]:
        self._end += len(piece)
        self._source.check_room(self._end)
        if self._digest is not None:
            self._digest.feed(piece)
        if self._held:
            yield self._held
        self._held = piece
