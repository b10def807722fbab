"""Runs the steps of a pipeline on the rows of a request."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.sandbox.engine.steps import AuditResults, MetaValueSplit, ModelInference, MultiOut, Nth, RandomSplit
from wallaroo_ext.sandbox.engine.tensors import to_column
from wallaroo_ext.sandbox.http.problems import engine_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wallaroo_ext.sandbox.engine.steps import Model, RowsToModels, Split, Step
    from wallaroo_ext.sandbox.engine.tensors import Array, Column, TensorSpec

_HASH_BYTES = 8


class RunnableModel(Protocol):
    """A loaded model."""

    @property
    def version(self) -> str:
        """The UUID of its version."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def inputs(self) -> list[TensorSpec]:
        """Its inputs."""
        ...

    def run(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """Return its outputs for the rows of some columns, by name."""
        ...


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """What a model made of the rows, or what the models of a split did.

    Attributes:
        model: The number of the model among the loaded ones; with a split, of its first model.
        outputs: The outputs, by name.
        is_split: Whether the rows went to several models.
    """

    model: int
    outputs: dict[str, Array]
    is_split: bool = False


@dataclass(slots=True)
class StepRun:
    """The run of a pipeline's steps on some rows.

    Attributes:
        models: The loaded models.
        rows: The columns of the request, by name.
        count: The number of rows.
        answered: The outputs of the last step, those of its first model first.
        audited: The outputs to log besides.
        chosen: The number of the model that the last split chose for each row; None without a split.
    """

    models: Sequence[RunnableModel]
    rows: Mapping[str, Column]
    count: int
    answered: list[ModelOutputs] = field(default_factory=list[ModelOutputs])
    audited: list[ModelOutputs] = field(default_factory=list[ModelOutputs])
    chosen: Array | None = None

    def run(self, steps: Sequence[Step]) -> None:
        """Run steps one after the other; the outputs of each one's first model are the rows of the next.

        Raises:
            Problem: In the engine's form, if a model refuses the rows.
        """
        for step in steps:
            self._run_step(step)
        self.audited = [outputs for outputs in self.audited if not any(outputs is other for other in self.answered)]

    def _run_step(self, step: Step) -> None:
        if isinstance(step, ModelInference):
            columns = self._columns()
            numbers = [self._number(model) for model in step.models]
            self.answered = [ModelOutputs(number, self._score(number, columns)) for number in numbers]
        elif isinstance(step, AuditResults):
            self.audited += self.answered[step.start : step.end]
        elif isinstance(step, Nth):
            self.answered = [self.answered[step.index]]
        elif not isinstance(step, MultiOut):
            self._split(step)

    def _number(self, model: Model) -> int:
        """Return the number of a model among the loaded ones."""
        return next(number for number, loaded in enumerate(self.models) if loaded.version == model.version)

    def _columns(self) -> Mapping[str, Column]:
        """Return the rows of the next step."""
        if not self.answered:
            return self.rows
        return {name: pa.chunked_array([to_column(tensor)]) for name, tensor in self.answered[0].outputs.items()}

    def _score(self, number: int, columns: Mapping[str, Column]) -> dict[str, Array]:
        """Return a model's outputs; of another model's outputs, a single one fits a single input of any name."""
        model = self.models[number]
        if self.answered and len(columns) == len(model.inputs) == 1:
            columns = {model.inputs[0].name: next(iter(columns.values()))}
        return model.run(columns)

    def _split(self, step: Split) -> None:
        """Give each row to one model of a split."""
        columns = self._columns()
        numbers = np.array([self._number(model) for model in step.models], np.int32)
        chosen = numbers[_choices(step, self.rows, self.count)]
        used: list[int] = np.unique(chosen).tolist() or [int(numbers[0])]
        if len(used) == 1:
            outputs = self._score(used[0], columns)
        else:
            parts = {number: np.flatnonzero(chosen == number) for number in used}
            scored = {number: self._score(number, _take(columns, rows)) for number, rows in parts.items()}
            outputs = self._merge(parts, scored)
        self.chosen = chosen
        self.answered = [ModelOutputs(int(numbers[0]), outputs, is_split=True)]

    def _merge(self, parts: dict[int, Array], scored: dict[int, dict[str, Array]]) -> dict[str, Array]:
        """Return the outputs of several models, each for some of the rows, in the order of the rows.

        Raises:
            Problem: 400 in the engine's form, if the models have different outputs, which fit into no column.
        """
        first, *others = scored
        for other in others:
            if _outputs_of(scored[first]) != _outputs_of(scored[other]):
                raise engine_error(
                    f"The rows go to models with different outputs: {self.models[first].name!r} has "
                    f"{_described(scored[first])}, and {self.models[other].name!r} has {_described(scored[other])}; "
                    f"send the rows of each model in a request of its own."
                )
        merged: dict[str, Array] = {}
        for name, tensor in scored[first].items():
            merged[name] = np.empty((self.count, *tensor.shape[1:]), tensor.dtype)
            for number, rows in parts.items():
                merged[name][rows] = scored[number][name]
        return merged


def _take(columns: Mapping[str, Column], rows: Array) -> dict[str, Column]:
    return {name: column.take(pa.array(rows)) for name, column in columns.items()}


def _outputs_of(outputs: dict[str, Array]) -> dict[str, tuple[Any, ...]]:
    """Return the type and the shape of a row of each output."""
    return {name: (tensor.dtype, tensor.shape[1:]) for name, tensor in outputs.items()}


def _described(outputs: dict[str, Array]) -> str:
    known = (
        f"{name!r} of {'string' if tensor.dtype == object else tensor.dtype} {list(tensor.shape[1:])}"
        for name, tensor in outputs.items()
    )
    return ", ".join(known)


def _choices(step: Split, rows: Mapping[str, Column], count: int) -> Array:
    """Return the number of the model, among those of the step, for each row."""
    if isinstance(step, RandomSplit):
        return _by_weight(step, rows, count)
    if isinstance(step, MetaValueSplit):
        return _by_value(step, rows, count)
    return _by_number(step, count)


def _by_weight(step: RandomSplit, rows: Mapping[str, Column], count: int) -> Array:
    """Choose by a number from 0 to 1, on which each model has a share of its weight.

    As the vendor's pages say, all rows of a request go to one model by chance. With the field of the hash key, each
    row goes by its value: by the value itself if it is a number from 0 to 1, otherwise by its hash.
    """
    shares = np.cumsum(step.weights) / sum(step.weights)
    if step.hash_key is not None and step.hash_key in rows:
        draws = np.array([_position(value) for value in _values(step.hash_key, rows)])
    else:
        draws = np.full(count, random.random())  # noqa: S311 - no secret depends on it
    last = max(number for number, weight in enumerate(step.weights) if weight)
    return np.minimum(np.searchsorted(shares, draws, side="right"), last)


def _position(value: Any) -> float:
    """Return a number from 0 to 1 that is always the same for a value."""
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    digest = hashlib.blake2b(_text(value).encode(), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big") / (1 << 8 * _HASH_BYTES)


def _by_value(step: MetaValueSplit, rows: Mapping[str, Column], count: int) -> Array:
    """Choose the model of the route that has the row's value as its name, or the first one."""
    if step.split_key not in rows:
        return np.zeros(count, np.intp)
    numbers = {value: number for number, value in enumerate(step.routes, 1)}
    return np.array([numbers.get(_text(value), 0) for value in _values(step.split_key, rows)], np.intp)


def _by_number(step: RowsToModels, count: int) -> Array:
    """Choose the model that has the row's number.

    Raises:
        Problem: 400 in the engine's form, if a row has no model.
    """
    numbers = {row: number for number, row in enumerate(step.rows)}
    for row in range(count):
        if row not in numbers:
            raise engine_error(f"The step 'RowsToModels' gives row {row} to no model.")
    return np.array([numbers[row] for row in range(count)], np.intp)


def _values(field: str, rows: Mapping[str, Column]) -> list[Any]:
    """Return the values of a field; a list of one value, as tensors of one column are, is that value.

    Raises:
        Problem: 400 in the engine's form, if Python has no such values: years after 9999, nanoseconds, unknown zones.
    """
    column = rows[field]
    try:
        values: list[Any] = column.to_pylist()
    except (ValueError, OverflowError, OSError, LookupError, pa.ArrowException) as error:
        raise engine_error(
            f"The pipeline splits rows by the field {field!r}, whose values of type {column.type} cannot be compared: "
            f"{error}."
        ) from None
    return [value[0] if len(list_of(value)) == 1 else value for value in values]


def _text(value: Any) -> str:
    """Return a value as text: a text as it is, a whole number without a fraction, everything else as JSON has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, default=str)
