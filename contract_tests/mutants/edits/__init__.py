"""Edits of the contract and of the generated client, and whether the checks notice them."""
