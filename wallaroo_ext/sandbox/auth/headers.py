"""The headers of every answer of the token endpoint, as Keycloak sends them."""

# Keycloak also sends Strict-Transport-Security. Here, it would make a browser refuse plain http from every program on a
# machine on which a sandbox once served https.
GUARD_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Robots-Tag": "none",
}
TOKEN_HEADERS = GUARD_HEADERS | {"Cache-Control": "no-store", "Pragma": "no-cache"}
