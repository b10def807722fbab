"""Decides which requests a run may send: only those that the contract describes, about only what the run made."""
