"""Is the size of every answer limited, whatever a server sends, and is an answer within its limit read completely?"""

from __future__ import annotations

import gzip
import json
import re
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import httpx
import pytest

from contract_tests.support.servers import http_servers
from contract_tests.support.servers.three_ways import TOKEN, USER, WAYS, list_in
from wallaroo_ext import (
    AnswerTooLargeError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ContractViolationError,
    ServerError,
    Timeouts,
    WallarooError,
    connect,
    infer,
)
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.conformance.drift.fetching import fetch_document
from wallaroo_ext.transport.response_limits import ERROR_LIMIT, AnswerRefused, LimitedTransport

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator

MIB = 2**20
SIZE = 512 * MIB
"""How large what was small becomes."""

BOUND = SIZE // 2
"""What a test may take in memory, with all that its server thread, which may be behind, still holds."""


def head(status: int = 200, **headers: str) -> bytes:
    fields = {"Content_Type": "application/json", "Connection": "close"} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode()


def endless(status: int = 200) -> Callable[[socket.socket], None]:
    """Return an answer in chunks that is 2 GiB long."""
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)

    def respond(connection: socket.socket) -> None:
        connection.sendall(head(status, Transfer_Encoding="chunked"))
        for _ in range(2048):
            connection.sendall(chunk)

    return respond


@cache
def bomb(size: int) -> bytes:
    """Return compressed blanks: one compressed piece again and again, which takes less time than compressing all."""
    piece = b" " * MIB
    compressor = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    compressed_piece = compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(size // MIB):
        checksum = zlib.crc32(piece, checksum)
    header, last_block = gzip.compress(b"")[:10], zlib.compress(b"", wbits=-zlib.MAX_WBITS)
    return header + compressed_piece * (size // MIB) + last_block + struct.pack("<II", checksum, size)


def compressed(status: int = 200, layers: int = 1, encoding: str = "gzip", size: int = SIZE) -> Callable[[Any], None]:
    """Return a small answer that is large once it is decompressed."""

    def respond(connection: socket.socket) -> None:
        body = bomb(size)
        for _ in range(layers - 1):
            body = gzip.compress(body)
        connection.sendall(head(status, Content_Encoding=encoding, Content_Length=str(len(body))) + body)

    return respond


BOMBS: dict[str, Callable[[socket.socket], object]] = {
    "endless": endless(),
    "said to be large": lambda connection: connection.sendall(head(Content_Length=str(1 << 40))),
    "a gzip bomb": compressed(),
    "gzip within gzip": compressed(layers=2, encoding="gzip, gzip"),
    "gzip named twice": compressed(layers=2, encoding="gzip,gzip"),
    "an unknown encoding": compressed(encoding="br"),
}


def test_the_bomb_is_whole() -> None:
    assert gzip.decompress(bomb(3 * MIB)) == b" " * (3 * MIB)


class _Memory:
    """Measures how much the peak memory of this process grows, in bytes; 0 if the system does not report it."""

    def __enter__(self) -> Self:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest is the present from here on
        self.before = _highest()
        return self

    def __exit__(self, *_: object) -> None:
        self.taken = _highest() - self.before


def _highest() -> int:
    with suppress(OSError):
        found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        return 0 if found is None else int(found[1]) * 1024
    return 0


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", BOMBS)
def test_an_answer_without_bounds_is_a_typed_error(kind: str, way: str) -> None:
    with http_servers.raw(BOMBS[kind]) as url, _Memory() as memory, pytest.raises(WallarooError) as raised:
        list_in(way, url, answer_limit=4 * MIB)
    is_encoding = ("gzip " in kind and "bomb" not in kind) or "encoding" in kind
    assert type(raised.value) is (ContractViolationError if is_encoding else AnswerTooLargeError)
    assert isinstance(raised.value, AnswerTooLargeError | ContractViolationError)
    assert raised.value.status == 200
    assert ("answer_limit" in str(raised.value)) is not is_encoding
    assert memory.taken < BOUND


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [400, 500, 302, 600])
@pytest.mark.parametrize("kind", ["endless", "a gzip bomb"])
def test_of_an_error_the_beginning_is_read(kind: str, status: int, way: str) -> None:
    respond = endless(status) if kind == "endless" else compressed(status, size=1 << 28)
    began_at = time.monotonic()
    with http_servers.raw(respond) as url, _Memory() as memory, pytest.raises(WallarooError) as raised:
        list_in(way, url)
    assert type(raised.value) is not AnswerTooLargeError
    assert memory.taken < 60 * MIB
    assert time.monotonic() - began_at < 10


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [*BOMBS, "an error"])
def test_a_token_endpoint_too(kind: str, way: str) -> None:
    respond = endless(500) if kind == "an error" else BOMBS[kind]
    with http_servers.raw(respond) as url, _Memory() as memory, pytest.raises(ApiError) as raised:
        list_in(way, url, USER)
    assert isinstance(raised.value, AuthenticationError) is (kind != "an error")
    assert raised.value.operation == "request_token"
    assert memory.taken < 60 * MIB


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "raw deflate", "GZIP", ""])
def test_what_fits_is_read_whole(encoding: str, way: str) -> None:
    content = json.dumps({"workspaces": [], "padding": "ab" * 500_000}).encode()
    windows = {"gzip": 31, "deflate": 15, "raw deflate": -15}
    body = content
    if encoding.lower() in windows:
        compressor = zlib.compressobj(wbits=windows[encoding.lower()])
        body = compressor.compress(content) + compressor.flush()

    def respond(connection: socket.socket) -> None:
        named = {"Content_Encoding": encoding.rpartition(" ")[2], "Content_Length": str(len(body))}
        connection.sendall(head(200, **named) + body)

    with http_servers.raw(respond) as url:
        assert list_in(way, url).workspaces == []
        assert list_in(way, url, answer_limit=len(content)).workspaces == []
        with pytest.raises(AnswerTooLargeError):
            list_in(way, url, answer_limit=len(content) - 1)


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "1"])
def test_a_limit_is_a_number_of_bytes(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="answer_limit"):
        connect("http://127.0.0.1:1", environment=TOKEN, answer_limit=limit)


