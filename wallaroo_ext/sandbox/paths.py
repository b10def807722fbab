"""The paths that the sandbox serves beside those of the contract."""

TOKEN_ENDPOINT = "/protocol/openid-connect/token"  # noqa: S105 - a path
KEYS_ENDPOINT = "/protocol/openid-connect/certs"
DISCOVERY_ENDPOINT = "/.well-known/openid-configuration"
"""Keycloak's endpoints, relative to the path of a realm. The contract has the whole path of the token endpoint."""

DOCS_PAGE = "/v1/api/docs"
"""The contract as a web page. The page's files are below this path."""

CONTROL = "/_sandbox"
"""The routes that steer the sandbox are below this path."""

GRAPHQL = "/v1/graphql"
"""GraphQL over the tables of the platform."""

CONFIGURATION = "/v1/api/config"
"""What clients read before they sign in."""


def realm_path(token_path: str) -> str:
    """Return the path of the realm that a token endpoint belongs to."""
    return token_path.removesuffix(TOKEN_ENDPOINT)


def user_administration_path(token_path: str) -> str:
    """Return the path at which Keycloak administers the users of the realm that a token endpoint belongs to."""
    root, _, realm = realm_path(token_path).partition("/realms/")
    return f"{root}/admin/realms/{realm}/users"
