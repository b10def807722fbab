"""Helpers that several parts of this package share; none of them knows the API."""
