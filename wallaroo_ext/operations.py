"""Calling generated operations: the answer's parsed body, or a typed error.

What a helper does is written once, as a generator that yields requests to send and pauses to make, and is run by a
synchronous or an asynchronous client: `run` and `wallaroo_ext.aio.run`.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_origin

import httpx

from wallaroo_ext.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    ContractViolationError,
    EngineError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    excerpt,
    redacted,
)
from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.FORBIDDEN: PermissionDeniedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
}


class Operation(Protocol[T_co]):
    """A module of the generated client, one operation."""

    __name__: str

    @property
    def _get_kwargs(self) -> Callable[..., dict[str, Any]]: ...

    @property
    def _parse_response(self) -> Callable[..., T_co]: ...


@dataclass(frozen=True, slots=True)
class Send:
    """A request to send: the operation's id and what httpx's `request` takes."""

    operation: str
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait, in seconds."""

    seconds: float


Steps = Generator[Send | Pause, httpx.Response | None, T]
"""What a helper does, step by step; it is sent the answer of each request."""


def operation_id(operation: Operation[Any]) -> str:
    """The contract's `operationId` of a generated module."""
    return operation.__name__.rpartition(".")[2]


def request_of(operation: Operation[Any], **arguments: Any) -> dict[str, Any]:
    """What httpx's `request` takes for one call of an operation."""
    return operation._get_kwargs(**arguments)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - how the generated client makes a request without sending it


def send(step: Send) -> Steps[httpx.Response]:
    """Send one request.

    Raises:
        ApiError: The instance answered with an error.
        AuthenticationError: The instance refuses the token.
    """
    response = yield step
    assert response is not None, "a request was sent, and its answer has to come back"  # noqa: S101 - the runners' promise
    check_status(step.operation, response)
    return response


def call_steps(operation: Operation[Any], expected: type[T], **arguments: Any) -> Steps[T]:
    """Call a generated operation; see `call`."""
    name = operation_id(operation)
    response = yield from send(Send(name, request_of(operation, **arguments)))
    return parse(operation, expected, response)


def call(client: Client, operation: Operation[Any], expected: type[T], **arguments: Any) -> T:
    """Call any generated operation.

    Args:
        client: What `connect` gave.
        operation: The generated module, such as `wallaroo_mlops_client.api.models.list_models`.
        expected: The type of its answer when it succeeds, `list[X]` where that is an array.
        **arguments: What the generated function takes: `body`, and parameters where there are some.

    Raises:
        ApiError: The instance answered with an error.
        AuthenticationError: There is no token, or the instance refuses it.
        ConnectionFailedError: The instance could not be reached.
        ContractViolationError: The answer is not what the contract says.
    """
    return run(client, call_steps(operation, expected, **arguments))


def run(client: Client, steps: Steps[T]) -> T:
    """Run a helper's steps with a synchronous client."""
    answer: httpx.Response | None = None
    try:
        while True:
            step = steps.send(answer)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                answer = None
            else:
                try:
                    answer = client.get_httpx_client().request(**step.request)
                except httpx.TransportError as error:
                    raise connection_failed(step.operation, error) from error
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


def connection_failed(operation: str, error: httpx.TransportError) -> ConnectionFailedError:
    """What a transport error means for a user."""
    host = error.request.url.host
    if isinstance(error, httpx.TimeoutException):
        return ConnectionFailedError(f"{operation}: {host} did not answer in time ({type(error).__name__}).")
    return ConnectionFailedError(
        f"{operation}: the connection to {host} failed: {error or type(error).__name__}. Is the address right?"
    )


def check_status(operation: str, response: httpx.Response) -> None:
    """Raise the typed error of an answer that is none of success."""
    status = response.status_code
    if httpx.codes.is_success(status):
        return
    content = _json(response)
    reason, from_engine = _reason(content)
    body = excerpt(response.content)
    message = redacted(f"{operation}: {status}, {reason or body or 'without a body'}")
    if status == HTTPStatus.UNAUTHORIZED:
        raise AuthenticationError(f"{message}. Sign in again, or check what this user may do.", status=status)
    if from_engine:
        kind = EngineError
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = ServerError
    elif status >= HTTPStatus.BAD_REQUEST:
        kind = _BY_STATUS.get(status, InvalidRequestError)
    else:
        raise ContractViolationError(message, operation=operation, status=status, body=body)
    raise kind(message, operation=operation, status=status, body=body)


def parse(operation: Operation[Any], expected: type[T], response: httpx.Response) -> T:
    """The answer's body as the generated client reads it; no body at all is read as `null`.

    Raises:
        ContractViolationError: The generated client cannot read it, or reads something else than is expected.
    """
    from wallaroo_mlops_client import Client

    problem: object = f"it is no {expected.__name__}"
    try:
        readable = response if response.content else httpx.Response(response.status_code, content=b"null")
        parsed = operation._parse_response(client=Client(base_url=""), response=readable)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - and reads an answer
        if isinstance(parsed, get_origin(expected) or expected):
            return parsed
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        problem = f"{type(error).__name__} {error}"
    name = operation_id(operation)
    body = excerpt(response.content)
    raise ContractViolationError(
        f"{name}: the answer ({response.status_code}) breaks the contract, {problem}: {body!r}",
        operation=name,
        status=response.status_code,
        body=body,
    )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _reason(content: Any) -> tuple[str | None, bool]:
    """What an error's body says, and whether it is the inference engine that says it."""
    fields = object_of(next(iter(list_of(content)), content))
    if "msg" in fields:
        return str(fields["msg"]), False
    if "error" in fields:
        return str(fields["error"]), True
    return None, False
