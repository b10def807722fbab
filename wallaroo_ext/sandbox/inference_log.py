"""What was scored: every inference as an Arrow segment on disk, indexed in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """Rows that were scored together.

    Attributes:
        table: The rows, with the columns `time` (timestamp[ms]), `in.<field>` and `out.<field>`.
        model_name: The model of the last step.
        model_sha: The SHA-256 of its file.
        elapsed_ns: How long the models ran, in nanoseconds.
    """

    table: pa.Table
    model_name: str
    model_sha: str
    elapsed_ns: int


class InferenceLog:
    """The log of all pipelines."""

    def read(
        self,
        pipeline_id: int,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        model_name: str | None = None,
    ) -> Iterator[LoggedBatch]:
        """The batches of a pipeline that have rows in a time, oldest first, cut to the rows of that time.

        Args:
            pipeline_id: The pipeline.
            start_ms: The first millisecond since 1970 that counts; None for the beginning.
            end_ms: The first one that does not count any more; None for the end.
            model_name: Only what this model scored.
        """
        raise NotImplementedError
