"""Routing control requests: access, validation of the body and the query, and the function that answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from wallaroo_ext.sandbox.control.access import check_access
from wallaroo_ext.sandbox.http.bodies import has_body, read_body
from wallaroo_ext.sandbox.http.problems import Problem, bad_request, full_disk_refused, problem_response, refusal
from wallaroo_ext.sandbox.http.validation import BodySpec, parse_media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.instance import Instance

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One control request, from a client that has access.

    Attributes:
        instance: The sandbox.
        contract: The contract.
        media_type: The media type of the body; empty without a body.
        body: Valid JSON, or the bytes of any other media type; None without a body.
        query: The parameters of the query.
    """

    instance: Instance
    contract: ContractSpec
    media_type: str
    body: Any
    query: QueryParams


@dataclass(frozen=True, slots=True)
class Action:
    """The answer to one method of a path.

    Attributes:
        answer: Returns the JSON to answer with, or raises a Problem.
        bodies: The accepted bodies, by media type. Empty if there must be no body; otherwise a body is required.
        query: The names of the allowed query parameters.
        exclusive: Whether the function itself waits until no other request is under way.
    """

    answer: Callable[[ControlCall], dict[str, Any]]
    bodies: Mapping[str, BodySpec] = field(default_factory=dict[str, BodySpec])
    query: frozenset[str] = frozenset()
    exclusive: bool = False


def json_body(schema: dict[str, Any]) -> dict[str, BodySpec]:
    """Return the accepted body of an action that takes JSON with a schema."""
    return {JSON: _body(JSON, schema)}


def raw_body(media_type: str) -> dict[str, BodySpec]:
    """Return the accepted body of an action that parses the bytes of a media type itself."""
    return {media_type: _body(media_type, {})}


def _body(media_type: str, schema: dict[str, Any]) -> BodySpec:
    return BodySpec(
        media_type=media_type,
        schema=schema,
        validator=jsonschema_rs.Draft202012Validator(schema),
        one_of_required=(),
        required_in_form=(),
        is_rows=False,
    )


def control_routes(
    instance: Instance, contract: ContractSpec, table: Mapping[str, Mapping[str, Action]]
) -> list[Route]:
    """Return the routes of a table of actions, by path and method."""
    return [_route(instance, contract, path, actions) for path, actions in table.items()]


def _route(instance: Instance, contract: ContractSpec, path: str, actions: Mapping[str, Action]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            with full_disk_refused():
                content = await _answer(instance, contract, actions[request.method], request)
            return Response(orjson.dumps(content), headers={"Cache-Control": "no-store"}, media_type=JSON)
        except Problem as problem:
            return problem_response(problem)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # the client is gone

    route = Route(path, endpoint, methods=list(actions))
    route.methods = set(actions)  # Starlette adds HEAD to GET
    return route


async def _answer(instance: Instance, contract: ContractSpec, action: Action, request: Request) -> dict[str, Any]:
    epoch = instance.gate.epoch
    check_access(request, instance.options.control_secret)
    _check_query(action, request)
    kind = _body_kind(action, request)
    body = None if kind is None else await read_body(request, kind, contract, instance.store.staging, instance.options)
    call = ControlCall(instance, contract, "" if kind is None else kind.media_type, body, request.query_params)
    if action.exclusive:
        return await run_in_threadpool(action.answer, call)
    return await run_in_threadpool(instance.gate.run, epoch, action.answer, call)


def _check_query(action: Action, request: Request) -> None:
    for name in request.query_params:
        if name not in action.query:
            raise bad_request(f"The query has a parameter {name!r}, which {request.url.path} does not know.")


def _body_kind(action: Action, request: Request) -> BodySpec | None:
    """Return the accepted body that a request has, or None if the action takes none.

    Raises:
        Problem: 400 if there is a body and the action takes none; 415 for another media type, or no body.
    """
    if not action.bodies:
        if has_body(request):
            raise bad_request(f"{request.method} {request.url.path} takes no body.")
        return None
    media_type = parse_media_type(request.headers.get("Content-Type", ""))[0]
    if media_type in action.bodies:
        return action.bodies[media_type]
    known = " or ".join(repr(name) for name in action.bodies)
    message = f"The body's content type is {media_type!r}; {request.url.path} reads {known}."
    raise refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
