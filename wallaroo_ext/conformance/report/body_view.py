"""Shows bodies to people: JSON over several lines, text as it is, and other bytes as a hex dump of their beginning."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.conformance.exchanges import Body, Headers

_SHOWN_CHARACTERS = 6_000
_DUMPED_BYTES = 256
_ROW = 16


@dataclass(frozen=True, slots=True)
class BodyView:
    """A body as a person sees it.

    Attributes:
        text: The text that is shown; empty where there is no body.
        note: The body's kind and size, and how much of it is shown.
        is_dump: Whether it is a hex dump, whose lines are never broken.
    """

    text: str
    note: str
    is_dump: bool = False


def header(headers: Headers, wanted: str) -> str:
    """Return the first value of a header, by its name in any case; empty where there is none."""
    return next((value for name, value in headers if name.lower() == wanted.lower()), "")


def text_of(body: Body) -> str | None:
    """Return the beginning of a body that was kept, as text; None where it is no text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(body.content, final=body.is_whole)  # a character may be cut in two
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def view_body(body: Body) -> BodyView:
    """Return the view of a body."""
    if not body.size:
        return BodyView("", "no body")
    if not body.content:
        return BodyView("", f"{_bytes(body.size)}, none of which were kept")
    text = text_of(body)
    if text is None:
        return _view_binary(body)
    pretty = _pretty(text) if body.is_whole else None
    shown = text if pretty is None else pretty
    cut = "" if body.is_whole else f", of which the first {len(body.content):,} were kept"
    kind = "text" if pretty is None else "JSON"
    if len(shown) > _SHOWN_CHARACTERS:
        return BodyView(shown[:_SHOWN_CHARACTERS], f"{kind}, {_bytes(body.size)}{cut}; the beginning is shown")
    return BodyView(shown, f"{kind}, {_bytes(body.size)}{cut}")


def _pretty(text: str) -> str | None:
    """Return JSON over several lines; None where a text is no JSON."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return None


def _view_binary(body: Body) -> BodyView:
    shown = body.content[:_DUMPED_BYTES]
    part = "" if len(shown) == body.size else f", of which the first {len(shown):,} are shown"
    return BodyView(_hex_dump(shown), f"binary, {_bytes(body.size)}{part}", is_dump=True)


def _hex_dump(content: bytes) -> str:
    """Return bytes in hexadecimal with their ASCII characters beside them, sixteen in a line."""
    rows = (content[start : start + _ROW] for start in range(0, len(content), _ROW))
    return "\n".join(
        f"{number * _ROW:04x}  {row.hex(' '):<{3 * _ROW - 1}}  {_ascii(row)}" for number, row in enumerate(rows)
    )


def _ascii(row: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)  # noqa: PLR2004 - ASCII's printable ones


def _bytes(size: int) -> str:
    return "1 byte" if size == 1 else f"{size:,} bytes"
