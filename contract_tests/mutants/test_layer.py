"""Does the layer pass on an answer whole, however the application sends it?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from contract_tests.support.servers.asgi_exchanges import Request, call_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request as Received
    from starlette.responses import Response

PARTS = [b"[" + b"1," * 1000, b"2," * 1000, b"3]"]


async def parts() -> AsyncIterator[bytes]:
    for part in PARTS:
        await asyncio.sleep(0.01)  # so that an application that listens for the client's end hears of it
        yield part


async def answer(request: Received) -> Response:
    assert await request.body() == b"rows"
    return StreamingResponse(parts(), media_type="application/json")


def test_an_answer_that_is_sent_in_parts_comes_whole() -> None:
    app = Starlette(routes=[Route("/rows", answer, methods=["POST"])])
    scope = {"type": "http", "method": "POST", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1"}
    found = asyncio.run(call_app(app, scope, Request("/rows", b"", (), b"rows")))
    assert (found.status, found.body) == (200, b"".join(PARTS))
    assert dict(found.headers)[b"content-length"] == str(len(found.body)).encode()
