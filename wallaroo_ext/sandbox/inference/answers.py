"""The answer to an inference: its format, and the rows with their outputs, for the client and for the log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

from wallaroo_ext._util.arrow.limits import expanded_size
from wallaroo_ext.inference.column_names import MODEL_SPLIT_FIELD
from wallaroo_ext.sandbox.engine.tensors import to_column, with_variable_lists
from wallaroo_ext.sandbox.http.json_text import to_json
from wallaroo_ext.sandbox.http.problems import too_large
from wallaroo_ext.sandbox.http.validation import parse_media_type
from wallaroo_ext.sandbox.inference.answer_forms import AnswerForm, RowMetadata, Selection
from wallaroo_ext.sandbox.inference.arrow_answers import INPUT, OUTPUT, ScoredRows, added_parts
from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch, LoggedOrigin
from wallaroo_ext.sandbox.inference.json_answers import rows_of_column, rows_of_tensor, to_records
from wallaroo_ext.sandbox.inference.rows import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wallaroo_ext.sandbox.engine.results import Chosen, Result, Scored
    from wallaroo_ext.sandbox.engine.steps import Model
    from wallaroo_ext.sandbox.engine.tensors import Array, Column
    from wallaroo_ext.sandbox.inference.json_answers import Values
    from wallaroo_ext.sandbox.inference.rows import Rows

_MIB = 1 << 20
_JSON_RECORD, _JSON_VALUE = (
    1024,
    32,
)  # bytes of a record without values, and of a number, with their texts
_BLOCK_SIZE = 1 << 20
"""How much memory a block of records may take, as it is estimated."""
_OLDEST_TYPES = {"float32": "Float", "float64": "Double", "object": "String"}


def preferred_type(accept: str | None, request_type: str, arrow_type: str, *, arrow_by_default: bool = True) -> str:
    """Return the format to answer in: the one that `Accept` prefers or, without a preference, the request's.

    Args:
        accept: The header `Accept`.
        request_type: The media type of the request.
        arrow_type: The media type of Arrow.
        arrow_by_default: Whether Arrow is answered in Arrow without a preference.
    """
    is_arrow = arrow_by_default and parse_media_type(request_type)[0] == arrow_type
    default = arrow_type if is_arrow else JSON
    best = (0.0, default)
    for item in (accept or "*/*").split(","):
        kind, parameters = parse_media_type(item)
        quality = _quality(parameters.get("q", "1"))
        answer = {JSON: JSON, arrow_type: arrow_type}.get(kind, default if kind in {"*/*", "application/*"} else None)
        if answer is not None and quality > best[0]:
            best = quality, answer
    return best[1]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class Answer:
    """Scored rows, which can be logged and written in each format.

    Attributes:
        rows: The rows that were sent.
        scored: The outputs of the models.
        pipeline: The pipeline's name.
        pipeline_version: The UUID of its version.
        partition: The name of the engine's pod.
        release: The release of Wallaroo whose form of answers is written.
        selection: The requested parts.
        time_ms: When the rows were scored, in milliseconds since 1970.
    """

    rows: Rows
    scored: Scored
    pipeline: str
    pipeline_version: str
    partition: str
    release: str
    selection: Selection
    time_ms: int

    @property
    def count(self) -> int:
        """The number of rows."""
        return self.rows.table.num_rows

    @cached_property
    def form(self) -> AnswerForm:
        """The form of the release's answers."""
        return AnswerForm.of(self.release)

    @cached_property
    def _columns(self) -> ScoredRows:
        """The rows and their outputs."""
        times: Column = pa.array(np.full(self.count, self.time_ms), pa.timestamp("ms"))
        table = self.rows.table
        rows = {name: with_variable_lists(table.column(name)) for name in table.column_names}
        outputs = {name: _output_columns(found) for name, found in _by_part(self.scored.results).items()}
        if self.scored.chosen is not None:
            outputs[OUTPUT] = {MODEL_SPLIT_FIELD: _split_column(self.scored.chosen)} | outputs[OUTPUT]
        shapes = {
            part: {name: tensor.shape[1:] for name, tensor in found.outputs.items()}
            for part, found in _by_part(self.scored.results).items()
        }
        return ScoredRows(times, {INPUT: rows} | outputs, shapes)

    @cached_property
    def _metadata(self) -> RowMetadata:
        return RowMetadata(
            last_models=[(model.name, model.sha) for model in self._last_models()],
            pipeline_version=self.pipeline_version,
            elapsed=(self.rows.parse_ns, self.scored.elapsed_ns),
            partition=self.partition,
        )

    def _last_models(self) -> list[Model]:
        """Return the model whose outputs are `out`: one for all rows or, where rows have different ones, one a row."""
        model, chosen = self.scored.results[0].model, self.scored.chosen
        if model is not None or chosen is None:
            return [cast("Model", model)]
        numbers: list[int] = chosen.numbers.tolist()
        models = [chosen.models[number] for number in numbers]
        if len(set(models)) == 1:
            return models[:1]
        return models or [next(model for model in chosen.models if model.name == self.scored.results[0].name)]

    def logged(self) -> Iterator[LoggedBatch]:
        """Yield the batches to log: one for each model whose outputs are `out`."""
        audited = _by_part(self.scored.audited, (), taken=self._columns.parts)
        parts = {**self._columns.parts, **{name: _output_columns(found) for name, found in audited.items()}}
        rows = ScoredRows(self._columns.times, parts)
        table = rows.to_table()
        models = self._last_models()
        origin = LoggedOrigin(
            self.pipeline_version, self.partition, self.rows.parse_ns, tuple(name for name in parts if name != INPUT)
        )
        for model in dict.fromkeys(models):
            own = table if len(models) == 1 else table.filter(pa.array([model is other for other in models]))
            yield LoggedBatch(own, model.name, model.sha, self.scored.elapsed_ns, origin)

    def to_arrow(self) -> list[memoryview]:
        """Return the chunks of an Arrow file, nested without a separator and otherwise flat."""
        write = self._columns.to_nested_file if self.selection.separator is None else self._columns.to_flat_file
        return write(added_parts(self.form, self._metadata, self.count, self.selection), self.selection)

    def to_json(self, memory_mib: int) -> Iterator[bytes]:
        """Return the answer as JSON in the form of the release, in blocks that are written when they are asked for.

        Args:
            memory_mib: The memory that writing it may take, in MiB.

        Raises:
            Problem: 413, if it would take more.
        """
        if self._json_size() > memory_mib * _MIB:
            raise too_large(
                f"As JSON, the answer takes more than {memory_mib} MiB; ask for Arrow, or send fewer rows at a time."
            )
        return self._written_records() if self.form.has_records else iter([to_json(self._oldest())])

    def _json_size(self) -> int:
        """Return an estimate of the memory for the records and their JSON, in bytes."""
        table, wants = self.rows.table, self.selection.wants
        sent = sum(expanded_size(table.column(name)) for name in table.column_names if wants(INPUT, name))
        scored = sum(
            tensor.size
            for part, found in _by_part(self.scored.results).items()
            for name, tensor in found.outputs.items()
            if wants(part, name)
        )
        return self.count * _JSON_RECORD + sent * _JSON_VALUE // 8 + scored * _JSON_VALUE

    def _written_records(self) -> Iterator[bytes]:
        """Yield the list of a record a row in blocks, for each of which the records are made and dropped again."""
        fields = self._fields()
        size = max(1, _BLOCK_SIZE * self.count // max(1, self._json_size()))
        for start in range(0, max(1, self.count), size):
            rows = slice(start, start + size)
            block = {part: {name: values[rows] for name, values in columns.items()} for part, columns in fields.items()}
            times = [self.time_ms] * min(size, self.count - start)
            records = to_records(times, block, self.form, self._metadata.of(rows), self.selection)
            yield b"".join((b"," if start else b"[", to_json(records)[1:-1], b"]" * (rows.stop >= self.count)))

    def _fields(self) -> dict[str, dict[str, Values]]:
        """Return the values of the rows and of the outputs by part and field."""
        parts: dict[str, dict[str, Values]] = {
            INPUT: {name: self._as_sent(name) for name in self.rows.table.column_names}
        }
        for part, found in _by_part(self.scored.results).items():
            parts[part] = {name: rows_of_tensor(tensor) for name, tensor in found.outputs.items()}
        if self.scored.chosen is not None:
            split = [[text] for text in _split_texts(self.scored.chosen)]
            parts[OUTPUT] = {MODEL_SPLIT_FIELD: split} | parts[OUTPUT]
        return parts

    def _as_sent(self, name: str) -> Values:
        """Return the values of a field as they were sent, digit for digit."""
        sent = self.rows.columns_as_sent
        return rows_of_column(self.rows.table.column(name)) if sent is None else sent[name]

    def _oldest(self) -> list[dict[str, Any]]:
        """Return one object for all rows, as recorded on 2022.4, where parts cannot be selected.

        Rows that a split gave to different models have an object each model.
        """
        first, *shadows = self.scored.results
        models = self._last_models()
        answers: list[dict[str, Any]] = []
        for model in dict.fromkeys(models):
            own = slice(None) if len(models) == 1 else np.array([model is other for other in models])
            answer: dict[str, Any] = {
                "model_name": model.name,
                "model_version": model.version,
                "pipeline_name": self.pipeline,
                "outputs": [_oldest_output(tensor[own]) for tensor in first.outputs.values()],
            }
            if shadows:
                answer["shadow_data"] = {
                    shadow.name: [_oldest_output(tensor) for tensor in shadow.outputs.values()] for shadow in shadows
                }
            answers.append(answer)
        return answers


def _by_part(
    results: Iterable[Result], first: Sequence[str] = (OUTPUT,), *, taken: Iterable[str] = ()
) -> dict[str, Result]:
    """Return results by the name of their part: `out` for the first one, and `out_{model}` for the others.

    Args:
        results: The results.
        first: The name for the first one; without it, that is called like the others.
        taken: Names of parts that there are already, which are left out.
    """
    named = {
        (first[number] if number < len(first) else f"{OUTPUT}_{result.name}"): result
        for number, result in enumerate(results)
    }
    return {name: result for name, result in named.items() if name not in set(taken)}


def _output_columns(result: Result) -> dict[str, Column]:
    return {name: to_column(tensor) for name, tensor in result.outputs.items()}


def _split_texts(chosen: Chosen) -> list[str]:
    texts = [json.dumps(model._asdict(), separators=(",", ":")) for model in chosen.models]
    return [texts[number] for number in chosen.numbers.tolist()]


def _split_column(chosen: Chosen) -> Column:
    texts: Array = np.array(_split_texts(chosen), object)
    return to_column(texts.reshape(-1, 1))


def _oldest_output(tensor: Array) -> dict[str, Any]:
    name = _OLDEST_TYPES.get(str(tensor.dtype), str(tensor.dtype).capitalize())
    return {name: {"v": 1, "dim": list(tensor.shape), "data": tensor.reshape(-1).tolist()}}
