"""Edits of the contract as people make them: what becomes of each, in every program that reads the contract."""
