"""Is there a request, of whatever bytes, that the sandbox answers with a defect of its own?

`NEGATIVE_CASES` says how many are sent, as in test_negative.py, whose requests keep to the contract's schemas more
closely.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_from_bytes

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from contract_tests.support.servers.in_process import serving
from wallaroo_ext import contract
from wallaroo_ext.sandbox.auth.users import find_user_by_email
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.paths import CONTROL, DISCOVERY_ENDPOINT, DOCS_PAGE, KEYS_ENDPOINT, realm_path
from wallaroo_ext.sandbox.server.app import create_app

if TYPE_CHECKING:
    from collections.abc import Generator

    from contract_tests.support.servers.in_process import Served

CASES = int(os.environ.get("NEGATIVE_CASES", "400"))
OPERATIONS = {
    operation["operationId"]: (path, operation) for path, _, operation in contract.operations(contract.load())
}
REALM = realm_path(contract.operation("request_token").path)
OWN_PATHS = [
    *(f"{CONTROL}/{name}" for name in ("seed", "state", "clock", "transitions", "faults", "unheard")),
    REALM + DISCOVERY_ENDPOINT,
    REALM + KEYS_ENDPOINT,
    DOCS_PAGE,
    f"{DOCS_PAGE}/unheard",
    "/",
    "*",
]
TEXTS = [
    "",
    "\0",
    "a\0b",
    "\r\nX: y",
    "\x1b[31m",
    "\u202e",
    "\uffff",
    "\U0010ffff",
    "x" * 5000,
    "../..",
    "%00",
    "'",
    "1e400",
    "9" * 5000,
    "-1",
    "NaN",
    "2023-13-45T99:99:99Z",
    "9999-12-31T23:59:59Z",
    "output x 99999999999999999999",
    "İ",
    "٣",
]
NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, 5e-324]
KEYS = [
    "workspace_id",
    "pipeline_id",
    "id",
    "name",
    "model_id",
    "email",
    "advance",
    "now",
    "rules",
    "users",
    "inferences",
]

texts = st.sampled_from(TEXTS) | st.text(max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | texts, inner, max_size=4),
    max_leaves=8,
)
json_bodies = values.map(lambda value: json.dumps(value).encode())
odd_json = st.sampled_from(
    [b'"\\ud800"', b'{"id": 1e999999999}', b'{"id": ' + b"9" * 5000 + b"}", b"[" * 5000, b"\xff", b"NaN"]
)
form_bodies = st.dictionaries(texts, texts, max_size=4).map(
    lambda form: "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in form.items()).encode()
)
bodies = json_bodies | odd_json | form_bodies | st.binary(max_size=200)
KINDS = [
    b"application/json",
    b"application/json; charset=\xff",
    b"application/x-www-form-urlencoded",
    b"application/octet-stream",
    b"multipart/form-data; boundary=b",
    b'multipart/form-data; boundary="\xff"',
    b"multipart/form-data; boundary=",
    b"application/vnd.apache.arrow.file",
    b"application/json; format=pandas-records",
    b";;=;",
    b"",
]
header_values = st.binary(max_size=60).map(lambda value: re.sub(rb"[\x00-\x1f\x7f]", b"", value).strip())
HEADER_NAMES = [
    b"Accept",
    b"Cookie",
    b"Range",
    b"Origin",
    b"Host",
    b"Accept-Language",
    b"Authorization",
    b"If-None-Match",
    b"Access-Control-Request-Method",
    b"Content-Encoding",
    b"Sec-Fetch-Site",
    b"X-Forwarded-For",
    b"Expect",
]


def _quoted(text: str) -> str:
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, list[tuple[bytes, bytes]], bytes]:
    """Return a method, a path with a query, headers and a body."""
    if draw(st.booleans()):
        path, operation = OPERATIONS[draw(st.sampled_from(sorted(OPERATIONS)))]
        path = re.sub(r"\{\w+\}", lambda _: _quoted(draw(texts)), path)
        names = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter.get("in") == "query"]
        method = draw(st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "OPTIONS", "HEAD"]))
    else:
        path, names = draw(st.sampled_from(OWN_PATHS)), ["pipeline_id", "model_name"]
        method = draw(st.sampled_from(["GET", "POST", "POST", "DELETE", "OPTIONS", "HEAD"]))
    query = "&".join(f"{name}={_quoted(draw(texts))}" for name in names if draw(st.booleans()))
    query += draw(st.sampled_from(["", "", "&", "&&=", "&%ff=%ED%A0%80", "&a;b", "&a=%zz"]))
    headers = [(b"Content-Type", draw(st.sampled_from(KINDS)))]
    headers += draw(st.lists(st.tuples(st.sampled_from(HEADER_NAMES), header_values), max_size=2))
    body = draw(bodies)
    if b"multipart" in headers[0][1] and draw(st.booleans()):
        part = b"--b\r\nContent-Disposition: form-data; " + draw(header_values) + b'; name="file"'
        body = part + b'; filename="' + draw(header_values) + b'"\r\n\r\n' + body + b"\r\n--b--\r\n"
    return method, f"{path}?{query}" if query else path, headers, body


def bounded(cases: int) -> settings:
    return settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize="NEGATIVE_CASES" not in os.environ,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Any, str]]:
    """Yield a sandbox's application, and a token."""
    instance = Instance(tmp_path_factory.mktemp("any"))
    with instance.store.reading() as db:
        user = find_user_by_email(db, instance.credentials.username)
    token = instance.tokens.issue(instance.credentials.client_id, user, "http://issuer")["access_token"]
    yield create_app(instance, ContractSpec(contract.load())), token
    instance.close()


