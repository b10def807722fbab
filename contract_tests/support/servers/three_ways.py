"""One request in the three ways that clients send: in a thread, in asyncio, and in asyncio by aiohttp."""

from __future__ import annotations

import asyncio
from typing import Any

from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

from wallaroo_ext import RetryPolicy, aio, call, connect

WAYS = ["sync", "async", "aiohttp"]
TOKEN = {"WALLAROO_TOKEN": "a-token-of-the-tests"}
USER = {"WALLAROO_USER": "u@example.com", "WALLAROO_PASSWORD": "a-password", "WALLAROO_CLIENT_SECRET": "a-secret"}


_EVERYTHING = ListWorkspacesRequest()


def list_in(
    way: str,
    url: str,
    environment: dict[str, str] = TOKEN,
    *,
    body: ListWorkspacesRequest = _EVERYTHING,
    deadline: float = 60,
    **options: Any,
) -> Any:
    """List the workspaces of a server, in one of the three ways; the answer, as the generated client reads it.

    Args:
        way: One of `WAYS`.
        url: The server.
        environment: What `connect` reads.
        body: What is asked.
        deadline: How long it may take, in seconds.
        **options: What else `connect` takes.
    """
    options = {"environment": environment, "retries": RetryPolicy(attempts=1, deadline=deadline)} | options
    if way == "sync":
        with connect(url, **options) as client:
            return call(list_workspaces, client=client, body=body)

    async def go() -> Any:
        backend: Any = {} if way == "async" else {"transport": "aiohttp"}
        async with connect(url, **options, **backend) as client:
            return await aio.call(list_workspaces, client=client, body=body)

    return asyncio.run(go())
