"""Do the steps of a pipeline do what recordings and the vendor's pages say, and are all others refused?"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from wallaroo_ext.sandbox.engine.confined.step_runs import StepRun
from wallaroo_ext.sandbox.engine.confined.worker import packed_results
from wallaroo_ext.sandbox.engine.model_process import Reply
from wallaroo_ext.sandbox.engine.results import Scored
from wallaroo_ext.sandbox.engine.steps import Model, StepError, chain, named_models, parse
from wallaroo_ext.sandbox.engine.tensors import TensorSpec, take_inputs
from wallaroo_ext.sandbox.http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_ext.sandbox.engine.tensors import Array

A, B, C = (Model(name, f"version of {name}", f"sha of {name}") for name in "abc")


@dataclass
class Times:
    """A model that multiplies its input `x` by a number."""

    model: Model
    factor: float
    output: str = "y"
    dtype: type[np.floating[Any]] = np.float32

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def version(self) -> str:
        return self.model.version

    @property
    def inputs(self) -> list[TensorSpec]:
        return [TensorSpec("x", np.dtype(np.float32), (None, 1))]

    def run(self, columns: Mapping[str, Any]) -> dict[str, Array]:
        rows = take_inputs(columns, self.inputs)["x"]
        return {self.output: (rows * self.factor).astype(self.dtype)}


@dataclass
class TimesTwice(Times):
    """A model whose output has each product twice."""

    def run(self, columns: Mapping[str, Any]) -> dict[str, Array]:
        return {name: np.repeat(tensor, 2, axis=1) for name, tensor in super().run(columns).items()}


MODELS = [Times(A, 2), Times(B, 3), Times(C, 5)]


def run(steps: list[Any], *models: Times, **columns: list[Any]) -> StepRun:
    """Run steps on rows whose `x` are 1, 2, 3 unless there are other ones."""
    fields = {"x": [1, 2, 3]} | columns
    table = pa.table({name: pa.array(values) for name, values in fields.items()})
    table = table.set_column(0, "x", pa.array([[float(value)] for value in fields["x"]], pa.list_(pa.float32())))
    done = StepRun(models or MODELS, {name: table.column(name) for name in table.column_names}, table.num_rows)
    done.run(parse(steps))
    return done


def answered(done: StepRun) -> list[list[float]]:
    """Return the first output of each answered model, a number a row."""
    return [next(iter(found.outputs.values())).reshape(-1).tolist() for found in done.answered]


def models(*named: Model) -> dict[str, Any]:
    return {"ModelInference": {"models": [model._asdict() for model in named]}}


def random_split(*weighted: tuple[float, Model], hash_key: str | None = None) -> dict[str, Any]:
    weights = [{"weight": weight, "model": model._asdict()} for weight, model in weighted]
    return {"RandomSplit": {"hash_key": hash_key, "weights": weights}}


def meta_value_split(key: str, control: Model, **routes: Model) -> dict[str, Any]:
    written = {value: model._asdict() for value, model in routes.items()}
    return {"MetaValueSplit": {"split_key": key, "control": control._asdict(), "routes": written}}


def rows_to_models(*pairs: tuple[int, Model]) -> dict[str, Any]:
    return {"RowsToModels": {"rows_to_models": [{"row_index": row, "model": model._asdict()} for row, model in pairs]}}


DAYS = 86_400 * 10**9


@pytest.mark.parametrize(
    "column",
    [
        pa.array([10**7 * DAYS // 10**9] * 3, pa.timestamp("s")),
        pa.array([1, 2, 3], pa.timestamp("s", "Nowhere/At_All")),
    ],
    ids=["after 9999", "unknown zone"],
)
@pytest.mark.parametrize("step", ["value", "weight"])
def test_values_that_cannot_be_compared_are_refused_by_the_name_of_their_field(column: Any, step: str) -> None:
    split = meta_value_split("when", A, b=B) if step == "value" else random_split((1, A), (1, B), hash_key="when")
    with pytest.raises(Problem, match=r"field 'when', whose values of type .* cannot be compared") as refused:
        run([split], when=column)
    assert refused.value.status == 400


def test_models_of_one_step_get_the_same_rows() -> None:
    done = run([models(A, B, C)])
    assert answered(done) == [[2, 4, 6], [3, 6, 9], [5, 10, 15]]
    assert [found.model for found in done.answered] == [0, 1, 2]


def test_steps_get_the_outputs_of_the_first_model_before() -> None:
    assert answered(run([models(A), models(B)])) == [[6, 12, 18]]
    assert answered(run([models(B, A), models(C)])) == [[15, 30, 45]]
    assert answered(run(chain([A, A]))) == [[4, 8, 12]]


def test_nth_selects_the_outputs_of_one_model() -> None:
    done = run([models(A, B), {"Nth": {"index": 1}}])
    assert (answered(done), done.answered[0].model) == ([[3, 6, 9]], 1)
    assert answered(run([models(A, B), {"Nth": {"index": 1}}, models(C)])) == [[15, 30, 45]]


def test_a_shadow_with_its_steps_answers_all_outputs() -> None:
    done = run([models(A, B), {"AuditResults": {"from": 1, "to": None}}, {"MultiOut": {}}])
    assert (answered(done), done.audited) == ([[2, 4, 6], [3, 6, 9]], [])


def test_what_is_audited_is_logged_though_it_is_not_answered() -> None:
    done = run([models(A, B, C), {"AuditResults": {"from": 1, "to": 2}}, {"Nth": {"index": 0}}])
    assert answered(done) == [[2, 4, 6]]
    assert [(found.model, found.outputs["y"].tolist()) for found in done.audited] == [(1, [[3], [6], [9]])]
    everything = run([models(A, B), {"AuditResults": {"from": 0, "to": None}}, {"Nth": {"index": 1}}])
    assert [found.model for found in everything.audited] == [0]


def test_chance_gives_all_rows_of_a_request_to_one_model_by_weight() -> None:
    random.seed(29)
    found = [run([random_split((2, A), (1, B), (0, C))]) for _ in range(300)]
    assert all(len(set(done.chosen.tolist())) == 1 for done in found if done.chosen is not None)
    of_first = sum(answered(done) == [[2, 4, 6]] for done in found)
    assert 150 < of_first < 250
    assert all(answered(done) in ([[2, 4, 6]], [[3, 6, 9]]) for done in found)


def test_a_number_of_the_hash_key_is_taken_instead_of_chance() -> None:
    step = random_split((1, A), (1, B), hash_key="key")
    done = run([step], x=[1, 1, 1, 1], key=[0.4, 0.6, 0.0, 1.0])
    assert (answered(done), done.chosen.tolist() if done.chosen is not None else None) == ([[2, 3, 2, 3]], [0, 1, 0, 1])


@pytest.mark.parametrize("written", ["{}", '"{}"', "[{}]"], ids=["number", "text", "list"])
def test_rows_of_one_hash_key_always_go_to_the_same_model(written: str) -> None:
    step = random_split((2, A), (1, B), hash_key="session")
    sessions = [json.loads(written.format(number + 2)) for number in range(600)]
    first = run([step], x=[1.0] * 600, session=sessions)
    again = run([step], x=[1.0] * 600, session=sessions[::-1])
    assert first.chosen is not None
    assert again.chosen is not None
    assert first.chosen.tolist() == again.chosen.tolist()[::-1]
    assert 330 < first.chosen.tolist().count(0) < 470


def test_without_the_hash_key_in_the_rows_it_is_chance() -> None:
    random.seed(29)
    step = random_split((1, A), (1, B), hash_key="session")
    assert {answered(run([step]))[0][0] for _ in range(40)} == {2, 3}


def test_a_field_names_the_model_of_each_row() -> None:
    step = meta_value_split("card", A, gold=B, silver=C)
    done = run([step], x=[1, 1, 1, 1], card=["gold", "tin", "silver", None])
    assert answered(done) == [[3, 2, 5, 2]]
    assert answered(run([step])) == [[2, 4, 6]]


@pytest.mark.parametrize(("key", "values"), [("1", [1, 2]), ("1", [1.0, 0.5]), ("true", [True, False])])
def test_a_field_of_a_split_may_have_numbers_and_truth_values(key: str, values: list[Any]) -> None:
    assert answered(run([meta_value_split("key", A, **{key: B})], x=[1, 1], key=values)) == [[3, 2]]


def test_rows_go_to_models_by_their_number() -> None:
    step = rows_to_models((0, A), (1, B), (2, A))
    assert answered(run([step])) == [[2, 6, 6]]
    with pytest.raises(Problem, match="gives row 3 to no model"):
        run([step], x=[1, 2, 3, 4])


def test_a_split_may_come_after_another_step_and_before_one() -> None:
    step = meta_value_split("card", A, gold=B)
    done = run([models(C), step, models(C)], card=["gold", "tin", "gold"])
    assert answered(done) == [[75, 100, 225]]
    assert done.chosen is not None
    assert done.chosen.tolist() == [1, 0, 1]


@pytest.mark.parametrize("other", [Times(B, 3, output="z"), Times(B, 3, dtype=np.float64)], ids=["name", "type"])
def test_rows_of_one_request_that_would_have_different_outputs_are_refused(other: Times) -> None:
    step = meta_value_split("card", A, gold=B)
    with pytest.raises(Problem, match=r"'a' has 'y' of float32 .1., and 'b' has '[yz]' of float"):
        run([step], MODELS[0], other, card=["gold", "tin", "gold"])
    assert answered(run([step], MODELS[0], other, card=["gold"] * 3)) == [[3, 6, 9]]


def test_outputs_of_another_shape_are_different_ones() -> None:
    with pytest.raises(Problem, match=r"'a' has 'y' of float32 \[1\], and 'b' has 'y' of float32 \[2\]"):
        run([meta_value_split("card", A, gold=B)], MODELS[0], TimesTwice(B, 3), card=["gold", "tin", "gold"])


def test_no_rows_have_the_outputs_of_the_first_model() -> None:
    for step in (random_split((1, A), (1, B)), rows_to_models((0, A)), meta_value_split("card", A, gold=B)):
        done = run([step], x=[])
        assert done.answered[0].outputs["y"].shape == (0, 1)


def test_a_reply_has_everything_that_the_run_has() -> None:
    steps = [meta_value_split("card", A, gold=B), {"AuditResults": {"from": 0}}, models(B, C)]
    done = run(steps, card=["gold", "tin", "gold"])
    header, chunks = packed_results(done)
    content = memoryview(b"".join(bytes(chunk) for chunk in chunks))
    scored = Scored.of(Reply(json.loads(json.dumps(header)), content, has_rows=False, elapsed_ns=7), [A, B, C])
    assert [(found.model, found.name) for found in scored.results] == [(B, "b"), (C, "c")]
    assert [(found.model, found.name) for found in scored.audited] == [(None, "a")]
    assert scored.chosen is not None
    assert scored.chosen.numbers.tolist() == [1, 0, 1]
    assert scored.results[0].outputs["y"].tolist() == [[9], [12], [27]]


BAD_REPLIES: list[dict[str, Any]] = [
    {"answered": []},
    {"answered": [{"model": 3, "outputs": []}]},
    {"answered": [{"model": True, "outputs": []}]},
    {"answered": [{"model": 0, "is_split": True, "outputs": []}]},
    {"answered": [{"model": 0, "outputs": [{"name": "y", "dtype": "float32", "shape": [1]}]}]},
    {"answered": [{"model": 0}], "chosen": [{"name": "chosen", "dtype": "int32", "shape": [0, 1]}]},
    {"answered": [{"model": 0}], "chosen": [{"name": "chosen", "dtype": "float32", "shape": [0]}]},
]


@pytest.mark.parametrize("changed", BAD_REPLIES)
def test_a_reply_is_not_trusted(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"output|choice"):
        Scored.of(Reply(changed, memoryview(b""), has_rows=False, elapsed_ns=7), [A, B, C])


BAD_STEPS: list[tuple[Any, str]] = [
    ([models(A), {"Average": {}}], "Step 1 of the pipeline, 'Average', is none that the sandbox can run"),
    ([{"Check": {"tree": ["{}"]}}, models(A)], "Step 0 of the pipeline, 'Check'"),
    ([{}], "has to have one name, and has nothing"),
    ([models(A) | {"MultiOut": {}}], "one name, and has 'ModelInference', 'MultiOut'"),
    (["ModelInference"], "has to be an object"),
    ({"ModelInference": {}}, "has to be a list"),
    ([{"MultiOut": {}}], "run no model"),
    ([models()], "names no model"),
    ([{"ModelInference": {"models": [{"name": "a"}]}}], "The version of a model has to be a text"),
    ([models(A, B, B)], "Two models after the first one have the name 'b'"),
    (
        [models(A, B), {"Nth": {"index": 2}}],
        "Step 1 of the pipeline selects the model 2, and the step before has 2",
    ),
    ([{"Nth": {"index": 0}}, models(A)], "the step before has 0"),
    ([models(A), {"Nth": {"index": -1}}], "index has to be a whole number"),
    ([models(A), {"AuditResults": {"from": 0.5}}], "from has to be a whole number"),
    ([random_split()], "names no model"),
    ([random_split((0, A), (0, B))], "no finite sum above 0"),
    ([random_split((-1, A), (2, B))], "A weight has to be a number of 0 or more"),
    ([{"RandomSplit": {"weights": [{"model": A._asdict()}]}}], "A weight has to be a number"),
    ([{"MetaValueSplit": {"split_key": "", "control": A._asdict(), "routes": {}}}], "split_key has to be a text"),
    ([rows_to_models((0, A), (0, B))], "A row is given to two models"),
]


@pytest.mark.parametrize(("steps", "why"), BAD_STEPS)
def test_steps_that_cannot_run_are_refused_with_the_reason(steps: Any, why: str) -> None:
    with pytest.raises(StepError, match=why):
        parse(steps)


def test_null_is_as_good_as_absent() -> None:
    assert parse([models(A) | {"RandomSplit": None}, {"AuditResults": {"from": None, "to": None}}])


def test_the_models_of_all_steps_are_named() -> None:
    steps: list[Any] = [
        meta_value_split("k", A, b=B),
        rows_to_models((0, C)),
        random_split((1, A)),
        models(B, C),
        {"New": {}},
    ]
    assert named_models(steps) == [A, B, C, A, B, C]
    assert named_models(None) == []
