"""The routes beside the MLOps API: GraphQL, the configuration, and Keycloak's administration of users.

What answers them is loaded when it is first asked for, so that a sandbox that nobody asks starts and idles without it.
"""

from __future__ import annotations

from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from wallaroo_ext.sandbox.handlers.calls import caller_of, user_of
from wallaroo_ext.sandbox.http.bodies import read_json
from wallaroo_ext.sandbox.http.logs.access_log import CALLER
from wallaroo_ext.sandbox.http.problems import Problem, full_disk_refused, problem_response
from wallaroo_ext.sandbox.http.threads import ThreadPool
from wallaroo_ext.sandbox.paths import CONFIGURATION, GRAPHQL, user_administration_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.instance import Instance
    from wallaroo_ext.sandbox.platform.graphql_requests import Platform

_BODY_LIMIT_MIB = 1
_THREADS = 2  # so that queries that take long do not keep other requests waiting
_JSON = "application/json"


def platform_routes(instance: Instance, contract: ContractSpec) -> list[Route]:
    """Return the routes. Another issuer administers its users itself, and old releases have no configuration."""
    routes = [_graphql(instance)]
    if instance.options.is_since("2025.2"):
        routes.append(Route(CONFIGURATION, _configuration, methods=["GET"]))
    if instance.issuer is None:
        users = user_administration_path(contract.operations["request_token"].path)
        routes += [_users(instance, users), _user(instance, users + "/{user}")]
    return routes


async def _configuration(_: Request) -> Response:
    """Answer without a token: a client reads the configuration before it signs in."""
    return _json({"default_arch": "x86"})


def _graphql(instance: Instance) -> Route:
    threads = ThreadPool(_THREADS)

    @cache
    def platform() -> Platform:
        from wallaroo_ext.sandbox.platform.graphql_requests import Platform

        return Platform(instance)

    def answer(body: Any, user: User, epoch: int) -> dict[str, Any]:
        return instance.gate.run(epoch, partial(platform().answer, user=user), body)

    async def endpoint(request: Request) -> Response:
        epoch = instance.gate.epoch
        user = await _signed_in(instance, request)
        body = await read_json(request, _BODY_LIMIT_MIB, "A request of GraphQL")
        return _json(await threads.run(lambda: answer(body, user, epoch)))

    return Route(GRAPHQL, _answering(endpoint, _in_graphql), methods=["POST"])


def _in_graphql(problem: Problem) -> Response:
    from wallaroo_ext.sandbox.platform.graphql_requests import failure

    return _json(failure(problem), problem.status, problem.headers)


def _users(instance: Instance, path: str) -> Route:
    async def endpoint(request: Request) -> Response:
        from wallaroo_ext.sandbox.platform.user_administration import found_users

        await _signed_in(instance, request)
        return _json(await run_in_threadpool(found_users, instance, request.query_params))

    return Route(path, _answering(endpoint), methods=["GET"])


def _user(instance: Instance, path: str) -> Route:
    async def endpoint(request: Request) -> Response:
        from wallaroo_ext.sandbox.platform.user_administration import change_user, one_user

        epoch, user_id = instance.gate.epoch, request.path_params["user"]
        await _signed_in(instance, request)
        if request.method != "PUT":
            return _json(await run_in_threadpool(one_user, instance, user_id))
        body = await read_json(request, _BODY_LIMIT_MIB, "A user")
        await run_in_threadpool(instance.gate.run, epoch, partial(change_user, instance, user_id), body)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return Route(path, _answering(endpoint), methods=["GET", "PUT"])


async def _signed_in(instance: Instance, request: Request) -> User:
    """Return the user whose token a request has.

    Raises:
        Problem: 401, if it has none, or the token of a client alone.
    """
    caller = await caller_of(instance, request)
    request.scope[CALLER] = caller.name
    return user_of(caller)


def _answering(
    endpoint: Callable[[Request], Awaitable[Response]], show: Callable[[Problem], Response] = problem_response
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers problems, too."""

    async def answer(request: Request) -> Response:
        try:
            with full_disk_refused():
                return await endpoint(request)
        except Problem as problem:
            return show(problem)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)  # the client is gone

    return answer


def _json(content: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type=_JSON)
