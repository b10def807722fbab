"""A gateway in front of a sandbox, as an ASGI layer: it lies about nothing, and does what gateways do."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from contract_tests.support.servers.asgi_exchanges import RAW, Answer, Request, call_app, read_request
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.http.protocol import drop_connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

TROUBLES = ("429", "429 in seconds", "429 by date", "502", "503", "504", "dropped", "broken off")
"""What a gateway can do to a request in place of passing on the answer."""
WANTS_BASIC, TOO_LARGE = "401 and HTTP Basic", "413"
"""What a gateway says that would say the same the next time."""
HTML = b"text/html; charset=utf-8"
BEFORE = ("429", "429 in seconds", "429 by date", "502", "503", "dropped")
"""The troubles that come before the instance has seen the request; after the others it may have carried it out."""
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
"""An interim answer, which comes before the final one."""
ADDED = [
    (b"via", b"1.1 gateway"),
    (b"server", b"gateway/1.0"),
    (b"x-request-id", b"1"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"set-cookie", b"AWSALB=k3+/=; Expires=Wed, 01 Jan 2098 00:00:00 GMT; Path=/"),
    (b"set-cookie", b'session="a, b"; Path=/; HttpOnly'),
    (b"vary", b"Origin"),
    (b"etag", b'W/"1"'),
    (b"server-timing", b"app;dur=12.1"),
    (b"link", b'<https://example.com/>; rel="help"'),
]
"""The headers that a gateway adds, two of them cookies."""
_HOME, _ROWS = "127.0.0.1", "/v1/api/pipelines/infer/"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
_HOP = {b"content-length", b"transfer-encoding", b"connection"}


@dataclass(kw_only=True)
class Gateway:
    """What a gateway does.

    Attributes:
        trouble: The share of requests that get no answer of the instance, from 0 to 1.
        kinds: The troubles, by turns.
        seed: The seed by which the requests are chosen.
        about: Whether a request, given its path, can have trouble, or is held back.
        rewrites: Whether it sends early hints and rewrites headers: it adds `Via`, `Server` and others, gives cookies,
            writes media types in capitals and with a charset, and sends bodies in chunks without their length.
        rewords: Whether it writes JSON otherwise: with blanks, escapes, the fields in the opposite order, and times in
            another offset from UTC.
        compresses: Whether it compresses what the client takes compressed.
        prefix: The beginning of the paths below which it has the API, such as `/ml`.
        user: The user and password that it wants by HTTP Basic, with a colon in between; empty for none. The API's
            token is then expected as it is, because there is one `Authorization` only.
        seconds: How long it holds back each answer that `about` is true of.
        methods: What it answers itself to each method but POST: its status, by the method.
        allow: Whether these answers have `Allow`.
        location: Where those of them lead that are redirects.
        rows_at: The other host at which it takes rows, and the beginning of their paths there, such as
            `localhost/scoring`; empty for the API's own.
        ahead_seconds: How far the clock that its header `Date` shows is ahead of this machine's; 0 for no such header.
        counts: How often each trouble came.
    """

    trouble: float = 0.0
    kinds: tuple[str, ...] = TROUBLES
    seed: int = 0
    about: Callable[[str], bool] = lambda _: True
    rewrites: bool = False
    rewords: bool = False
    compresses: bool = False
    prefix: str = ""
    user: str = ""
    seconds: float = 0.0
    methods: dict[str, int] = field(default_factory=dict[str, int])
    allow: bool = False
    location: str = "/login"
    rows_at: str = ""
    ahead_seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter[str])

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an application behind this gateway."""
        chance = random.Random(self.seed)  # noqa: S311 - nothing is secret here

        async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = await read_request(scope, receive)
            kind = self._trouble(request.path, chance)
            own = self._own_answer(scope["method"], request)
            if own is None and (answer := _answer_of(kind)) is not None:
                own = answer
            if own is not None:
                await self._send(own, request, send)
                return
            if kind == "dropped":
                await drop_connection(scope, reset=False)
                return
            answer = await call_app(app, scope, self._inner(request))
            answer = self._outer(answer, request)
            answer = _reworded(answer) if self.rewords else answer
            if self.rewrites:
                scope["extensions"][RAW]["write"](HINTS)
            await asyncio.sleep(self.seconds if self.about(request.path) else 0)
            if kind == "broken off":
                await _send_half(answer, scope, send)
            else:
                await self._send(answer, request, send)

        return gateway

    def _trouble(self, path: str, chance: random.Random) -> str:
        if not self.about(path) or chance.random() >= self.trouble:
            return ""
        kind = self.kinds[self.counts.total() % len(self.kinds)]
        self.counts[kind] += 1
        return kind

    def _own_answer(self, method: str, request: Request) -> Answer | None:
        """Return what the gateway answers itself, whatever the instance would say."""
        if not request.path.startswith(self.prefix) or self._is_elsewhere(request):
            return _page(404)
        basic = f"Basic {base64.b64encode(self.user.encode()).decode()}"
        if self.user and request.header("authorization") != basic:
            return _wanting_basic()
        if method not in self.methods:
            return None
        page = _page(self.methods[method])
        if page.status // 100 == 3:
            page = page.with_header("location", self.location)
        return replace(page, headers=(*page.headers, (b"allow", b"GET, HEAD, POST, OPTIONS"))) if self.allow else page

    def _inner(self, request: Request) -> Request:
        if self._is_for_rows(request):
            home = request.header("host").replace(self.rows_at.partition("/")[0], _HOME, 1)
            return replace(request, path=request.path.removeprefix(self._rows_root)).with_header("host", home)
        return replace(request, path=request.path.removeprefix(self.prefix))

    @property
    def _rows_root(self) -> str:
        return "".join(self.rows_at.partition("/")[1:])

    def _is_for_rows(self, request: Request) -> bool:
        return bool(self.rows_at) and request.header("host").startswith(self.rows_at.partition("/")[0])

    def _is_elsewhere(self, request: Request) -> bool:
        """Return whether rows come to the API's host, or anything else to the other one."""
        if not self.rows_at:
            return False
        expected = (self._rows_root if self._is_for_rows(request) else "") + _ROWS
        return request.path.startswith(expected) is not self._is_for_rows(request)

    def _outer(self, answer: Answer, request: Request) -> Answer:
        """Return an answer as it leaves the gateway, whose URLs lead through it."""
        host = request.header("host")
        if self.rows_at:
            there = host.replace(_HOME, self.rows_at.partition("/")[0], 1) + self._rows_root
            body = answer.body.replace(f"http://{host}{_ROWS}".encode(), f"http://{there}{_ROWS}".encode())
            return replace(answer, body=body).with_header("content-length", str(len(body)))
        if not self.prefix:
            return answer
        plain, ours = f"http://{host}/v1/".encode(), f"http://{host}{self.prefix}/v1/".encode()
        body = answer.body.replace(plain, ours)
        headers = tuple((name, value) for name, value in answer.headers if name != b"content-length")
        return replace(answer, body=body, headers=(*headers, (b"content-length", str(len(body)).encode())))

    async def _send(self, answer: Answer, request: Request, send: Send) -> None:
        headers = [(name.lower(), value) for name, value in answer.headers]
        body = answer.body
        if self.compresses and body and "gzip" in request.header("accept-encoding"):
            body = gzip.compress(body)
            headers = [pair for pair in headers if pair[0] != b"content-length"]
            headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
            headers.append((b"content-length", str(len(body)).encode()))
        if self.rewrites:
            headers = [_with_charset(pair) for pair in headers if pair[0] not in _HOP]
            headers += ADDED
        if self.ahead_seconds:
            headers.append((b"date", formatdate(time.time() + self.ahead_seconds, usegmt=True).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for start in range(0, len(body), 1000) if self.rewrites else ():
            await send({"type": "http.response.body", "body": body[start : start + 1000], "more_body": True})
        await send({"type": "http.response.body", "body": b"" if self.rewrites else body})


def _with_charset(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = pair
    return (
        (name, b"Application/JSON;charset=UTF-8") if (name, value) == (b"content-type", b"application/json") else pair
    )


def _reworded(answer: Answer) -> Answer:
    """Return an answer with the same JSON, written otherwise."""
    if answer.json is None:
        return answer
    body = json.dumps(_in_another_order(answer.json), indent=3).replace("/", "\\/").encode() + b"\n"
    return replace(answer, body=body).with_header("content-length", str(len(body)))


def _in_another_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_another_order(inner) for key, inner in reversed(object_of(value).items())}
    if isinstance(value, list):
        return [_in_another_order(inner) for inner in list_of(value)]
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return value
    return datetime.fromisoformat(value).astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat()


def _page(status: int) -> Answer:
    body = f"<html><head><title>{status}</title></head><body>nginx</body></html>".encode()
    return Answer(status, ((b"content-type", HTML), (b"content-length", str(len(body)).encode())), body)


def _wanting_basic() -> Answer:
    page = _page(401)
    return replace(page, headers=(*page.headers, (b"www-authenticate", b'Basic realm="gateway"')))


def _answer_of(kind: str) -> Answer | None:
    """Return the answer of a trouble; None where it is none."""
    if not kind[:1].isdigit():
        return None
    if kind == WANTS_BASIC:
        return _wanting_basic()
    page = _page(int(kind[:3]))
    wait = {"429 in seconds": b"0", "429 by date": formatdate(time.time(), usegmt=True).encode()}.get(kind)
    return page if wait is None else replace(page, headers=(*page.headers, (b"retry-after", wait)))


async def _send_half(answer: Answer, scope: Scope, send: Send) -> None:
    """Send the head of an answer and half of its body, and end the connection."""
    headers = [pair for pair in answer.headers if pair[0].lower() not in _HOP]
    headers.append((b"content-length", str(len(answer.body) or 1).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    half = answer.body[: len(answer.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    await drop_connection(scope, reset=False)
