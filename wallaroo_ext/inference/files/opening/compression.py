"""Unpacking files that are compressed, found by their first bytes and not by their names."""

from __future__ import annotations

import lzma
from importlib import import_module
from io import RawIOBase
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.signatures import TAR, is_tar
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from wallaroo_ext._util.files.readable import Readable

pa: Any = import_module("pyarrow")

_SIGNATURES = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
}
_MOST_SIGNATURE = max(map(len, _SIGNATURES))
_PIECE = 1 << 16
ENDINGS = (".gz", ".gzip", ".bgz", ".zst", ".zstd", ".bz2", ".xz", ".lz4")


def unpacked_suffix(name: str) -> str:
    """Return the suffix of a name in lower case, without that of a compression: `.csv` of `rows.csv.gz`."""
    path = PurePath(name)
    if path.suffix.lower() in ENDINGS:
        path = path.with_suffix("")
    return path.suffix.lower()


def compression_at(stream: Readable) -> str | None:
    """Return how a file is compressed; None if it is not.

    Args:
        stream: The file, at its beginning.
    """
    return _compression_of(read_beginning(stream, _MOST_SIGNATURE))


def check_unpacked(stream: Readable) -> None:
    """Raise InvalidDataError, with the end of a sentence, if what was unpacked is an archive, or compressed again."""
    head = read_beginning(stream, TAR.stop)
    if is_tar(head):
        raise InvalidDataError("it is an archive: unpack it, and name the file in it.")
    if _compression_of(head) is not None:
        raise InvalidDataError("it is compressed twice: unpack it once.")


def _compression_of(head: bytes) -> str | None:
    return next((name for signature, name in _SIGNATURES.items() if head.startswith(signature)), None)


def read_beginning(stream: Readable, size: int) -> bytes:
    """Return the first bytes of a stream, as many as wanted or all."""
    found = b""
    while len(found) < size and (piece := stream.read(size - len(found))):
        found += piece
    return found


def unpack(stream: Readable, compression: str | None) -> Readable:
    """Return the bytes of a stream as they were before they were compressed; they are unpacked as they are read.

    Its errors are InvalidDataError, and end a sentence that begins with the file's name.
    """
    return stream if compression is None else _Unpacked(stream, compression)


class _Unpacked(RawIOBase):
    """The bytes of a compressed stream, which may have several members one after the other."""

    def __init__(self, stream: Readable, compression: str) -> None:
        super().__init__()
        self._compression = compression
        self._packed = stream
        self._stream: Any = (
            _Xz(stream) if compression == "xz" else pa.CompressedInputStream(_as_arrow(stream), compression)
        )

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end."""
        try:
            return self._stream.read() if size < 0 else self._stream.read(size)
        except (OSError, EOFError, lzma.LZMAError, pa.ArrowException) as error:
            reason = str(error).partition("\n")[0]
            if "runcated" in reason or isinstance(error, EOFError):
                raise InvalidDataError(
                    f"it is compressed ({self._compression}), and ends too early: copy or download it again."
                ) from error
            raise InvalidDataError(
                f"it is compressed ({self._compression}), and cannot be unpacked: {reason}. Compress it again."
            ) from error

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._stream.close()
            self._packed.close()
        super().close()


class _Xz(RawIOBase):
    """The bytes of a stream compressed by xz, of which `lzma.LZMAFile` would lose what is broken behind a member."""

    def __init__(self, stream: Readable) -> None:
        super().__init__()
        self._packed = stream
        self._member = lzma.LZMADecompressor(lzma.FORMAT_XZ)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readall(self) -> bytes:
        """Return all bytes."""
        return b"".join(iter(lambda: self.read(_PIECE), b""))

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes; empty at the end."""
        if size < 0:
            return self.readall()
        while True:
            more = b""
            if self._member.eof:
                more = self._next_member()
                if not more:
                    return b""
            elif self._member.needs_input:
                more = bytes(self._packed.read(_PIECE))
                if not more:
                    raise EOFError
            found = self._member.decompress(more, size)
            if found:
                return found

    def _next_member(self) -> bytes:
        """Return the beginning of the next member; empty at the end. Zeros may stand before it."""
        more = self._member.unused_data.lstrip(b"\0")
        while not more and (piece := bytes(self._packed.read(_PIECE))):
            more = piece.lstrip(b"\0")
        self._member = lzma.LZMADecompressor(lzma.FORMAT_XZ) if more else self._member
        return more


def _as_arrow(stream: Readable) -> Any:
    return stream if isinstance(stream, pa.NativeFile) else pa.PythonFile(stream, mode="r")
