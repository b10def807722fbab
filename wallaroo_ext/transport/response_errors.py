"""Turning a failed answer, an unreadable one, or a failed connection into one of this package's errors."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.urls import display_address, origin_of, redirect_target
from wallaroo_ext.errors import (
    AnswerError,
    AnswerTooLargeError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    ContractViolationError,
    EngineError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
)
from wallaroo_ext.redaction.patterns import redact, redact_beginning
from wallaroo_ext.transport import basic_challenges
from wallaroo_ext.transport.answer_texts import (
    ParsedError,
    body_as_line,
    body_excerpt,
    is_page,
    one_line,
    parse_error,
)
from wallaroo_ext.transport.connections.no_proxy import host_of
from wallaroo_ext.transport.connections.proxies import Proxy, is_loopback
from wallaroo_ext.transport.connections.tls import NAMED_BY
from wallaroo_ext.transport.response_limits import UNREADABLE_REDIRECT, AnswerRefused
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.attempts import attempts_of, describe_attempts
from wallaroo_ext.transport.retry.retry_after import retry_after
from wallaroo_ext.transport.wire_errors import NO_ANSWER_AT_ALL, NO_CONNECTION, NO_HTTP

AnAnswerError = TypeVar("AnAnswerError", bound=AnswerError)

_REQUEST_IDS = ("X-Request-Id", "X-Correlation-Id", "X-B3-TraceId")
"""The headers in which gateways and service meshes return the id of a request, the most usual first."""

_API = "/v1/api/"
_CHECK_ADDRESS = "Is this the API's address?"
_SLOW_ADVICE = (
    "Connect with a longer `timeout`, or ask for less at a time.",
    "Is the address right, and can this machine reach it? If it is only slow, connect with a longer `timeout`.",
)
"""What to do where no answer came in time, and where no connection did."""
_AGAIN = "Try again; if it goes on, ask those who run the instance, or a proxy before it."
_WANTS_TLS = f"Does the port speak https? Then write https:// in the address. If not: {_AGAIN[0].lower()}{_AGAIN[1:]}"
_LONGEST_WAIT = 7 * 24 * 3600
"""The seconds that an answer may ask to wait; more is no time that anybody means."""
_LONGEST_ID = 128
_LAST_STATUS = 599
NOT_SERVED = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
"""The statuses by which an instance may say that its release does not have an operation."""

_CLOSED_BY_GATEWAY = 499
"""What nginx answers, or logs, where a connection was closed before the instance had answered."""
_ORIGIN_UNKNOWN_ERROR, _ORIGIN_TOO_SLOW = 520, 524
_ORIGIN_DOWN, _ORIGIN_UNREACHABLE, _NO_TLS_WITH_ORIGIN, _CERTIFICATE_OF_ORIGIN, _NO_ORIGIN = 521, 523, 525, 526, 530
"""What Cloudflare answers where it gets no connection to the instance, its origin."""

_NOT_CARRIED_OUT = {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
    _ORIGIN_DOWN,
    _ORIGIN_UNREACHABLE,
    _NO_TLS_WITH_ORIGIN,
    _CERTIFICATE_OF_ORIGIN,
    _NO_ORIGIN,
}
_MAY_ASK_TO_WAIT = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_CHECK_BEFORE_RESENDING = "It may have been carried out: see what is there before you send it again."

_BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
}
_OF_THE_API = (AuthenticationError, PermissionDeniedError, NotFoundError, ConflictError, InvalidRequestError)
"""The errors with which the API itself refuses a request, in JSON; a page is another server's."""

_ADVICE: dict[type[ApiError], str] = {
    AuthenticationError: "Sign in again, or check what this user may do.",
    PermissionDeniedError: "Ask an owner of the workspace, or an administrator of the instance, to allow it.",
    NotFoundError: "Check the names and ids, and whether this user is a member of the workspace.",
    ConflictError: "Ask the instance for the present state, and change the request.",
    RateLimitedError: "Wait before the next request, and send fewer at a time.",
    InvalidRequestError: "Change the request before sending it again.",
    EngineError: "Compare the rows with the inputs of the deployed model.",
    ServerError: "Try again later; if it goes on, those who run the instance can say why.",
}

