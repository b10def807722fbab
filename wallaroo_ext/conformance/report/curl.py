"""A request as a line for the shell that sends it again, with the person's own token in place of the run's."""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from wallaroo_ext.conformance.exchanges import LEFT_OUT
from wallaroo_ext.conformance.report.bodies import header, text_of
from wallaroo_ext.settings import DEFAULT_CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.conformance.exchanges import Body, Exchange

BODY_FILE = "body.bin"
"""The file that a line sends where the run did not keep the whole body."""

_BEARER = '"Authorization: Bearer $WALLAROO_TOKEN"'
_CLIENT = f'"${{WALLAROO_CLIENT_ID:-{DEFAULT_CLIENT_ID}}}:$WALLAROO_CLIENT_SECRET"'
_CURLS_OWN = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "user-agent", "expect"}
"""Headers that curl writes itself, and that say nothing about the API."""
_SECRET = {"authorization", "proxy-authorization", "cookie"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WITH_BODY = {"POST", "PUT", "PATCH"}
_NEXT_LINE = " \\\n  "


@dataclass(frozen=True, slots=True)
class CurlLine:
    """A line for the shell.

    Attributes:
        command: The line, over several ones; for bash and shells like it.
        notes: What to know before it is run, a sentence each.
    """

    command: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sent:
    """How curl gets a body: its option, what stands before and after the command, and what to know about it."""

    option: str
    before: str = ""
    after: str = ""
    notes: tuple[str, ...] = ()


def curl_line(exchange: Exchange) -> CurlLine:
    """Return the line that sends a request again. It holds no secret, whatever the exchange holds."""
    body = _body(exchange)
    words = [_start(exchange), *_headers(exchange, with_body=bool(body.option)), *filter(None, [body.option])]
    return CurlLine(body.before + _NEXT_LINE.join(words) + body.after, (*body.notes, *_notes(exchange)))


def _start(exchange: Exchange) -> str:
    """Return the command with its method and URL; curl would read braces and dots in a URL as something of its own."""
    options = ["--globoff"] if re.search(r"[\[\]{}]", exchange.url) else []
    options += ["--path-as-is"] if re.search(r"/\.\.?(/|\?|#|$)", exchange.url) else []
    return " ".join(["curl", "-i", *_method(exchange), *options, _url(exchange.url)])


def _url(url: str) -> str:
    return f"--url {_quoted(url)}" if url.startswith("-") else _quoted(url)


def _method(exchange: Exchange) -> list[str]:
    if exchange.method == "HEAD" and not exchange.request.size:
        return ["--head"]
    sends_body = bool(exchange.request.size) or exchange.method in _WITH_BODY
    usual = "POST" if sends_body else "GET"
    return [] if exchange.method == usual else ["-X", _quoted(exchange.method)]


def _headers(exchange: Exchange, *, with_body: bool) -> Iterator[str]:
    for name, value in exchange.request_headers:
        if name.lower() == "authorization":
            yield _authorization(value)
        elif _can_be_sent(name, value) and not _goes_without_saying(name, value):
            yield "-H " + _quoted(f"{name}: {value}" if value else f"{name};")
    if with_body and not header(exchange.request_headers, "Content-Type"):
        yield "-H 'Content-Type:'"  # or curl would say that it is a form


def _authorization(value: str) -> str:
    return f"-u {_CLIENT}" if value.lower().startswith("basic ") else f"-H {_BEARER}"


def _can_be_sent(name: str, value: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not re.search(r"[\r\n\0]", value)


def _goes_without_saying(name: str, value: str) -> bool:
    return name.lower() in _CURLS_OWN | _SECRET or (name.lower(), value) == ("accept", "*/*")


def _body(exchange: Exchange) -> _Sent:
    body = exchange.request
    if not body.size:
        return _Sent("--data-raw ''" if exchange.method in _WITH_BODY else "")
    if not body.is_whole or not body.content:
        return _Sent(f"--data-binary @{BODY_FILE}", notes=(_missing(body),))
    text = text_of(body)
    if text is not None and _can_be_seen(text):
        return _Sent(f"--data-raw {_quoted(text)}")
    encoded = base64.encodebytes(body.content).decode()
    return _Sent("--data-binary @-", before="base64 -d <<'BODY' | ", after=f"\n{encoded}BODY\n")


def _can_be_seen(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "").isprintable()


def _missing(body: Body) -> str:
    kept = f"the first {len(body.content):,}" if body.content else "none"
    return f"The body had {body.size:,} bytes, and the run kept {kept}: put the whole into {BODY_FILE}."


def _notes(exchange: Exchange) -> Iterator[str]:
    if _has_lost_a_secret(exchange.request):
        yield f"What looks like a secret was taken out of the body: put yours in place of {LEFT_OUT} and the like."
    lost = [name for name, value in exchange.request_headers if not _can_be_sent(name, value)]
    lost += [name for name, _ in exchange.request_headers if name.lower() in _SECRET - {"authorization"}]
    if lost:
        yield f"Not sent, because it is secret or curl cannot send it: {', '.join(lost)}."


def _has_lost_a_secret(body: Body) -> bool:
    """Whether a body is other than what was sent; one that was written anew without its secrets has another size."""
    signs = (LEFT_OUT.encode(), quote_plus(LEFT_OUT).encode())
    is_shown = body.is_whole and bool(body.content)
    return is_shown and (len(body.content) != body.size or any(sign in body.content for sign in signs))


def _quoted(text: str) -> str:
    """Return a text as one word of the shell; what cannot be seen is written as an escape of `$'…'`."""
    if _can_be_seen(text):
        return shlex.quote(text)
    encoded = text.encode("utf-8", errors="surrogatepass")
    return "$'" + "".join(_escaped(byte) for byte in encoded) + "'"


def _escaped(byte: int) -> str:
    plain = 0x20 <= byte < 0x7F and byte not in b"'\\"  # noqa: PLR2004 - ASCII's printable ones
    return chr(byte) if plain else f"\\x{byte:02x}"
