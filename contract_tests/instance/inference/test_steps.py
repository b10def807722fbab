"""Are rows scored and logged rightly by several models, one behind or beside another, and by models of several axes?"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, distinct_rows, exact_scores, model_file
from wallaroo_ext.conformance.testing.answer_forms import ARROW, JSON, RECORDS, Answered
from wallaroo_ext.conformance.testing.inference.logged_rows import newest_logged, newest_of_topic
from wallaroo_ext.conformance.testing.inference.row_checks import check_whole_rows
from wallaroo_ext.conformance.testing.inference.scoring import (
    OPERATIONS,
    Scoring,
    deploy_steps,
    difference,
    records_of,
    shapes_of,
    uploaded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.conformance.testing.api_calls import Api

    Scorings = dict[str, Scoring | None]

pytestmark = [pytest.mark.thorough("several models, and models of several axes"), pytest.mark.separate]

BOTH = pytest.mark.touches(*OPERATIONS)
SEED, OTHER_SEED, THIRD_SEED, LAST_SEED = 29, 61, 71, 67
"""The seeds of the models: the run's, two beside it, and one behind it."""
SEEDS = (SEED, OTHER_SEED, THIRD_SEED)
LAST_OUTPUT = "behind"
FORMATS = ((RECORDS, JSON), (ARROW, ARROW))


def running(scoring: Scoring | None) -> Scoring:
    """Return a pipeline that runs; skip where the instance does not run such steps, which the contract leaves open."""
    if scoring is None:
        pytest.skip("This instance does not run such a pipeline.")
    return scoring


@pytest.fixture
def beside(api: Api, weighted: Scoring, scorings: Scorings) -> Scoring:
    """Return a pipeline with a step of three models, which get the same rows."""
    if "beside" not in scorings:
        contents = [model_file(seed) for seed in (OTHER_SEED, THIRD_SEED)]
        others = [uploaded(api, api.unused_name("m"), content, weighted.workspace_id) for content in contents]
        steps = [[weighted.model, *others]]
        scorings["beside"] = deploy_steps(api, api.unused_name("p"), weighted.workspace_id, steps)
    return running(scorings["beside"])


@pytest.fixture
def behind(api: Api, weighted: Scoring, scorings: Scorings) -> Scoring:
    """Return a pipeline with two steps, of which the second gets the outputs of the first."""
    if "behind" not in scorings:
        content = model_file(LAST_SEED, width=1, fields=(OUTPUT, LAST_OUTPUT))
        last = uploaded(api, api.unused_name("m"), content, weighted.workspace_id)
        steps = [[weighted.model], [last]]
        scorings["behind"] = deploy_steps(api, api.unused_name("p"), weighted.workspace_id, steps)
    return running(scorings["behind"])


