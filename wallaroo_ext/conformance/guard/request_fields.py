"""Reads all values of a request: in its path, query, headers, cookies, JSON, form or parts.

Nothing is lost: a key that comes twice gives two values. What cannot be read with certainty is reported as unreadable.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.expressions import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wallaroo_ext.conformance.guard.effects import Effects, RequestName
    from wallaroo_ext.conformance.guard.expressions import Location

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/"
_BOUNDARY = re.compile(rb"\s*--([^\r\n]{1,200})\r?\n")
_READABLE_CHARSETS = {"", "utf-8", "utf8", "us-ascii", "ascii"}
_UNSAFE_IN_PATH = re.compile(r"[/\\\x00-\x1f\x7f]")
_CLIENT_HEADERS = {
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
    "x-schemathesis-testcaseid",
}
"""The headers that clients add themselves."""


class UnreadableError(ValueError):
    """A part of a request cannot be read with certainty; the message names it."""


class MisleadingError(ValueError):
    """A request's path could lead to another operation; the message says how."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a request: a text, a number, a boolean or null.

    Attributes:
        location: Its location.
        value: The value.
    """

    location: Location
    value: Any


@dataclass(frozen=True, slots=True)
class RequestFields:
    """The values of a request.

    Attributes:
        values: All of them.
        unreadable: The part of the request that cannot be read with certainty; empty where there is none.
        misleading: How its path could lead to another operation; empty where it cannot.
    """

    values: tuple[Value, ...] = ()
    unreadable: str = ""
    misleading: str = ""

    def at(self, pattern: Location) -> list[Any]:
        """Return the values at the locations that match a pattern."""
        return [found.value for found in self.values if matches(pattern, found.location)]

    def has(self, name: RequestName) -> bool:
        """Return whether a field has a value, and in a list in each of its items."""
        steps = name.location[:-1]
        length = max((number + 1 for number, key in enumerate(steps) if key == "*"), default=0)
        above = steps[:length]
        items = {found.location[:length] for found in self.values if matches(above, found.location[:length])}
        naming = {
            found.location[:length] for found in self.values if found.value is not None and name.covers(found.location)
        }
        return bool(naming) and items <= naming


@dataclass(frozen=True, slots=True)
class _Object:
    """A JSON object with all of its keys, even those that come twice."""

    pairs: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])


def fields_of(
    template: str, url: str, headers: Iterable[tuple[str, str]], content: bytes, effects: Effects | None = None
) -> RequestFields:
    """Return the values of a request.

    Args:
        template: The operation's path, with parameters in braces; empty where the request belongs to none.
        url: The request's URL.
        headers: Its headers.
        content: Its body.
        effects: The effects of its operation, which tell what is a file.
    """
    all_headers = list(headers)
    values: list[Value] = []
    try:
        values += _path(template, url)
    except MisleadingError as error:
        return RequestFields(misleading=str(error))
    try:
        values += _query(url)
        values += _headers(all_headers, effects)
        values += _body(all_headers, content, effects)
    except UnreadableError as error:
        return RequestFields(tuple(values), str(error))
    return RequestFields(tuple(values))


def from_json(body: Any) -> RequestFields:
    """Return the values of a JSON body."""
    return RequestFields(tuple(_leaves(body, ("body",))))


def template_pattern(template: str) -> re.Pattern[str]:
    """Return a pattern of the paths of a template, with a group for each parameter."""
    return re.compile("".join("([^/]*)" if part.startswith("{") else re.escape(part) for part in _parts_of(template)))


def _parts_of(template: str) -> list[str]:
    return re.split(r"(\{[^}]*\})", template)


def raw_path(url: str) -> str:
    """Return the path of a URL as it is sent."""
    return urlsplit(url).path or "/"


def canonical_path(url: str) -> str:
    """Return the path of a URL as a lenient instance may read it: decoded, in lower case, without empty segments."""
    path, before = raw_path(url), ""
    while path != before:
        path, before = unquote(path, errors="replace"), path
    segments = [segment.partition(";")[0] for segment in path.lower().split("/")]
    return "/" + "/".join(segment for segment in segments if segment not in {"", "."})


def _path(template: str, url: str) -> Iterator[Value]:
    """Yield the parameters of the path.

    Raises:
        MisleadingError: One of them could lead to another path than the template's.
    """
    names = [part[1:-1] for part in _parts_of(template) if part.startswith("{")]
    if not names:
        return
    found = re.search(template_pattern(template).pattern + "$", raw_path(url))
    for name, text in zip(names, () if found is None else found.groups(), strict=False):
        value = unquote(text, errors="replace")
        if unquote(value) != value or _UNSAFE_IN_PATH.search(value) or value in {"", ".", ".."}:
            raise MisleadingError(f"Its path has {text!r} for {name}, which could lead to another operation")
        yield Value(("path", name), value)


def _query(url: str) -> Iterator[Value]:
    query = urlsplit(url).query
    if ";" in query:
        raise UnreadableError("its query has a semicolon, at which some instances divide it")
    for name, value in _pairs(query):
        yield from _text(("query", name), value)


def _headers(headers: list[tuple[str, str]], effects: Effects | None) -> Iterator[Value]:
    for name, value in headers:
        lower = name.lower()
        if lower == "cookie":
            pairs = (item.partition("=") for item in value.split(";"))
            for key, _, text in pairs:
                yield from _text(("cookie", key.strip()), text.strip())
        elif lower not in _CLIENT_HEADERS or (effects is not None and effects.covering(("header", lower))):
            yield from _text(("header", lower), value)


def _header(headers: list[tuple[str, str]], name: str) -> str:
    return ", ".join(value for key, value in headers if key.lower() == name)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise UnreadableError(f"it has a form or query that is no UTF-8: {error}") from None


def _body(headers: list[tuple[str, str]], content: bytes, effects: Effects | None) -> Iterator[Value]:
    """Yield the values of a body, read as its media type says, and in every other way that an instance may read it."""
    if not content:
        return
    if _header(headers, "content-encoding").lower() not in {"", "identity"}:
        raise UnreadableError("its body is compressed")
    kind = _header(headers, "content-type")
    if _parameter(kind, "charset").lower() not in _READABLE_CHARSETS:
        raise UnreadableError(f"its body is text of another encoding, {kind!r}")
    is_known, value = _json(content)
    media_type = kind.partition(";")[0].strip().lower()
    is_multipart = media_type.startswith(_MULTIPART) and not (is_known and not _parameter(kind, "boundary"))
    if is_multipart or (not is_known and _BOUNDARY.match(content)):
        yield from _multipart(kind, content, effects)
        return
    if is_known:
        yield from _leaves(value, ("body",))
    if media_type == _FORM:
        yield from () if is_known and isinstance(value, _Object | list) else _form(content)
        return
    if not is_known and not (effects is not None and (effects.has_nameless_body or effects.is_file_of(media_type))):
        raise UnreadableError("its body is no JSON")


def _form(content: bytes) -> Iterator[Value]:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UnreadableError("its form is no UTF-8") from None
    for name, value in _pairs(text):
        yield from _text(("body", name), value)


def _text(location: Location, text: str) -> Iterator[Value]:
    """Yield a text, and if it is a JSON object or list the values in it."""
    yield Value(location, text)
    is_known, value = _json(text.encode("utf-8", errors="surrogatepass"))
    if is_known and isinstance(value, _Object | list):
        yield from _leaves(value, location)


def _parameter(kind: str, name: str) -> str:
    """Return a parameter of a media type; empty where it has none of this name."""
    found = re.search(rf';\s*{name}\s*=\s*"?([^";,]*)', kind, re.IGNORECASE)
    return "" if found is None else found[1].strip()


def _multipart(kind: str, content: bytes, effects: Effects | None) -> Iterator[Value]:
    """Yield the values in the parts of a multipart body, but for files at locations where the contract has files.

    Raises:
        UnreadableError: It is no multipart body, or a part cannot be read.
    """
    sniffed = _BOUNDARY.match(content)
    if not _parameter(kind, "boundary") and sniffed is not None:
        kind = f'multipart/form-data; boundary="{sniffed[1].decode(errors="replace")}"'
    head = f"Content-Type: {kind}\r\n\r\n".encode("utf-8", errors="replace")
    message = message_from_bytes(head + content, policy=policy.HTTP)
    if not message.is_multipart() or message.defects:
        raise UnreadableError("its multipart body cannot be read")
    for part in message.iter_parts():
        yield from _part(part, effects)


def _part(part: Any, effects: Effects | None) -> Iterator[Value]:
    name = part.get_param("name", header="content-disposition")
    if not isinstance(name, str) or part.is_multipart() or part.get("content-transfer-encoding"):
        raise UnreadableError("its multipart body has a part that cannot be read")
    location = ("body", name)
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    if effects is not None and effects.is_file(location):
        return
    is_known, value = _json(content)
    if is_known:
        yield from _leaves(value, location)
        return
    try:
        yield Value(location, content.decode())
    except UnicodeDecodeError:
        raise UnreadableError(f"its part {name!r} is no text, and the contract has no file there") from None


def _json(content: bytes) -> tuple[bool, Any]:
    """Return whether a text is JSON, and its value, in which an object has every key."""
    try:
        return True, json.loads(content, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return False, None


def _leaves(value: Any, location: Location) -> Iterator[Value]:
    """Yield the values below a value; an empty object or list counts as null."""
    stack: list[tuple[Any, Location]] = [(value, location)]
    while stack:
        value, location = stack.pop()
        if isinstance(value, _Object) and value.pairs:
            stack += [(inner, (*location, key)) for key, inner in reversed(value.pairs)]
        elif isinstance(value, dict) and value:
            stack += [(inner, (*location, key)) for key, inner in reversed(object_of(value).items())]
        elif isinstance(value, list) and value:
            items = list(enumerate(list_of(value)))
            stack += [(inner, (*location, str(number))) for number, inner in reversed(items)]
        else:
            yield Value(location, None if isinstance(value, _Object | dict | list) else value)