def test_a_stream_comes_in_pieces_of_any_number() -> None:
    """An answer that is written to a file takes no memory, however it is compressed."""
    with (
        http_servers.raw(compressed(size=1 << 28)) as url,
        connect(url, environment=TOKEN) as client,
        _Memory() as memory,
    ):
        extensions = {"wallaroo_ext.stream": True}
        with client.get_httpx_client().stream("POST", "/v1/api/workspaces/list", extensions=extensions) as response:
            sizes = [len(piece) for piece in response.iter_bytes()]
    assert sum(sizes) == 1 << 28
    assert max(sizes) <= 65_536
    assert memory.taken < 60 * MIB


def read(parts: Iterable[bytes], *, status: int = 200, encoding: str = "gzip", limit: int | None = None) -> bytes:
    """Return the content of an answer whose body comes in parts."""
    stream: Any = iter(parts)
    headers = {"Content-Encoding": encoding}
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers=headers, content=stream))
    with httpx.Client(transport=LimitedTransport(transport, limit)) as http:
        return http.get("http://api.example.com/").content


def test_what_follows_a_compressed_answer_is_not_kept() -> None:
    with _Memory() as memory:
        assert read([gzip.compress(b"{}"), *([b"x" * MIB] * 60)]) == b"{}"
    assert memory.taken < 20 * MIB


def test_the_connection_of_an_answer_that_nobody_reads_is_free_again() -> None:
    timeout = Timeouts(pool=0.2, read=30)
    with (
        http_servers.serving() as seen,
        connect(seen.url, token="t", limits=httpx.Limits(max_connections=1), timeout=timeout, environment={}) as client,
    ):
        http = client.get_httpx_client()
        for _ in range(2):
            with http.stream("POST", http_servers.path_of("list_workspaces"), json={}) as response:
                assert response.status_code == 200


_BEGUN = zlib.compressobj(wbits=31)
NOTHING = {
    "behind the end": [gzip.compress(b"{}"), *[b"x" * 65_536] * 40],
    "many members": [gzip.compress(b"{}") * 3000] * 40,
    "empty blocks": [_BEGUN.compress(b"{}") + _BEGUN.flush(zlib.Z_SYNC_FLUSH), *[b"\0\0\0\xff\xff" * 13_000] * 40],
    "a name in the beginning": [b"\x1f\x8b\x08\x08\0\0\0\0\0\x03", *[b"a" * 65_536] * 40],
}
"""More than 2 MiB that decompress to little or nothing."""


