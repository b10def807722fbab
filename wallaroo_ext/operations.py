"""Calling generated operations: the answer's parsed body, or a typed error.

What a helper does is written once, as a generator that yields requests to send and pauses to make, and is run by a
synchronous or an asynchronous client: `run` and `wallaroo_ext.aio.run`.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import GEN_CLOSED, getgeneratorstate
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.urls import parse_url
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.redaction.tracebacks import clear_frames
from wallaroo_ext.transport.response_errors import connection_error, contract_violation, response_error, strip_request
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import EngineError, Error, TokenError
    from wallaroo_mlops_client.types import Response

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

logger = logging.getLogger("wallaroo_ext")

_LAST_SECOND = 1.0
"""What a request is given where no time is left, in seconds."""


class Operation(Protocol[P, T_co]):
    """A module of the generated client, one operation: what its functions take, and what it gives when it succeeds."""

    __name__: str

    @property
    def sync(self) -> Callable[P, T_co | Error | EngineError | list[EngineError] | TokenError | None]:
        """The generated function; its answer is one of an error's forms, or the operation's own."""
        ...


class NullableOperation(Protocol[P, T]):
    """An operation whose answer may be `null` when it succeeds, such as `undeploy_pipeline`."""

    __name__: str

    @property
    def sync_detailed(self) -> Callable[P, Response[T | Error | None]]:
        """The generated function that gives the whole answer."""
        ...


@dataclass(frozen=True, slots=True)
class Send:
    """A request to send.

    Attributes:
        operation: The operation's id.
        request: What httpx's `build_request` takes.
        stream: The body, where it is not made by httpx; the headers of `request` say how long it is.
    """

    operation: str
    request: dict[str, Any] = field(repr=False)
    stream: httpx.SyncByteStream | httpx.AsyncByteStream | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait.

    Attributes:
        seconds: How long.
        clock: What lets the time pass.
    """

    seconds: float
    clock: Clock = SYSTEM_CLOCK


Steps = Generator[Send | Pause, httpx.Response | None, T]
"""What a helper does, step by step; it is sent the answer of each request, or is thrown why none came."""


def operation_id(operation: Operation[..., Any]) -> str:
    """Return the contract's `operationId` of a generated module."""
    return operation.__name__.rpartition(".")[2]


def request_of(operation: Operation[..., Any], *arguments: Any, **named: Any) -> dict[str, Any]:
    """Return what httpx's `request` takes for one call of an operation."""
    return cast("Any", operation)._get_kwargs(*arguments, **named)  # noqa: SLF001 - how the generated client makes a request without sending it


def send(step: Send) -> Steps[httpx.Response]:
    """Send one request.

    Raises:
        ApiError: The instance answered with an error.
        AuthenticationError: The instance refuses the token.
    """
    response = yield step
    assert response is not None, "a request was sent, and its answer has to come back"  # noqa: S101 - the runners' promise
    if not response.is_success:
        raise response_error(step.operation, response)
    return response


def call_steps(operation: Operation[..., T], *arguments: Any, **named: Any) -> Steps[T]:
    """Call a generated operation; see `call`."""
    name = operation_id(operation)
    request = request_of(operation, *arguments, **named)
    headers = {"Accept": _readable_type(name)} | request.get("headers", {})
    response = yield from send(Send(name, request | {"headers": headers}))
    return parse(operation, response)


