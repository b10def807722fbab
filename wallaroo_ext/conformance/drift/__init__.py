"""Finds how other descriptions of the API, and recordings of it, differ from the contract."""