@pytest.fixture
def turned(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model whose rows have two axes."""
    if "turned" not in scorings:
        model = uploaded(api, api.unused_name("m"), turning_model_file(), separate_workspace)
        scorings["turned"] = deploy_steps(api, api.unused_name("p"), separate_workspace, [[model]])
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


def outputs_beside(scoring: Scoring, rows: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the outputs of models beside one another, by the part of a row that they are in."""
    parts = ["out", *(f"out_{other['name']}" for other in scoring.others)]
    return {part: exact_scores(rows, seed) for part, seed in zip(parts, SEEDS, strict=True)}


def check_outputs(answered: Answered, expected: dict[str, np.ndarray[Any, Any]]) -> None:
    """Fail where the parts of rows with outputs are others, or have other values, than these of one field."""
    assert {part for part in answered.parts if part.startswith("out")} == set(expected)
    for part, scores in expected.items():
        wrong = difference(answered.parts[part][OUTPUT], scores)
        assert not wrong, f"{part}: {wrong}"


@BOTH
def test_of_models_beside_one_another_each_has_its_outputs(operation: str, api: Api, beside: Scoring) -> None:
    rows = distinct_rows(5, seed=3)
    expected = outputs_beside(beside, rows)
    other = f"out_{beside.others[0]['name']}"
    for media_type, accept in FORMATS:
        headers = {"Accept": accept}
        answer = beside.send(api, operation, {INPUT: rows}, media_type=media_type, headers=headers)
        answered = Answered.of(answer)
        if answered.is_oldest:
            pytest.skip("The release answers in another form.")
        check_outputs(answered, expected)
        check_whole_rows(api, answered, beside)
        for chosen in ({}, {"dataset[]": [other, "time"]}, {"dataset.exclude[]": other}):
            params = chosen | {"dataset.separator": "."}
            found = Answered.of(beside.send(api, operation, {INPUT: rows}, headers=headers, params=params))
            left = {name: expected[name] for name in expected if "dataset.exclude[]" not in chosen or name != other}
            check_outputs(found, {other: expected[other]} if "dataset[]" in chosen else left)
            assert "dataset[]" not in chosen or set(found.parts) == {other}


def logged(api: Api, scoring: Scoring, rows: np.ndarray[Any, Any], content: bytes) -> Iterator[tuple[Answered, Any]]:
    """Score rows, and yield them as the logs have them: with each, the numbers of the rows in its order."""
    if not api.has("get_pipeline_logs"):
        pytest.skip("The release does not have it.")
    answered = Answered.of(scoring.send(api, "infer_pipeline", {INPUT: rows}, content=content), [LAST_OUTPUT])
    for accept in (JSON, ARROW):
        yield newest_logged(api, scoring, answered, accept), slice(None, None, -1)
    newest = newest_of_topic(api, scoring, len(rows)) if api.has("get_topic_records") else None
    if newest is not None:
        yield newest, slice(None)


LOGGED = pytest.mark.touches("get_pipeline_logs", "infer_pipeline", if_there=("get_topic_records",))


@LOGGED
@pytest.mark.counts_rows
def test_the_outputs_of_models_beside_one_another_are_logged_in_one_row(api: Api, beside: Scoring) -> None:
    rows = distinct_rows(4, seed=8)
    for found, order in logged(api, beside, rows, records_of({INPUT: rows})):
        check_outputs(found, outputs_beside(beside, rows[order]))
        assert not difference(found.parts["in"][INPUT], rows[order])
        check_whole_rows(api, found, beside)


@LOGGED
@pytest.mark.counts_rows
def test_rows_of_models_behind_one_another_are_logged_as_they_were_answered(api: Api, behind: Scoring) -> None:
    rows = distinct_rows(4, seed=9)
    for found, order in logged(api, behind, rows, records_of({INPUT: rows})):
        check_chain(found, rows[order])
        check_whole_rows(api, found, behind, behind.others[-1])


@LOGGED
@pytest.mark.counts_rows
def test_rows_of_several_axes_are_logged_in_their_order(api: Api, turned: Scoring) -> None:
    rows = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    for found, order in logged(api, turned, rows, nested_records(rows)):
        assert not difference(found.parts["in"][INPUT], rows[order])
        assert not difference(found.parts["out"][OUTPUT], rows[order].transpose(0, 2, 1))
        check_whole_rows(api, found, turned)


def check_chain(answered: Answered, rows: np.ndarray[Any, Any]) -> None:
    """Fail where rows are not those that were sent to models behind one another, with the outputs of the last."""
    wrong = difference(answered.parts["out"][LAST_OUTPUT], exact_scores(rows, SEED) * model_weight(LAST_SEED))
    assert not wrong, wrong
    assert set(answered.parts["out"]) == {LAST_OUTPUT}
    if not answered.is_oldest:
        assert set(answered.parts["in"]) == {INPUT}, "the row is not the one that was sent"
        assert not difference(answered.parts["in"][INPUT], rows)


@BOTH
def test_of_two_models_behind_one_another_the_last_one_answers(operation: str, api: Api, behind: Scoring) -> None:
    rows = distinct_rows(5, seed=4)
    last = behind.others[-1]
    for media_type, accept in FORMATS:
        answer = behind.send(api, operation, {INPUT: rows}, media_type=media_type, headers={"Accept": accept})
        answered = Answered.of(answer, [LAST_OUTPUT])
        check_chain(answered, rows)
        check_whole_rows(api, answered, behind, last)


def model_weight(seed: int) -> np.float32:
    """Return the weight of a model with one input, as `model_file` has it."""
    return np.random.default_rng(seed).normal(size=(1, 1)).astype(np.float32)[0, 0]


@BOTH
def test_rows_of_several_axes_keep_their_order(operation: str, api: Api, turned: Scoring) -> None:
    rows = np.arange(30, dtype=np.float32).reshape(5, 2, 3)
    expected = rows.transpose(0, 2, 1)
    for media_type, accept in (*FORMATS, (RECORDS, ARROW)):
        content = None if media_type == ARROW else nested_records(rows)
        more: dict[str, Any] = {} if content is None else {"content": content}
        answer = turned.send(api, operation, {INPUT: rows}, media_type=media_type, headers={"Accept": accept}, **more)
        answered = Answered.of(answer)
        wrong = difference(answered.parts["out"][OUTPUT], expected)
        assert not wrong, f"out: {wrong}"
        if not answered.is_oldest:
            wrong = difference(answered.parts["in"][INPUT], rows)
            assert not wrong, f"in: {wrong}"
        check_whole_rows(api, answered, turned)
        if accept == ARROW:
            shapes = {("in", INPUT): rows.shape[1:], ("out", OUTPUT): expected.shape[1:]}
            assert shapes.items() <= shapes_of(answer.content).items()


def nested_records(rows: np.ndarray[Any, Any]) -> bytes:
    """Return rows of several axes as pandas writes them."""
    return json.dumps([{INPUT: row} for row in rows.tolist()]).encode()
