"""Are rows scored and logged rightly by several models, one behind or beside another, and by models of several axes?"""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, distinct_rows, exact_scores, model_file
from wallaroo_ext.conformance.testing.answer_forms import Answered
from wallaroo_ext.conformance.testing.logged_rows import pages_of_log
from wallaroo_ext.conformance.testing.scoring import (
    ARROW,
    RECORDS,
    Scoring,
    deploy_steps,
    difference,
    shapes_of,
    uploaded,
)
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

    Scorings = dict[str, Scoring | None]

pytestmark = pytest.mark.thorough("several models, and models of several axes")

JSON = "application/json"
BOTH = pytest.mark.touches("infer_deployment", "infer_pipeline")
SEED, OTHER_SEED, LAST_SEED = 29, 61, 67
"""The seeds of the models: the run's, one beside it, and one behind it."""
LAST_OUTPUT = "behind"
FORMATS = ((RECORDS, JSON), (ARROW, ARROW))


@pytest.fixture(params=["infer_deployment", "infer_pipeline"])
def operation(request: pytest.FixtureRequest) -> str:
    """Return one kind of inference URL after the other."""
    return request.param


def running(scoring: Scoring | None) -> Scoring:
    """Return a pipeline that runs; skip where the instance does not run such steps, which the contract leaves open."""
    if scoring is None:
        pytest.skip("This instance does not run such a pipeline.")
    return scoring


@pytest.fixture
def beside(api: Api, fixtures: Fixtures, scorings: Scorings) -> Scoring:
    """Return a pipeline with a step of two models, which get the same rows."""
    if "beside" not in scorings:
        assert fixtures.model is not None
        other = uploaded(api, api.unused_name("m"), model_file(OTHER_SEED), fixtures.workspace_id)
        steps = [[fixtures.model, other]]
        scorings["beside"] = deploy_steps(api, api.unused_name("p"), fixtures.workspace_id, steps)
    return running(scorings["beside"])


@pytest.fixture
def behind(api: Api, fixtures: Fixtures, scorings: Scorings) -> Scoring:
    """Return a pipeline with two steps, of which the second gets the outputs of the first."""
    if "behind" not in scorings:
        assert fixtures.model is not None
        content = model_file(LAST_SEED, width=1, fields=(OUTPUT, LAST_OUTPUT))
        last = uploaded(api, api.unused_name("m"), content, fixtures.workspace_id)
        steps = [[fixtures.model], [last]]
        scorings["behind"] = deploy_steps(api, api.unused_name("p"), fixtures.workspace_id, steps)
    return running(scorings["behind"])


@pytest.fixture
def turned(api: Api, fixtures: Fixtures, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model whose rows have two axes."""
    if "turned" not in scorings:
        model = uploaded(api, api.unused_name("m"), turning_model_file(), fixtures.workspace_id)
        scorings["turned"] = deploy_steps(api, api.unused_name("p"), fixtures.workspace_id, [[model]])
    return running(scorings["turned"])


@cache
def turning_model_file() -> bytes:
    """Return an ONNX model that turns rows of 2 by 3 values into rows of 3 by 2."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Transpose", [INPUT], [OUTPUT], perm=[0, 2, 1])],
        "turning",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", 2, 3])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 3, 2])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7).SerializeToString()


@BOTH
def test_of_two_models_beside_one_another_each_has_its_outputs(operation: str, api: Api, beside: Scoring) -> None:
    rows = distinct_rows(5, seed=3)
    other = f"out_{beside.others[0]['name']}"
    expected = {"out": exact_scores(rows, SEED), other: exact_scores(rows, OTHER_SEED)}
    for media_type, accept in FORMATS:
        answer = beside.send(api, operation, {INPUT: rows}, media_type=media_type, headers={"Accept": accept})
        answered = Answered.of(answer)
        if answered.is_oldest:
            pytest.skip("The release answers in another form.")
        for part, scores in expected.items():
            wrong = difference(answered.parts[part][OUTPUT], scores)
            assert not wrong, f"{part}: {wrong}"
        assert answered.last_models <= {(beside.model["name"], beside.model["sha"])}
        only = {"dataset[]": [other, "time"], "dataset.separator": "."}
        answer = beside.send(api, operation, {INPUT: rows}, headers={"Accept": accept}, params=only)
        assert set(Answered.of(answer).parts) == {other}


@pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
@pytest.mark.counts_rows
def test_the_outputs_of_two_models_are_logged_in_one_row(api: Api, beside: Scoring) -> None:
    if not api.has("get_pipeline_logs"):
        pytest.skip("The release does not have it.")
    rows = distinct_rows(4, seed=time.time_ns())
    assert beside.send(api, "infer_pipeline", {INPUT: rows}).is_success
    other = f"out_{beside.others[0]['name']}"
    expected = {"out": exact_scores(rows, SEED), other: exact_scores(rows, OTHER_SEED)}
    for accept in (JSON, ARROW):

        def newest(accept: str = accept) -> Answered | None:
            page = next(pages_of_log(api, beside, page_size=len(rows), headers={"Accept": accept}))
            found = Answered.of(page)
            is_there = found.count == len(rows) and not difference(found.parts["in"][INPUT], rows[::-1])
            return found if is_there else None

        logged = soon(newest, lambda: "the newest rows of the log are not those that were scored last")
        for part, scores in expected.items():
            wrong = difference(logged.parts[part][OUTPUT], scores[::-1])
            assert not wrong, f"{part}: {wrong}"


@BOTH
def test_of_two_models_behind_one_another_the_last_one_answers(operation: str, api: Api, behind: Scoring) -> None:
    rows = distinct_rows(5, seed=4)
    first = exact_scores(rows, SEED)
    expected = first * model_weight(LAST_SEED)
    last = behind.others[-1]
    for media_type, accept in FORMATS:
        answer = behind.send(api, operation, {INPUT: rows}, media_type=media_type, headers={"Accept": accept})
        answered = Answered.of(answer, [LAST_OUTPUT])
        wrong = difference(answered.parts["out"][LAST_OUTPUT], expected)
        assert not wrong, wrong
        assert set(answered.parts["out"]) == {LAST_OUTPUT}
        assert answered.last_models <= {(last["name"], last["sha"])}


def model_weight(seed: int) -> np.float32:
    """Return the weight of a model with one input, as `model_file` has it."""
    return np.random.default_rng(seed).normal(size=(1, 1)).astype(np.float32)[0, 0]


@BOTH
def test_rows_of_several_axes_keep_their_order(operation: str, api: Api, turned: Scoring) -> None:
    rows = np.arange(30, dtype=np.float32).reshape(5, 2, 3)
    expected = rows.transpose(0, 2, 1)
    for media_type, accept in (*FORMATS, (RECORDS, ARROW)):
        content = None if media_type == ARROW else json.dumps([{INPUT: row} for row in rows.tolist()]).encode()
        more: dict[str, Any] = {} if content is None else {"content": content}
        answer = turned.send(api, operation, {INPUT: rows}, media_type=media_type, headers={"Accept": accept}, **more)
        answered = Answered.of(answer)
        wrong = difference(answered.parts["out"][OUTPUT], expected)
        assert not wrong, f"out: {wrong}"
        if not answered.is_oldest:
            wrong = difference(answered.parts["in"][INPUT], rows)
            assert not wrong, f"in: {wrong}"
        if accept == ARROW:
            assert shapes_of(answer.content)["out", OUTPUT] == expected.shape[1:]
