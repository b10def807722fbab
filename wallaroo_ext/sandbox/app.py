"""The web application: a route for each operation of the contract, checked requests in, answers out."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from wallaroo_ext.json_values import object_of
from wallaroo_ext.sandbox.bodies import StagedFile, has_body, read_body
from wallaroo_ext.sandbox.calls import AT_ONCE, Call
from wallaroo_ext.sandbox.handlers import HANDLERS
from wallaroo_ext.sandbox.own_routes import own_routes
from wallaroo_ext.sandbox.problems import Problem, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from wallaroo_ext.sandbox.instance import Instance
    from wallaroo_ext.sandbox.spec import BodyKind, ContractSpec, OperationSpec
    from wallaroo_ext.sandbox.tokens import Caller

_LOGGER = logging.getLogger(__name__)


def create_app(instance: Instance, contract: ContractSpec) -> Starlette:
    """The sandbox as an ASGI application.

    Args:
        instance: Its state; it is closed when the application ends. Who serves it resumes its engine once the port
            answers.
        contract: The operations to serve. One without a handler answers 501.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await run_in_threadpool(instance.close)

    return Starlette(
        routes=[_route(instance, contract, spec) for spec in contract.operations.values()]
        + own_routes(instance, contract),
        exception_handlers={HTTPException: _on_http_exception, Exception: _on_exception},
        lifespan=lifespan,
    )


def _route(instance: Instance, contract: ContractSpec, spec: OperationSpec) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            return await _answer(instance, contract, spec, request)
        except Problem as problem:
            return _problem(spec, problem)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it

    return Route(spec.path, endpoint, methods=[spec.method], name=spec.operation_id)


async def _answer(instance: Instance, contract: ContractSpec, spec: OperationSpec, request: Request) -> Response:
    caller = await _caller(instance, request) if spec.bearer else None
    handler = HANDLERS.get(spec.operation_id)
    if handler is None:
        raise refusal(HTTPStatus.NOT_IMPLEMENTED, f"The sandbox does not have {spec.operation_id} yet.")
    spec.check_parameters(request.path_params, request.query_params)
    kind = _body_kind(spec, request) if spec.body_required or has_body(request) else None
    body = None if kind is None else await read_body(request, kind, contract, instance.store.staging)
    call = Call(
        instance=instance,
        contract=contract,
        caller=caller,
        media_type="" if kind is None else kind.media_type,
        body=body,
        path=request.path_params,
        query=request.query_params,
        headers=request.headers,
        base_url=str(request.base_url).rstrip("/"),
    )
    try:
        at_once = spec.operation_id in AT_ONCE
        return _response(spec, handler(call) if at_once else await run_in_threadpool(handler, call))
    finally:
        await _discard_files(body)


async def _caller(instance: Instance, request: Request) -> Caller:
    """Who sends a request; another issuer may have to be asked for its keys, which takes a thread."""
    authorization = request.headers.get("Authorization")
    if instance.issuer is None:
        return instance.tokens.verify(authorization)
    return await run_in_threadpool(instance.tokens.verify, authorization)


def _body_kind(spec: OperationSpec, request: Request) -> BodyKind:
    content_type = request.headers.get("Content-Type", "")
    kind = spec.body_kind(content_type)
    if kind is None:
        known = ", ".join(repr(body.media_type) for body in spec.bodies)
        raise refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body's content type is {content_type!r}; this operation reads {known}.",
        )
    return kind


async def _discard_files(body: Any) -> None:
    """Remove uploaded files that the handler did not put into place."""
    for value in (body, *object_of(body).values()):
        if isinstance(value, StagedFile):
            await run_in_threadpool(value.discard)


def _response(spec: OperationSpec, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    return _json(answer, spec.success)


def _json(content: Any, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _problem(spec: OperationSpec | None, problem: Problem) -> Response:
    """The problem as a response; malformed token requests are answered in the form of RFC 6749."""
    content = problem.content
    if isinstance(content, str):
        return Response(content, problem.status, problem.headers, media_type="text/plain")
    if spec is not None and not spec.bearer and problem.status == HTTPStatus.BAD_REQUEST and "msg" in content:
        content = {"error": "invalid_request", "error_description": content["msg"]}
    return _json(content, problem.status, problem.headers)


async def _on_http_exception(_: Request, error: Exception) -> Response:
    """What Starlette refuses by itself: an unknown path, a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    return _problem(None, refusal(HTTPStatus(error.status_code), error.detail, dict(error.headers or {})))


async def _on_exception(request: Request, error: Exception) -> Response:
    """A defect of the sandbox; its traceback goes to the log."""
    _LOGGER.error("%s failed", request.url.path, exc_info=error)
    return _problem(None, refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "The sandbox failed; its log has the details."))
