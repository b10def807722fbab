"""Requests and their answers as a report shows them: without secrets, and of large bodies only the beginning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.redaction.known_secrets import current_secrets, json_may_have_known_secrets, remove_known_secrets
from wallaroo_ext.redaction.patterns import redact, remove_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BODY_BYTES = 16_384
"""The number of bytes of a body that are kept."""
_LONGEST_SECRET = 4_096
"""How much more of it is looked at, as a secret that is cut off is hard to know: the length of an encoded token."""
LEFT_OUT = "[left out]"
"""Stands in place of a secret."""
_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie", "set-cookie"}
TOKEN_FIELDS = ("access_token", "refresh_token", "id_token")
"""The fields of an answer to a token request that hold tokens."""
_SECRET_FIELDS = {
    *TOKEN_FIELDS,
    "password",
    "client_secret",
    "token",
    "secret",
    "assertion",
    "client_assertion",
}
_FIELDS_IN_JSON = tuple(f'"{name}"'.encode() for name in _SECRET_FIELDS)
_FORM = "application/x-www-form-urlencoded"

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Body:
    """The beginning of a body.

    Attributes:
        content: The beginning, without secrets.
        size: The size of the whole body, in bytes.
    """

    content: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether the beginning is the whole body, apart from secrets that were taken out."""
        return self.size <= MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, and its answer where one came. It holds no secret.

    Attributes:
        operation: The contract's `operationId`; empty where the request belongs to no operation.
        method: The request's method.
        url: The request's URL.
        request_headers: The request's headers.
        request: The request's body.
        status: The answer's status; 0 where none came.
        answer_headers: The answer's headers.
        answer: The answer's body.
        started: When the request was sent, in seconds since 1970.
        seconds: How long it took until the answer was there.
        test: The test that sent it, as pytest names it.
        error: Why no answer came.
        error_in_flight: The id of the error that was on its way when it was sent, as in a clean-up; 0 where none was.
        is_declared: Whether the contract has an operation of its method at its path; if not, its answer is none of the
            operation's.
    """

    operation: str
    method: str
    url: str
    request_headers: Headers
    request: Body
    status: int
    answer_headers: Headers
    answer: Body
    started: float
    seconds: float
    test: str = ""
    error: str = ""
    error_in_flight: int = 0
    is_declared: bool = True


def redact_text(text: str) -> str:
    """Return a text, such as a URL, without secrets."""
    return _redact_text(text, current_secrets())


@lru_cache(maxsize=1024)  # most come again and again
def _redact_text(text: str, _secrets: object) -> str:
    return redact(text)


def redact_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return headers without secrets; of an `Authorization` the scheme stays."""
    secrets = current_secrets()
    return tuple((name, _redact_header(name, value, secrets)) for name, value in headers)


@lru_cache(maxsize=1024)  # most headers are the same each time
def _redact_header(name: str, value: str, _secrets: object) -> str:
    if name.lower() not in _SECRET_HEADERS:
        return redact(value)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {LEFT_OUT}" if space and scheme.isalpha() else LEFT_OUT


def read_json(content: bytes) -> tuple[bool, Any]:
    """Return whether a body is JSON, and its value; None where it is none."""
    try:
        return True, json.loads(content)
    except (ValueError, RecursionError):
        return False, None


def redact_body(content: bytes, content_type: str, read: tuple[bool, Any] | None = None) -> Body:
    """Return the beginning of a body, without secrets.

    Args:
        content: The body.
        content_type: Its media type.
        read: What `read_json` returned of it, where somebody has called that.
    """
    return Body(_clean_beginning(content, content_type, read)[:MAX_BODY_BYTES], len(content))


def _clean_beginning(content: bytes, content_type: str, read: tuple[bool, Any] | None) -> bytes:
    secrets = current_secrets()
    if content_type.startswith(_FORM):
        return _without_known_secrets(_beginning(_form_without_secrets(content)), secrets, is_json=False)
    is_json, value = read_json(content) if read is None else read
    if not is_json:
        return _text_without_secrets(_beginning(content), secrets)
    return _without_known_secrets(_beginning(_json_without_secrets(content, value)), secrets, is_json=True)


def _beginning(content: bytes) -> bytes:
    return content[: MAX_BODY_BYTES + _LONGEST_SECRET]


def _json_without_secrets(content: bytes, value: Any) -> bytes:
    """Return a body without what its fields tell to be secrets, given its value."""
    if not _may_have_secret_fields(content):
        return content
    cleaned = _value_without_secrets(value)
    return content if cleaned == value else json.dumps(cleaned).encode()


def _may_have_secret_fields(content: bytes) -> bool:
    """Return whether JSON may have fields of these names, which it may write with escapes, or in UTF-16 or UTF-32."""
    return b"\\u" in content or b"\0" in content or any(name in content for name in _FIELDS_IN_JSON)


def _form_without_secrets(content: bytes) -> bytes:
    pairs = parse_qsl(content.decode("utf-8", errors="replace"), keep_blank_values=True)
    if _SECRET_FIELDS.isdisjoint(name for name, _ in pairs):
        return content
    return urlencode([(name, LEFT_OUT if name in _SECRET_FIELDS else value) for name, value in pairs]).encode()


@lru_cache(maxsize=256)  # many answers are the same; 5 MiB at most
def _without_known_secrets(content: bytes, _secrets: object, *, is_json: bool) -> bytes:
    """Return a body without the secrets that this process holds now; every other byte stays."""
    text = content.decode(errors="surrogateescape")
    if is_json and not json_may_have_known_secrets(text):
        return content
    cleaned = remove_known_secrets(text)
    return content if cleaned == text else cleaned.encode(errors="surrogateescape")


@lru_cache(maxsize=256)
def _text_without_secrets(content: bytes, _secrets: object) -> bytes:
    """Return a body without this process's secrets of now, and without what looks like one; every other byte stays."""
    text = content.decode(errors="surrogateescape")
    return remove_secrets(text).encode(errors="surrogateescape")


def _value_without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: LEFT_OUT if name in _SECRET_FIELDS and isinstance(inner, str) else _value_without_secrets(inner)
            for name, inner in object_of(value).items()
        }
    if isinstance(value, list):
        return [_value_without_secrets(item) for item in list_of(value)]
    return value