@pytest.mark.parametrize("kind", NOTHING)
def test_what_decompresses_to_nothing_is_bounded_too(kind: str) -> None:
    with pytest.raises(AnswerRefused, match="more than 1 MiB"):
        read(NOTHING[kind], limit=MIB)
    sizes: list[int] = []
    read((part for part in NOTHING[kind] if not sizes.append(len(part))), status=400)
    assert sum(sizes) < 1.5 * MIB


@pytest.mark.parametrize(("encoding", "window"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
def test_a_part_of_what_was_compressed_is_no_answer(encoding: str, window: int) -> None:
    """A server broke off, and a gateway ended the body as if it were complete: rows would be missing."""
    compressor = zlib.compressobj(wbits=window)
    whole = compressor.compress(b'{"workspaces": []}') + compressor.flush()
    for length in range(1, len(whole)):
        with pytest.raises(httpx.DecodingError):
            read([whole[:length]], encoding=encoding)
    assert read([whole], encoding=encoding) == b'{"workspaces": []}'
    assert read([], encoding=encoding) == b""


MEMBERS = gzip.compress(b'{"workspaces"') + gzip.compress(b"") + gzip.compress(b": []}")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 1000])
def test_an_answer_of_several_members_is_read_to_its_end(size: int) -> None:
    """All but the first member was dropped without a word."""
    parts = [MEMBERS[start : start + size] for start in range(0, len(MEMBERS), size)]
    assert read(parts) == b'{"workspaces": []}'
    assert read([*parts, b"\x1f", b"and what is no member"]) == b'{"workspaces": []}'
    assert read([*parts, b"\0" * 100, gzip.compress(b"x")]) == b'{"workspaces": []}'
    for length in (1, 12, 19):
        with pytest.raises(httpx.DecodingError):
            read([*parts, gzip.compress(b"more")[: length + 1]])


def test_members_count_together() -> None:
    with pytest.raises(AnswerRefused, match="more than 1 MiB"):
        read([gzip.compress(b" " * 600_000)] * 2, limit=MIB)


@pytest.mark.parametrize("encoding", ["", "identity", "utf-8", "UTF-8", "none", "identity, ", "gzip, identity", "GZIP"])
@pytest.mark.parametrize("way", WAYS)
def test_odd_names_of_encodings_are_understood(encoding: str, way: str) -> None:
    body = gzip.compress(http_servers.LISTED) if "gzip" in encoding.lower() else http_servers.LISTED
    with http_servers.serving(lambda one, _: http_servers.answer(one, 200, body, Content_Encoding=encoding)) as seen:
        assert list_in(way, seen.url).workspaces == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_one_whatever_its_encoding(encoding: str, way: str) -> None:
    """A gateway's 503 was a broken answer, because its page was not in the encoding that it stated."""
    page = b"<html><title>Down for maintenance</title>"
    with (
        http_servers.serving(lambda one, _: http_servers.answer(one, 503, page, Content_Encoding=encoding)) as seen,
        pytest.raises(ServerError, match="503, Down for maintenance"),
    ):
        list_in(way, seen.url)


def test_an_error_that_is_not_compressed_as_it_states_stays_as_it_came() -> None:
    assert read([b"Down for ", b"maintenance."], status=503) == b"Down for maintenance."
    assert read([gzip.compress(b"Down."), b"and what is no member"], status=503) == b"Down."
    with pytest.raises(httpx.DecodingError, match="not compressed in the way that it states"):
        read([b"{}"])


ODD_HEADERS = {
    "the same twice": b"X-A: 1\r\nX-A: 2\r\n",
    "not ASCII": "X-Company: M\u00fcller\r\n".encode(),
    "Latin-1": b"X-Company: M\xfcller\r\n",
    "no value": b"X-Empty:\r\n",
    "an unknown charset": b"Content-Type: application/json; charset=nonsense\r\n",
    "a charset that is no text": b"Content-Type: application/json; charset=hex\r\n",
    "another type": b"Content-Type: text/plain\r\n",
    "a cookie that is none": b"Set-Cookie: =; ;;; expires=never; domain=\r\nSet-Cookie: a\r\n",
    "dates that are none": b"Date: yesterday\r\nLast-Modified: 0\r\nExpires: -1\r\nRetry-After: soon\r\n",
    "a redirect that is none": b"Location: http://[::1\r\n",
    "long": b"X-Long: " + b"a" * 7_000 + b"\r\n",
}