_EXCEPT_FROM_PROXY = "NO_PROXY excepts hosts from it."
_NO_CERTIFICATE = "The gateway speaks no TLS with the instance behind it: those who run them have to mend that."
_UNREACHED = "Try again in a moment: the gateway could not reach the instance behind it."
_LATE = "Try again in a moment, with less work in one request."
_ADVICE_BY_STATUS: dict[int, str] = {
    HTTPStatus.METHOD_NOT_ALLOWED: "Is this the API's address, and a release that has the operation?",
    HTTPStatus.REQUEST_TIMEOUT: "Try again; the request took too long to arrive.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Send less in one request.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "Name less in one request: its address is too long.",
    HTTPStatus.MISDIRECTED_REQUEST: "Is the host in the address right? What answers there does not serve it.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "A header is too large for a gateway, such as the token of a user with "
    "many roles: ask those who run it.",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "A filter between this machine and the instance blocks it: ask those "
    "who run the network.",
    _CLOSED_BY_GATEWAY: "Try again: a gateway closed the connection before the instance had answered.",
    HTTPStatus.NOT_IMPLEMENTED: "This instance does not have the operation; use another one, or a newer release.",
    HTTPStatus.BAD_GATEWAY: _UNREACHED,
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again in a moment: the instance, or the deployment, may be starting.",
    HTTPStatus.GATEWAY_TIMEOUT: _LATE,
    HTTPStatus.INSUFFICIENT_STORAGE: "The instance is out of space: remove models, or ask for more storage.",
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED: "Sign in to this machine's network first, by opening any page in a "
    "browser.",
    _ORIGIN_UNKNOWN_ERROR: "Try again in a moment: the gateway could not read what the instance behind it answered.",
    _ORIGIN_DOWN: _UNREACHED,
    _ORIGIN_UNREACHABLE: _UNREACHED,
    _ORIGIN_TOO_SLOW: _LATE,
    _NO_TLS_WITH_ORIGIN: _NO_CERTIFICATE,
    _CERTIFICATE_OF_ORIGIN: _NO_CERTIFICATE,
    _NO_ORIGIN: _UNREACHED,
}


def response_error(operation: str, response: httpx.Response) -> AnswerError:
    """Return the error for an answer that is no success.

    Args:
        operation: The contract's `operationId`.
        response: The answer, with its body read.
    """
    status = response.status_code
    if status < HTTPStatus.BAD_REQUEST or status > _LAST_STATUS:
        return _unexpected_status(operation, response)
    parsed = parse_error(response)
    kind = _kind(status, parsed)
    advice = _refusal_advice(kind, operation, response)
    return _error(kind, operation, response, parsed.text or body_as_line(response) or "without a body", advice)


def _refusal_advice(kind: type[ApiError], operation: str, response: httpx.Response) -> str:
    """Return what to do about an error that the instance, or a gateway in front of it, answered with."""
    status = response.status_code
    if basic_challenges.wants_basic(status, response.headers.multi_items()):
        return basic_challenges.ADVICE
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _proxy_advice(_proxy_of(response))
    if (kind is ServerError or status == _CLOSED_BY_GATEWAY) and status not in _NOT_CARRIED_OUT and _writes(operation):
        return _CHECK_BEFORE_RESENDING
    seconds = retry_after(response, time.time()) if status in _MAY_ASK_TO_WAIT else None
    if seconds is not None and 0 < seconds <= _LONGEST_WAIT:
        return f"Wait {seconds:g} s before the next request."
    doubt, advice = "", _ADVICE_BY_STATUS.get(status, _ADVICE[kind])
    if status == HTTPStatus.NOT_FOUND and (prefix := _prefix(response)):
        doubt = f"Does the API's URL end with {prefix}? If it does: "
    elif issubclass(kind, _OF_THE_API) and status not in _ADVICE_BY_STATUS and is_page(response):
        doubt = f"Is {_host(response)} the API's address, or does a page in front of it answer? If it is: "
    return f"{doubt}{advice[0].lower()}{advice[1:]}" if doubt else advice


def _prefix(response: httpx.Response) -> str:
    """Return what a request to the API has before its own path, as one through a gateway; empty for nothing."""
    try:
        before, found, _ = response.request.url.path.partition(_API)
    except RuntimeError:  # an answer that belongs to no request
        return ""
    return before if found else ""


def contract_violation(operation: str, response: httpx.Response, problem: str) -> ContractViolationError:
    """Return the error for an answer of success that breaks the contract.

    Args:
        operation: The contract's `operationId`.
        response: The answer, with its body read.
        problem: What is wrong with it, without a full stop.
    """
    if is_page(response):
        advice = f"Is {_host(response)} the API's address, or that of a page in front of it?"
    else:
        advice = (
            "The instance may be of a release that the contract does not know; the request itself may have succeeded."
        )
    body = body_as_line(response)
    reason = f"the answer breaks the contract, {redact(problem)}{f': {body!r}' if body else ''}"
    return _error(ContractViolationError, operation, response, reason, advice)


