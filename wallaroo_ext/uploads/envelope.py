"""The bytes around a file in a multipart form, as RFC 7578 and browsers write them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form.

    Attributes:
        name: The field's name.
        media_type: The media type of its content.
        content: The content; empty for a file.
        file_name: The file's name; None for a part that is no file.
    """

    name: str
    media_type: str
    content: bytes = b""
    file_name: str | None = None

    def head(self) -> bytes:
        """Return the part's headers, with the line that separates them from the content."""
        name = "" if self.file_name is None else f'; filename="{_escaped(self.file_name)}"'
        text = (
            f'Content-Disposition: form-data; name="{_escaped(self.name)}"{name}\r\n'
            f"Content-Type: {self.media_type}\r\n\r\n"
        )
        return text.encode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The bytes before a file and after it.

    Attributes:
        media_type: The media type of the whole.
        head: What comes before the file.
        tail: What comes after it.
    """

    media_type: str
    head: bytes = b""
    tail: bytes = b""


def multipart_form(*parts: Part) -> Envelope:
    """Return a form whose last part is the file.

    Its boundary has 128 random bits, so that no file contains it by chance or by intent.
    """
    boundary = f"wallaroo-ext-{secrets.token_hex(16)}"
    line = f"--{boundary}\r\n".encode()
    head = b"\r\n".join(line + part.head() + part.content for part in parts)
    return Envelope(f"multipart/form-data; boundary={boundary}", head, f"\r\n--{boundary}--\r\n".encode())


def _escaped(text: str) -> str:
    """Return a name for quotation marks, with quotes and line ends escaped as browsers do."""
    return text.translate(_ESCAPES)
