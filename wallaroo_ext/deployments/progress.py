"""Showing how far a deployment is: a function that is called with each status, or a line on the terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wallaroo_ext._util.progress import line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_mlops_client.models import DeploymentStatus

    Tell = Callable[[DeploymentStatus], object]
    Wanted = Tell | bool | None


@contextmanager
def shown(name: str, progress: Wanted) -> Generator[Tell | None]:
    """Give the function that is called with each status, for the time of a `with` block.

    Args:
        name: What is waited for.
        progress: The function itself, True for a line on standard error, or None.
    """
    if progress is not True:
        yield progress or None
        return
    with line(f"Waiting for {name}.") as write:
        yield None if write is None else lambda status: write(f"{name} is {status.status}.")
