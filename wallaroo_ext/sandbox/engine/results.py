"""The results of scoring rows, read from the reply of a model process, which is not trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wallaroo_ext.sandbox.engine.model_process import Reply
    from wallaroo_ext.sandbox.engine.steps import Model
    from wallaroo_ext.sandbox.engine.tensors import Array


@dataclass(frozen=True, slots=True)
class Result:
    """The outputs of a model, or of the models of a split.

    Attributes:
        model: The model; None if a split chose one for each row.
        name: The name of the model or, with a split, of its first one.
        outputs: The outputs, by name.
    """

    model: Model | None
    name: str
    outputs: dict[str, Array]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that a split chose for each row.

    Attributes:
        models: The models of the deployment.
        numbers: The number of the chosen one for each row.
    """

    models: Sequence[Model]
    numbers: Array


@dataclass(slots=True)
class Scored:
    """The result of scoring rows.

    Attributes:
        results: The results of the last step: that of its first model, then those of its shadows.
        audited: Further results, which are logged only.
        chosen: The models that a split chose; None without a split.
        elapsed_ns: How long the models ran.
        rows: The rows as a plain Arrow file; None if they were sent as a plain one.
    """

    results: list[Result]
    elapsed_ns: int
    audited: list[Result] = field(default_factory=list[Result])
    chosen: Chosen | None = None
    rows: memoryview | None = None

    @staticmethod
    def of(reply: Reply, models: Sequence[Model]) -> Scored:
        """Return the results in the reply of a process, which is not trusted.

        Raises:
            ValueError: The reply is malformed.
        """
        from wallaroo_ext.sandbox.engine.tensors import unpack

        content = reply.content
        results: dict[str, list[Result]] = {"answered": [], "audited": []}
        for kind, found in results.items():
            for description in map(object_of, list_of(reply.results.get(kind))):
                outputs, content = unpack(description.get("outputs"), content)
                model = models[_number(description.get("model"), models)]
                found.append(Result(None if description.get("is_split") else model, model.name, outputs))
        choices, content = unpack(reply.results.get("chosen"), content)
        chosen = Chosen(models, _checked(choices["chosen"], models)) if "chosen" in choices else None
        if not results["answered"] or (chosen is None and any(found.model is None for found in results["answered"])):
            raise ValueError("a reply without the outputs of a model")
        rows = content if reply.has_rows else None
        return Scored(results["answered"], reply.elapsed_ns, results["audited"], chosen, rows)


def _number(value: Any, models: Sequence[Model]) -> int:
    if type(value) is not int or not 0 <= value < len(models):
        raise ValueError("outputs of an unknown model")
    return value


def _checked(numbers: Array, models: Sequence[Model]) -> Array:
    if numbers.ndim != 1 or numbers.dtype.kind != "i" or ((numbers < 0) | (numbers >= len(models))).any():
        raise ValueError("a choice of unknown models")
    return numbers
