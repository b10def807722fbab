"""The steps of a pipeline's definition: parses them, and names the models that they run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class StepError(ValueError):
    """The steps are none that the engine can run; the message says why."""


class Model(NamedTuple):
    """A model version as steps name it."""

    name: str
    version: str
    sha: str


@dataclass(frozen=True, slots=True)
class ModelInference:
    """Runs each of its models on the same rows. The next step gets the outputs of the first model.

    Attributes:
        models: The models, at least one. With several, the first is the champion and the others are its shadows.
    """

    models: tuple[Model, ...]


@dataclass(frozen=True, slots=True)
class RandomSplit:
    """Runs one of several models.

    Attributes:
        models: The models, at least one.
        weights: The weight of each, not all of them 0.
        hash_key: The field of the request's rows by which a row always goes to the same model; None for chance.
    """

    models: tuple[Model, ...]
    weights: tuple[float, ...]
    hash_key: str | None


@dataclass(frozen=True, slots=True)
class MetaValueSplit:
    """Runs, for each row, the model of the route that a field of the row names.

    Attributes:
        models: The model for rows without a route, and that of each route.
        split_key: The field of the request's rows.
        routes: The values of the field that have a route, in the order of their models.
    """

    models: tuple[Model, ...]
    split_key: str
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowsToModels:
    """Runs, for each row, the model of its number.

    Attributes:
        models: The models.
        rows: The number of the row for each model.
    """

    models: tuple[Model, ...]
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AuditResults:
    """Logs the outputs of some models of the step before, whether they are answered or not.

    Attributes:
        start: The number of the first model.
        end: The number behind the last one; None for all.
    """

    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class MultiOut:
    """Answers the outputs of all models of the step before, which the engine does anyway unless one is selected."""


@dataclass(frozen=True, slots=True)
class Nth:
    """Selects the outputs of one model of the step before.

    Attributes:
        index: The number of the model.
    """

    index: int


Split: TypeAlias = RandomSplit | MetaValueSplit | RowsToModels
Step: TypeAlias = ModelInference | Split | AuditResults | MultiOut | Nth


def parse(steps: Any) -> tuple[Step, ...]:
    """Return the steps of a definition.

    Raises:
        StepError: There is no such step, one is malformed, or they cannot run in this order.
    """
    parsed = tuple(_parse_step(number, step) for number, step in enumerate(_list(steps, "steps")))
    _check_order(parsed)
    return parsed


def named_models(steps: Any) -> list[Model]:
    """Return the models that the steps of a definition name, in order; malformed steps name none."""
    named: list[Model] = []
    for step in list_of(steps):
        try:
            named += models_of(_parse_step(0, step))
        except StepError:
            continue  # the deployment will say it
    return named


def models_of(step: Step) -> tuple[Model, ...]:
    """Return the models that a step runs."""
    return () if isinstance(step, AuditResults | MultiOut | Nth) else step.models


def chain(models: Iterable[Model]) -> list[dict[str, Any]]:
    """Return the steps, as in a definition, that run some models one after the other."""
    return [{"ModelInference": {"models": [model._asdict()]}} for model in models]


def _parse_step(number: int, step: Any) -> Step:
    given = {name: content for name, content in _object(step, "A step").items() if content is not None}
    if len(given) != 1:
        found = ", ".join(map(repr, given)) or "nothing"
        raise StepError(f"Step {number} of the pipeline has to have one name, and has {found}.")
    [(name, content)] = given.items()
    parser = _PARSERS.get(name)
    if parser is None:
        known = ", ".join(_PARSERS)
        raise StepError(f"Step {number} of the pipeline, {name!r}, is none that the sandbox can run; it runs {known}.")
    try:
        return parser(_object(content, f"The step {name!r}"))
    except StepError as error:
        raise StepError(f"Step {number} of the pipeline, {name!r}, cannot be run: {error}") from None


def _check_order(steps: tuple[Step, ...]) -> None:
    """Check that there are models, and that each selected one is there."""
    count = 0
    for number, step in enumerate(steps):
        if isinstance(step, ModelInference):
            count = len(step.models)
        elif isinstance(step, Nth):
            if step.index >= count:
                raise StepError(
                    f"Step {number} of the pipeline selects the model {step.index}, and the step before has {count}."
                )
            count = 1
        elif not isinstance(step, AuditResults | MultiOut):
            count = 1
    if not count:
        raise StepError("The steps of the pipeline run no model.")


def _inference(content: dict[str, Any]) -> ModelInference:
    models = _some([_model(item) for item in _list(content.get("models"), "models")])
    shadows = [model.name for model in models[1:]]
    for name in shadows:
        if shadows.count(name) > 1:
            raise StepError(f"Two models after the first one have the name {name!r}, as their outputs would have, too.")
    return ModelInference(models)


def _random_split(content: dict[str, Any]) -> RandomSplit:
    options = [_object(item, "A weight") for item in _list(content.get("weights"), "weights")]
    models = _some([_model(option.get("model")) for option in options])
    weights = tuple(_weight(option.get("weight")) for option in options)
    if not 0 < sum(weights) < math.inf:
        raise StepError("The weights have no finite sum above 0.")
    key = content.get("hash_key")
    return RandomSplit(models, weights, None if key is None else _text(key, "hash_key"))


def _weight(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise StepError("A weight has to be a number of 0 or more.")
    return float(value)


def _meta_value_split(content: dict[str, Any]) -> MetaValueSplit:
    routes = {value: _model(model) for value, model in _object(content.get("routes"), "routes").items()}
    models = (_model(content.get("control")), *routes.values())
    return MetaValueSplit(models, _text(content.get("split_key"), "split_key"), tuple(routes))


def _rows_to_models(content: dict[str, Any]) -> RowsToModels:
    pairs = [_object(item, "A pair") for item in _list(content.get("rows_to_models"), "rows_to_models")]
    models = _some([_model(pair.get("model")) for pair in pairs])
    rows = tuple(_number(pair.get("row_index"), "row_index") for pair in pairs)
    if len(set(rows)) < len(rows):
        raise StepError("A row is given to two models.")
    return RowsToModels(models, rows)


def _audit(content: dict[str, Any]) -> AuditResults:
    start, end = content.get("from"), content.get("to")
    return AuditResults(0 if start is None else _number(start, "from"), None if end is None else _number(end, "to"))


_PARSERS: dict[str, Callable[[dict[str, Any]], Step]] = {
    "ModelInference": _inference,
    "RandomSplit": _random_split,
    "MetaValueSplit": _meta_value_split,
    "RowsToModels": _rows_to_models,
    "AuditResults": _audit,
    "MultiOut": lambda _: MultiOut(),
    "Nth": lambda content: Nth(_number(content.get("index"), "index")),
}


def _some(models: list[Model]) -> tuple[Model, ...]:
    if not models:
        raise StepError("It names no model.")
    return tuple(models)


def _model(value: Any) -> Model:
    given = _object(value, "A model")
    return Model(*(_text(given.get(name), f"The {name} of a model") for name in Model._fields))


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StepError(f"{what} has to be an object.")
    return object_of(value)  # pyright: ignore[reportUnknownArgumentType] - a JSON object


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise StepError(f"{what} has to be a list.")
    return list_of(value)  # pyright: ignore[reportUnknownArgumentType] - a JSON list


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise StepError(f"{what} has to be a text.")
    return value


def _number(value: Any, what: str) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1 and value >= 0
    if not whole:
        raise StepError(f"{what} has to be a whole number of 0 or more.")
    return int(value)
