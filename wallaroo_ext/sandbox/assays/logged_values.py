"""The values that assays watch, read from the inference log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from wallaroo_ext.sandbox.assays.windows import to_milliseconds
from wallaroo_ext.sandbox.http.problems import Problem

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.assays.iopath import IoPath
    from wallaroo_ext.sandbox.engine.tensors import Array
    from wallaroo_ext.sandbox.inference.inference_log import InferenceLog


class Span(NamedTuple):
    """The watched values of a span of time. Times are in microseconds since 1970.

    Attributes:
        pipeline_id: The pipeline that logged them.
        model: The name of the model; None for any.
        locations: The partitions of the rows; empty for all.
        iopath: The watched value.
        start: When the span begins.
        end: When it ends; this time is no longer in it.
    """

    pipeline_id: int
    model: str | None
    locations: tuple[str, ...]
    iopath: IoPath
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Samples:
    """The watched values in a span of time, in the order of their times.

    Attributes:
        times: When each value was logged, in microseconds since 1970.
        values: The values.
        problem: Why no logged row has such a value; None if one has, or if no rows were logged.
    """

    times: Array
    values: Array
    problem: Problem | None

    def between(self, start: int, end: int) -> Array:
        """Return the values from `start` on and before `end`."""
        low, high = np.searchsorted(self.times, [start, end])
        return self.values[low:high]


class LoggedValues:
    """Reads watched values, each span once: it lives as long as one answer, whose assays often watch the same ones.

    Args:
        log: The inference log.
    """

    def __init__(self, log: InferenceLog) -> None:
        self._log = log
        self._known: dict[Span, Samples] = {}

    def read(self, span: Span) -> Samples:
        """Return the values of a span; rows without one are left out."""
        if span not in self._known:
            self._known[span] = self._read(span)
        return self._known[span]

    def _read(self, span: Span) -> Samples:
        # Tables of one schema are read as one, which takes a tenth of the time where rows came one by one.
        tables: dict[tuple[pa.Field[Any], ...], list[pa.Table]] = {}
        for batch in self._log.read(
            span.pipeline_id,
            start_ms=to_milliseconds(span.start),
            end_ms=to_milliseconds(span.end),
            model_name=span.model,
        ):
            if not span.locations or batch.origin.partition in span.locations:
                schema: Any = batch.table.schema
                tables.setdefault(tuple(schema), []).append(batch.table)
        taken: list[tuple[Array, Array]] = []
        problem: Problem | None = None
        for alike in tables.values():
            try:
                taken.append(span.iopath.take(pa.concat_tables(alike)))
            except Problem as error:
                problem = error
        times = np.concatenate([np.empty(0, np.int64), *(found for found, _ in taken)])
        values = np.concatenate([np.empty(0), *(found for _, found in taken)])
        order = np.argsort(times, kind="stable")
        return Samples(times[order], values[order], None if taken else problem)
