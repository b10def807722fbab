"""OpenTelemetry spans, by its instrumentation of httpx; needs the extra `telemetry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import contract
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.transport.process_connections import ForkSafeTransport, fork_safe
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.attempts import attempts_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.instrumentation.httpx import RequestInfo, ResponseInfo
    from opentelemetry.trace import Span, TracerProvider

_URLS = ("http.url", "url.full")
_SECRET_HEADERS = ("authorization", "proxy_authorization", "cookie", "set_cookie", "location")
_HEADERS = ("http.request.header.", "http.response.header.")
_REMOVED = "[removed]"


class _SafeErrors(ForkSafeTransport):
    """Removes secrets from errors before a span records them: errors quote unreadable data of a server.

    Args:
        transport: The transport that sends requests.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        try:
            return self._transport.handle_request(request)
        except httpx.RequestError as error:
            error.args = _safe(error.args)
            raise error from None  # its cause has the same text

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        try:
            return await self._transport.handle_async_request(request)
        except httpx.RequestError as error:
            error.args = _safe(error.args)
            raise error from None


def _safe(texts: Iterable[object]) -> tuple[str, ...]:
    return tuple(redact(str(each)) for each in texts)


class TracedTransport(ForkSafeTransport):
    """Records a span for each attempt of a request, named by its operation.

    Args:
        transport: The transport that sends requests.
        provider: The provider of the tracer; None for the global one.
    """

    def __init__(self, transport: Any, provider: TracerProvider | None) -> None:
        from opentelemetry.instrumentation.httpx import AsyncOpenTelemetryTransport, SyncOpenTelemetryTransport

        hooks: Any = {"request_hook": _begin, "response_hook": _end}
        async_hooks: Any = {"request_hook": _begin_async, "response_hook": _end_async}
        self._transport = fork_safe(transport)
        transport = _SafeErrors(self._transport)
        self._sync: Any = SyncOpenTelemetryTransport(transport, tracer_provider=provider, **hooks)
        self._async: Any = AsyncOpenTelemetryTransport(transport, tracer_provider=provider, **async_hooks)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request in a span."""
        return self._sync.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request in a span."""
        return await self._async.handle_async_request(request)

    def close(self) -> None:
        """Close what sends requests."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close what sends requests."""
        await self._transport.aclose()


def trace_transport(transport: Any, provider: TracerProvider | None) -> TracedTransport:
    """Return a transport that records its requests with OpenTelemetry.

    Raises:
        ConfigurationError: The extra `telemetry` is not installed.
    """
    try:
        return TracedTransport(transport, provider)
    except ImportError:
        raise ConfigurationError("`telemetry` needs: pip install 'wallaroo-ext[telemetry]'.") from None


def _begin(span: Span, info: RequestInfo) -> None:
    """Name a span by its operation, and record how many attempts came before."""
    url = httpx.URL(str(info.url))
    extensions = info.extensions or {}
    operation = extensions.get(request_options.OPERATION) or contract.operation_at(url.path)
    if operation is not None:
        span.update_name(operation)
        span.set_attribute("wallaroo.operation", operation)
    if earlier := len(attempts_in(extensions)):
        span.set_attribute("http.request.resend_count", earlier)
    if url.query:
        _replace(span, _URLS, str(url.copy_with(query=None)))
    _take_out_of_headers(span)


def _end(span: Span, _: RequestInfo, __: ResponseInfo) -> None:
    _take_out_of_headers(span)


async def _begin_async(span: Span, info: RequestInfo) -> None:
    _begin(span, info)


async def _end_async(span: Span, request: RequestInfo, response: ResponseInfo) -> None:
    _end(span, request, response)


def _take_out_of_headers(span: Span) -> None:
    """Remove secrets from a span's headers: environment variables choose them, and an answer may repeat any secret."""
    for attribute, values in _attributes(span).items():
        if attribute.startswith(_HEADERS):
            is_secret = attribute.endswith(_SECRET_HEADERS)
            span.set_attribute(attribute, _REMOVED if is_secret else _safe(values))


def _replace(span: Span, names: tuple[str, ...], value: str) -> None:
    """Overwrite those of the attributes that a span has."""
    for name in _attributes(span).keys() & names:
        span.set_attribute(name, value)


def _attributes(span: Span) -> dict[str, Any]:
    """Return the attributes of a span; empty if it is not recorded."""
    return dict(getattr(span, "attributes", None) or {})
