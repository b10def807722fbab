"""Makes and uses a client when it is imported, for the test that preloads it into a fork server."""

from __future__ import annotations

from wallaroo_ext import connect, contract

_PATH = contract.operation("list_workspaces").path
_client = connect()


def ask(number: int) -> int:
    """Send a number. Returns the number in the answer."""
    return _client.get_httpx_client().post(_PATH, json={"number": number}).json()["number"]


ask(-1)
