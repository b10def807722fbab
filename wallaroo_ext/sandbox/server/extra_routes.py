"""Routes beside the contract's operations: the token issuer's, those that steer the sandbox, and the docs page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from wallaroo_ext.contract import load
from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM
from wallaroo_ext.sandbox.control import behaviour, clock, seed, state
from wallaroo_ext.sandbox.control.routes import control_routes
from wallaroo_ext.sandbox.paths import CONTROL, DISCOVERY_ENDPOINT, DOCS_PAGE, KEYS_ENDPOINT, TOKEN_ENDPOINT, realm_path
from wallaroo_ext.sandbox.platform.routes import platform_routes
from wallaroo_ext.sandbox.server.docs import docs_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.instance import Instance

_CONTROLS = {
    f"{CONTROL}/reset": state.RESET_ACTIONS,
    f"{CONTROL}/seed": seed.ACTIONS,
    f"{CONTROL}/state": state.STATE_ACTIONS,
    f"{CONTROL}/clock": clock.ACTIONS,
    f"{CONTROL}/transitions": behaviour.TRANSITION_ACTIONS,
    f"{CONTROL}/faults": behaviour.FAULT_ACTIONS,
}


def extra_routes(instance: Instance, contract: ContractSpec) -> list[Route]:
    """Return the routes that are not operations of the contract."""
    return [
        *_issuer_routes(instance, contract),
        *platform_routes(instance, contract),
        *control_routes(instance, contract, _CONTROLS),
        *docs_routes(
            DOCS_PAGE, partial(load, instance.options.release), None if instance.issuer is None else instance.issuer.url
        ),
    ]


def _issuer_routes(instance: Instance, contract: ContractSpec) -> list[Route]:
    """Return the routes of a token issuer; none if the sandbox trusts another issuer."""
    if instance.issuer is not None:
        return []
    realm = realm_path(contract.operations["request_token"].path)

    def discovery(request: Request) -> dict[str, Any]:
        issuer = str(request.base_url).rstrip("/") + realm
        return {
            "issuer": issuer,
            "token_endpoint": issuer + TOKEN_ENDPOINT,
            "jwks_uri": issuer + KEYS_ENDPOINT,
            "grant_types_supported": ["password", "refresh_token", "client_credentials"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "scopes_supported": ["profile", "email", "offline_access"],
        }

    def keys(_: Request) -> dict[str, Any]:
        return {"keys": instance.tokens.public_keys()}

    return [_json_route(realm + DISCOVERY_ENDPOINT, discovery), _json_route(realm + KEYS_ENDPOINT, keys)]


def _json_route(path: str, content: Callable[[Request], dict[str, Any]]) -> Route:
    """Return a route that answers GET with the JSON that a function returns; caches have to revalidate it."""

    def endpoint(request: Request) -> Response:
        return Response(
            orjson.dumps(content(request)), headers={"Cache-Control": "no-cache"}, media_type="application/json"
        )

    return Route(path, endpoint, methods=["GET"])
