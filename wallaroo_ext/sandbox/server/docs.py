"""The contract as a web page: Swagger UI, its files, and the contract as JSON.

Swagger UI's files come from the package `offapi`, which includes their licence. The page loads nothing from other
hosts, which its Content-Security-Policy enforces.
"""

from __future__ import annotations

import html
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, cast

import orjson
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.settings import DEFAULT_CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_PAGE_FILES = {"page.css": "text/css", "page.js": "text/javascript"}
# The names in the page, and the names in `offapi`.
_SWAGGER_UI_FILES = {
    "swagger-ui.css": ("swagger_style.css", "text/css"),
    "swagger-ui.js": ("swagger_bundle.js", "text/javascript"),
}
_HEADERS = {
    "Cache-Control": "no-cache",  # another version of the sandbox may answer here later
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# Swagger UI's style sheet contains its icons as data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'"
)
_SANDBOX_CREDENTIALS = (
    "the <code>WALLAROO_USER</code>, <code>WALLAROO_PASSWORD</code> and <code>WALLAROO_CLIENT_SECRET</code> "
    "that the sandbox printed when it started"
)
_BEARER = "bearerToken"
_SIGN_IN = "signIn"
_CACHED_HOSTS = 8  # a limit, because clients can send any Host header


def docs_routes(page: str, load: Callable[[], dict[str, Any]], auth_url: str | None = None) -> list[Route]:
    """Return the routes of the page, its files, and the contract as JSON. Files are read at the first request.

    Args:
        page: The path of the page; the other paths are below it.
        load: Returns the contract.
        auth_url: The URL, without a path, of another issuer that the sandbox trusts; None for the sandbox itself.
    """
    document = cache(load)

    @cache
    def page_text() -> str:
        return _fill_page(page, auth_url)

    @lru_cache(maxsize=_CACHED_HOSTS)
    def contract_at(base_url: str) -> bytes:
        return orjson.dumps(served_copy(document(), base_url, auth_url or base_url), default=str)

    def answer_page(_: Request) -> Response:
        policy = f"{_POLICY} {auth_url}" if auth_url else _POLICY
        return HTMLResponse(page_text(), headers=_HEADERS | {"Content-Security-Policy": policy})

    def answer_contract(request: Request) -> Response:
        content = contract_at(str(request.base_url).rstrip("/"))
        return Response(content, headers=_HEADERS, media_type="application/json")

    return [
        Route(page, answer_page),
        Route(f"{page}/openapi.json", answer_contract),
        *(_file_route(page, name, media_type) for name, media_type in _PAGE_FILES.items()),
        *(_file_route(page, name, media_type) for name, (_, media_type) in _SWAGGER_UI_FILES.items()),
    ]


def served_copy(document: dict[str, Any], base_url: str, auth_url: str) -> dict[str, Any]:
    """Return the contract with the sandbox as its only server, and a security scheme that Swagger UI has a form for.

    Args:
        document: The contract; it is not changed.
        base_url: The URL of the sandbox, without a trailing slash.
        auth_url: The URL of the token issuer, without a trailing slash.
    """
    components = object_of(document.get("components"))
    schemes = {_SIGN_IN: _sign_in_scheme(auth_url), **object_of(components.get("securitySchemes"))}
    changes = {
        "servers": [{"url": base_url, "description": "This sandbox."}],
        "paths": {path: _path_item(item, auth_url) for path, item in object_of(document["paths"]).items()},
        "components": components | {"securitySchemes": schemes},
    }
    return _with_sign_in(document) | changes


def _sign_in_scheme(auth_url: str) -> dict[str, Any]:
    token_url = auth_url + contract.operation("request_token").path
    return {
        "type": "oauth2",
        "description": "Signs a user in.",
        "flows": {"password": {"tokenUrl": token_url, "scopes": {}}},
    }


def _path_item(item: dict[str, Any], auth_url: str) -> dict[str, Any]:
    """Return a path item with security and servers; only the token endpoint's path has servers of its own."""
    operations = {key: _with_sign_in(cast("Any", value)) for key, value in item.items() if isinstance(value, dict)}
    servers = {"servers": [{"url": auth_url, "description": "Who issues the tokens."}]} if "servers" in item else {}
    return item | operations | servers


def _with_sign_in(value: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the document or of an operation with signing in as an alternative to a bearer token."""
    security: list[dict[str, Any]] = value.get("security", [])
    if any(_BEARER in alternative for alternative in security):
        return value | {"security": [{_SIGN_IN: []}, *security]}
    return value


def _fill_page(page: str, auth_url: str | None) -> str:
    text = (_page_directory() / "index.html").read_text(encoding="utf-8")
    credentials = f"what <code>{html.escape(auth_url)}</code> knows you by" if auth_url else _SANDBOX_CREDENTIALS
    return Template(text).substitute(page=page, client_id=DEFAULT_CLIENT_ID, credentials=credentials)


def _file_route(page: str, name: str, media_type: str) -> Route:
    def answer(_: Request) -> Response:
        return FileResponse(_file(name), headers=_HEADERS, media_type=media_type)

    return Route(f"{page}/{name}", answer)


def _file(name: str) -> Path:
    if name in _PAGE_FILES:
        return _page_directory() / name
    return offapi_file(_SWAGGER_UI_FILES[name][0])


def _page_directory() -> Path:
    return Path(__file__).parent / "docs_page"


def offapi_file(name: str) -> Path:
    """Return a file of the package `offapi`, which has the programs of Swagger UI and of Redoc."""
    return _offapi_directory() / name


@cache
def _offapi_directory() -> Path:
    """Return the directory of the package, without importing it, which would read all of its files."""
    spec = find_spec("offapi")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("Swagger UI's files are missing: install wallaroo-ext[sandbox].", name="offapi")
    return Path(spec.origin).parent