def connection_error(operation: str, error: httpx.RequestError | httpx.InvalidURL) -> Exception:
    """Return the error of this package's tree for a request that got no answer; see `wire_errors.NO_ANSWER`.

    Args:
        operation: The contract's `operationId`.
        error: What httpx raised.
    """
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ConfigurationError(
            f"{operation}: the URL cannot be used: {redact(str(error))}.", advice="Check the address."
        )
    if isinstance(error, AnswerRefused):
        return _answer_refused(operation, error)
    kind, what, advice = _reason_of(error)
    if not isinstance(error, NO_CONNECTION) and _writes(operation):
        advice = _CHECK_BEFORE_RESENDING
    attempts = attempts_of(error)
    message = _sentence(f"{operation}: {redact(what)}", describe_attempts(attempts))
    return kind(message, operation=operation, attempts=attempts, advice=advice)


def _answer_refused(operation: str, error: AnswerRefused) -> AnswerError:
    """Return the error for an answer that was not read to its end."""
    kind, what, advice = ContractViolationError, redact(str(error)), _CHECK_ADDRESS
    if error.too_large:
        kind, advice = AnswerTooLargeError, "Ask for less at a time, or connect with a larger `answer_limit`, in bytes."
        what = f"{what}, which is not read to its end"
    message = f"{operation}: {error.status}, {what}"
    attempts = attempts_of(error)
    return kind(_sentence(message), operation=operation, status=error.status, attempts=attempts, advice=advice)


def _reason_of(error: httpx.RequestError) -> tuple[type[ConnectionFailedError], str, str]:
    """Return the class of an error, what happened, and what to do."""
    name, proxy = type(error).__name__, _proxy_of(error)
    host = _host(error) if proxy is None else f"{_host(error)} through the proxy {proxy.address}"
    if isinstance(error, httpx.PoolTimeout):
        what = f"all connections to {host} were busy ({name})"
        return RequestTimeoutError, what, "Use fewer threads, or connect with more `limits`."
    if isinstance(error, httpx.TimeoutException):
        what = f"{host} did not answer in time ({name})"
        return RequestTimeoutError, what, _SLOW_ADVICE[isinstance(error, httpx.ConnectTimeout)]
    what = f"the connection to {host} failed: {one_line(str(error)) or name}"
    return ConnectionFailedError, what, _connection_advice(error, what, proxy)


def _connection_advice(error: httpx.RequestError, what: str, proxy: Proxy | None) -> str:
    """Return what to do about a connection that failed."""
    if "CERTIFICATE_VERIFY_FAILED" in what:
        return _certificate_advice(what)
    if "WRONG_VERSION_NUMBER" in what:
        return _no_tls_advice(proxy)
    if isinstance(error, httpx.ProxyError):
        return _proxy_advice(proxy) if proxy is None else _refused_by_proxy(str(error), proxy)
    if not isinstance(error, httpx.ConnectError):
        return _WANTS_TLS if _may_want_tls(error) else _AGAIN
    if proxy is not None:
        return f"Is the proxy that {proxy.variable} names running? {_EXCEPT_FROM_PROXY}"
    advice = "Is the address right, and is the instance running?"
    local = is_loopback(host_of(error.request.url))
    return f"{advice} `wallaroo-ext sandbox` runs one on this machine." if local else advice


def _may_want_tls(error: httpx.RequestError) -> bool:
    """Return whether what a request without TLS met may be a port that speaks it: it sent nothing, or no HTTP."""
    is_silent = NO_HTTP in str(error) or NO_ANSWER_AT_ALL.rstrip(".") in str(error)
    return is_silent and error.request.url.scheme == "http"


def _no_tls_advice(proxy: Proxy | None) -> str:
    """Return what to do where no TLS is spoken; that with a proxy comes before that with the instance."""
    if proxy is not None and proxy.is_encrypted:
        return f"The proxy speaks no TLS at this port: write http:// in place of https:// into {proxy.variable}."
    return "It speaks no TLS at this port: write http:// in place of https://, or the port at which it does."


def _certificate_advice(what: str) -> str:
    """Return what to do about a certificate that was refused, by the reason that OpenSSL gives."""
    if " mismatch, certificate is not valid for " in what:
        return "The certificate is for other names than this one: connect to a name that it has."
    if "certificate has expired" in what or "certificate is not yet valid" in what:
        return "Those who run the instance have to renew the certificate, unless this machine's clock is wrong."
    named = " and ".join(name for name in NAMED_BY if os.environ.get(name))
    instead = f"; the known ones are now those of {named}" if named else ""
    return f"Name the file of the instance's certificate authority in WALLAROO_CA_BUNDLE{instead}."


