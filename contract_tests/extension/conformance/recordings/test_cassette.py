"""Cassettes in use: recorded exchanges are replayed in their order, and a missing one is an error with advice."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from contract_tests.support.servers.http_servers import answer, serving
from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.cassette import NotRecordedError, recording, replaying
from wallaroo_ext.conformance.recordings.cassette_files import (
    LARGEST_ANSWER,
    SecretFoundError,
    TooLargeError,
    write_cassette,
)
from wallaroo_ext.conformance.recordings.network import NetworkBlock, NetworkUsedError
from wallaroo_ext.conformance.recordings.normalization import URL, Normalizer

if TYPE_CHECKING:
    from pathlib import Path

CREATE = contract.operation("create_workspace").path
LIST = contract.operation("list_workspaces").path
STATUS = contract.operation("get_deployment_status").path
TOKEN = contract.operation("request_token").path
JSON = "application/json"

Respond = Callable[[BaseHTTPRequestHandler, int], None]


def numbered(handler: BaseHTTPRequestHandler, number: int) -> None:
    """Answer with how many requests there were."""
    answer(handler, 200, json.dumps({"number": number + 1}).encode(), Set_Cookie="a=b")


def always(status: int, content: bytes, **headers: str) -> Respond:
    """Return the same answer to every request."""

    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(status)
        for name, value in ({"Content_Type": JSON, "Content_Length": str(len(content))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return respond


def recorded(path: Path, requests: Callable[[httpx.Client], object], respond: Respond) -> str:
    """Return what a cassette of some requests has."""
    with serving(respond) as seen, recording(path) as found, httpx.Client(base_url=seen.url) as client:
        requests(client)
    found.write(path, Normalizer("run-1f", [seen.url]), announce=lambda: None)
    return path.read_text(encoding="utf-8")


def post(client: httpx.Client, path: str = CREATE, **body: Any) -> Any:
    return client.post(path, json=body, headers={"Authorization": "Bearer hush"}).json()


def replayed(path: Path, requests: Callable[[httpx.Client], object]) -> None:
    """Send requests to a cassette."""
    with replaying(path), httpx.Client(base_url=URL) as client:
        requests(client)


def swallowed(client: httpx.Client) -> None:
    """Send a request that no cassette here has, and catch what comes of it."""
    with contextlib.suppress(NotRecordedError):
        post(client, name="b")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "test_a.yaml"


def test_what_is_recorded_is_played(path: Path) -> None:
    text = recorded(path, lambda client: [post(client, name="run-1f-a"), post(client, name="run-1f-b")], numbered)
    assert "hush" not in text
    assert "cookie" not in text.lower()
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert post(client, name="conformance-b")["number"] == 2
        assert post(client, name="conformance-a")["number"] == 1


def test_requests_that_are_alike_are_answered_in_their_order(path: Path) -> None:
    recorded(path, lambda client: [post(client, LIST), post(client, LIST)], numbered)
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert [post(client, LIST)["number"], post(client, LIST)["number"]] == [1, 2]
    with pytest.raises(NotRecordedError, match=r"2 such requests, and their answers were given already"):
        replayed(path, lambda client: [post(client, LIST) for _ in range(3)])


def test_asyncio_is_answered_too(path: Path) -> None:
    recorded(path, lambda client: post(client, name="a"), numbered)

    async def ask() -> Any:
        async with httpx.AsyncClient(base_url=URL) as client:
            return (await client.post(CREATE, json={"name": "a"})).json()

    with replaying(path):
        assert asyncio.run(ask())["number"] == 1


def test_the_order_of_fields_and_the_time_of_a_time_do_not_matter(path: Path) -> None:
    recorded(path, lambda client: post(client, start="2026-11-25T20:13:19.5Z", name="a"), numbered)
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert post(client, name="a", start="2031-01-01T00:00:00Z")["number"] == 1


@pytest.mark.parametrize(
    ("target", "body"),
    [(LIST, {"name": "a"}), (CREATE, {"name": "b"}), (f"{CREATE}?limit=1", {"name": "a"})],
    ids=["operation", "body", "query"],
)
def test_another_request_is_an_error_that_says_what_to_do(path: Path, target: str, body: dict[str, str]) -> None:
    recorded(path, lambda client: post(client, name="a"), numbered)
    with pytest.raises(NotRecordedError) as caught:
        replayed(path, lambda client: post(client, target, **body))
    assert str(path) in str(caught.value)
    assert str(contract.operation_at(target.partition("?")[0])) in str(caught.value)
    assert f"scripts/record --cassettes {path.parent} -k test_a" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_missing_answer_fails_the_block_even_where_it_was_caught(path: Path) -> None:
    recorded(path, lambda client: post(client, name="a"), numbered)
    with pytest.raises(NotRecordedError):
        replayed(path, lambda client: [post(client, name="a"), swallowed(client)])


def test_what_was_not_sent_fails_the_block(path: Path) -> None:
    recorded(path, lambda client: [post(client, name="a"), post(client, name="b")], numbered)
    with pytest.raises(NotRecordedError, match="has 1 requests that were not sent"):
        replayed(path, lambda client: post(client, name="a"))


def test_a_missing_cassette_is_an_error(path: Path) -> None:
    with pytest.raises(NotRecordedError, match=r"There is no .*test_a.yaml"), replaying(path):
        pass


def test_a_request_for_a_token_is_answered_and_not_recorded(path: Path) -> None:
    def ask(client: httpx.Client) -> None:
        answer = client.post(TOKEN, data={"password": "hush", "grant_type": "password"}, auth=("api-client", "hush"))
        assert answer.json()["number"] == 1
        post(client, name="a")

    text = recorded(path, ask, numbered)
    assert len(yaml.safe_load(text)["interactions"]) == 1
    assert TOKEN not in text
    assert "grant_type" not in text


def test_parts_are_found_whatever_their_boundary_is(path: Path) -> None:
    def upload(client: httpx.Client, content: bytes = b"model") -> Any:
        return client.post(CREATE, files={"file": ("m.onnx", content, "application/octet-stream")}).json()

    recorded(path, upload, numbered)
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert upload(client)["number"] == 1
    with pytest.raises(NotRecordedError):
        replayed(path, partial(upload, content=b"another"))


def test_a_packed_answer_is_kept_as_people_read_it(path: Path) -> None:
    packed = gzip.compress(b'{"password":"hush","id":1}')
    text = recorded(path, lambda client: post(client, name="a"), always(200, packed, Content_Encoding="gzip"))
    [interaction] = yaml.safe_load(text)["interactions"]
    assert interaction["response"]["body"]["string"] == '{\n "password": "[left out]",\n "id": 1\n}\n'
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert post(client, name="a") == {"password": "[left out]", "id": 1}


def test_a_binary_answer_is_played_as_it_was(path: Path) -> None:
    content = bytes(range(256))
    respond = always(200, content, Content_Type="application/vnd.apache.arrow.file")
    recorded(path, lambda client: client.post(CREATE), respond)
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert client.post(CREATE).content == content


def test_a_large_answer_is_refused(path: Path) -> None:
    with pytest.raises(TooLargeError, match=f"a cassette keeps {LARGEST_ANSWER} at most"):
        recorded(path, post, always(200, b'"' + b"a" * LARGEST_ANSWER + b'"'))
    assert not path.exists()


def test_an_answer_that_says_json_and_is_none_is_kept_as_text(path: Path) -> None:
    recorded(path, lambda client: client.post(CREATE), always(503, b"<html>password: hush</html>"))
    assert "hush" not in path.read_text(encoding="utf-8")
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert client.post(CREATE).status_code == 503


def test_of_what_was_waited_for_the_last_answer_is_kept(path: Path) -> None:
    states = iter(["Starting", "Starting", "Running", "Running"])
    recorded(
        path,
        lambda client: [post(client, STATUS, name="a") for _ in range(4)],
        lambda handler, _: answer(handler, 200, json.dumps({"status": next(states)}).encode()),
    )
    with replaying(path), httpx.Client(base_url=URL) as client:
        assert [post(client, STATUS, name="a")["status"] for _ in range(2)] == ["Running", "Running"]


def test_plain_vcrpy_reads_a_cassette(path: Path) -> None:
    from importlib import import_module

    vcr: Any = import_module("vcr")
    recorded(path, lambda client: post(client, name="a"), numbered)
    with vcr.use_cassette(str(path), record_mode="none"), httpx.Client(base_url=URL) as client:
        assert post(client, name="a")["number"] == 1


def test_no_token_is_asked_for_in_a_replay(path: Path) -> None:
    recorded(path, lambda client: post(client, name="a"), numbered)
    network = NetworkBlock()
    network.start()
    try:
        with pytest.raises(NetworkUsedError, match=r"wallaroo\.example\.com"):
            replayed(path, lambda client: [post(client, name="a"), client.post(TOKEN)])
    finally:
        network.stop()


TEXTS = {
    "next line": "a\x85b",
    "next line among lines": "a\x85b\nc",
    "line and paragraph separators": "a\u2028b\u2029c\n",
    "carriage returns": "a\r\nb\r\n\rc",
    "nothing but a line feed": "\n",
    "blanks around": "  a \n b  ",
    "line feeds at the end": "a\n\n\n",
    "tabs": "\ta\n\tb\t",
    "null bytes": "a\0b",
    "escapes": "\x1b[31m\x07\x7f\x9b",
    "a byte order mark": "\ufeffa",
    "no characters": "\ufffe\uffff",
    "beyond the first plane": "🚀\U000e0001",
    "bidirectional": "a\u202eb",
    "null of YAML": "~",
    "a boolean of YAML": "yes",
    "an octal number of YAML": "017",
    "a sexagesimal number of YAML": "12:30:00",
    "a float of YAML": "1e9",
    "a date of YAML": "2031-01-01",
    "a comment of YAML": "a # b",
    "a tag of YAML": "!!binary aGk=",
    "an alias of YAML": "*a",
    "a merge of YAML": "<<",
    "a directive of YAML": "%YAML 1.2\n---\na\n...\n",
    "a long line": "x" * 20_000,
    "a long line of words": "a long word " * 2_000,
    "long lines": ("word " * 500 + "\n") * 3,
    "a text of backslashes": "\\x85 \\u2028 \\ud800 \\",
    "quotes": "'\"'\"",
}
"""Bodies that are kept as they are."""
VALUES = {
    "half of a pair": '{"name": "a\\ud800b", "\\udfff": 1}',
    "a pair": '{"name": "\\ud83d\\ude80"}',
    "a next line": '{"name": "a\x85b\u2028"}',
    "a key twice": '{"name": 1, "name": 2}',
    "a large number": '{"n": 1e400}',
    "a long number": '{"n": 0.1000000000000000055511151231257827, "m": 123456789012345678901234567890}',
    "no numbers": '{"n": [NaN, Infinity, -Infinity]}',
    "a text": '"~"',
    "deep": "[" * 5_000 + "]" * 5_000,
}
"""JSON that has the same value afterwards."""


def exact(text: str) -> Any:
    """Return the value of JSON with all keys and digits; the text, where it is too deep."""
    try:
        return json.loads(text, parse_float=str, parse_constant=str, object_pairs_hook=tuple)
    except RecursionError:
        return text


def read_by_all(path: Path) -> list[bytes]:
    """Return the only answer of a cassette, as replaying, vcrpy and plain readers of YAML read it."""
    from importlib import import_module

    vcr: Any = import_module("vcr")
    text = path.read_bytes().decode()
    found: list[bytes] = []
    with replaying(path), httpx.Client(base_url=URL) as client:
        found.append(client.post(CREATE).content)
    with vcr.use_cassette(str(path), record_mode="none"), httpx.Client(base_url=URL) as client:
        found.append(client.post(CREATE).content)
    for loader in {yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)}:
        content: Any = yaml.load(text, Loader=loader)["interactions"][0]["response"]["body"]["string"]  # noqa: S506 - both are safe
        found.append(content if isinstance(content, bytes) else content.encode())
    return found


class TestEveryByte:
    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_a_text_is_kept_whoever_reads_it(self, path: Path, text: str) -> None:
        recorded(path, lambda client: client.post(CREATE), always(200, text.encode(), Content_Type="text/plain"))
        assert set(read_by_all(path)) == {text.encode()}

    @pytest.mark.parametrize("content", [b"a\x85b", b"\xff\xfea\0", bytes(range(256)) * 20, b"\xed\xa0\x80", b""])
    @pytest.mark.parametrize("kind", [JSON, "text/plain; charset=latin-1"])
    def test_bytes_that_are_no_text_are_kept(self, path: Path, content: bytes, kind: str) -> None:
        recorded(path, lambda client: client.post(CREATE), always(200, content, Content_Type=kind))
        assert set(read_by_all(path)) == {content}

    @pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
    def test_json_has_the_same_value(self, path: Path, text: str) -> None:
        recorded(path, lambda client: client.post(CREATE), always(200, text.encode()))
        assert [exact(content.decode()) for content in read_by_all(path)] == [exact(text)] * 4

    @pytest.mark.parametrize("text", [*TEXTS.values(), "a\ud800b"], ids=[*TEXTS, "half of a pair"])
    def test_a_request_is_found_again_and_no_other(self, path: Path, text: str) -> None:
        body = json.dumps({"name": text}).encode()
        headers = {"Content-Type": JSON}
        recorded(path, lambda client: client.post(CREATE, content=body, headers=headers), numbered)
        replayed(path, lambda client: client.post(CREATE, content=body, headers=headers))
        other = json.dumps({"name": f"{text}!"}).encode()
        with pytest.raises(NotRecordedError):
            replayed(path, lambda client: client.post(CREATE, content=other, headers=headers))

    def test_texts_of_requests_that_are_no_utf_8_are_told_apart(self, path: Path) -> None:
        headers = {"Content-Type": "text/plain"}
        recorded(path, lambda client: client.post(CREATE, content=b"\xff", headers=headers), numbered)
        replayed(path, lambda client: client.post(CREATE, content=b"\xff", headers=headers))
        with pytest.raises(NotRecordedError):
            replayed(path, lambda client: client.post(CREATE, content=b"\xfe", headers=headers))

    def test_a_secret_is_found_where_a_long_line_would_be_folded(self, path: Path) -> None:
        for length in range(60, 130):
            entries = [{"request": {"body": f"{'x' * length}\x85 Bearer abcdefghijkl {'y' * 100}"}}]
            with pytest.raises(SecretFoundError):
                write_cassette(path, entries)
