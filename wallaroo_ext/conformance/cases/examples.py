"""Helpers of the example tests: a small model, waiting, and a check of every answer against the contract."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from wallaroo_ext import contract
from wallaroo_ext.redaction.patterns import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpx

    from wallaroo_ext.conformance.rules import Rules
    from wallaroo_ext.transport.retry.clock import Clock

T = TypeVar("T")

INPUT, OUTPUT = "dense_input", "dense_1"
"""The fields of the small model: float32 `[N, 2]` and `[N, 1]`."""

_WEIGHTS = (0.5, 0.25)
_PATIENCE = 30.0


def small_model() -> bytes:
    """Return an ONNX model that adds half of the first number and a quarter of the second; always the same bytes."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", [INPUT, "weights"], [OUTPUT])],
        "half-and-quarter",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", len(_WEIGHTS)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(np.array([_WEIGHTS], np.float32).T, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def scored(row: list[float]) -> float:
    """Return the output of the small model for a row, computed without it."""
    return sum(weight * number for weight, number in zip(_WEIGHTS, row, strict=True))


def eventually(ask: Callable[[], T], clock: Clock, seconds: float = _PATIENCE) -> T:
    """Ask until the answer is not empty, or the time is over, and return the last answer."""
    deadline = clock.now() + seconds
    while not (answer := ask()) and clock.now() < deadline:
        clock.sleep(1)
    return answer


class AnswerChecker:
    """Checks every answer that a client gets against the contract.

    Args:
        rules: The rules of the contract.

    Attributes:
        succeeded: The operations that were answered with the status of their success.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.succeeded: set[str] = set()

    @contextmanager
    def checking(self, http: httpx.Client) -> Generator[None]:
        """Check the answers that a client of httpx gets in the block.

        Raises:
            AssertionError: An answer breaks the contract; raised where the request was sent.
        """
        before: dict[str, list[Any]] = http.event_hooks
        http.event_hooks = before | {"response": [*before["response"], self._check]}
        try:
            yield
        finally:
            http.event_hooks = before

    def _check(self, response: httpx.Response) -> None:
        operation = contract.operation_at(response.request.url.path)
        if operation is None:
            raise AssertionError(f"{response.request.url.path} is no operation of the contract.")
        if operation not in self._rules.operations:
            return  # the release does not have it, and whatever it answers there is no answer of its contract
        kind = response.headers.get("content-type", "")
        violations = [*self._rules.violations(operation, response.status_code, kind, response.read())]
        if violations:
            details = redact("; ".join(f"{found.check}: {found.message}" for found in violations[:3]))
            raise AssertionError(f"The answer {response.status_code} of {operation} breaks the contract: {details}")
        if self._rules.is_success(operation, response.status_code):
            self.succeeded.add(operation)