def _proxy_advice(proxy: Proxy | None) -> str:
    """Return what to do where a proxy refuses a request, as with 407."""
    if proxy is None:
        return "Name the proxy, with the user and the password that it wants, in HTTPS_PROXY or HTTP_PROXY."
    return (
        f"If the proxy wants a user and a password, write them into {proxy.variable}, as in http://USER:PASSWORD@HOST; "
        f"or list the instance's host in NO_PROXY."
    )


def _refused_by_proxy(reason: str, proxy: Proxy) -> str:
    """Return what to do where a proxy does not connect to the instance, by the status that it answers with."""
    status = reason[:3]
    if status.startswith("5"):
        return "The proxy could not reach the instance: is the address right? " + _EXCEPT_FROM_PROXY
    if status[:1] in {"3", "4"} and status != str(int(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED)):
        return f"Ask those who run the proxy that {proxy.variable} names whether it may connect to this host. " + (
            _EXCEPT_FROM_PROXY
        )
    return _proxy_advice(proxy)


def _proxy_of(subject: httpx.Response | httpx.RequestError) -> Proxy | None:
    """Return the proxy that a request went through; None if there was none."""
    try:
        return subject.request.extensions.get(request_options.PROXY)
    except RuntimeError:  # raised by httpx: there is no request
        return None


def _writes(operation: str) -> bool:
    """Return whether sending a request again could do its work twice; a second token is no harm."""
    return operation not in {"", "request_token"} and not contract.is_idempotent(operation)


def strip_request(error: httpx.RequestError | httpx.InvalidURL) -> Exception:
    """Return a copy of an error of httpx without secrets, for a program to inspect.

    The original holds the token and the body, in its request and in the frames of its traceback.
    """
    kind = type(error)
    copy = kind.__new__(kind, redact(str(error)))
    if isinstance(error, httpx.RequestError) and isinstance(copy, httpx.RequestError):
        with suppress(RuntimeError):  # raised by httpx: there is no request
            copy.request = _strip_url_and_headers(error.request)
    return copy


def _strip_url_and_headers(request: httpx.Request) -> httpx.Request:
    """Return a request without headers and body, whose URL has no user and no query."""
    url = request.url.copy_with(username=None, password=None, query=None, fragment=None)
    return httpx.Request(request.method, url)


def _unexpected_status(operation: str, response: httpx.Response) -> ContractViolationError:
    """Return the error for a status that the API never sends: a redirect, or one that HTTP does not define."""
    if response.headers.get("Location") is None and UNREADABLE_REDIRECT not in response.extensions:
        reason = f"which is no status of the API, {body_as_line(response) or 'without a body'}"
        return _error(ContractViolationError, operation, response, reason, _CHECK_ADDRESS)
    target, asked = redirect_target(response), response.request.url
    if target is None or not target.host:
        reason, advice = "a redirect to what is no URL", _CHECK_ADDRESS
    elif origin_of(target) == origin_of(asked):
        reason = f"a redirect to another path of {display_address(asked)}"
        advice = "Does the API's URL have all that a gateway has before /v1? Or does a page to sign in come before it?"
    else:
        reason = f"a redirect to {origin_of(target)}"
        advice = f"If the API is there, set WALLAROO_API_URL to {origin_of(target)}; if it is a page to sign in, "
        advice += "a gateway asks for that first."
    return _error(ContractViolationError, operation, response, f"{reason}, which is not followed", advice)


def _error(
    kind: type[AnAnswerError], operation: str, response: httpx.Response, reason: str, advice: str
) -> AnAnswerError:
    """Return an error of a class with all details of the answer."""
    parsed = parse_error(response)
    attempts = attempts_of(response)
    message = f"{operation}: {response.status_code}, {one_line(reason)}"
    return kind(
        _sentence(message, describe_attempts(attempts)),
        operation=operation,
        status=response.status_code,
        code=parsed.code,
        msg=parsed.text,
        request_id=_request_id(response),
        body=body_excerpt(response),
        attempts=attempts,
        retry_after=retry_after(response, time.time()),
        advice=advice,
    )


def _kind(status: int, parsed: ParsedError) -> type[ApiError]:
    if parsed.from_token_endpoint and status == HTTPStatus.BAD_REQUEST:
        return AuthenticationError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if parsed.from_engine:
        return EngineError
    return ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else InvalidRequestError


def _request_id(response: httpx.Response) -> str | None:
    found = (response.headers.get(name) for name in _REQUEST_IDS)
    return next((redact_beginning(value, _LONGEST_ID) for value in found if value), None)


def _sentence(*parts: str) -> str:
    """Return the parts as sentences, each with a full stop if it has none."""
    return " ".join(part if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts if part)


def _host(subject: httpx.Response | httpx.RequestError) -> str:
    try:
        return display_address(subject.request.url)
    except RuntimeError:  # raised by httpx: there is no request
        return "the instance"
