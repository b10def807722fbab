"""Answering requests in GraphQL, within limits of size, depth and work, as the user whose token they have."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLError,
    OperationType,
    execute_sync,  # pyright: ignore[reportUnknownVariableType] - it leaves the kinds of its middleware open
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.http.problems import Problem, bad_request
from wallaroo_ext.sandbox.platform.schema import build_schema
from wallaroo_ext.sandbox.platform.selection import Reader
from wallaroo_ext.sandbox.platform.tables import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql import DocumentNode, ExecutionResult

    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.instance import Instance
    from wallaroo_ext.sandbox.platform.table_types import Info

TOKENS_LIMIT = 2000
"""The most words and signs of a query."""
FIELDS_LIMIT = 100_000
"""The most fields of an answer, and the most rows that are read for it."""
SECONDS_LIMIT = 5.0
_CHARACTERS_LIMIT = 100_000
_LOGGER = logging.getLogger(__name__)


class TooMuchWorkError(BaseException):
    """A query asks for too much. It ends the whole query, and no `except Exception` keeps it to one field."""


class _Budget:
    """Ends a query that has too many fields or takes too long."""

    def __init__(self) -> None:
        self._left = FIELDS_LIMIT
        self._until = time.monotonic() + SECONDS_LIMIT

    def spend(self, count: int) -> None:
        """Count some work.

        Raises:
            TooMuchWorkError: It was too much.
        """
        self._left -= count
        if self._left < 0 or time.monotonic() > self._until:
            raise TooMuchWorkError

    def resolve(self, following: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        """Resolve a field, and count it."""
        self.spend(1)
        return following(source, info, **arguments)


class Platform:
    """Answers requests in GraphQL.

    Args:
        instance: The sandbox.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._tables = tables(instance.options)
        self._schema = build_schema(instance)

    def answer(self, body: Any, user: User) -> dict[str, Any]:
        """Return the answer to a request.

        Args:
            body: The body of the request, an object with `query`.
            user: Who sent it.

        Raises:
            Problem: 400, if the body is no request of GraphQL.
        """
        fields = object_of(body)
        query, variables, name = fields.get("query"), fields.get("variables"), fields.get("operationName")
        if not isinstance(query, str) or not isinstance(variables, dict | None) or not isinstance(name, str | None):
            raise bad_request(
                "GraphQL takes an object with query, and where there are any, variables and operationName."
            )
        try:
            document = parse(
                query, max_lexical_tokens=TOKENS_LIMIT, max_comments=TOKENS_LIMIT, max_source_length=_CHARACTERS_LIMIT
            )
        except GraphQLError as error:
            return _failed([error], "validation-failed")
        if errors := validate(self._schema, document, specified_rules, max_errors=10):
            return _failed(errors, "validation-failed")
        return self._execute(document, object_of(variables), name, user)

    def _execute(
        self, document: DocumentNode, variables: dict[str, Any], name: str | None, user: User
    ) -> dict[str, Any]:
        operation, store, budget = get_operation_ast(document, name), self._instance.store, _Budget()
        changes = operation is not None and operation.operation is OperationType.MUTATION
        reader = Reader(self._tables, store, user.id, budget.spend)
        if changes:  # windows that are due are compared by the thresholds of before
            self._instance.engine.wait_for_libraries()
            self._instance.scheduled_assays.catch_up_all()
        try:
            with store.transaction() if changes else nullcontext():
                result = execute_sync(
                    self._schema,
                    document,
                    context_value=reader,
                    variable_values=variables,
                    operation_name=name,
                    middleware=[budget],
                )
                _require_success(result)
        except TooMuchWorkError:
            message = f"The query asks for too much: more than {FIELDS_LIMIT} fields, or {SECONDS_LIMIT:g} seconds."
            return _failed([GraphQLError(message)], "too-much-work")
        except _FailedError as failed:
            return _failed(failed.errors, "unexpected")
        return {"data": result.data}


def _require_success(result: ExecutionResult) -> None:
    if result.errors:
        raise _FailedError(result.errors)


class _FailedError(Exception):
    """A query failed, so that nothing of what it changed stays."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.errors = errors


def failure(problem: Problem) -> dict[str, Any]:
    """Return a problem in GraphQL's form."""
    code = "invalid-jwt" if problem.status == HTTPStatus.UNAUTHORIZED else "bad-request"
    return {"errors": [{"message": _message(problem), "extensions": {"path": "$", "code": code}}]}


def _failed(errors: list[GraphQLError], code: str) -> dict[str, Any]:
    return {"errors": [_error(error, code) for error in errors]}


def _error(error: GraphQLError, code: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "message": _text(error),
        "extensions": {"path": ".".join(["$", *map(str, error.path or ())]), "code": code, **(error.extensions or {})},
    }
    if error.locations:
        shown["locations"] = [location.formatted for location in error.locations]
    return shown


def _text(error: GraphQLError) -> str:
    """Return what an error says; a defect of the sandbox goes to the log."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error.message
    if isinstance(cause, Problem):
        return _message(cause)
    _LOGGER.error("a query of GraphQL failed", exc_info=cause)
    return "The sandbox failed; its log has the details."


def _message(problem: Problem) -> str:
    return str(object_of(problem.content).get("msg", problem.content))
