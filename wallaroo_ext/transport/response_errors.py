"""Turning a failed answer, an unreadable one, or a failed connection into one of this package's errors."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext._util.urls import display_address, redirect_target
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
from wallaroo_ext.redaction.patterns import body_excerpt, redact, redact_beginning
from wallaroo_ext.transport import basic_challenges
from wallaroo_ext.transport.connections.no_proxy import host_of
from wallaroo_ext.transport.connections.proxies import Proxy, is_loopback
from wallaroo_ext.transport.connections.tls import NAMED_BY
from wallaroo_ext.transport.response_limits import UNREADABLE_REDIRECT, AnswerRefused
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.attempts import attempts_of, describe_attempts
from wallaroo_ext.transport.retry.retry_after import retry_after

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
_LONGEST_WAIT = 7 * 24 * 3600
"""The seconds that an answer may ask to wait; more is no time that anybody means."""
_LONGEST_ID = 128
_LONGEST_MESSAGE = 8_192
_LONGEST_REASON = 300
_LAST_STATUS = 599
_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
NOT_SERVED = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
"""The statuses by which an instance may say that its release does not have an operation."""

_NOT_CARRIED_OUT = {HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE}
_CHECK_BEFORE_RESENDING = "It may have been carried out: see what is there before you send it again."

_BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
}

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

_ADVICE_BY_STATUS: dict[int, str] = {
    HTTPStatus.METHOD_NOT_ALLOWED: "Is this the API's address, and a release that has the operation?",
    HTTPStatus.REQUEST_TIMEOUT: "Try again; the request took too long to arrive.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Send less in one request.",
    HTTPStatus.NOT_IMPLEMENTED: "This instance does not have the operation; use another one, or a newer release.",
    HTTPStatus.BAD_GATEWAY: "Try again in a moment: the gateway could not reach the instance behind it.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again in a moment: the instance, or the deployment, may be starting.",
    HTTPStatus.GATEWAY_TIMEOUT: "Try again in a moment, with less work in one request.",
    HTTPStatus.INSUFFICIENT_STORAGE: "The instance is out of space: remove models, or ask for more storage.",
}


@dataclass(frozen=True, slots=True)
class _ParsedError:
    """The content of an error's body, in the form of the API, the engine or the token endpoint, without secrets."""

    text: str | None = None
    code: int | None = None
    from_engine: bool = False
    from_token_endpoint: bool = False


def response_error(operation: str, response: httpx.Response) -> AnswerError:
    """Return the error for an answer that is no success.

    Args:
        operation: The contract's `operationId`.
        response: The answer, with its body read.
    """
    status = response.status_code
    if status < HTTPStatus.BAD_REQUEST or status > _LAST_STATUS:
        return _unexpected_status(operation, response)
    parsed = _parse_error(response)
    kind = _kind(status, parsed)
    advice = _ADVICE_BY_STATUS.get(status, _ADVICE[kind])
    if kind is ServerError and status not in _NOT_CARRIED_OUT and _writes(operation):
        advice = _CHECK_BEFORE_RESENDING
    if status == HTTPStatus.NOT_FOUND and (prefix := _prefix(response)):
        advice = f"Does the API's URL end with {prefix}? If it does: {advice[0].lower()}{advice[1:]}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = retry_after(response, time.time())
        if seconds is not None and 0 < seconds <= _LONGEST_WAIT:
            advice = f"Wait {seconds:g} s before the next request."
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        advice = _proxy_advice(_proxy_of(response))
    if basic_challenges.wants_basic(status, response.headers.multi_items()):
        advice = basic_challenges.ADVICE
    return _error(kind, operation, response, parsed.text or body_as_line(response) or "without a body", advice)


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
    if _is_page(response):
        advice = f"Is {_host(response)} the API's address, or that of a page in front of it?"
    else:
        advice = (
            "The instance may be of a release that the contract does not know; the request itself may have succeeded."
        )
    reason = f"the answer breaks the contract, {redact(problem)}: {body_as_line(response)!r}"
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
    if not isinstance(error, _NO_CONNECTION) and _writes(operation):
        advice = _CHECK_BEFORE_RESENDING
    attempts = attempts_of(error)
    message = _sentence(f"{operation}: {redact(what)}", describe_attempts(attempts))
    return kind(message, operation=operation, attempts=attempts, advice=advice)