@overload
def call(operation: NullableOperation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T | None: ...
@overload
def call(operation: Operation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T: ...
def call(operation: Any, /, *arguments: Any, **named: Any) -> Any:
    """Call any generated operation, and give what it answers when it succeeds.

    What it takes and gives is what the generated function takes and gives, for type checkers, too: the parameters of
    the path by position, everything else by name.

        workspaces = call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces

    Args:
        operation: The generated module, such as `wallaroo_mlops_client.api.models.list_models`.
        *arguments: The parameters of the path.
        **named: `client`, which is what `connect` gave; the `body`; the parameters of the query where there are some.

    Raises:
        ApiError: The instance answered with an error; its subclasses tell which.
        AuthenticationError: There is no token, or the instance refuses it.
        ConnectionFailedError: No answer came.
        ContractViolationError: The answer is not what the contract says.
    """
    return run(client_of(named), call_steps(operation, *arguments, **named))


def client_of(named: dict[str, Any]) -> Client:
    """Take the client out of the arguments of a call."""
    try:
        return named.pop("client")
    except KeyError:
        raise TypeError("call() needs a client by name: client=connect().") from None


def run(client: Client, steps: Steps[T]) -> T:
    """Run a helper's steps with a synchronous client.

    What interrupts a step, such as Ctrl-C, is raised inside the helper, which may have something to end: it can send
    further requests before it lets the interrupt through.
    """
    outcome: httpx.Response | BaseException | None = None
    while True:
        try:
            step = steps.throw(outcome) if isinstance(outcome, BaseException) else steps.send(outcome)
            outcome = _carried_out(client, step)
        except StopIteration as end:
            result: T = end.value
            return result
        except BaseException as error:
            outcome = None  # it would refer to this frame, and the frame to it
            if has_ended(steps):
                raise
            outcome = error


def has_ended(steps: Steps[Any]) -> bool:
    """Return whether a helper is through, by its result or by an error."""
    return getgeneratorstate(steps) == GEN_CLOSED


def _carried_out(client: Client, step: Send | Pause) -> httpx.Response | Exception | None:
    """Return the answer to a request, or the error that means that none came; None after a pause."""
    try:
        if isinstance(step, Send):
            return _sent(client.get_httpx_client(), step)
        step.clock.sleep(step.seconds)
    except (StopIteration, GeneratorExit) as error:
        raise raised_by_others(error) from error
    return None


def raised_by_others(error: StopIteration | GeneratorExit) -> RuntimeError:
    """What stands for an error of a caller's function that means an end to a generator, as Python does it itself."""
    return RuntimeError(f"A function that was given to this call raised {type(error).__name__}.")


def say_what_is_left(error: BaseException, text: str) -> None:
    """Note on an error what is left behind, and log it where nobody might see the error.

    Who closes a generator or a coroutine never sees its GeneratorExit, asyncio drops the cancellations of tasks that
    nobody awaits, and Python ends at SystemExit without a word.
    """
    error.add_note(text)
    if not isinstance(error, Exception | KeyboardInterrupt):
        logger.warning("%s", text)


def within(seconds: float, steps: Steps[T]) -> Steps[T]:
    """Give all requests of a helper, with their repetitions, so many seconds together."""
    deadline = SYSTEM_CLOCK.now() + seconds
    outcome: httpx.Response | BaseException | None = None
    while True:
        try:
            step = steps.throw(outcome) if isinstance(outcome, BaseException) else steps.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome = None
        if isinstance(step, Send):
            extensions = object_of(step.request.get("extensions"))
            left = max(deadline - SYSTEM_CLOCK.now(), _LAST_SECOND)
            step = replace(step, request=step.request | {"extensions": extensions | {request_options.DEADLINE: left}})
        try:
            outcome = yield step
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the helper decides about it
            outcome = error


def _sent(http: httpx.Client, step: Send) -> httpx.Response | Exception:
    """Return the answer to a request, or the error that means that none came."""
    try:
        return http.send(built(http, step))
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return no_answer(step, error)
    except BaseException as error:  # Ctrl-C while httpx reads cookies from the answer, for one
        clear_frames(error)
        raise


def sendable(step: Send) -> dict[str, Any]:
    """Return what httpx's `build_request` takes, with the operation's id for the transport that sends it again."""
    extensions: dict[str, Any] = {request_options.OPERATION: step.operation}
    return step.request | {"extensions": extensions | object_of(step.request.get("extensions"))}


def built(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    """Return the request of a step, for a client to send.

    Raises:
        httpx.InvalidURL: Its URL cannot be used.
        InvalidDataError: It has text that cannot be sent.
    """
    if parse_url(step.request["url"]) is None:
        raise httpx.InvalidURL("it is none that a request can be sent to")
    try:
        request = http.build_request(**sendable(step))
    except UnicodeEncodeError as error:
        clear_frames(error)
        raise InvalidDataError(f"{step.operation}: a name or another text cannot be sent: {error.reason}.") from None
    if step.stream is None:
        return request
    return httpx.Request(
        request.method, request.url, headers=request.headers, stream=step.stream, extensions=request.extensions
    )


def no_answer(step: Send, error: httpx.RequestError | httpx.InvalidURL) -> Exception:
    """Return the error of a step whose request got no answer."""
    failure = connection_error(step.operation, error)
    failure.__cause__ = strip_request(error)
    return failure


def parse(operation: Operation[..., T], response: httpx.Response) -> T:
    """Return the body of a successful answer as the generated client reads it; no body at all is read as `null`.

    Raises:
        ContractViolationError: The generated client cannot read it, or the contract does not have its status.
    """
    from wallaroo_mlops_client.errors import UnexpectedStatus

    readable = response if response.content else httpx.Response(response.status_code, content=b"null")
    try:
        parsed = cast("Any", operation)._parse_response(client=_reader(), response=readable)  # noqa: SLF001 - and reads an answer
    except UnexpectedStatus:
        problem = "which does not have this status"
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        problem = _problem(error)
    else:
        if _has_the_shape_of(parsed, readable.content):
            return parsed
        problem = "it is of another shape"
    raise contract_violation(operation_id(operation), response, problem)


def _problem(error: Exception) -> str:
    """Return what the generated client stumbled over, in words where it is of a known kind."""
    if isinstance(error, KeyError):
        return f"it has no field {error}"
    if isinstance(error, JSONDecodeError | UnicodeDecodeError):
        return "it is no JSON"
    return f"{type(error).__name__} {error}"


def _has_the_shape_of(parsed: Any, content: bytes) -> bool:
    """Whether an object was read from an object, and a list from a list: generated code takes one for the other."""
    expected = b"[" if isinstance(parsed, list) else b"{" if hasattr(parsed, "to_dict") else None
    return expected is None or content[:100].lstrip()[:1] == expected


@cache
def _reader() -> Client:
    """Return the client that answers are read with, which is asked only what to do about an unknown status."""
    from wallaroo_mlops_client import Client

    return Client(base_url="", raise_on_unexpected_status=True)


@cache
def _readable_type(name: str) -> str:
    """Return the media type that the generated client reads: the first of the operation's answers."""
    try:
        return contract.operation(name).response_types[0]
    except (KeyError, IndexError):  # an operation of another contract, or one without a body
        return "*/*"
