"""Stands between the suite and the instance: admits requests, keeps exchanges and checks every answer."""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import requests
from typing_extensions import override

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.auth.token_endpoint import OPERATION as TOKEN_REQUEST
from wallaroo_ext.conformance.exchanges import (
    TOKEN_FIELDS,
    Exchange,
    read_json,
    redact_body,
    redact_headers,
    redact_text,
)
from wallaroo_ext.conformance.guard.attempts import Attempt, Attempts
from wallaroo_ext.conformance.guard.final_answers import FinalAnswersAdapter
from wallaroo_ext.conformance.guard.gateways import BROKEN, MOST_RUNS, gap_of_answer, gap_of_error
from wallaroo_ext.conformance.guard.inference_urls import InferenceUrls, origin_of
from wallaroo_ext.conformance.guard.request_fields import (
    RequestFields,
    canonical_path,
    fields_of,
    raw_path,
    template_pattern,
)
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.results import Finding, Notice, Run
from wallaroo_ext.conformance.rules import ALWAYS, ANSWERED, CONTENT_TYPE, SCHEMA, STATUS, Violation, read_strictly
from wallaroo_ext.redaction.known_secrets import KnownSecrets
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.transport.connections.proxies import EnvironmentProxies
from wallaroo_ext.transport.process_connections import ForkSafeTransport
from wallaroo_ext.transport.response_limits import LimitedTransport, limit_answer
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from wallaroo_ext.conformance.guard.gateways import NoAnswerError
    from wallaroo_ext.conformance.guard.owned_resources import Learned
    from wallaroo_ext.conformance.guard.write_guard import WriteGuard
    from wallaroo_ext.conformance.rules import Rules
    from wallaroo_ext.transport.retry.clock import Clock

T = TypeVar("T")

_JSON = "application/json"
_CHUNK_BYTES = 65_536
_SENT_CHUNK_BYTES = 16_384
_EVERY_CHECK = (STATUS, CONTENT_TYPE, SCHEMA, ALWAYS)
_TELLS_URLS = "get_pipeline_external_url"
SIGNER = "signer"
"""The extension of httpx's requests that gives the header `Authorization` anew, where it is not the run's user's."""


