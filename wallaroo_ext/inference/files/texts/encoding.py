"""Reading texts in any encoding as UTF-8, piece by piece.

Without a name, an encoding is UTF-8, or what a byte order mark says. No other encoding is ever assumed, because nearly
every file is a text in several of them.
"""

from __future__ import annotations

import codecs
import re
import sys
from encodings.aliases import aliases
from io import RawIOBase
from typing import TYPE_CHECKING

from wallaroo_ext._util.near_names import near_names
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.texts.encoding_guess import guess_encodings

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext._util.files.readable import Readable

_MARKS = {  # UTF-32 stands before UTF-16, whose mark it begins with
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_OF_THIS_MACHINE = {name: f"{name}-{sys.byteorder[0]}e" for name in ("utf-16", "utf-32")}
_NO_ENCODINGS_OF_FILES = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}
_USUAL = ("utf-8", "utf-16", "cp1252", "latin-1", "cp1250", "cp1251", "shift_jis", "gb18030", "euc_kr", "big5")
_ENDS_OF_FIELDS = re.compile(rb"[\r\n\t,;\"]")
_SAMPLE = 1 << 16
_SHOWN = 40
_MOST_READINGS = 5
_HEAD = 1 << 12


def check_encoding(encoding: str | None) -> str | None:
    """Return the name that Python has for an encoding; None for None.

    Raises:
        InvalidDataError: There is no such encoding of texts.
    """
    if encoding is None:
        return None
    name = _name_of(encoding)
    if name is None:
        likely = [each for each in (*_USUAL, *aliases) if _name_of(each) is not None]
        shown = ", ".join(near_names(str(encoding), likely)[:1] or _USUAL)
        raise InvalidDataError(f"`encoding` says {encoding!r}, which is none of texts: name one such as {shown}.")
    return "utf-8" if name == "utf-8-sig" else name


