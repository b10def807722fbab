"""From a request that steers the sandbox to the function that answers it."""

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
from wallaroo_ext.sandbox.http.problems import Problem, bad_request, problem_response, refusal
from wallaroo_ext.sandbox.http.validation import BodyKind, parse_media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.instance import Instance

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One request that steers the sandbox, from somebody who may.

    Attributes:
        instance: The sandbox.
        contract: The operations.
        media_type: The body's; empty without one.
        body: Valid JSON, or the bytes of another media type; None without a body.
        query: The parameters in the query.
    """

    instance: Instance
    contract: ContractSpec
    media_type: str
    body: Any
    query: QueryParams


@dataclass(frozen=True, slots=True)
class Action:
    """What answers one method of a path.

    Attributes:
        answer: Gives the JSON to answer, or raises a Problem.
        bodies: What it reads, by media type; nothing where it takes no body, else it needs one.
        query: The parameters that its query may have.
        alone: Whether it waits by itself until nothing else is under way.
    """

    answer: Callable[[ControlCall], dict[str, Any]]
    bodies: Mapping[str, BodyKind] = field(default_factory=dict[str, BodyKind])
    query: frozenset[str] = frozenset()
    alone: bool = False


def json_body(schema: dict[str, Any]) -> dict[str, BodyKind]:
    """Return a body of JSON that a schema describes."""
    return {JSON: _body(JSON, schema)}


def other_body(media_type: str) -> dict[str, BodyKind]:
    """Return a body whose bytes the action reads itself."""
    return {media_type: _body(media_type, {})}


def _body(media_type: str, schema: dict[str, Any]) -> BodyKind:
    return BodyKind(
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
    """Return the routes of a table: path, then method, then action."""
    return [_route(instance, contract, path, actions) for path, actions in table.items()]


def _route(instance: Instance, contract: ContractSpec, path: str, actions: Mapping[str, Action]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            content = await _answer(instance, contract, actions[request.method], request)
            return Response(orjson.dumps(content), headers={"Cache-Control": "no-store"}, media_type=JSON)
        except Problem as problem:
            return problem_response(problem)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it

    route = Route(path, endpoint, methods=list(actions))
    route.methods = set(actions)  # Starlette adds HEAD to GET
    return route


async def _answer(instance: Instance, contract: ContractSpec, action: Action, request: Request) -> dict[str, Any]:
    era = instance.gate.era
    check_access(request, instance.options.control_secret)
    _check_query(action, request)
    kind = _body_kind(action, request)
    body = None if kind is None else await read_body(request, kind, contract, instance.store.staging, instance.options)
    call = ControlCall(instance, contract, "" if kind is None else kind.media_type, body, request.query_params)
    if action.alone:
        return await run_in_threadpool(action.answer, call)
    return await run_in_threadpool(instance.gate.run, era, action.answer, call)


def _check_query(action: Action, request: Request) -> None:
    for name in request.query_params:
        if name not in action.query:
            raise bad_request(f"The query has a parameter {name!r}, which {request.url.path} does not know.")


def _body_kind(action: Action, request: Request) -> BodyKind | None:
    """Return the media type of the body.

    Raises:
        Problem: 400 where there is a body and should be none, or the other way round; 415 for another media type.
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
