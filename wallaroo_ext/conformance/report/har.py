"""Writes the exchanges of a run as HTTP Archive 1.2, which browsers' developer tools and many programs read.

Source: http://www.softwareishard.com/blog/har-12-spec/. The format has no field for the encoding of a request's body: a
binary one is base64, and its comment says so.
"""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from harfile import Content, Creator, HarFile, PostData, Record, Request, Response, Timings

from wallaroo_ext.conformance.report.body_view import header, text_of
from wallaroo_ext.conformance.report.texts import reason, well_formed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_ext.conformance.exchanges import Body, Exchange, Headers

_HTTP = "HTTP/1.1"  # what httpx speaks unless it is told otherwise
_BASE64 = "base64"


def write_har(exchanges: Iterable[Exchange], target: BinaryIO) -> None:
    """Write exchanges, in their order."""
    text = io.TextIOWrapper(target, encoding="utf-8", newline="\n")
    with HarFile(text, creator=Creator(name="wallaroo-ext", version=_version())) as har:
        for exchange in exchanges:
            _add(har, exchange)
    text.flush()
    text.detach()


def _version() -> str:
    from importlib.metadata import version

    return version("wallaroo-ext")


def _add(har: HarFile, exchange: Exchange) -> None:
    milliseconds = exchange.seconds * 1000
    comments = (exchange.operation, exchange.test, exchange.error)
    har.add_entry(
        startedDateTime=datetime.fromtimestamp(exchange.started, UTC),
        time=milliseconds,
        request=_request(exchange),
        response=_response(exchange),
        timings=Timings(send=0, wait=milliseconds, receive=0),
        comment=well_formed(" · ".join(text for text in comments if text)),
    )


def _request(exchange: Exchange) -> Request:
    return Request(
        method=well_formed(exchange.method),
        url=well_formed(exchange.url),
        httpVersion=_HTTP,
        headers=_records(exchange.request_headers),
        queryString=_records(_query(exchange.url)),
        postData=_post_data(exchange),
        bodySize=exchange.request.size,
    )


def _query(url: str) -> Headers:
    try:
        return tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    except ValueError:  # it is no URL
        return ()


def _post_data(exchange: Exchange) -> PostData | None:
    if not exchange.request.size:
        return None
    text, encoding, cut = _content(exchange.request)
    comment = ", ".join(part for part in (encoding, cut) if part)
    media_type = well_formed(header(exchange.request_headers, "Content-Type"))
    return PostData(mimeType=media_type, text=text, comment=comment or None)


def _response(exchange: Exchange) -> Response:
    text, encoding, cut = _content(exchange.answer)
    media_type = well_formed(header(exchange.answer_headers, "Content-Type"))
    return Response(
        status=exchange.status,
        statusText=reason(exchange.status),
        httpVersion=_HTTP,
        headers=_records(exchange.answer_headers),
        content=Content(exchange.answer.size, mimeType=media_type, text=text, encoding=encoding, comment=cut),
        redirectURL=well_formed(header(exchange.answer_headers, "Location")),
        bodySize=exchange.answer.size,
        comment=well_formed(exchange.error) or None,
    )


def _content(body: Body) -> tuple[str, str | None, str | None]:
    """Return a body as text, the encoding of that text, and a comment where the body was cut."""
    cut = None if body.is_whole else f"the first {len(body.content)} of {body.size} bytes"
    text = text_of(body)
    if text is None:
        return base64.b64encode(body.content).decode(), _BASE64, cut
    return text, None, cut


def _records(pairs: Headers) -> list[Record]:
    return [Record(name=well_formed(name), value=well_formed(value)) for name, value in pairs]
