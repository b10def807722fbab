"""What a run over a data set did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DatasetScored:
    """What `infer_dataset` did.

    Attributes:
        target: The directory of the output.
        rows: How many scored rows are in it.
        rejected: How many rows of the input are in the errors file in place of the output.
        parts: How many files the rows are in.
        errors: The errors file; None where no row was rejected.
        rows_before: How many rows of the input were done before this run.
        requests: How many requests this run had answered.
        repeated: How often it sent one of them again, beside what the client's transport did.
        seconds: How long it took.
    """

    target: str
    rows: int
    rejected: int
    parts: int
    errors: str | None
    rows_before: int
    requests: int
    repeated: int
    seconds: float