@pytest.mark.parametrize("kind", ODD_HEADERS)
@pytest.mark.parametrize("way", WAYS)
def test_odd_headers_are_in_nobodys_way(kind: str, way: str) -> None:
    body = http_servers.LISTED
    answer = b"HTTP/1.1 200\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        ODD_HEADERS[kind],
        len(body),
        body,
    )
    with http_servers.raw(lambda connection: connection.sendall(answer)) as url:
        assert list_in(way, url, USER | TOKEN).workspaces == []


@pytest.mark.parametrize("location", ["about:blank", "javascript:alert(1)", "mailto:a@example.com", "http://[::1"])
@pytest.mark.parametrize("way", WAYS)
def test_a_redirect_to_no_host_is_the_answers_fault(location: str, way: str) -> None:
    """The library takes the host of the request for it, and blamed the API's URL."""
    with (
        http_servers.serving(lambda one, _: http_servers.answer(one, 302, b"", Location=location)) as seen,
        pytest.raises(ContractViolationError, match="302, a redirect to what is no URL"),
    ):
        list_in(way, seen.url)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("way", WAYS)
def test_a_byte_order_mark_is_no_other_shape(encoding: str, way: str) -> None:
    body = http_servers.LISTED.decode().encode(encoding)
    with http_servers.serving(lambda one, _: http_servers.answer(one, 200, body)) as seen:
        assert list_in(way, seen.url).workspaces == []


def test_nor_is_it_in_rows_tokens_and_errors() -> None:
    def respond(handler: Any, _: int) -> None:
        if handler.path.endswith("/token"):
            body, status = b'{"access_token": "t", "expires_in": 60}', 200
        elif "infer" in handler.path:
            body, status = b'[{"out": {"a": [1.5]}, "time": 0}]', 200
        else:
            body, status = b'{"code": 400, "status": "Error", "msg": "It is so."}', 400
        http_servers.answer(handler, status, b"\xef\xbb\xbf" + body)

    with http_servers.serving(respond) as seen, connect(seen.url, environment=USER) as client:
        url = f"{seen.url}/v1/api/pipelines/infer/a-1/a"
        assert infer(client, url, {"x": [1.0]}, wire="json").column("out.a").to_pylist() == [[1.5]]
    with http_servers.serving(respond) as seen, pytest.raises(ApiError, match=r"400, It is so\."):
        list_in("sync", seen.url, USER)


def test_an_error_of_exactly_the_limit_is_whole() -> None:
    transport = LimitedTransport(httpx.MockTransport(lambda _: httpx.Response(400, content=b"x" * ERROR_LIMIT)))
    with httpx.Client(transport=transport) as http:
        assert len(http.get("http://api.example.com/").content) == ERROR_LIMIT


def test_after_the_limit_of_an_error_nothing_is_read() -> None:
    def parts() -> Iterator[bytes]:
        yield b"x" * ERROR_LIMIT
        pytest.fail("the rest of the error was read")

    transport = LimitedTransport(httpx.MockTransport(lambda _: httpx.Response(400, content=parts())))
    with httpx.Client(transport=transport) as http:
        assert len(http.get("http://api.example.com/").content) == ERROR_LIMIT


