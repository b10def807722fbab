"""Users, tokens and keys in the form of Keycloak's, and tokens from another issuer."""
