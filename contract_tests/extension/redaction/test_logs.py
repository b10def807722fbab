"""Do the logs show what was sent, without secrets?"""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest

from contract_tests.support.servers import http_servers
from wallaroo_ext import RetryPolicy, connect
from wallaroo_ext.redaction.logs import SecretFilter, redact_logs

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client

LIST = http_servers.path_of("list_workspaces")
SECRETS = {
    "token": "token-6d0f",
    "refresh token": "refresh-8a1c",
    "password": "password-2b7e",
    "client secret": "secret-93d4",
    "cookie": "cookie-5f60",
    "query": "query-71aa",
}
ENVIRONMENT = {
    "WALLAROO_USER": "u@example.com",
    "WALLAROO_PASSWORD": SECRETS["password"],
    "WALLAROO_CLIENT_SECRET": SECRETS["client secret"],
}


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Return all that is logged, by any logger, at every level."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.fixture
def server() -> Generator[http_servers.Seen]:
    def respond(handler: Any, number: int) -> None:
        cookie = {"Set_Cookie": f"KEYCLOAK_SESSION={SECRETS['cookie']}; Path=/", "X_Odd": f"'\"\\ {SECRETS['token']}"}
        if "token" in handler.path.partition("?")[0]:
            tokens = f'"access_token": "{SECRETS["token"]}", "refresh_token": "{SECRETS["refresh token"]}"'
            http_servers.answer(handler, 200, f'{{{tokens}, "expires_in": 60}}'.encode(), **cookie)
        else:
            location = {"Location": f"/?token={SECRETS['token']}"}
            http_servers.answer(handler, 503 if number == 1 else 200, http_servers.LISTED, **cookie, **location)

    with http_servers.serving(respond) as seen:
        yield seen


def connected(url: str, **options: Any) -> Client:
    return connect(url, environment=ENVIRONMENT, retries=RetryPolicy(longest_pause=0), **options)


def send(url: str, backend: Any) -> None:
    params = {"key": SECRETS["query"]}
    if backend == "sync":
        with connected(url) as client:
            assert client.get_httpx_client().post(LIST, params=params).status_code == 200
        return

    async def send_async() -> None:
        async with connected(url, transport=backend) as client:
            assert (await client.get_async_httpx_client().post(LIST, params=params)).status_code == 200

    asyncio.run(send_async())


@pytest.mark.parametrize("backend", ["sync", "httpx", "aiohttp"])
def test_nothing_secret_is_logged_with_everything_switched_on(
    everything: pytest.LogCaptureFixture, server: http_servers.Seen, backend: str
) -> None:
    send(server.url, backend)
    text = everything.text + "".join(repr(record.__dict__) for record in everything.records)
    assert len(server.requests) == 3
    assert "send_request_headers" in text, "httpcore was heard"
    assert [name for name, secret in SECRETS.items() if secret in text] == []


def test_each_attempt_is_one_record(everything: pytest.LogCaptureFixture, server: http_servers.Seen) -> None:
    send(server.url, "sync")
    records: list[Any] = [
        record for record in everything.records if record.name == "wallaroo_ext" and hasattr(record, "attempt")
    ]
    assert [(record.operation, record.attempt, record.status) for record in records] == [
        ("request_token", 1, 200),
        ("list_workspaces", 1, 503),
        ("list_workspaces", 2, 200),
    ]
    assert all(record.levelno == logging.DEBUG and record.milliseconds > 0 for record in records)
    assert records[1].getMessage().startswith("list_workspaces: attempt 1: 503 after ")
    assert records[1].getMessage().endswith(", again in 0.00 s")


def test_an_error_is_one_too(everything: pytest.LogCaptureFixture) -> None:
    client = connect(http_servers.unused(), environment={"WALLAROO_TOKEN": "t"}, retries=RetryPolicy(attempts=1))
    with client, pytest.raises(httpx.ConnectError):
        client.get_httpx_client().post("/elsewhere", params={"a": SECRETS["query"]})
    records: list[Any] = [record for record in everything.records if record.name == "wallaroo_ext"]
    assert [(record.operation, record.status) for record in records] == [("POST /elsewhere", None)]
    assert "ConnectError" in records[0].getMessage()


def test_without_debug_nothing_is_logged(caplog: pytest.LogCaptureFixture, server: http_servers.Seen) -> None:
    caplog.set_level(logging.INFO, logger="wallaroo_ext")
    send(server.url, "sync")
    assert [record for record in caplog.records if record.name.startswith("wallaroo_ext")] == []


def test_every_logger_of_httpx_and_httpcore_is_protected() -> None:
    """A filter works on its own logger only, so each that these packages have needs one."""
    for module in pkgutil.walk_packages(httpcore.__path__, "httpcore."):
        try:
            importlib.import_module(module.name)
        except ImportError:  # what needs trio or h2
            continue
    redact_logs()
    redact_logs()
    names = [
        name
        for name, logger in logging.root.manager.loggerDict.items()
        if name.partition(".")[0] in {"httpx", "httpcore"} and isinstance(logger, logging.Logger)
    ]
    counts = {
        name: len([one for one in logging.getLogger(name).filters if isinstance(one, SecretFilter)]) for name in names
    }
    assert {"httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy"} <= set(counts)
    assert set(counts.values()) == {1}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("(b'Set-Cookie', b'a=b')", "(b'Set-Cookie', [removed])"),
        ("""(b'X', b"it's")""", "(b'X', [removed])"),
        (r"(b'X', b'a\'b)')", "(b'X', [removed])"),
        ("(b'content-TYPE', b'text/html')", "(b'content-TYPE', b'text/html')"),
        ("(b'Content-Type-Secret', b'x')", "(b'Content-Type-Secret', [removed])"),
        ('POST https://a.example.com/b?key=1 "HTTP/1.1', 'POST https://a.example.com/b?[removed] "HTTP/1.1'),
        ("connect_tcp.started host='127.0.0.1' port=80", "connect_tcp.started host='127.0.0.1' port=80"),
    ],
)
def test_what_is_taken_out(text: str, safe: str) -> None:
    record = logging.makeLogRecord({"msg": text})
    assert SecretFilter().filter(record)
    assert record.getMessage() == safe


def test_arguments_are_looked_at_too() -> None:
    record = logging.makeLogRecord({"msg": "HTTP Request: %s", "args": ("https://a.example.com/?token=hidden",)})
    SecretFilter().filter(record)
    assert record.getMessage() == "HTTP Request: https://a.example.com/?[removed]"