class RateLimit:
    """Limits the number of requests a second.

    Args:
        per_second: The number; None for any.
    """

    def __init__(self, per_second: float | None) -> None:
        self._pause = 0.0 if per_second is None else 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until the next request may be sent."""
        if not self._pause:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + self._pause
        time.sleep(start - now)


def _error_in_flight() -> int:
    error = sys.exc_info()[1]
    return 0 if error is None else id(error)


@dataclass(slots=True)
class Outgoing:
    """A request that may be sent.

    Attributes:
        operation: The contract's `operationId`; empty where it belongs to no operation.
        method: Its method.
        url: Its URL.
        headers: Its headers.
        content: Its body.
        fields: The values in it.
        is_declared: Whether the contract has an operation of its method at its path.
        started: When it was sent, in seconds since 1970.
        clock: The same on the monotonic clock.
        error_in_flight: The id of the error that was on its way then, as in a clean-up; 0 where none was.
    """

    operation: str
    method: str
    url: str
    headers: list[tuple[str, str]]
    content: bytes
    fields: RequestFields
    is_declared: bool = True
    started: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)
    error_in_flight: int = field(default_factory=_error_in_flight)


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
    _read: tuple[bool, Any] | None = None

    @property
    def read(self) -> tuple[bool, Any]:
        """Whether its body is JSON, and the value, read once; None where it is none."""
        if self._read is None:
            strictly = read_strictly(self.content)
            self._read = strictly if strictly[0] else read_json(self.content)
        return self._read

    @property
    def value(self) -> Any:
        """The value of its body; None where that is no JSON."""
        return self.read[1]

    @property
    def content_type(self) -> str:
        """Its media type with parameters, all of them where it has several; empty where it has none."""
        return ", ".join(dict.fromkeys(value for name, value in self.headers if name.lower() == "content-type"))


@dataclass(frozen=True, slots=True)
class News:
    """What one process of a run found, for the other.

    Attributes:
        run: The results.
        learned: What was learned of the things of the run.
        unanswered: The operations whose requests stayed without an answer.
    """

    run: Run
    learned: Learned
    unanswered: frozenset[str]


class _Route:
    """An operation's method and path.

    Args:
        operation: The contract's `operationId`.
        template: Its path, with parameters in braces.
        method: Its method.
    """

    def __init__(self, operation: str, template: str, method: str) -> None:
        self.operation = operation
        self.template = template
        self.method = method
        self.pattern = template_pattern(template)
        self.parameters = template.count("{")


class Interceptor:
    """Admits requests, keeps exchanges and checks answers.

    Args:
        run: The results, which are added to.
        rules: The rules of the contract.
        guard: Decides which requests may be sent.
        rate: The limit of requests a second.
        locations: The locations of all operations, also of those that the release of the rules does not have; None for
            those of the rules. What such an operation answers is not checked.
        clock: The clock of the pauses before a request is sent again.

    Attributes:
        run: The results.
        rules: The rules of the contract.
        guard: Decides which requests may be sent.
        test: The test that is running, as pytest names it.
        sign_in_url: The URL of the client's own token requests, which the contract need not have.
        roots: The beginnings of the paths of the instance's URLs, before those of the contract.
        origins: The origins that requests may go to, as scheme, host and port; None for any.
        inference: Where rows are taken.
        signer_of: Returns what gives a header `Authorization` with a new token in place of one with the user's; None
            where a header has another, which is sent again as it is.
    """

    def __init__(
        self,
        run: Run,
        rules: Rules,
        guard: WriteGuard,
        rate: RateLimit,
        locations: Mapping[str, tuple[str, ...]] | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.run = run
        self.rules = rules
        self.guard = guard
        self.test = ""
        self.sign_in_url = ""
        self.roots: tuple[str, ...] = ("",)
        self.origins: frozenset[str] | None = None
        self.signer_of: Callable[[str], Callable[[], str] | None] = lambda _authorization: None
        self._rate = rate
        self._clock = clock
        self._attempts = Attempts(run, rules, clock)
        self._unanswered: set[str] = set()
        self._cookies: set[str] = set()
        self._secrets = KnownSecrets()
        self._lock = threading.Lock()
        every = rules.locations if locations is None else locations
        self.inference = InferenceUrls(path for _, path, _ in every.values())
        routes = [_Route(name, path, method.upper()) for name, (_, path, method) in every.items()]
        # A path belongs to the template with the fewest parameters.
        self._routes = sorted(routes, key=lambda route: route.parameters)
        self._fitting = lru_cache(maxsize=1024)(self._routes_of)  # most paths come again and again

    def operation_at(self, method: str, url: str) -> str:
        """Return the operation that a request belongs to; empty where the contract has none of this method there."""
        return next((found.operation for found in self._at(url) if found.method == method.upper()), "")

    def _at(self, url: str) -> tuple[_Route, ...]:
        """Return the operations whose paths fit a URL, the likeliest first: an instance may choose any of them."""
        path, base = raw_path(url), self.inference.base
        roots = self.roots if base is None else (*self.roots, base.root)
        return self._fitting(tuple(path.removeprefix(root) for root in roots if path.startswith(root)))

    def _routes_of(self, paths: tuple[str, ...]) -> tuple[_Route, ...]:
        return tuple(route for route in self._routes if any(map(route.pattern.fullmatch, paths)))

    def admit(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        content: bytes,
        check: Callable[[str, RequestFields], object] = lambda _operation, _request: None,
    ) -> Outgoing:
        """Check that a request may be sent, and wait until the rate limit allows it.

        Args:
            method: Its method.
            url: Its URL.
            headers: Its headers.
            content: Its body.
            check: A further check of a request that the contract has: it raises `WithheldError`.

        Raises:
            WithheldError: It could touch what the run did not make, or the further check withholds it.
        """
        all_headers, routes = list(headers), self._at(url)
        chosen = self._without_given_cookies(all_headers)
        declared = [route for route in routes if route.method == method.upper()]
        operation = next((route.operation for route in declared or routes), "")
        fields = RequestFields()
        try:
            self._check_origin(url)
            # The likeliest route comes last: the request counts for it.
            for route in reversed(declared):
                effects = self.guard.effects[route.operation]
                fields = fields_of(route.template, url, chosen, content, effects)
                self.guard.check(route.operation, fields)
                check(route.operation, fields)
            if not declared and not (method == "POST" and not routes and url == self.sign_in_url):
                self._check_undeclared(method, url, chosen, content, routes)
        except WithheldError as error:
            with self._lock:
                self.run.add_withheld(operation, redact(str(error)))
            raise
        self._rate.wait()
        if declared:
            self.guard.owned.note_request(self.guard.effects[operation], fields)
        return Outgoing(operation, method, url, all_headers, content, fields, is_declared=bool(declared))

    def _without_given_cookies(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return headers without the cookies that the instance, or a gateway, gave the run: they name nothing else."""
        found: list[tuple[str, str]] = []
        for name, value in headers:
            if name.lower() != "cookie":
                found.append((name, value))
                continue
            others = [pair for pair in value.split(";") if pair.strip() not in self._cookies]
            if others:
                found.append((name, ";".join(others)))
        return found

    def _check_origin(self, url: str) -> None:
        """Check that a request goes to the instance, whatever its redirects and the contract's servers say.

        Raises:
            WithheldError: It goes elsewhere.
        """
        if not self.allows(url):
            raise WithheldError(f"{origin_of(url)} is not the instance.")

    def allows(self, url: str) -> bool:
        """Return whether requests may be sent to the origin of a URL."""
        return self.origins is None or origin_of(url) in self.origins

    def _check_undeclared(
        self, method: str, url: str, headers: list[tuple[str, str]], content: bytes, routes: Sequence[_Route]
    ) -> None:
        """Check that a request that the contract does not have can change nothing.

        Raises:
            WithheldError: It could.
        """
        if not routes:
            self.guard.check_elsewhere(method, has_body=bool(content) or bool(self._at(canonical_path(url))))
        for route in routes:
            fields = fields_of(route.template, url, headers, content)
            if method.upper() == "HEAD" and route.method == "GET":
                self.guard.check(route.operation, fields)  # an instance may do what it does for GET
            if route.parameters == routes[0].parameters:
                self.guard.check_undeclared(method, route.operation, fields, has_body=bool(content))

    def exchange(
        self,
        outgoing: Outgoing,
        send: Callable[[str], tuple[T, Incoming]],
        *,
        checks: Iterable[str] = _EVERY_CHECK,
        signer: Callable[[], str] | None = None,
        is_sign_in: bool = False,
    ) -> tuple[T, Exchange]:
        """Send a request until the instance has answered it, and return the answer and the exchange.

        Args:
            outgoing: The request.
            send: Sends it once, with a header `Authorization` in place of its own; its own where that is empty.
            checks: The checks to make of the answer.
            signer: Gives that header when the request is sent again, because a token may expire in the pauses; by
                default the user's, where it had the user's token.
            is_sign_in: Whether it is the client's own request for a token.

        Raises:
            NoAnswerError: The instance did not answer, as often as the request was sent.
        """
        numbers = count()
        given = next((value for name, value in outgoing.headers if name.lower() == "authorization"), "")
        signer = signer or self.signer_of(given)

        def attempt() -> Attempt[tuple[T, Exchange]]:
            authorization = ""
            if next(numbers):
                self._rate.wait()
                authorization = "" if signer is None else signer()
                outgoing.started, outgoing.clock = time.time(), time.perf_counter()
            try:
                answer, incoming = send(authorization)
            except BROKEN as error:
                return Attempt(None, self.keep_unanswered(outgoing, error), gap_of_error(error), error)
            except (httpx.HTTPError, requests.RequestException) as error:  # it would be no other the next time
                self.keep_unanswered(outgoing, error)
                raise
            gap = gap_of_answer(incoming.status, incoming.headers, self._clock.date())
            exchange = self.keep(outgoing, incoming, checks=checks if gap is None else ())
            return Attempt((answer, exchange), exchange, gap)

        return self._attempts.make(
            outgoing.operation,
            outgoing.content,
            attempt,
            is_declared=outgoing.is_declared,
            is_sign_in=is_sign_in,
        )

    def take_news(self) -> News:
        """Return what was found since the last call, for another process of the run, and keep nothing of it."""
        return News(self.run.take(), self.guard.owned.take_learned(), frozenset(self._unanswered))

    def add_news(self, news: News) -> None:
        """Add what another process of the run found."""
        with self._lock:
            self.run.add(news.run)
        self.guard.owned.add_learned(news.learned)
        self._unanswered |= news.unanswered

    def is_unanswered(self, operation: str) -> bool:
        """Return whether requests of an operation stayed without an answer."""
        return operation in self._unanswered or operation in self.run.unanswered

    def send_rows_once(self, is_once: bool) -> None:  # noqa: FBT001 - what it is, is its name
        """Send rows that may have been scored not again, or again: the log would have them twice.

        Args:
            is_once: Whether not to.
        """
        self._attempts.sends_rows_once = is_once

    def give_up(self, error: NoAnswerError, *, is_lasting: bool = False) -> None:
        """Note that a request stays without an answer of the instance.

        That is a finding about the instance if the same came each time, while nearly all other requests were answered.

        Args:
            error: What came in place of an answer.
            is_lasting: Whether it came each time that the request was repeated with other names.
        """
        operation = error.operation
        if operation in self._unanswered:
            return
        self._attempts.give_up(operation)
        is_lasting = is_lasting and not error.is_limit and self._attempts.is_lasting(operation, MOST_RUNS)
        if not (is_lasting or error.is_lasting):
            self.run.unanswered.setdefault(operation, error.reason)
            return
        self._unanswered.add(operation)
        exchange = next((each for each in reversed(self.run.exchanges) if each.operation == operation), None)
        message = f"No answer of the instance came, only {error.reason}; other requests were answered meanwhile."
        finding = self.make_finding(ANSWERED, message, operation=operation, exchange=exchange)
        self.run.add_check(operation, ANSWERED, [finding])

    def keep(self, outgoing: Outgoing, incoming: Incoming, *, checks: Iterable[str] = _EVERY_CHECK) -> Exchange:
        """Keep an exchange, note what the run made by it, and check the answer.

        Args:
            outgoing: The request.
            incoming: Its answer.
            checks: The checks to make of the answer.
        """
        operation = outgoing.operation
        if operation == TOKEN_REQUEST:
            self._secrets.add(*_tokens_in(incoming.value))
        exchange = self._exchange(outgoing, incoming)
        given = {value.partition(";")[0].strip() for name, value in incoming.headers if name.lower() == "set-cookie"}
        with self._lock:
            self._cookies |= given
            self.run.exchanges.append(exchange)
            if outgoing.is_declared and operation in self.rules.operations:
                self._check(exchange, incoming, set(checks))
        is_settled = 0 < incoming.status < 500  # noqa: PLR2004 - HTTP's: a server's error may come after a write
        if outgoing.is_declared and 200 <= incoming.status < 300:  # noqa: PLR2004 - HTTP's
            is_settled = self._learn(outgoing, incoming)
        if is_settled:
            self.guard.owned.settle(outgoing.fields)
        return exchange

    def _learn(self, outgoing: Outgoing, incoming: Incoming) -> bool:
        """Note what a success made. Returns whether the answer has the ids of all of it."""
        effects, owned = self.guard.effects[outgoing.operation], self.guard.owned
        if outgoing.operation == _TELLS_URLS:
            self.inference.learn(object_of(incoming.value).get("url"), self.allows)
        is_complete = owned.learn(effects, outgoing.fields, incoming.value)
        if outgoing.method.upper() == "DELETE":
            owned.forget(effects, outgoing.fields)
        return is_complete

    def keep_unanswered(self, outgoing: Outgoing, error: Exception) -> Exchange:
        """Keep a request that got no answer."""
        nothing = Incoming(0, [], b"")
        exchange = self._exchange(outgoing, nothing, error=f"{type(error).__name__}: {error}")
        with self._lock:
            self.run.exchanges.append(exchange)
        return exchange

    def make_finding(
        self,
        check: str,
        message: str,
        *,
        operation: str,
        exchange: Exchange | None = None,
        location: tuple[str, ...] = (),
    ) -> Finding:
        """Return a finding of the running test.

        Args:
            check: The name of the check.
            message: What is wrong, for a person.
            operation: The contract's `operationId`.
            exchange: The request and its answer.
            location: The rule's location: the keys from the contract's root; the operation by default.
        """
        location = location or self.rules.locations.get(operation, ())
        rule = self.rules.rule(location) if location else None
        return Finding(operation, check, redact(message), rule, exchange, self.test)

    def _exchange(self, outgoing: Outgoing, incoming: Incoming, *, error: str = "") -> Exchange:
        content_type = next((value for name, value in outgoing.headers if name.lower() == "content-type"), "")
        return Exchange(
            operation=outgoing.operation,
            method=outgoing.method,
            url=redact_text(outgoing.url),
            request_headers=redact_headers(outgoing.headers),
            request=redact_body(outgoing.content, content_type),
            status=incoming.status,
            answer_headers=redact_headers(incoming.headers),
            answer=redact_body(incoming.content, incoming.content_type, incoming.read),
            started=outgoing.started,
            seconds=time.perf_counter() - outgoing.clock,
            test=self.test,
            error=redact(error),
            error_in_flight=outgoing.error_in_flight,
            is_declared=outgoing.is_declared,
        )

    def _check(self, exchange: Exchange, incoming: Incoming, checks: set[str]) -> None:
        operation = exchange.operation
        violations = list(self.rules.violations(operation, incoming.status, incoming.content_type, incoming.content))
        for check in _EVERY_CHECK:
            if check in checks:
                found = [self._finding(each, exchange) for each in violations if each.check == check]
                self.run.add_check(operation, check, found)
        if not violations and self.rules.is_success(operation, incoming.status):
            self._add_notices(operation, incoming)

    def _finding(self, violation: Violation, exchange: Exchange) -> Finding:
        message = f"{violation.where}: {violation.message}" if violation.where else violation.message
        return self.make_finding(
            violation.check, message, operation=exchange.operation, exchange=exchange, location=violation.location
        )

    def _add_notices(self, operation: str, incoming: Incoming) -> None:
        """Add a notice for each value that the contract does not list."""
        if not incoming.content_type.lower().startswith(_JSON):
            return
        schema = self.rules.answer_schema(operation, incoming.status)
        for found in self.rules.unlisted(schema, incoming.value):
            where = re.sub(r"\[\d+\]", "[]", found.where)
            listed = ", ".join(map(repr, found.listed))
            self.run.add_notice(Notice(operation, where, f"{found.value!r} is not among the listed values {listed}."))