@pytest.mark.parametrize("kind", ["endless", "a gzip bomb", "gzip within gzip"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_document_to_compare_with_too(kind: str, signed_in: bool) -> None:  # noqa: FBT001 - a parameter of the test
    with http_servers.raw(BOMBS[kind]) as url, _Memory() as memory:
        if signed_in:
            with connect(url, environment=TOKEN, answer_limit=8 * MIB) as client, pytest.raises(DriftError):
                fetch_document(client)
        else:
            with pytest.raises(DriftError):
                fetch_document(None, f"{url}/openapi.json")
    assert memory.taken < BOUND


def test_the_suite_reads_no_more_either() -> None:
    from wallaroo_ext.conformance.guard.inference_urls import InferenceUrls
    from wallaroo_ext.conformance.guard.interceptor import InterceptedTransport

    class Observer:
        inference = InferenceUrls(())

        def admit(self, *_: object) -> Any: ...

        def exchange(self, _: object, send: Any, **__: object) -> Any:
            return send("")[0], None

    from wallaroo_ext.client import DEFAULT_LIMITS
    from wallaroo_ext.transport.connections.pooled_connections import PooledTransport

    wire = PooledTransport(verify=True, limits=DEFAULT_LIMITS, backend="httpx")
    observed: Any = InterceptedTransport(wire, Observer())  # pyright: ignore[reportArgumentType] - all that is asked of it
    for kind in ("endless", "a gzip bomb", "gzip within gzip"):
        with (
            http_servers.raw(BOMBS[kind]) as url,
            _Memory() as memory,
            connect(url, environment=TOKEN, transport=observed) as client,
            pytest.raises(httpx.RequestError),
        ):
            client.get_httpx_client().post("/v1/api/workspaces/list")
        assert memory.taken < BOUND


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.apache.arrow.file"])
@pytest.mark.slow
def test_without_an_option_there_is_a_limit_as_well(media_type: str) -> None:
    """It runs in a process of its own, whose memory the system limits."""
    program = f"""
        import resource, sys
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        from wallaroo_ext import AnswerTooLargeError, connect, call
        import httpx
        with connect(sys.argv[1], environment={TOKEN}) as client:
            try:
                client.get_httpx_client().post("/v1/api/workspaces/list")
            except httpx.DecodingError as error:
                print(error)
    """

    def respond(connection: socket.socket) -> None:
        connection.sendall(head(Transfer_Encoding="chunked", Content_Type=media_type))
        with suppress(OSError):
            for _ in range(2048):
                connection.sendall(b"%x\r\n%s\r\n" % (MIB, b" " * MIB))

    with http_servers.raw(respond) as url:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), url],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.stdout.startswith(f"an answer of more than {512 if 'arrow' in media_type else 64} MiB"), done


def arrow_answer(compression: Literal["lz4", "zstd"], size: int) -> bytes:
    """Return a small Arrow file of one row, whose values are all zero."""
    import pyarrow as pa

    table = pa.table({"out.y": pa.array([b"\0" * size], pa.binary())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def infer_from(body: bytes, **options: Any) -> Any:
    """Return the result of `infer` for an answer."""
    media_type = "application/vnd.apache.arrow.file"

    def respond(connection: socket.socket) -> None:
        connection.sendall(head(Content_Type=media_type, Content_Length=str(len(body))) + body)

    with http_servers.raw(respond) as url, connect(url, environment=TOKEN, **options) as client:
        return infer(client, f"{url}/v1/api/pipelines/infer/x-1/x", {"tensor": [[1.0]]})


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_columns_that_are_compressed_in_arrow_are_bounded_before_they_are_decompressed(
    compression: Literal["lz4", "zstd"],
) -> None:
    body = arrow_answer(compression, 256 * MIB)
    with _Memory() as memory, pytest.raises(AnswerTooLargeError, match="more than 4 MiB"):
        infer_from(body, answer_limit=4 * MIB)
    assert memory.taken < 128 * MIB


def test_columns_compressed_in_arrow_are_read_within_the_limit() -> None:
    table = infer_from(arrow_answer("zstd", 3 * MIB), answer_limit=4 * MIB)
    assert table.column("out.y").to_pylist() == [b"\0" * (3 * MIB)]


def rows_of_nothing() -> bytes:
    """Return an answer of a few bytes that claims to have billions of rows."""
    pa: Any = import_module("pyarrow")
    batch = pa.RecordBatch.from_arrays([pa.Array.from_buffers(pa.null(), 1 << 60, [None])], ["out.y"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema, options=pa.ipc.IpcWriteOptions(allow_64bit=True)) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def rows_of_one_text() -> bytes:
    """Return an answer of 3 MiB whose rows stand for 1 TiB."""
    pa: Any = import_module("pyarrow")
    indices = pa.array([0]).take(pa.array([0] * MIB)).cast(pa.int8())
    texts = pa.DictionaryArray.from_arrays(indices, ["x" * MIB])
    return to_file(pa.table({"out.y": texts})).to_pybytes()


@pytest.mark.parametrize("body", [rows_of_nothing, rows_of_one_text])
def test_rows_in_arrow_stand_for_no_more_than_fits(body: Callable[[], bytes]) -> None:
    with pytest.raises(AnswerTooLargeError, match="more than 4 MiB"):
        infer_from(body(), answer_limit=4 * MIB)
