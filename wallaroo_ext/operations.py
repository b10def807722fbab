"""Calling generated operations, and running helpers that call several of them.

A helper is written once, as a generator of steps: requests to send, pauses to make, work that may block. `run` carries
the steps out in a thread, `run_async` in an event loop. `synchronous` makes the public function from the generator, and
`asynchronous` or `asynchronous_block` its counterpart in `wallaroo_ext.aio`.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache, wraps
from inspect import GEN_CLOSED, getgeneratorstate
from json import JSONDecodeError, detect_encoding
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.awaited_blocks import AwaitedBlock, Block
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.urls import parse_url
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.redaction.tracebacks import clear_frames
from wallaroo_ext.transport.response_errors import connection_error, contract_violation, response_error, strip_request
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK, Clock
from wallaroo_ext.transport.wire_errors import NO_ANSWER

if TYPE_CHECKING:
    import asyncio
    import threading
    from collections.abc import Awaitable, Callable, Coroutine

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import EngineError, Error, TokenError
    from wallaroo_mlops_client.types import Response

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound=Block)
T_co = TypeVar("T_co", covariant=True)

logger = logging.getLogger("wallaroo_ext")

_IS_NO_OBJECT = "dictionary update sequence"
"""How Python words that a list or a text was to become an object."""
_TOO_MANY_DIGITS = "integer string conversion"
"""How Python words that a number has more digits than it reads."""
_SHORTEST_REQUEST = 1.0
"""How long a request may take where no time is left, in seconds."""


class Operation(Protocol[P, T_co]):
    """A module of the generated client: one operation, with the types of its arguments and of its successful answer."""

    __name__: str

    @property
    def sync(self) -> Callable[P, T_co | Error | EngineError | list[EngineError] | TokenError | None]:
        """The generated function; it returns the operation's answer, or one of the forms of an error."""
        ...


class NullableOperation(Protocol[P, T]):
    """An operation whose answer may be `null` when it succeeds, such as `undeploy_pipeline`."""

    __name__: str

    @property
    def sync_detailed(self) -> Callable[P, Response[T | Error | None]]:
        """The generated function that returns the whole response."""
        ...


@dataclass(frozen=True, slots=True)
class Send:
    """A request to send.

    Attributes:
        operation: The operation's id.
        request: The arguments for httpx's `build_request`.
        stream: The body, where httpx does not make it; the headers of `request` give its length.
    """

    operation: str
    request: dict[str, Any] = field(repr=False)
    stream: httpx.SyncByteStream | httpx.AsyncByteStream | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause to make.

    Attributes:
        seconds: How long it takes.
        clock: The clock that waits.
    """

    seconds: float
    clock: Clock = SYSTEM_CLOCK


@dataclass(frozen=True, slots=True)
class Work:
    """Work that may block. An event loop has it done in a thread.

    Attributes:
        function: The work. What it returns is the result of the step.
        stopped: The event that asks the work to end. Where a task is cancelled, it is set, and the end of the work is
            waited for. None for work that nobody waits for after a cancellation.
    """

    function: Callable[[], Any]
    stopped: threading.Event | None = None


Step = Send | Pause | Work

Steps = Generator[Step, Any, T]
"""The steps of a helper. It is sent the result of each step, or the error in place of one is raised inside it."""


def operation_id(operation: Operation[..., Any]) -> str:
    """Return the contract's `operationId` of a generated module."""
    return operation.__name__.rpartition(".")[2]


def request_of(operation: Operation[..., Any], *arguments: Any, **named: Any) -> dict[str, Any]:
    """Return the arguments for httpx's `request` that call an operation."""
    if not hasattr(operation, "_get_kwargs"):
        named_so = getattr(operation, "__name__", repr(operation))
        raise InvalidDataError(
            f"{named_so} is a {type(operation).__name__} and no operation: give its module, which is in "
            "wallaroo_mlops_client.api."
        )
    return cast("Any", operation)._get_kwargs(*arguments, **named)  # noqa: SLF001 - how the generated client makes a request without sending it


def send(step: Send) -> Steps[httpx.Response]:
    """Send one request.

    Raises:
        ApiError: The instance answered with an error.
        AuthenticationError: The instance refuses the token.
    """
    response: httpx.Response = yield step
    if not response.is_success:
        raise response_error(step.operation, response)
    return response