def _name_of(encoding: str) -> str | None:
    """Return Python's name of an encoding of texts; None if there is none, such as for `hex`, which is one of bytes."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, TypeError, ValueError):
        return None
    return None if name.replace("-", "_") in _NO_ENCODINGS_OF_FILES else name


def open_as_utf8(open_file: Callable[[], Readable], encoding: str | None) -> Readable:
    """Open a file for reading its text in UTF-8, without a byte order mark.

    Args:
        open_file: Opens the file.
        encoding: Its encoding, as `check_encoding` gives it; None for UTF-8, or what a byte order mark says.

    Raises:
        InvalidDataError: Its first bytes say that it has another encoding. The message, like that of every error while
            it is read, is the end of a sentence that begins with the file's name.
    """
    stream = open_file()
    try:
        return _Utf8Stream(stream, encoding)
    except BaseException:
        stream.close()
        raise


class _Utf8Stream(RawIOBase):
    """Decodes a stream, and encodes it in UTF-8."""

    def __init__(self, stream: Readable, encoding: str | None) -> None:
        super().__init__()
        self._stream = stream
        self._named = encoding
        head = self._read_head()
        mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
        self._encoding = self._encoding_of(mark, head)
        self._decoder = codecs.getincrementaldecoder(self._encoding)("strict")
        self._unread = _without_marks(head, mark)
        self._ready = b""
        self._lines = 0

    def _read_head(self) -> bytes:
        head = b""
        while len(head) < _HEAD and (piece := self._stream.read(_HEAD)):
            head += piece
        return head

    def _encoding_of(self, mark: bytes, head: bytes) -> str:
        marked = _MARKS.get(mark)
        if self._named is None:
            guess = None if marked else _utf16_without_mark(head)
            if guess is not None:
                raise InvalidDataError(
                    f"it has a NUL character beside each letter, as UTF-16 without a byte order mark has them: "
                    f"say {_option(guess)}, or save it as UTF-8."
                )
            return marked or "utf-8"
        if marked is not None and not marked.startswith(self._named):
            raise InvalidDataError(
                f"it begins with the byte order mark of {marked[:6].rstrip('-').upper()}, and `encoding` says "
                f"{self._named}: leave `encoding` out."
            )
        return marked or _OF_THIS_MACHINE.get(self._named, self._named)

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes in UTF-8, at most `size` of them; empty at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_SAMPLE), b""))
        while not self._ready:
            piece = self._next_piece(size)
            self._ready = self._in_utf8(piece)
            if not piece:
                break
        found, self._ready = self._ready[:size], self._ready[size:]
        return found

    def _next_piece(self, size: int) -> bytes:
        if self._unread:
            piece, self._unread = self._unread[:size], self._unread[size:]
            return piece
        return bytes(self._stream.read(size))

    def _in_utf8(self, piece: bytes) -> bytes:
        try:
            text = self._decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            raise self._undecodable(error) from None
        if self._encoding == "utf-8":
            self._lines += piece.count(b"\n")
            return piece
        self._lines += text.count("\n")
        return text.encode()

    def _undecodable(self, error: UnicodeDecodeError) -> InvalidDataError:
        before = error.object[: error.start].decode(self._encoding, "replace")
        wrong = error.object[error.start]
        where = f"byte {wrong:#04x} in line {self._lines + before.count(chr(10)) + 1} has no meaning there"
        if self._named is not None:
            return InvalidDataError(
                f"it is not in {self._named}, as `encoding` says: {where}. Name its encoding, or save it as UTF-8 and "
                "leave `encoding` out."
            )
        if self._encoding == "utf-8" and b"\0" in error.object:
            return InvalidDataError(f"it is no text: {where}, and it has NUL characters. Name it by its right suffix.")
        if self._encoding != "utf-8":
            return InvalidDataError(f"it is not in {self._encoding}, as its first bytes say: {where}. Save it again.")
        rest = self._unread + bytes(self._stream.read(_SAMPLE))
        readings = _readings_at(error.object + rest, error.start)
        (word, guess), *others = readings.items()
        found = f"In {guess} that place reads {word!r}; if it should, say {_option(guess)}"
        if others:
            shown = ", ".join(f"{word!r} in {encoding}" for word, encoding in readings.items())
            found = f"That place may read {shown}, among others: name the right one, as in {_option(guess)}"
        return InvalidDataError(f"it is not in UTF-8: {where}. {found}, or save it as UTF-8.")

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._stream.close()
        super().close()


def _without_marks(head: bytes, mark: bytes) -> bytes:
    """Return the beginning of a text without its byte order mark, which some programs put before another one."""
    while mark and head.startswith(mark):
        head = head[len(mark) :]
    return head


def _option(encoding: str) -> str:
    return f"encoding={encoding!r} (--encoding {encoding} on the command line)"


def _utf16_without_mark(head: bytes) -> str | None:
    """Return the encoding of a file in UTF-16 that does not say so; None for any other file."""
    for name, low, high in (("utf-16-le", head[::2], head[1::2]), ("utf-16-be", head[1::2], head[::2])):
        if len(head) > 1 and low.count(0) == 0 and high.count(0) * 2 > len(high):
            return name
    return None


def _readings_at(content: bytes, start: int) -> dict[str, str]:
    """Return what the field around a byte may read, each with the first encoding that says so, the likeliest first.

    Args:
        content: The text, or a part of it.
        start: The position of the byte, which is not in UTF-8.
    """
    begin = content.rfind(b"\n", 0, start) + 1
    end = content.find(b"\n", start + _SAMPLE // 2)
    field_begin = max((found.end() for found in _ENDS_OF_FIELDS.finditer(content, begin, start)), default=begin)
    field_end = _ENDS_OF_FIELDS.search(content, start + 1)
    field = content[field_begin : field_end.start() if field_end else len(content)]
    readings: dict[str, str] = {}
    for encoding in guess_encodings(content[begin : end if end > 0 else len(content)])[:_MOST_READINGS]:
        word = field.decode(encoding, "replace")[: max(_SHOWN, start - field_begin + 1)][-_SHOWN:].strip()
        readings.setdefault(word, encoding)
    return readings
