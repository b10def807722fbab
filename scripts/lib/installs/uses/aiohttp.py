"""Calls an instance from asyncio by aiohttp."""

import asyncio

from wallaroo_ext import aio, connect


async def names() -> list[str]:
    client = connect(transport="aiohttp")
    async with client:
        found = await asyncio.gather(*(aio.list_workspaces(client) for _ in range(20)))
    return [workspace.name for workspace in found[0]]


assert asyncio.run(names())