@bounded(CASES)
@given(request=requests(), signed_in=st.sampled_from([True, True, True, False]))
def test_no_request_finds_a_defect(
    sandbox: tuple[Any, str], request: tuple[str, str, list[tuple[bytes, bytes]], bytes], *, signed_in: bool
) -> None:
    application, token = sandbox
    method, url, headers, body = request
    if any(name in url for name in ("deactivate", "faults")):
        return  # what follows would only be refused
    if signed_in:
        headers = [(b"Authorization", f"Bearer {token}".encode()), *headers]
    answer = asyncio.run(_send(application, method, url, headers, body))
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    for name, value in answer.headers.raw:
        assert not re.search(rb"[\r\n\0]", name + value)


async def _send(application: Any, method: str, url: str, headers: Any, body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(application, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", timeout=30) as http:
        try:
            request = http.build_request(method, url, headers=headers, content=body)
        except httpx.InvalidURL:
            request = http.build_request(method, "/")
        return await http.send(request)


LINES = [
    b"GET / HTTP/1.1",
    b"POST / HTTP/1.1",
    b"Host: h",
    b"Content-Length: 4",
    b"Transfer-Encoding: chunked",
    b"abcd",
    b"",
    b"",
    b"",
    b"4",
    b"0",
    b"Connection: close",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Expect: 100-continue",
]


@pytest.fixture(scope="module")
def served() -> Generator[Served]:
    with serving() as server:
        yield server


@bounded(CASES)
@given(
    content=st.lists(st.sampled_from(LINES) | st.binary(max_size=8), min_size=1, max_size=14).map(b"\r\n".join)
    | st.binary(min_size=1, max_size=200),
    at=st.integers(0, 200),
)
def test_no_bytes_stop_the_server(served: Served, content: bytes, at: int, caplog: pytest.LogCaptureFixture) -> None:
    """Each answer is whole, or there is none; what is sent comes in two pieces."""
    caplog.clear()
    with served.connect() as connection:
        connection.settimeout(0.02)
        answer = b""
        for piece in (content[:at], content[at:]):
            try:
                connection.sendall(piece)
                answer += connection.recv(65536)
            except (TimeoutError, ConnectionError):
                continue
    assert not answer or re.match(rb"HTTP/1\.1 (100|200|400|401|414|431|503|505) ", answer)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert threading.active_count() < 100
