"""Runs an instance that gives each request one recorded answer, to measure clients alone; it prints its URL."""

from __future__ import annotations

import sys
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from scripts.lib.bench.answering import Answering, answering, serve

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_PATH = "/v1/api/pipelines/infer/bench-1/bench"


class Recorded(Answering):
    """Gives the recorded answer."""

    content: ClassVar[bytes] = b"[]"

    def answer(self) -> tuple[HTTPStatus, bytes]:
        """Return it."""
        return HTTPStatus.OK, self.content


def recorded_answer(file: Path) -> AbstractContextManager[str]:
    """Run the instance in a process of its own while a `with` block runs. Yields its inference URL.

    Args:
        file: The answer.
    """
    return answering(__file__, str(file))


if __name__ == "__main__":
    Recorded.content = Path(sys.argv[1]).read_bytes()
    serve(Recorded, _PATH)