def call_steps(operation: Operation[..., T], *arguments: Any, **named: Any) -> Steps[T]:
    """Call a generated operation; see `call`."""
    request = request_of(operation, *arguments, **named)
    name = operation_id(operation)
    headers = {"Accept": _readable_type(name)} | request.get("headers", {})
    response = yield from send(Send(name, request | {"headers": headers}))
    return parse(operation, response)


@overload
def call(operation: NullableOperation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T | None: ...
@overload
def call(operation: Operation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T: ...
def call(operation: Any, /, *arguments: Any, **named: Any) -> Any:
    """Call any generated operation, and return its successful answer.

    The arguments and the result have the types of the generated function, for type checkers, too. Parameters of the
    path go by position, everything else by name.

        workspaces = call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces

    Args:
        operation: The generated module, such as `wallaroo_mlops_client.api.models.list_models`.
        *arguments: The parameters of the path.
        **named: The `client` that `connect` returned, the `body`, and the parameters of the query.

    Raises:
        ApiError: The instance answered with an error; its subclasses tell which.
        AuthenticationError: There is no token, or the instance refuses it.
        ConnectionFailedError: No answer came.
        ContractViolationError: The answer breaks the contract.
    """
    return run(client_of(named), call_steps(operation, *arguments, **named))


def client_of(named: dict[str, Any]) -> Client:
    """Take the client out of the arguments of a call, and return it."""
    try:
        return named.pop("client")
    except KeyError:
        raise TypeError("call() needs a client by name: client=connect().") from None


def check_client(client: object) -> None:
    """Check that what a function was given as its client is one.

    Raises:
        InvalidDataError: It is none.
    """
    if not callable(getattr(client, "get_httpx_client", None)):
        problem = "None" if client is None else f"an object of type {type(client).__name__}"
        raise InvalidDataError(f"The client is {problem}.", advice="Give what `wallaroo_ext.connect()` returns.")


def synchronous(steps: Callable[P, Steps[T]]) -> Callable[P, T]:
    """Return the function that runs steps with the client that is their first parameter, `client`.

    It has the name, the parameters and the docstring of the generator that it decorates; see `asynchronous`.
    """

    @wraps(steps)
    def function(*arguments: P.args, **named: P.kwargs) -> T:
        return run(*_called(steps, arguments, named))

    _show_result(steps)
    return function


def asynchronous(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return the coroutine function of `wallaroo_ext.aio` for a function that `synchronous` made.

    It has the same name, parameters and docstring.
    """
    steps = steps_of(function)

    @wraps(steps)
    async def awaitable(*arguments: P.args, **named: P.kwargs) -> T:
        return await run_async(*_called(steps, arguments, named))

    awaitable.__module__ = "wallaroo_ext.aio"
    return awaitable


def asynchronous_block(function: Callable[P, B]) -> Callable[P, AwaitedBlock[B]]:
    """Return the function of `wallaroo_ext.aio` for one whose result is a context manager.

    It is as `asynchronous` makes it, but what it returns is also taken by `async with`, without `await`.
    """
    coroutine_function = asynchronous(function)

    @wraps(coroutine_function)
    def awaitable(*arguments: P.args, **named: P.kwargs) -> AwaitedBlock[B]:
        return AwaitedBlock(coroutine_function(*arguments, **named))

    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(awaitable)  # as frameworks ask for
    return awaitable


def steps_of(function: Callable[P, T]) -> Callable[P, Steps[T]]:
    """Return the generator of steps that `synchronous` made a function from, for steps of another helper."""
    return cast("Any", function).__wrapped__


def _called(steps: Callable[P, Steps[T]], arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Client, Steps[T]]:
    """Return the client and the steps of a call."""
    made = steps(*arguments, **named)
    return arguments[0] if arguments else named["client"], made


def _show_result(steps: Callable[..., Any]) -> None:
    """Make `help` and `inspect.signature`, which look through a decorator, show the result in place of the steps."""
    returned: str = steps.__annotations__["return"]
    steps.__annotations__["return"] = returned.removeprefix("Steps[").removesuffix("]")


def run(client: Client, steps: Steps[T]) -> T:
    """Run steps with a synchronous client.

    What interrupts a step, such as Ctrl-C, is raised inside the steps, which can still send requests to clean up before
    they let it through.
    """
    check_client(client)
    outcome: Any = None
    while True:
        try:
            step = steps.throw(outcome) if isinstance(outcome, BaseException) else steps.send(outcome)
            outcome = _carried_out(client, step)
        except StopIteration as end:
            result: T = end.value
            return result
        except BaseException as error:
            outcome = None  # it would refer to this frame, and the frame to it
            if _has_ended(steps):
                raise
            outcome = error


async def run_async(client: Client, steps: Steps[T]) -> T:
    """Run steps with an asynchronous client.

    A cancellation is raised inside the steps, which may have something to clean up. What they do after it cannot be
    cancelled again.
    """
    check_client(client)
    outcome: Any = None
    carry_out = _carried_out_async
    while True:
        try:
            step = steps.throw(outcome) if isinstance(outcome, BaseException) else steps.send(outcome)
            outcome = await carry_out(client, step)
        except StopIteration as end:
            result: T = end.value
            return result
        except GeneratorExit:  # nobody awaits this any more
            steps.close()
            raise
        except BaseException as error:
            outcome = None  # it would refer to this frame, and the frame to it
            if _has_ended(steps):
                raise
            outcome = error
            if not isinstance(error, Exception):
                carry_out = _carried_out_to_the_end


def _has_ended(steps: Steps[Any]) -> bool:
    """Return whether steps have ended, by their result or by an error."""
    return getgeneratorstate(steps) == GEN_CLOSED


def _carried_out(client: Client, step: Step) -> Any:
    """Return the result of a step: for a request the answer, or the error that says why none came."""
    try:
        if isinstance(step, Send):
            return _sent(client.get_httpx_client(), step)
        if isinstance(step, Work):
            return step.function()
        step.clock.sleep(step.seconds)
    except (StopIteration, GeneratorExit) as error:
        raise as_runtime_error(error) from error
    return None


async def _carried_out_async(client: Client, step: Step) -> Any:
    """Return the result of a step, as `_carried_out` does."""
    if isinstance(step, Send):
        return await _sent_async(client.get_async_httpx_client(), step)
    if isinstance(step, Work):
        return await _done_in_thread(step)
    await step.clock.sleep_async(step.seconds)
    return None


async def _carried_out_to_the_end(client: Client, step: Step) -> Any:
    """Return the result of a step even where the task is cancelled again and again, as some programs do."""
    import asyncio

    work = asyncio.ensure_future(_carried_out_async(client, step))
    await _wait_to_the_end(work)
    return work.result()


async def to_its_end(work: Awaitable[T]) -> T:
    """Return the result of work. Where the task is cancelled meanwhile, its cancellation waits for the work's end."""
    import asyncio

    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await _wait_to_the_end(running)
        raise


async def _wait_to_the_end(work: asyncio.Future[Any]) -> None:
    """Wait until work is done, however often the task is cancelled meanwhile; the work is not cancelled."""
    import asyncio

    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])


async def _done_in_thread(work: Work) -> Any:
    """Return the result of work that a thread does."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    def function() -> Any:
        try:
            return work.function()
        except (StopIteration, GeneratorExit) as error:
            raise as_runtime_error(error) from error

    if work.stopped is None:
        return await asyncio.to_thread(function)
    with ThreadPoolExecutor(1, thread_name_prefix="wallaroo-work") as thread:
        running = asyncio.get_running_loop().run_in_executor(thread, function)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            work.stopped.set()
            await _wait_to_the_end(running)  # otherwise the loop would wait for the thread, and that may for the loop
            raise
        except GeneratorExit:  # nobody awaits this any more, and the end of the thread is waited for at once
            work.stopped.set()
            raise


def as_runtime_error(error: StopIteration | GeneratorExit) -> RuntimeError:
    """Return the error to raise in place of one that would end a generator, as Python does it itself."""
    return RuntimeError(f"A function that was given to this call raised {type(error).__name__}.")


def note_leftovers(error: BaseException, text: str) -> None:
    """Add a note to an error about what is left behind, and log it where nobody might see the error.

    A caller that closes a generator or a coroutine never sees its GeneratorExit, asyncio drops the cancellation of a
    task that nobody awaits, and Python ends at SystemExit without a message.
    """
    error.add_note(text)
    if not isinstance(error, Exception | KeyboardInterrupt):
        logger.warning("%s", text)


def within(seconds: float, steps: Steps[T]) -> Steps[T]:
    """Run steps whose requests, repetitions included, may take so many seconds together."""
    deadline = SYSTEM_CLOCK.now() + seconds
    outcome: Any = None
    while True:
        try:
            step = steps.throw(outcome) if isinstance(outcome, BaseException) else steps.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome = None
        if isinstance(step, Send):
            extensions = object_of(step.request.get("extensions"))
            left = max(deadline - SYSTEM_CLOCK.now(), _SHORTEST_REQUEST)
            step = replace(step, request=step.request | {"extensions": extensions | {request_options.DEADLINE: left}})
        try:
            outcome = yield step
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as error:  # noqa: BLE001 - the steps decide what to do about it
            outcome = error


def _sent(http: httpx.Client, step: Send) -> httpx.Response | Exception:
    """Return the answer to a request, or the error that says why none came."""
    try:
        return _without_cycle(http.send(_built(http, step)))
    except NO_ANSWER as error:
        return _no_answer(step, error)
    except BaseException as error:  # such as Ctrl-C while httpx reads cookies from the answer
        clear_frames(error)
        raise


async def _sent_async(http: httpx.AsyncClient, step: Send) -> httpx.Response | Exception:
    """Return the answer to a request, or the error that says why none came."""
    try:
        return _without_cycle(await http.send(_built(http, step)))
    except NO_ANSWER as error:
        return _no_answer(step, error)
    except BaseException as error:
        clear_frames(error)
        raise


def _without_cycle(response: httpx.Response) -> httpx.Response:
    """Return an answer that was read, without httpx's stream, which refers to it.

    Its memory and that of its request, both of them large for many rows, are free without waiting to be found.
    """
    response.stream = httpx.ByteStream(b"")
    return response


def sendable(step: Send) -> dict[str, Any]:
    """Return the arguments for httpx's `build_request`, with the operation's id, by which the transport retries."""
    extensions: dict[str, Any] = {request_options.OPERATION: step.operation}
    return step.request | {"extensions": extensions | object_of(step.request.get("extensions"))}


def _built(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    """Return the request of a step, for a client to send.

    Raises:
        httpx.InvalidURL: Its URL cannot be used.
        InvalidDataError: It contains text that cannot be encoded.
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


def _no_answer(step: Send, error: httpx.RequestError | httpx.InvalidURL) -> Exception:
    """Return the error of a step whose request got no answer."""
    failure = connection_error(step.operation, error)
    failure.__cause__ = strip_request(error)
    return failure


def parse(operation: Operation[..., T], response: httpx.Response) -> T:
    """Return the body of a successful answer as the generated client reads it; an empty one is read as `null`.

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
        problem = _problem(error, response.content) if response.content else "it has no body"
    else:
        if _has_the_shape_of(parsed, readable.content):
            return parsed
        problem = "it is of another shape"
    raise contract_violation(operation_id(operation), response, problem)


def _problem(error: Exception, content: bytes) -> str:
    """Return why the generated client could not read an answer, in words where the reason is a known one."""
    if isinstance(error, KeyError):
        return f"it has no field {error}"
    if isinstance(error, JSONDecodeError | UnicodeDecodeError):
        return "it is no JSON"
    if _beginning(content)[:1] not in {"{", "["}:
        return "it is neither an object nor a list"
    if isinstance(error, TypeError | AttributeError) or _IS_NO_OBJECT in str(error):
        return "a value in it is of another type"
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    is_too_long = _TOO_MANY_DIGITS in str(error)
    return "a number in it has more digits than can be read" if is_too_long else f"{type(error).__name__} {error}"


def _has_the_shape_of(parsed: Any, content: bytes) -> bool:
    """Return whether an object was read from an object, and a list from a list: generated code may confuse them."""
    expected = "[" if isinstance(parsed, list) else "{" if hasattr(parsed, "to_dict") else None
    return expected is None or _beginning(content)[:1] == expected


def _beginning(content: bytes) -> str:
    """Return the beginning of JSON."""
    beginning = content[:200]
    return beginning.decode(detect_encoding(beginning), errors="ignore").removeprefix("\ufeff").lstrip()


@cache
def _reader() -> Client:
    """Return a client for reading answers: generated code asks it only what to do about an unknown status."""
    from wallaroo_mlops_client import Client

    return Client(base_url="", raise_on_unexpected_status=True)


@cache
def _readable_type(name: str) -> str:
    """Return the media type that the generated client reads: the first one of the operation's answers."""
    try:
        return contract.operation(name).response_types[0]
    except (KeyError, IndexError):  # an operation of another contract, or one without a body
        return "*/*"
