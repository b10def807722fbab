"""Are spans recorded if that is wanted, named by operation and without secrets, and otherwise none?"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import ConfigurationError, ConnectionFailedError, RetryPolicy, WallarooError, connect

if TYPE_CHECKING:
    from collections.abc import Callable

LIST = http_servers.path_of("list_workspaces")
SECRETS = ["password-1", "secret-1", "token-1", "refresh-1", "cookie-1", "query-1"]
ENVIRONMENT = {"WALLAROO_USER": "u", "WALLAROO_PASSWORD": "password-1", "WALLAROO_CLIENT_SECRET": "secret-1"}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


def instance() -> Callable[[httpx.Request], httpx.Response]:
    """Return an instance in memory whose API is busy once."""
    busy = [503]

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"Set-Cookie": "session=cookie-1", "Location": "/?token=token-1"}
        if request.url.path != LIST:
            tokens = {"access_token": "token-1", "refresh_token": "refresh-1", "expires_in": 60}
            return httpx.Response(200, json=tokens, headers=headers)
        return httpx.Response(busy.pop() if busy else 200, json={"workspaces": []}, headers=headers)

    return handle


def send(telemetry: Any, kind: str = "sync", handle: Any = None) -> None:
    options: dict[str, Any] = {"environment": ENVIRONMENT, "retries": RetryPolicy(longest_pause=0)}
    client = connect(
        "https://api.example.com",
        transport=httpx.MockTransport(handle or instance()),
        telemetry=telemetry,
        **options,
    )
    params = {"key": "query-1"}
    if kind == "sync":
        with client:
            client.get_httpx_client().post(LIST, params=params)
        return

    async def send_async() -> None:
        async with client:
            await client.get_async_httpx_client().post(LIST, params=params)

    asyncio.run(send_async())


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_time_that_something_is_sent_is_a_span(
    kind: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    send(provider, kind)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["request_token", "list_workspaces", "list_workspaces"]
    last = [attributes(span) for span in spans]
    assert [one["wallaroo.operation"] for one in last] == [span.name for span in spans]
    assert [one.get("http.request.resend_count") for one in last] == [None, None, 1]
    assert [one.get("http.status_code", one.get("http.response.status_code")) for one in last] == [200, 503, 200]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("conventions", ["", "http", "http/dup"])
def test_no_span_has_a_secret_even_where_headers_are_captured(
    kind: str,
    conventions: str,
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST", ".*")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE", ".*")
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", conventions)
    send(provider, kind)
    text = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert "http.request.header.user_agent" in text, "headers are captured"
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_no_span_has_a_secret_that_a_server_repeats(
    way: str, provider: TracerProvider, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret is in a header of any name, or in an unreadable line, which no error quotes."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE", ".*")
    token = three_ways.TOKEN["WALLAROO_TOKEN"]
    for head in (f"200 OK\r\nX-Echo: Bearer {token}", f"200 OK\r\nX {token}", f"{token} OK"):
        answer = f"HTTP/1.1 {head}\r\n\r\n".encode()
        with (
            http_servers.raw(lambda connection, answer=answer: connection.sendall(answer)) as url,
            pytest.raises(WallarooError),
        ):
            three_ways.list_in(way, url, telemetry=provider)
    texts = [span.to_json() for span in exporter.get_finished_spans()]
    assert ["[removed]" in text for text in texts] == [True, False, False]
    assert [text for text in texts if token in text] == []


def test_a_request_with_a_new_token_begins_to_count_anew(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    refused = [401]

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path != LIST:
            return httpx.Response(200, json={"access_token": f"t{len(refused)}", "expires_in": 60})
        return httpx.Response(refused.pop() if refused else 200, json={})

    send(provider, handle=handle)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["request_token", "list_workspaces", "request_token", "list_workspaces"]
    assert [attributes(span).get("http.request.resend_count") for span in spans] == [None] * 4


def test_an_error_is_in_its_span(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ConnectionFailedError):
        send(provider, handle=handle)
    assert {span.status.status_code for span in exporter.get_finished_spans()} == {trace.StatusCode.ERROR}


def test_true_is_the_global_provider(
    provider: TracerProvider, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    send(telemetry=True)
    assert len(exporter.get_finished_spans()) == 3


def test_it_is_off_by_default_and_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, httpx; from wallaroo_ext import connect\n"
        "transport = httpx.MockTransport(lambda _: httpx.Response(200, json={'workspaces': []}))\n"
        "with connect('https://a.example.com', environment={'WALLAROO_TOKEN': 't'}, transport=transport) as client:\n"
        f"    client.get_httpx_client().post({LIST!r})\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_extra_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.httpx", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[telemetry\]'"):
        send(telemetry=True)
