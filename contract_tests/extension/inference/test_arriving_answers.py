"""Is a long answer of JSON read while it comes, with the same rows and the same errors, by each kind of client?"""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.servers.http_servers import serving
from contract_tests.support.servers.three_ways import TOKEN, WAYS
from wallaroo_ext import ConnectionFailedError, RetryPolicy, ServerError, aio, connect, infer
from wallaroo_ext.inference.scored_rows import json_records

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

    from contract_tests.support.servers.http_servers import Seen

COUNT = 20_000
ANSWER = json.dumps([{"time": number, "out": {"y": [number / 7]}} for number in range(COUNT)]).encode()
ROWS = {"x": [[0.5]] * 2}


def scored_in(way: str, url: str, attempts: int = 1) -> Any:
    """Return the table of an answer in JSON by one kind of client."""
    policy = RetryPolicy(attempts=attempts, deadline=60, first_pause=0.01)
    options: Any = {"environment": TOKEN, "retries": policy}
    if way == "sync":
        with connect(url, **options) as client:
            return infer(client, f"{url}/v1/api/pipelines/infer/a-1/a", ROWS, wire="pandas-records")
    backend: Any = {} if way == "async" else {"transport": "aiohttp"}

    async def score() -> Any:
        async with connect(url, **options, **backend) as client:
            return await aio.infer(client, f"{url}/v1/api/pipelines/infer/a-1/a", ROWS, wire="pandas-records")

    return asyncio.run(score())


def begin(handler: BaseHTTPRequestHandler, status: int = 200, **headers: str) -> None:
    """Send the head of an answer in JSON."""
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def send_chunk(handler: BaseHTTPRequestHandler, part: bytes) -> None:
    """Send a part of an answer whose length is not known."""
    handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
    handler.wfile.flush()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_first_blocks_are_read_before_the_last_ones_are_sent(
    way: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: Seen
    add = json_records.ColumnBlocks.add

    def noted(blocks: json_records.ColumnBlocks, columns: Any) -> bool:
        seen.release.set()
        return add(blocks, columns)

    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        body = ANSWER if encoding == "identity" else gzip.compress(ANSWER)
        half = len(body) // 2
        begin(handler, Transfer_Encoding="chunked", Content_Encoding=encoding)
        send_chunk(handler, body[:half])
        if seen.release.wait(20):  # else the answer ends here, and is none
            send_chunk(handler, body[half:])
        send_chunk(handler, b"")

    monkeypatch.setattr(json_records.ColumnBlocks, "add", noted)
    with serving(respond) as seen:
        table = scored_in(way, seen.url)
    assert table.column("out.y").to_pylist() == [[number / 7] for number in range(COUNT)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sent", [100, len(ANSWER) // 2, len(ANSWER) - 1])
def test_an_answer_that_breaks_off_is_no_answer(way: str, sent: int) -> None:
    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        begin(handler, Content_Length=str(len(ANSWER)))
        handler.wfile.write(ANSWER[:sent])
        handler.close_connection = True

    with serving(respond) as seen, pytest.raises(ConnectionFailedError):
        scored_in(way, seen.url)


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_an_answer_that_broke_off_are_not_there_twice(way: str) -> None:
    def respond(handler: BaseHTTPRequestHandler, number: int) -> None:
        begin(handler, Content_Length=str(len(ANSWER)))
        handler.wfile.write(ANSWER[: len(ANSWER) * (number + 1) // 2])
        handler.close_connection = True

    with serving(respond) as seen:
        table = scored_in(way, seen.url, attempts=2)
    assert len(seen.requests) == 2
    assert table.column("out.y").to_pylist() == [[number / 7] for number in range(COUNT)]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_with_a_long_body_is_the_error(way: str) -> None:
    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        begin(handler, 500, Content_Length=str(len(ANSWER)))
        handler.wfile.write(ANSWER)
        handler.close_connection = True

    with serving(respond) as seen, pytest.raises(ServerError) as refused:
        scored_in(way, seen.url)
    assert refused.value.status == 500
