"""Fixtures for the tests of projects that use this one: a sandbox, and a client of it."""
