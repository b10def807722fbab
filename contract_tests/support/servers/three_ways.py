"""Sends a request by each kind of client: sync, asyncio with httpx, and asyncio with aiohttp."""

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
    """List the workspaces of a server by one kind of client. Returns the parsed answer.

    Args:
        way: One of `WAYS`.
        url: The server.
        environment: The environment variables for `connect`.
        body: The request.
        deadline: The seconds that it may take.
        **options: Further options of `connect`.
    """
    options = {"environment": environment, "retries": RetryPolicy(attempts=1, deadline=deadline)} | options
    if way == "sync":
        with connect(url, **options) as client:
            return call(list_workspaces, client=client, body=body)

    async def list_async() -> Any:
        backend: Any = {} if way == "async" else {"transport": "aiohttp"}
        async with connect(url, **options, **backend) as client:
            return await aio.call(list_workspaces, client=client, body=body)

    return asyncio.run(list_async())
