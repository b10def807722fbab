"""The argument of handlers, and the table of handlers by `operationId`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from wallaroo_ext.sandbox.auth.tokens import bearer_token
from wallaroo_ext.sandbox.http.problems import unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.datastructures import Headers, QueryParams
    from starlette.requests import Request

    from wallaroo_ext.sandbox.auth.tokens import Caller
    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.instance import Instance


async def caller_of(instance: Instance, request: Request) -> Caller:
    """Return the caller of a request. Keys of another issuer are fetched without occupying a shared thread."""
    authorization = request.headers.get("Authorization")
    if instance.issuer is None:
        return instance.tokens.verify(authorization)
    received_at = time.monotonic()
    await instance.issuer.prefetch_keys(bearer_token(authorization), received_at)
    return await run_in_threadpool(instance.tokens.verify, authorization, received_at)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to an operation, validated against the contract.

    Attributes:
        instance: The sandbox.
        contract: The contract.
        caller: The sender; None if the operation takes no bearer token.
        media_type: The media type of the body, as the contract writes it.
        body: The body that `wallaroo_ext.sandbox.http.bodies.read_body` returned.
        path: The parameters of the path.
        query: The parameters of the query.
        headers: The headers of the request.
        base_url: The scheme, host and port of the request's URL.
    """

    instance: Instance
    contract: ContractSpec
    caller: Caller | None
    media_type: str
    body: Any
    path: Mapping[str, str]
    query: QueryParams
    headers: Headers
    base_url: str

    @property
    def user(self) -> User:
        """The user who sent the request.

        Raises:
            Problem: 401, if the token has no user.
        """
        return user_of(self.caller)


def user_of(caller: Caller | None) -> User:
    """Return the user of a caller.

    Raises:
        Problem: 401, if the token has no user.
    """
    if caller is None or caller.user is None:
        raise unauthorized("A token without a user may only infer.")
    return caller.user


HANDLERS: dict[str, Callable[[Call], Any]] = {}
"""The handler of each operation; it returns a JSON value, or a Starlette response for anything else."""

ON_EVENT_LOOP: set[str] = set()
"""The operations whose handlers run on the event loop, since they take less time than switching to a thread."""

WITH_MODELS: set[str] = set()
"""The operations whose handlers run the models of the deployment in the path."""


def handles(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler for the operation that has its name."""
    HANDLERS[function.__name__] = function
    return function


def handles_on_event_loop(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler that only reads a few database rows, to run on the event loop."""
    ON_EVENT_LOOP.add(function.__name__)
    return handles(function)


def handles_with_models(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler that runs the models of the deployment in the path, which may take long."""
    WITH_MODELS.add(function.__name__)
    return handles(function)


def handles_rows(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler that imports Arrow or numpy, to run once they are loaded."""

    @wraps(function)
    def when_loaded(call: Call) -> Any:
        call.instance.engine.wait_for_libraries()
        return function(call)

    return handles(when_loaded)
