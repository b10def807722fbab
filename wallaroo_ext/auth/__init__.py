"""Authentication: `httpx.Auth` objects that put a bearer token on each request, and renew it.

`KeycloakAuth` gets its tokens from Keycloak, `BearerToken` from its caller. Both work in httpx's synchronous and
asynchronous clients (asyncio's, not trio's), and one object serves any number of threads and event loops.
"""

from wallaroo_ext.auth.keycloak import KeycloakAuth
from wallaroo_ext.auth.static_token import BearerToken

__all__ = ["BearerToken", "KeycloakAuth"]
