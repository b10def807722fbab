"""What several parts of this package need, and nothing of the API."""
