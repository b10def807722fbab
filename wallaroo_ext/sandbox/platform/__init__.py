"""What a platform serves beside the MLOps API: GraphQL over its tables, its configuration, and Keycloak's users."""
