"""Between the suite and the instance: every request is admitted, every exchange is kept, every answer is checked."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import requests
from typing_extensions import override

from wallaroo_ext.answer_limits import limited
from wallaroo_ext.conformance.exchanges import Exchange, kept_body, kept_headers
from wallaroo_ext.conformance.manners import WithheldError
from wallaroo_ext.conformance.requests import Said, said
from wallaroo_ext.conformance.rules import ALWAYS, CONTENT_TYPE, SCHEMA, STATUS, Broken
from wallaroo_ext.conformance.run import Finding, Notice, Run
from wallaroo_ext.proxies import proxy_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_ext.conformance.manners import Manners, Rate
    from wallaroo_ext.conformance.rules import Rules

_JSON = "application/json"
_PIECE = 65_536
_EVERY_CHECK = (STATUS, CONTENT_TYPE, SCHEMA, ALWAYS)


@dataclass(slots=True)
class Outgoing:
    """A request that may be sent.

    Attributes:
        operation: The contract's `operationId`; empty where it is none of an operation.
        method: Its method.
        url: Its URL.
        headers: Its headers.
        content: Its body.
        said: What it says.
        started: When it was sent, in seconds since 1970.
        clock: The same on the monotonic clock.
    """

    operation: str
    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes
    said: Said
    started: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)


@dataclass(slots=True)
class Incoming:
    """An answer.

    Attributes:
        status: Its status.
        headers: Its headers.
        content: Its body.
    """

    status: int
    headers: list[tuple[str, str]]
    content: bytes

    @property
    def content_type(self) -> str:
        """Its media type with parameters; empty where it has none."""
        return next((value for name, value in self.headers if name.lower() == "content-type"), "")


class Observer:
    """Admits requests, keeps exchanges and checks answers.

    Args:
        run: What the run found so far; it is added to.
        rules: The contract.
        manners: What may be sent.
        rate: How often.

    Attributes:
        run: What the run found so far.
        rules: The contract.
        manners: What may be sent.
        test: The test that is running, as pytest names it.
    """

    def __init__(self, run: Run, rules: Rules, manners: Manners, rate: Rate) -> None:
        self.run = run
        self.rules = rules
        self.manners = manners
        self.test = ""
        self._rate = rate
        self._lock = threading.Lock()
        places = [(path, operation) for operation, (_, path, _) in rules.places.items()]
        # The template with the fewest parameters is the one that a path belongs to.
        places.sort(key=lambda place: place[0].count("{"))
        self._templates = [(re.compile(re.sub(r"\{\w+\}", "[^/]*", path) + "$"), path, name) for path, name in places]

    def operation_at(self, url: str) -> tuple[str, str]:
        """The operation that a URL belongs to, and its path in the contract; empty texts where it belongs to none."""
        path = httpx.URL(url).raw_path.partition(b"?")[0].decode()
        found = ((name, template) for pattern, template, name in self._templates if pattern.search(path))
        return next(found, ("", ""))

    def admit(self, method: str, url: str, headers: Iterable[tuple[str, str]], content: bytes) -> Outgoing:
        """Let a request go, at its time.

        Raises:
            WithheldError: It would touch what the run did not make.
        """
        operation, template = self.operation_at(url)
        kept = list(headers)
        content_type = next((value for name, value in kept if name.lower() == "content-type"), "")
        spoken = said(template, url, content_type, content)
        if operation:
            try:
                self.manners.check(operation, spoken)
            except WithheldError:
                with self._lock:
                    self.run.withheld[operation] += 1
                raise
        self._rate.wait()
        return Outgoing(operation, method, url, kept, content, spoken)

    def keep(self, outgoing: Outgoing, incoming: Incoming, *, checks: Iterable[str] = _EVERY_CHECK) -> Exchange:
        """Keep an exchange, learn from it, and check its answer.

        Args:
            outgoing: The request.
            incoming: Its answer.
            checks: The checks to make of the answer.
        """
        exchange = self._exchange(outgoing, incoming)
        operation = outgoing.operation
        with self._lock:
            self.run.exchanges.append(exchange)
            if operation:
                self._check(exchange, incoming, set(checks))
        if operation and incoming.status == self.rules.success(operation):
            self.manners.belongings.learn(operation, outgoing.said, _json(incoming.content))
        return exchange

    def lost(self, outgoing: Outgoing, error: Exception) -> Exchange:
        """Keep a request that got no answer."""
        nothing = Incoming(0, [], b"")
        exchange = self._exchange(outgoing, nothing, error=f"{type(error).__name__}: {error}")
        with self._lock:
            self.run.exchanges.append(exchange)
        return exchange

    def found(
        self, check: str, message: str, *, operation: str, exchange: Exchange | None = None, place: tuple[str, ...] = ()
    ) -> Finding:
        """A finding of the running test.

        Args:
            check: The name of the check.
            message: What is wrong.
            operation: The contract's `operationId`.
            exchange: The request and its answer.
            place: Where the rule stands in the contract, as the keys of a way from its root; the operation by default.
        """
        place = place or self.rules.places.get(operation, ())
        rule = self.rules.rule(place) if place else None
        return Finding(operation, check, message, rule, exchange, self.test)

    def _exchange(self, outgoing: Outgoing, incoming: Incoming, *, error: str = "") -> Exchange:
        sent_as = next((value for name, value in outgoing.headers if name.lower() == "content-type"), "")
        return Exchange(
            operation=outgoing.operation,
            method=outgoing.method,
            url=outgoing.url,
            request_headers=kept_headers(outgoing.headers),
            request=kept_body(outgoing.content, sent_as),
            status=incoming.status,
            answer_headers=kept_headers(incoming.headers),
            answer=kept_body(incoming.content, incoming.content_type),
            started=outgoing.started,
            seconds=time.perf_counter() - outgoing.clock,
            test=self.test,
            error=error,
        )

    def _check(self, exchange: Exchange, incoming: Incoming, checks: set[str]) -> None:
        operation = exchange.operation
        broken = list(self.rules.broken(operation, incoming.status, incoming.content_type, incoming.content))
        for check in _EVERY_CHECK:
            if check in checks:
                found = [self._finding(one, exchange) for one in broken if one.check == check]
                self.run.checked(operation, check, found)
        if not broken and incoming.status == self.rules.success(operation):
            self._notice(operation, incoming)

    def _finding(self, broken: Broken, exchange: Exchange) -> Finding:
        message = f"{broken.where}: {broken.message}" if broken.where else broken.message
        return self.found(broken.check, message, operation=exchange.operation, exchange=exchange, place=broken.pointer)

    def _notice(self, operation: str, incoming: Incoming) -> None:
        """Take note of values that the contract does not list."""
        if not incoming.content_type.startswith(_JSON):
            return
        schema = self.rules.answer_schema(operation)
        for found in self.rules.unlisted(schema, _json(incoming.content)):
            where = re.sub(r"\[\d+\]", "[]", found.where)
            listed = ", ".join(map(repr, found.listed))
            self.run.notice(Notice(operation, where, f"{found.value!r} is not among the listed values {listed}."))


class ObservedTransport(httpx.BaseTransport):
    """An httpx transport whose requests an observer admits, and whose answers it sees.

    Args:
        inner: What sends the requests.
        observer: The observer.
    """

    def __init__(self, inner: httpx.BaseTransport, observer: Observer) -> None:
        self._inner = inner
        self._observer = observer

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        outgoing = self._observer.admit(request.method, str(request.url), request.headers.multi_items(), content)
        try:
            response = limited(self._inner.handle_request(request), request)
            content = _read(response)
        except (httpx.TransportError, httpx.DecodingError) as error:
            self._observer.lost(outgoing, error)
            raise
        answer = _again(response, content)
        self._observer.keep(outgoing, Incoming(answer.status_code, answer.headers.multi_items(), answer.content))
        return _again(response, content)

    @override
    def close(self) -> None:
        self._inner.close()


def _read(response: httpx.Response) -> bytes:
    """The bytes of an answer, as far as they may go."""
    assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - what a synchronous transport gives
    try:
        return b"".join(response.stream)
    finally:
        response.close()


def _again(response: httpx.Response, content: bytes) -> httpx.Response:
    """An answer whose body was read, to be read once more."""
    return httpx.Response(
        response.status_code, headers=response.headers, content=content, extensions=response.extensions
    )


class ObservedSession(requests.Session):
    """A session of requests, which schemathesis sends its cases with, that an observer sees.

    Schemathesis checks status, media type and schema by itself; the observer checks the rest.

    Args:
        observer: The observer.

    Attributes:
        last: The newest exchange.
    """

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self.trust_env = False
        self.last: Exchange | None = None
        self._observer = observer

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        content: Any = request.body or b""
        outgoing = self._observer.admit(
            str(request.method),
            str(request.url),
            [(name, str(value)) for name, value in request.headers.items()],
            content.encode() if isinstance(content, str) else bytes(content),
        )
        try:
            response = super().send(request, **kwargs | {"stream": True, "proxies": _proxies(str(request.url))})
            body = _bounded(response)
        except requests.RequestException as error:
            self.last = self._observer.lost(outgoing, error)
            raise
        incoming = Incoming(response.status_code, list(response.headers.items()), body)
        self.last = self._observer.keep(outgoing, incoming, checks=(ALWAYS,))
        return response


def _bounded(response: requests.Response) -> bytes:
    """The body of an answer, which the answer has from then on.

    Raises:
        requests.exceptions.ContentDecodingError: It is too large, or in an unknown encoding.
    """
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.raw.headers.items()]
    parts = response.raw.stream(_PIECE, decode_content=False)
    try:
        answer = httpx.Response(response.status_code, headers=headers, content=parts)
        content = _read(limited(answer, httpx.Request("POST", "http://instance")))
    except httpx.DecodingError as error:
        response.close()
        raise requests.exceptions.ContentDecodingError(str(error)) from None
    response._content = content  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - what requests reads a body into
    response._content_consumed = True  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same
    return content


def _proxies(url: str) -> dict[str, str]:
    """What requests goes through, by the rule of all other requests."""
    proxy = proxy_for(httpx.URL(url))
    return {} if proxy is None else {"http": proxy, "https": proxy}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
