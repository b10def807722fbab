"""What the body of an answer says, whoever wrote it: the API, the engine, Keycloak, or a gateway in front of them."""

from __future__ import annotations

import codecs
import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.redaction.patterns import BODY_LIMIT, redact, redact_beginning, remove_secrets
from wallaroo_ext.redaction.terminal_text import printable

if TYPE_CHECKING:
    import httpx

_LONGEST_MESSAGE = 8_192
_LONGEST_LINE = 300
_LONGEST_PAGE = 2**20
"""How much of a body is looked at, in bytes: a page may have its styles before its title."""
_LONGEST_TEXT = 64 * 1024
"""How much of a text is searched for secrets and shown from, in characters."""

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_OF_PYTHON = re.compile("escape|^(?:punycode|idna)$")
"""Encodings of Python that are none of texts: some warn, and `punycode` takes minutes for a megabyte."""
_CHARSET = re.compile(rb"""<meta\b[^<>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_LEAST_READABLE = 0.9
"""The part of a text's characters that can be read; with fewer, it is something else, such as compressed data."""

_NOT_SHOWN = re.compile(
    r"<!--(?:.*?-->|.*)|<(script|style|svg|noscript)\b(?:.*?</\1[^<>]*>?|.*)", re.DOTALL | re.IGNORECASE
)
_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>?")

_MESSAGES = ("msg", "error_description", "message", "Message", "errorMessage", "detail", "title")
"""The fields in which APIs and gateways say what is wrong; those of the API itself and of OAuth come first."""
_OAUTH_ERROR = re.compile("[a-z_]+")


@dataclass(frozen=True, slots=True)
class ParsedError:
    """The content of an error's body, whose form tells who wrote it, without secrets.

    Attributes:
        text: What it says; None where it is no JSON that says anything.
        code: The code in it.
        from_engine: Whether it has the form of the inference engine.
        from_token_endpoint: Whether it has the form of OAuth.
    """

    text: str | None = None
    code: int | None = None
    from_engine: bool = False
    from_token_endpoint: bool = False


def parse_error(response: httpx.Response) -> ParsedError:
    """Return the content of an error's body; the engine's form may be in an array of one element."""
    try:
        content: Any = _json_of(response)
    except (ValueError, RecursionError):
        return ParsedError()
    fields = object_of(next(iter(list_of(content)), content))
    text = _message_in(fields)
    code, error = fields.get("code"), fields.get("error")
    from_engine = isinstance(error, str) and ("source" in fields or "code" in fields or _is_text(fields.get("status")))
    return ParsedError(
        None if text is None else redact_beginning(text, _LONGEST_MESSAGE),
        code if isinstance(code, int) else None,
        from_engine=from_engine,
        from_token_endpoint=not from_engine and isinstance(error, str) and _is_oauth(fields, error),
    )


def _json_of(response: httpx.Response) -> Any:
    """Return a body of JSON, which is UTF-8 whatever the answer says, unless it cannot be."""
    try:
        return response.json()
    except UnicodeDecodeError:
        return json.loads(_text_of(response))


def _is_oauth(fields: dict[str, Any], error: str) -> bool:
    return "error_description" in fields or _OAUTH_ERROR.fullmatch(error) is not None


def _message_in(fields: dict[str, Any]) -> str | None:
    """Return what the fields of an error say; None if that is not in one of the usual ones."""
    texts = {name: str(fields[name]) for name in (*_MESSAGES, "error") if _is_text(fields.get(name))}
    if {"title", "detail"} <= texts.keys():  # RFC 9457
        return f"{texts['title'].rstrip('.')}: {texts['detail']}"
    if not texts:
        nested = object_of(fields.get("error"))
        return _message_in(nested) if nested else None
    return next(iter(texts.values()))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_page(response: httpx.Response) -> bool:
    """Return whether a body is a page of HTML or XML, which the API never sends."""
    beginning = _text_of(response)[:_LONGEST_LINE].lstrip()
    is_called_one = "html" in response.headers.get("Content-Type", "").lower()
    return beginning.startswith("<") or (is_called_one and not beginning.startswith(("{", "[")))


def body_excerpt(response: httpx.Response) -> str:
    """Return the first 500 characters of a body, without secrets and with control characters escaped."""
    return redact_beginning(_text_of(response), BODY_LIMIT)


def body_as_line(response: httpx.Response) -> str:
    """Return the beginning of a body as one line; of a page, its title and the text. It is empty if the body is."""
    if not response.content:
        return ""
    text = _text_of(response)
    if not _is_readable(text):
        return f"{len(response.content):,} bytes that are no text"
    if is_page(response):
        return _page_as_line(text) or "a page without a text"
    return printable(one_line(remove_secrets(text[:_LONGEST_TEXT])))


def _is_readable(text: str) -> bool:
    beginning = text[:_LONGEST_LINE]
    readable = sum((each.isprintable() or each.isspace()) and each != "\ufffd" for each in beginning)
    return readable >= _LEAST_READABLE * len(beginning)


def _page_as_line(page: str) -> str:
    """Return the title of a page and its text, which often begins with the title once more."""
    shown = remove_secrets(_NOT_SHOWN.sub(" ", page)[:_LONGEST_TEXT])
    found = _TITLE.search(shown)
    title = "" if found is None else one_line(html.unescape(found[1]))
    text = " ".join(html.unescape(_TAG.sub(" ", _TITLE.sub(" ", shown))).split())
    if title:
        text = f"{title} {text.replace(title, ' ')}"
    return redact(one_line(text))


def one_line(text: str) -> str:
    """Return a text without line breaks, shortened to 300 characters."""
    line = " ".join(text[: 2 * _LONGEST_LINE].split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _text_of(response: httpx.Response) -> str:
    """Return the beginning of a body as text: by its mark, by what the answer or the page says, otherwise in UTF-8."""
    body = response.content[:_LONGEST_PAGE]
    marked = next((name for mark, name in _MARKS.items() if body.startswith(mark)), None)
    named = _CHARSET.search(body[:1024])
    for encoding in (marked, response.charset_encoding, None if named is None else named[1].decode()):
        try:
            if encoding is not None and not _OF_PYTHON.search(codecs.lookup(encoding).name):
                return body.decode(encoding, errors="replace")
        except (LookupError, UnicodeError, ValueError):  # no encoding of text that is known here
            continue
    return body.decode("utf-8", errors="replace")
