"""Writes curl commands that send a request again, with the person's own token in place of the run's.

schemathesis has such a function, too (`schemathesis.core.curl`), which is not used: its commands lose bodies that are
not UTF-8, read a file for a body that begins with `@`, change URLs with brackets or dots, and have the run's own token.
"""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from wallaroo_ext.conformance.exchanges import LEFT_OUT
from wallaroo_ext.conformance.report.body_view import header, text_of
from wallaroo_ext.settings import DEFAULT_CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.conformance.exchanges import Body, Exchange

BODY_FILE = "body.bin"
"""The file that a command sends where the run did not keep the whole body."""

_BEARER = '"Authorization: Bearer $WALLAROO_TOKEN"'
_CLIENT = f'"${{WALLAROO_CLIENT_ID:-{DEFAULT_CLIENT_ID}}}:$WALLAROO_CLIENT_SECRET"'
_ADDED_BY_CURL = {
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "user-agent",
    "expect",
}
"""Headers that curl adds itself, and that say nothing about the API."""
_SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie"}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WITH_BODY = {"POST", "PUT", "PATCH"}
_NEXT_LINE = " \\\n  "


@dataclass(frozen=True, slots=True)
class CurlCommand:
    """A command for the shell.

    Attributes:
        command: The command, for bash and shells like it; it may have several lines.
        notes: Notes for the person who runs it, a sentence each.
    """

    command: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _BodyOption:
    """The option that gives curl a body, the text before and after the command, and notes about it."""

    option: str
    before: str = ""
    after: str = ""
    notes: tuple[str, ...] = ()


def curl_command(exchange: Exchange) -> CurlCommand:
    """Return the command that sends a request again. It has no secret, even if the exchange has one."""
    body = _body_option(exchange)
    parts = [_method_and_url(exchange), *_header_options(exchange, with_body=bool(body.option))]
    parts += [body.option] if body.option else []
    return CurlCommand(body.before + _NEXT_LINE.join(parts) + body.after, (*body.notes, *_notes(exchange)))


def _method_and_url(exchange: Exchange) -> str:
    """Return the first line: `--globoff` and `--path-as-is` keep curl from changing brackets and dots in the URL."""
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


def _header_options(exchange: Exchange, *, with_body: bool) -> Iterator[str]:
    for name, value in exchange.request_headers:
        if name.lower() == "authorization":
            yield _authorization(value)
        elif _can_be_sent(name, value) and not _is_superfluous(name, value):
            yield "-H " + _quoted(f"{name}: {value}" if value else f"{name};")
    if with_body and not header(exchange.request_headers, "Content-Type"):
        yield "-H 'Content-Type:'"  # without it, curl sends the content type of a form


def _authorization(value: str) -> str:
    return f"-u {_CLIENT}" if value.lower().startswith("basic ") else f"-H {_BEARER}"


def _can_be_sent(name: str, value: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not re.search(r"[\r\n\0]", value)


def _is_superfluous(name: str, value: str) -> bool:
    return name.lower() in _ADDED_BY_CURL | _SECRET_HEADERS or (name.lower(), value) == ("accept", "*/*")


def _body_option(exchange: Exchange) -> _BodyOption:
    body = exchange.request
    if not body.size:
        return _BodyOption("--data-raw ''" if exchange.method in _WITH_BODY else "")
    if not body.is_whole or not body.content:
        return _BodyOption(f"--data-binary @{BODY_FILE}", notes=(_incomplete_note(body),))
    text = text_of(body)
    if text is not None and _is_printable(text):
        return _BodyOption(f"--data-raw {_quoted(text)}")
    encoded = base64.encodebytes(body.content).decode()
    return _BodyOption("--data-binary @-", before="base64 -d <<'BODY' | ", after=f"\n{encoded}BODY\n")


def _is_printable(text: str) -> bool:
    return text.replace("\n", "").replace("\t", "").isprintable()


def _incomplete_note(body: Body) -> str:
    available = f"the first {len(body.content):,}" if body.content else "none"
    return f"The body had {body.size:,} bytes, and the run kept {available}: put the whole into {BODY_FILE}."


def _notes(exchange: Exchange) -> Iterator[str]:
    if _lacks_secret(exchange.request):
        yield f"What looks like a secret was taken out of the body: put yours in place of {LEFT_OUT} and the like."
    omitted = [name for name, value in exchange.request_headers if not _can_be_sent(name, value)]
    omitted += [name for name, _ in exchange.request_headers if name.lower() in _SECRET_HEADERS - {"authorization"}]
    if omitted:
        yield f"Not sent, because it is secret or curl cannot send it: {', '.join(omitted)}."


def _lacks_secret(body: Body) -> bool:
    """Return whether a secret was taken out of a body, so that its size or its text is another."""
    placeholders = (LEFT_OUT.encode(), quote_plus(LEFT_OUT).encode())
    is_shown = body.is_whole and bool(body.content)
    return is_shown and (len(body.content) != body.size or any(each in body.content for each in placeholders))


def _quoted(text: str) -> str:
    """Return a text as one word of the shell; characters that are not printable are escapes in `$'…'`."""
    if _is_printable(text):
        return shlex.quote(text)
    encoded = text.encode("utf-8", errors="surrogatepass")
    return "$'" + "".join(_escaped(byte) for byte in encoded) + "'"


def _escaped(byte: int) -> str:
    plain = 0x20 <= byte < 0x7F and byte not in b"'\\"  # noqa: PLR2004 - ASCII's printable ones
    return chr(byte) if plain else f"\\x{byte:02x}"
