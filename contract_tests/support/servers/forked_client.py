"""A module that a server of forks loads, and that has made and used a client by then."""

from __future__ import annotations

from wallaroo_ext import connect, contract

_PATH = contract.operation("list_workspaces").path
_client = connect()


def ask(number: int) -> int:
    """Send a number, and get it back."""
    return _client.get_httpx_client().post(_PATH, json={"number": number}).json()["number"]


ask(-1)
