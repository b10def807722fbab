"""Runs an instance that reads uploads and keeps nothing, to measure sending alone; the program prints its URL."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from scripts.lib.bench.answering import Answering, answering, serve
from wallaroo_ext import contract

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_VERSION = {"id": 1, "models_pk_id": 1, "model_version": "1", "sha": "", "status": "ready"}
_ANSWERS: dict[str, Any] = {
    "list_workspaces": {"workspaces": []},
    "upload_and_convert_model": {"insert_models": {"returning": [{"models": [{"id": 1}]}]}},
    "list_model_versions": [_VERSION],
}
"""Answers to the requests of `upload_model`; without a digest, it has nothing to compare."""


class Sink(Answering):
    """Answers the requests of `upload_model`."""

    _answers: ClassVar[dict[str, Any]] = {contract.operation(name).path: answer for name, answer in _ANSWERS.items()}

    def answer(self) -> tuple[HTTPStatus, bytes]:
        """Return the answer of the operation."""
        status = HTTPStatus.ACCEPTED if "upload" in self.path else HTTPStatus.OK
        return status, json.dumps(self._answers[self.path]).encode()


def sink() -> AbstractContextManager[str]:
    """Run a sink in a process of its own while a `with` block runs. Yields its URL."""
    return answering(__file__)


if __name__ == "__main__":
    serve(Sink)
