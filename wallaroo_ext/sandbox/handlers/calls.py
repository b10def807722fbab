"""What a handler gets, and the table of handlers by `operationId`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.http.problems import unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.datastructures import Headers, QueryParams

    from wallaroo_ext.sandbox.auth.tokens import Caller
    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.instance import Instance


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one operation, valid by the contract.

    Attributes:
        instance: The sandbox.
        contract: The operations.
        caller: Who sends it; None where the operation wants no bearer token.
        media_type: The body's, as the contract writes it.
        body: The body, as `wallaroo_ext.sandbox.http.bodies.read_body` gives it.
        path: The parameters in the path.
        query: The parameters in the query.
        headers: The request's headers.
        base_url: The scheme, host and port that the request was sent to.
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
        """The user who sends it.

        Raises:
            Problem: 401, for a token without a user.
        """
        if self.caller is None or self.caller.user is None:
            raise unauthorized("A token without a user may only infer.")
        return self.caller.user


HANDLERS: dict[str, Callable[[Call], Any]] = {}
"""What answers each operation: a JSON value, or a Starlette response where it is something else."""

AT_ONCE: set[str] = set()
"""The operations whose handlers do so little that handing them to a thread would cost more than they do."""

BY_MODELS: set[str] = set()
"""The operations whose handlers wait for the models of the deployment in the path."""


def handles(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register the handler of the operation that has the function's name."""
    HANDLERS[function.__name__] = function
    return function


def handles_at_once(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler that reads a few rows of the database and does nothing else."""
    AT_ONCE.add(function.__name__)
    return handles(function)


def handles_by_models(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler that waits for the models of the deployment in the path, which may take their time."""
    BY_MODELS.add(function.__name__)
    return handles(function)


def handles_rows(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
    """Register a handler that works on Arrow or numpy, which it imports when they are loaded."""

    @wraps(function)
    def when_loaded(call: Call) -> Any:
        call.instance.engine.wait_for_libraries()
        return function(call)

    return handles(when_loaded)
