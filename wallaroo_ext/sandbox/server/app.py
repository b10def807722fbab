"""The web application: a route for each operation of the contract, with authentication, validation and errors."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.auth.headers import GUARD_HEADERS, TOKEN_HEADERS
from wallaroo_ext.sandbox.faults import FaultMiddleware
from wallaroo_ext.sandbox.handlers import HANDLERS
from wallaroo_ext.sandbox.handlers.calls import ON_EVENT_LOOP, WITH_MODELS, Call, caller_of
from wallaroo_ext.sandbox.http.bodies import StagedFile, has_body, read_body
from wallaroo_ext.sandbox.http.json_text import to_json
from wallaroo_ext.sandbox.http.logs.access_log import CALLER
from wallaroo_ext.sandbox.http.logs.request_counts import CountingMiddleware
from wallaroo_ext.sandbox.http.problems import (
    Problem,
    bad_request,
    full_disk_refused,
    problem_response,
    refusal,
    token_error,
)
from wallaroo_ext.sandbox.paths import TOKEN_ENDPOINT
from wallaroo_ext.sandbox.server.extra_routes import extra_routes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from wallaroo_ext.sandbox.http.validation import BodySpec, ContractSpec, OperationSpec
    from wallaroo_ext.sandbox.instance import Instance

_JSON = "application/json"


def create_app(instance: Instance, contract: ContractSpec) -> Starlette:
    """Return the sandbox as an ASGI application.

    Args:
        instance: The state of the sandbox; closed when the application ends. The caller resumes its engine once the
            port accepts connections.
        contract: The operations to serve. An operation without a handler answers 501.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        yield
        await run_in_threadpool(instance.close)

    return Starlette(
        routes=[_route(instance, contract, spec) for spec in contract.operations.values()]
        + extra_routes(instance, contract),
        exception_handlers={HTTPException: _on_http_exception, Exception: _on_exception},
        lifespan=lifespan,
    )


def _route(instance: Instance, contract: ContractSpec, spec: OperationSpec) -> Route:
    has_507 = HTTPStatus.INSUFFICIENT_STORAGE in spec.statuses  # as uploads have
    full = HTTPStatus.INSUFFICIENT_STORAGE if has_507 else HTTPStatus.INTERNAL_SERVER_ERROR

    async def endpoint(request: Request) -> Response:
        try:
            with full_disk_refused(full):
                return await _answer(instance, contract, spec, request)
        except Problem as problem:
            return _problem(spec, problem)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # the client is gone

    counting = Middleware(CountingMiddleware, instance.requests, spec.operation_id)
    failing = Middleware(FaultMiddleware, instance.faults, spec.operation_id)
    return Route(spec.path, endpoint, methods=[spec.method], name=spec.operation_id, middleware=[counting, failing])


async def _answer(instance: Instance, contract: ContractSpec, spec: OperationSpec, request: Request) -> Response:
    epoch = instance.gate.epoch
    caller = await caller_of(instance, request) if spec.bearer else None
    if caller is not None:
        request.scope[CALLER] = caller.name
    handler = HANDLERS.get(spec.operation_id)
    if handler is None:
        raise refusal(HTTPStatus.NOT_IMPLEMENTED, f"The sandbox does not have {spec.operation_id} yet.")
    spec.check_parameters(request.path_params, request.query_params)
    kind = _body_kind(spec, request, _implied(instance)) if spec.body_required or has_body(request) else None
    body = None if kind is None else await read_body(request, kind, contract, instance.store.staging, instance.options)
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
        if spec.operation_id in ON_EVENT_LOOP:
            return _response(spec, handler(call))
        if not spec.bearer:  # separate threads, so that signing in never waits for other requests
            return _response(spec, await instance.sign_in_threads.run(lambda: instance.gate.run(epoch, handler, call)))
        if spec.operation_id in WITH_MODELS:
            work = partial(instance.gate.run, epoch, handler, call)
            return _response(spec, await instance.inference_queue.run(request.path_params["deployment"], work))
        return _response(spec, await run_in_threadpool(instance.gate.run, epoch, handler, call))
    finally:
        await _discard_files(body)


def _implied(instance: Instance) -> str:
    """Return the media type of a body without one: the vendor's SDK of 2023.4 sends JSON without saying so."""
    return "" if instance.options.is_since("2024.2") else _JSON


def _body_kind(spec: OperationSpec, request: Request, implied: str) -> BodySpec:
    """Return the kind of a body, by its media type or, without one, by the one that a release takes it for."""
    content_type = request.headers.get("Content-Type", implied)
    kind = spec.body_kind(content_type)
    if kind is None and not spec.bearer:
        raise bad_request(f"Missing form parameter: {spec.bodies[0].required_in_form[0]}")  # as Keycloak answers
    if kind is None:
        known = ", ".join(repr(body.media_type) for body in spec.bodies)
        raise refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body's content type is {content_type!r}; this operation reads {known}.",
        )
    return kind


async def _discard_files(body: Any) -> None:
    """Remove uploaded files that the handler did not move to their place."""
    for value in (body, *object_of(body).values()):
        if isinstance(value, StagedFile):
            await run_in_threadpool(value.discard)


def _response(spec: OperationSpec, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(to_json(answer), spec.success, media_type=_JSON)


def _problem(spec: OperationSpec | None, problem: Problem) -> Response:
    """Return a problem as a response; malformed token requests are answered in the form of RFC 6749."""
    if spec is None or spec.bearer:
        return problem_response(problem)
    message = object_of(problem.content).get("msg")
    if problem.status == HTTPStatus.BAD_REQUEST and message:
        problem = token_error(problem.status, "invalid_request", message)
    problem.headers |= TOKEN_HEADERS
    return problem_response(problem)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Return the answer to what Starlette itself refuses: an unknown path, or a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
    if request.url.path.endswith(TOKEN_ENDPOINT):
        message = "Realm does not exist" if status == HTTPStatus.NOT_FOUND else f"HTTP {status.value} {status.phrase}"
        return problem_response(Problem(status, {"error": message}, headers | GUARD_HEADERS))
    return _problem(None, refusal(status, error.detail, headers))


async def _on_exception(_: Request, __: Exception) -> Response:
    """Return the answer to a defect of the sandbox. Starlette raises the error again, and the server logs it."""
    return _problem(None, refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "The sandbox failed; its log has the details."))