def _tokens_in(value: Any) -> Iterator[str]:
    """Yield the tokens in an answer to a token request, at any depth."""
    for name, inner in object_of(value).items():
        if name in TOKEN_FIELDS and isinstance(inner, str):
            yield inner
        yield from _tokens_in(inner)
    for item in list_of(value):
        yield from _tokens_in(item)


class InterceptedTransport(ForkSafeTransport):
    """An httpx transport whose requests and answers go through an interceptor.

    Args:
        inner: The transport that sends the requests.
        interceptor: The interceptor.
    """

    def __init__(self, inner: httpx.BaseTransport, interceptor: Interceptor) -> None:
        self._inner = LimitedTransport(inner)
        self._interceptor = interceptor

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        destination = self._interceptor.inference.destination(str(request.url))
        if destination != str(request.url):
            request.url = httpx.URL(destination)
            request.headers["Host"] = request.url.netloc.decode("ascii")
        outgoing = self._interceptor.admit(request.method, str(request.url), request.headers.multi_items(), content)
        is_chunked = "Transfer-Encoding" in request.headers

        def send(authorization: str) -> tuple[tuple[httpx.Response, bytes], Incoming]:
            if authorization:
                request.headers["Authorization"] = authorization
            if is_chunked:  # anew each time, because an iterator is read once
                request.stream = _Chunks(content)
            response = self._inner.handle_request(request)
            read = _read(response)
            answer = _with_content(response, read)
            return (response, read), Incoming(answer.status_code, answer.headers.multi_items(), answer.content)

        is_sign_in = request.extensions.get(request_options.OPERATION) == TOKEN_REQUEST
        signer = request.extensions.get(SIGNER)
        (response, answered), _ = self._interceptor.exchange(outgoing, send, signer=signer, is_sign_in=is_sign_in)
        request.stream = httpx.ByteStream(content)  # so that whoever signed it can send it once more
        return _with_content(response, answered)

    @override
    def close(self) -> None:
        self._inner.close()


