"""Who waits for models: in lines of their own, so that nobody else waits for them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import anyio

from wallaroo_ext.sandbox.http.problems import unavailable
from wallaroo_ext.sandbox.http.threads import OwnThreads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

AT_A_TIME = 4
MOST_WAITING = 60
_THREADS = 256

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Line:
    """The requests to one deployment.

    Attributes:
        places: How many more of them may be worked on.
        requests: How many there are, those that are worked on and those that wait.
    """

    places: anyio.Semaphore = field(default_factory=lambda: anyio.Semaphore(AT_A_TIME))
    requests: int = 0


class InferenceQueue:
    """The lines of all deployments, and the threads for those whose turn it is.

    Other requests have threads of their own: however many wait for models, signing in takes no longer.
    """

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._threads = OwnThreads(_THREADS)

    async def run(self, deployment: str, work: Callable[[], _Answer]) -> _Answer:
        """Do in a thread what waits for the models of a deployment, when it is this request's turn.

        Args:
            deployment: The deployment's name, as the URL has it.
            work: What is to be done.

        Raises:
            Problem: 503, where too many wait already.
        """
        async with self._turn(deployment):
            return await self._threads.run(work)

    @asynccontextmanager
    async def _turn(self, deployment: str) -> AsyncGenerator[None]:
        line = self._lines.setdefault(deployment, _Line())
        if line.requests >= AT_A_TIME + MOST_WAITING:
            raise unavailable(
                f"upstream connect error: the deployment works on {AT_A_TIME} requests, and {MOST_WAITING} more wait; "
                f"send this one again later"
            )
        line.requests += 1
        try:
            async with line.places:
                yield
        finally:
            line.requests -= 1
            if not line.requests:
                self._lines.pop(deployment, None)
