"""The queues of inference requests, one per deployment, so that no other request waits for models."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import anyio

from wallaroo_ext.sandbox.http.problems import unavailable
from wallaroo_ext.sandbox.http.threads import ThreadPool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

MAX_RUNNING = 4
MAX_WAITING = 60
_THREADS = 256

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _DeploymentQueue:
    """The requests to one deployment.

    Attributes:
        running: Limits how many requests run at a time.
        requests: The number of requests that run or wait.
    """

    running: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(MAX_RUNNING))
    requests: int = 0


class InferenceQueue:
    """The queues of all deployments, and the threads for the requests that run.

    Other requests use other threads, so that signing in takes no longer however many requests wait for models.
    """

    def __init__(self) -> None:
        self._queues: dict[str, _DeploymentQueue] = {}
        self._threads = ThreadPool(_THREADS)

    async def run(self, deployment: str, work: Callable[[], _Answer]) -> _Answer:
        """Run a function in a thread when it is its turn in the deployment's queue, and return its result.

        Args:
            deployment: The deployment's name, as in the URL.
            work: The function, which waits for the deployment's models.

        Raises:
            Problem: 503, if the queue is full.
        """
        async with self._turn(deployment):
            return await self._threads.run(work)

    @asynccontextmanager
    async def _turn(self, deployment: str) -> AsyncGenerator[None]:
        """Wait for a turn in the deployment's queue, and hold it during the `with` block."""
        queue = self._queues.setdefault(deployment, _DeploymentQueue())
        if queue.requests >= MAX_RUNNING + MAX_WAITING:
            raise unavailable(
                f"upstream connect error: the deployment works on {MAX_RUNNING} requests, and {MAX_WAITING} more wait; "
                f"send this one again later"
            )
        queue.requests += 1
        try:
            async with queue.running:
                yield
        finally:
            queue.requests -= 1
            if not queue.requests:
                self._queues.pop(deployment, None)