class _Chunks(httpx.SyncByteStream):
    """A body that was read, as the chunks of a request without a length.

    Args:
        content: The body.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content

    @override
    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _SENT_CHUNK_BYTES):
            yield self._content[start : start + _SENT_CHUNK_BYTES]


def _read(response: httpx.Response) -> bytes:
    """Return the bytes of an answer, up to the limit of its size."""
    assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - what a synchronous transport gives
    try:
        return b"".join(response.stream)
    finally:
        response.close()


def _with_content(response: httpx.Response, content: bytes) -> httpx.Response:
    """Return a copy of an answer whose body was read, so that it can be read again."""
    return httpx.Response(
        response.status_code, headers=response.headers, content=content, extensions=response.extensions
    )


class InterceptedSession(requests.Session):
    """A session of the library requests, for schemathesis, whose requests and answers go through an interceptor.

    Schemathesis checks status, media type and schema itself; the interceptor checks the rest.

    Args:
        interceptor: The interceptor.

    Attributes:
        last: The newest exchange.
        check: A further check of what it sends, as in `Interceptor.admit`.
    """

    def __init__(self, interceptor: Interceptor) -> None:
        super().__init__()
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, FinalAnswersAdapter())
        self.last: Exchange | None = None
        self.check: Callable[[str, RequestFields], object] = lambda _operation, _request: None
        self._interceptor = interceptor
        self._environment = EnvironmentProxies()

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None for every answer: a redirect is an answer, too, and is judged in place of what it leads to."""

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        content: Any = request.body or b""
        request.url = self._interceptor.inference.destination(str(request.url))
        outgoing = self._interceptor.admit(
            str(request.method),
            str(request.url),
            [(name, str(value)) for name, value in request.headers.items()],
            content.encode() if isinstance(content, str) else bytes(content),
            self.check,
        )
        proxies = self._proxies_for(str(request.url))

        def send(authorization: str) -> tuple[requests.Response, Incoming]:
            if authorization:
                request.headers["Authorization"] = authorization
            response = super(InterceptedSession, self).send(request, **kwargs | {"stream": True, "proxies": proxies})
            body = _read_limited(response)
            # That library joins headers of one name by commas, which cookies have in them.
            return response, Incoming(response.status_code, list(response.raw.headers.items()), body)

        response, self.last = self._interceptor.exchange(outgoing, send, checks=(ALWAYS,))
        return response

    def _proxies_for(self, url: str) -> dict[str, str]:
        """Return the proxies of a URL, by the same rule as for all other requests."""
        proxy = self._environment.find(httpx.URL(url))
        return {} if proxy is None else {"http": proxy.url, "https": proxy.url}


def _read_limited(response: requests.Response) -> bytes:
    """Read the body of an answer into the answer, and return it.

    Raises:
        requests.exceptions.ContentDecodingError: It is too large, or in an unknown encoding.
    """
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.raw.headers.items()]
    chunks = response.raw.stream(_CHUNK_BYTES, decode_content=False)
    try:
        answer = httpx.Response(response.status_code, headers=headers, content=chunks)
        content = _read(limit_answer(answer, httpx.Request("POST", "http://instance")))
    except httpx.DecodingError as error:
        response.close()
        raise requests.exceptions.ContentDecodingError(str(error)) from None
    response._content = content  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - where requests keeps a body
    response._content_consumed = True  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the same
    return content
