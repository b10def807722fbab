"""The sandbox's own routes, which the contract does not have: all of their paths stand here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM
from wallaroo_ext.sandbox.control import clock, faults, reset, seed, state, transitions
from wallaroo_ext.sandbox.control.routes import control_routes
from wallaroo_ext.sandbox.server.docs import docs_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from wallaroo_ext.sandbox.http.validation import ContractSpec
    from wallaroo_ext.sandbox.server.instance import Instance

TOKEN_ENDPOINT = "/protocol/openid-connect/token"  # noqa: S105 - a path
KEYS_ENDPOINT = "/protocol/openid-connect/certs"
DISCOVERY_ENDPOINT = "/.well-known/openid-configuration"
"""Where Keycloak has its endpoints, below the path of a realm. The contract has the whole path of the first one."""

DOCS_PAGE = "/v1/api/docs"
"""The contract as a page; what belongs to the page is below it."""

CONTROL = "/_sandbox"
"""What steers the sandbox is below it."""
_CONTROLS = {
    f"{CONTROL}/reset": reset.ACTIONS,
    f"{CONTROL}/seed": seed.ACTIONS,
    f"{CONTROL}/state": state.ACTIONS,
    f"{CONTROL}/clock": clock.ACTIONS,
    f"{CONTROL}/transitions": transitions.ACTIONS,
    f"{CONTROL}/faults": faults.ACTIONS,
}


def own_routes(instance: Instance, contract: ContractSpec) -> list[Route]:
    """Return every route that is not an operation of the contract."""
    return [
        *_issuer_routes(instance, contract),
        *control_routes(instance, contract, _CONTROLS),
        *docs_routes(DOCS_PAGE, lambda: contract.document, None if instance.issuer is None else instance.issuer.url),
    ]


def realm_path(token_path: str) -> str:
    """Return the path of the realm that a token endpoint is in."""
    return token_path.removesuffix(TOKEN_ENDPOINT)


def _issuer_routes(instance: Instance, contract: ContractSpec) -> list[Route]:
    """Return what an issuer of tokens publishes; nothing where the sandbox trusts another one."""
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
    """Return a route that answers GET with what a function gives, which caches have to ask for again."""

    def endpoint(request: Request) -> Response:
        return Response(
            orjson.dumps(content(request)), headers={"Cache-Control": "no-cache"}, media_type="application/json"
        )

    return Route(path, endpoint, methods=["GET"])
