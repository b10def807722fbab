"""Connections to an instance, for threads and for asyncio: pooled, timed, encrypted, and through proxies."""
