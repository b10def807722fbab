"""What a request says, wherever it says it: in its path, its query, its JSON, its form or the parts of its body."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from wallaroo_ext.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MULTIPART = "multipart/"
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Said:
    """What a request says.

    Attributes:
        path: The parameters of its path.
        query: Those of its query; the last one of a name.
        body: Its JSON, its form, or its parts; None where it has none of them, or one that cannot be read.
    """

    path: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=dict[str, str])
    body: Any = None

    def values(self, name: str) -> Iterator[Any]:
        """The values of a field, at any place but within a value that is itself looked for."""
        for where in (self.path, self.query, self.body):
            yield from _values(where, name)


def said(template: str, url: str, content_type: str, content: bytes) -> Said:
    """Read a request.

    Args:
        template: The operation's path, with parameters in braces.
        url: The request's URL.
        content_type: The media type of its body, with parameters; empty where it names none.
        content: Its body.
    """
    parts = urlsplit(url)
    found = re.search(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]*)", re.escape(template)) + "$", parts.path)
    path = {} if found is None else {name: unquote(text) for name, text in found.groupdict().items()}
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Said(path, query, _body(content_type, content))


def _body(content_type: str, content: bytes) -> Any:
    kind = content_type.lower()
    if kind.startswith(_FORM):
        return dict(parse_qsl(content.decode("utf-8", errors="replace"), keep_blank_values=True))
    if kind.startswith(_MULTIPART):
        return dict(_parts(content_type, content))
    return _json(content)  # whatever it says it is: an instance may be less particular


def _parts(content_type: str, content: bytes) -> Iterator[tuple[str, Any]]:
    """The parts of a multipart body, JSON as what it stands for; files are left out."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", errors="replace")
    for part in message_from_bytes(head + content, policy=policy.HTTP).walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and part.get_filename() is None:
            payload = part.get_payload(decode=True)
            text = payload if isinstance(payload, bytes) else b""
            value = _json(text)
            yield name, text.decode("utf-8", errors="replace") if value is None else value


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _values(value: Any, name: str) -> Iterator[Any]:
    for key, inner in object_of(value).items():
        if key == name:
            yield inner
        else:
            yield from _values(inner, name)
