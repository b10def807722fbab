"""Does the vendor's SDK, as it is, do on a sandbox what the table of a day says?"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from contract_tests.support.servers.forks.fork_server import running
from contract_tests.vendor.day.calls import ABSENT, NEW, OLD
from contract_tests.vendor.day.whole import WHOLE
from contract_tests.vendor.environments import SANDBOXES, python, run
from contract_tests.vendor.table import TABLE, page, working

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Outcomes = list[dict[str, Any]]


def write_model(directory: Path, name: str, fields: tuple[str, str], weights: list[float]) -> None:
    """Write a model that multiplies a row with weights."""
    given, returned = fields
    graph = helper.make_graph(
        [helper.make_node("MatMul", [given, "weights"], [returned])],
        name,
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["N", len(weights)])],
        [helper.make_tensor_value_info(returned, TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(np.array(weights, np.float32).reshape(-1, 1), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (directory / f"{name}.onnx").write_bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Outcomes]:
    """Return a function that lives the day with a release of the SDK once, and returns what became of each call."""

    @cache
    def live(release: str) -> Outcomes:
        python(release)
        directory = tmp_path_factory.mktemp("day")
        write_model(directory, "sum", ("tensor", "total"), [1.0, 1.0, 1.0])
        write_model(directory, "double", ("tensor", "total"), [2.0, 2.0, 2.0])
        write_model(directory, "half", ("total", "half"), [0.5])
        (directory / "words.pkl").write_bytes(b"a model of another framework")
        with running(None, "--release", SANDBOXES[release]) as environment:
            program = ["-m", "contract_tests.vendor.day.whole", release, str(directory)]
            done = run(release, program, environment, directory)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return live


@pytest.mark.parametrize(
    "number", range(len(WHOLE)), ids=[f"{number} {call.name}" for number, call in enumerate(WHOLE, 1)]
)
@pytest.mark.parametrize("release", SANDBOXES)
def test_a_call_does_what_the_table_says(release: str, number: int, outcomes: Callable[[str], Outcomes]) -> None:
    call, found = WHOLE[number], outcomes(release)[number]
    assert found["name"] == call.name
    match call.reasons.get(release):
        case None:
            assert found["outcome"] == "works", found.get("trace")
        case reason if reason == ABSENT:
            assert found["outcome"] == "absent"
        case reason:
            assert found["outcome"] not in {"works", "absent"}, f"The table says: {reason}"
            assert not found["outcome"].startswith("KeyError"), "It lacks what an earlier call makes."


def test_the_table_is_up_to_date() -> None:
    assert TABLE.read_text(encoding="utf-8") == page(), "Run scripts/vendor-day."


def test_most_calls_of_a_day_work() -> None:
    assert len(working(NEW)) >= 60
    assert len(working(NEW)) * 65 >= len(WHOLE) * 60
    assert len(working(OLD)) >= 60


def test_each_call_is_there_once() -> None:
    assert len({(call.name, call.does) for call in WHOLE}) == len(WHOLE)
