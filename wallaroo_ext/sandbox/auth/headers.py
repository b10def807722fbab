"""The headers of everything that the token endpoint answers, as Keycloak has them."""

# Keycloak also sends Strict-Transport-Security, which would make a browser refuse plain http from every other program
# on a machine where the sandbox once spoke https.
GUARD_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Robots-Tag": "none",
}
TOKEN_HEADERS = GUARD_HEADERS | {"Cache-Control": "no-store", "Pragma": "no-cache"}