def _answer_refused(operation: str, error: AnswerRefused) -> AnswerError:
    """Return the error for an answer that was not read to its end."""
    kind, advice = ContractViolationError, _CHECK_ADDRESS
    if error.too_large:
        kind, advice = AnswerTooLargeError, "Ask for less at a time, or connect with a larger `answer_limit`, in bytes."
    message = f"{operation}: {error.status}, {redact(str(error))}, which is not read to its end"
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
    what = f"the connection to {host} failed: {_one_line(str(error)) or name}"
    return ConnectionFailedError, what, _connection_advice(error, what, proxy)


def _connection_advice(error: httpx.RequestError, what: str, proxy: Proxy | None) -> str:
    """Return what to do about a connection that failed."""
    if "CERTIFICATE_VERIFY_FAILED" in what:
        return _certificate_advice(what)
    if "WRONG_VERSION_NUMBER" in what:
        return _no_tls_advice(proxy)
    if isinstance(error, httpx.ProxyError):
        return _proxy_advice(proxy)
    if not isinstance(error, httpx.ConnectError):
        return "Try again; if it goes on, ask those who run the instance, or a proxy before it."
    if proxy is not None:
        return f"Is the proxy that {proxy.variable} names running? NO_PROXY excepts hosts from it."
    advice = "Is the address right, and is the instance running?"
    local = is_loopback(host_of(error.request.url))
    return f"{advice} `wallaroo-ext sandbox` runs one on this machine." if local else advice


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
    url = redirect_target(response)
    target = None if url is None else url.host
    reason = f"a redirect to {target or 'what is no URL'}, which is not followed"
    advice = (
        f"If the API is at {target}, set WALLAROO_API_URL to it, with its scheme and port."
        if target
        else _CHECK_ADDRESS
    )
    return _error(ContractViolationError, operation, response, reason, advice)


def _error(
    kind: type[AnAnswerError], operation: str, response: httpx.Response, reason: str, advice: str
) -> AnAnswerError:
    """Return an error of a class with all details of the answer."""
    parsed = _parse_error(response)
    attempts = attempts_of(response)
    message = f"{operation}: {response.status_code}, {_one_line(reason)}"
    return kind(
        _sentence(message, describe_attempts(attempts)),
        operation=operation,
        status=response.status_code,
        code=parsed.code,
        msg=parsed.text,
        request_id=_request_id(response),
        body=body_excerpt(response.content),
        attempts=attempts,
        retry_after=retry_after(response, time.time()),
        advice=advice,
    )


def _kind(status: int, parsed: _ParsedError) -> type[ApiError]:
    if parsed.from_token_endpoint and status == HTTPStatus.BAD_REQUEST:
        return AuthenticationError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if parsed.from_engine:
        return EngineError
    return ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else InvalidRequestError


def _parse_error(response: httpx.Response) -> _ParsedError:
    """Return the content of an error's body; the engine's form may be in an array of one element."""
    try:
        content: Any = response.json()
    except (ValueError, RecursionError):
        return _ParsedError()
    fields = object_of(next(iter(list_of(content)), content))
    code = fields.get("code")
    number = code if isinstance(code, int) else None
    if "msg" in fields:
        return _ParsedError(redact_beginning(str(fields["msg"]), _LONGEST_MESSAGE), number)
    if "error" not in fields:
        return _ParsedError(code=number)
    from_engine = not {"source", "status", "code"}.isdisjoint(fields)
    text = fields["error"] if from_engine else fields.get("error_description", fields["error"])
    return _ParsedError(
        redact_beginning(str(text), _LONGEST_MESSAGE),
        number,
        from_engine=from_engine,
        from_token_endpoint=not from_engine,
    )


def _request_id(response: httpx.Response) -> str | None:
    found = (response.headers.get(name) for name in _REQUEST_IDS)
    return next((redact_beginning(value, _LONGEST_ID) for value in found if value), None)


def body_as_line(response: httpx.Response) -> str:
    """Return the beginning of a body as one line; of an HTML page, the text only."""
    text = body_excerpt(response.content)
    return _one_line(re.sub(r"<[^>]*>?", " ", text) if _is_page(response) else text)


def _is_page(response: httpx.Response) -> bool:
    return "html" in response.headers.get("Content-Type", "") or response.content[:100].lstrip().startswith(b"<")


def _one_line(text: str) -> str:
    """Return a text without line breaks, shortened to 300 characters."""
    line = " ".join(text[: 2 * _LONGEST_REASON].split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"


def _sentence(*parts: str) -> str:
    """Return the parts as sentences, each with a full stop if it has none."""
    return " ".join(part if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts if part)


def _host(subject: httpx.Response | httpx.RequestError) -> str:
    try:
        return display_address(subject.request.url)
    except RuntimeError:  # raised by httpx: there is no request
        return "the instance"
