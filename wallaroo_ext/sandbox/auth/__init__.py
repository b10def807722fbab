"""Users, tokens and keys, as Keycloak has them, and tokens of another issuer."""
