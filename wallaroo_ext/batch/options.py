"""The options of a run over many rows, checked, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.notebook_tables import FieldsInNotebook
from wallaroo_ext._util.quantities import check_count
from wallaroo_ext._util.times import check_seconds
from wallaroo_ext.batch.retries import BatchRetries, check_retries
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import SEPARATOR, column_list
from wallaroo_ext.inference.media_types import Wire, request_type
from wallaroo_ext.inference.missing_option import Missing, check_missing
from wallaroo_ext.inference.selection import METADATA, Selection, selection_of
from wallaroo_ext.transport.timeouts import to_httpx_timeout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from wallaroo_ext.inference.files.texts.text_options import Decimal
    from wallaroo_ext.transport.timeouts import Timeouts


IN_FLIGHT = 8
"""Keeps an instance busy for more of a run than 4 do: see scripts/bench batch."""

MOST_IN_FLIGHT = 64

RETRIES = BatchRetries()
LEFT_OUT = ("in", METADATA)
"""The parts of answers to leave out by default: what repeats the rows sent, and what repeats the same texts."""
SELECTION = Selection(exclude=LEFT_OUT)
PART_ROWS, PART_SECONDS = 1_000_000, 60.0


@dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """The options of `infer_batches`, checked.

    Attributes:
        columns: The columns to send; None for all that are no keys.
        keys: The columns that stand before the scored ones.
        vector: Whether the columns are sent as one vector.
        missing: What becomes of numbers that are missing.
        in_flight: How many requests are under way at a time.
        request_rows: How many rows a request has; None for as many as the engine answers best at.
        wire: The format of requests and answers.
        selection: The parts of the answer that are wanted.
        timeout: How long to wait for an answer; None for what the client was given.
        retries: What is sent again beyond what the client's transport does.
        workspace: Where a pipeline is looked for by its name.
        sent_types: The types of columns that are keys as well, and texts there.
        decimal: The decimal point of the numbers in these texts; None for a point.
    """

    columns: tuple[str, ...] | None = None
    keys: tuple[str, ...] = ()
    vector: bool = False
    missing: Missing = "reject"
    in_flight: int = IN_FLIGHT
    request_rows: int | None = None
    wire: Wire = "arrow"
    selection: Selection = SELECTION
    timeout: Timeouts | httpx.Timeout | float | None = None
    retries: BatchRetries = RETRIES
    workspace: int | str | None = None
    sent_types: Mapping[str, Any] = field(default_factory=dict[str, Any])
    decimal: Decimal | None = None

    def __post_init__(self) -> None:
        request_type(self.wire)
        check_missing(self.missing)
        check_retries(self.retries)
        if self.timeout is not None:
            to_httpx_timeout(self.timeout)
        for name in ("in_flight", "request_rows"):
            if getattr(self, name) is not None:
                check_count(name, getattr(self, name))
        if self.in_flight > MOST_IN_FLIGHT:
            raise InvalidDataError(f"`in_flight` is at most {MOST_IN_FLIGHT}, not {self.in_flight}.")
        for name, named in (("keys", self.keys), ("columns", self.columns or ())):
            twice = next((each for each in named if named.count(each) > 1), None)
            if twice is not None:
                raise InvalidDataError(f"`{name}` has {twice!r} twice: name it once.")
        if self.columns is not None and not self.columns:
            raise InvalidDataError("No column is left to be sent: `columns` is empty.")

    @property
    def read(self) -> list[str] | None:
        """The columns that a source has to give; None for all."""
        return None if self.columns is None else list(dict.fromkeys((*self.keys, *self.columns)))

    @property
    def infer_options(self) -> dict[str, Any]:
        """The options for `score_steps`."""
        given: dict[str, Any] = {"wire": self.wire, "selection": self.selection}
        return given if self.timeout is None else given | {"timeout": self.timeout}


def scoring_options(
    *,
    columns: Sequence[str] | None,
    keys: Sequence[str],
    dataset: str | Sequence[str],
    dataset_exclude: str | Sequence[str] | None,
    dataset_separator: str = SEPARATOR,
    **others: Any,
) -> ScoringOptions:
    """Return the options of `infer_batches`, checked.

    Raises:
        InvalidDataError: A value cannot be used.
    """
    return ScoringOptions(
        columns=None if columns is None else tuple(column_list(columns)),
        keys=tuple(column_list(keys, "keys")),
        selection=selection_of(dataset, dataset_exclude, dataset_separator, left_out=LEFT_OUT),
        **others,
    )


@dataclass(frozen=True, kw_only=True)
class PartSize:
    """When a file of the output is complete and the next one begins: after so many rows or so long, whichever is first.

    Attributes:
        rows: After how many rows.
        seconds: After how long. A run that is killed has to repeat at most so much.
    """

    rows: int = PART_ROWS
    seconds: float = PART_SECONDS

    def __post_init__(self) -> None:
        check_count("rows", self.rows)
        check_seconds("seconds", self.seconds)
        if not self.seconds:
            raise InvalidDataError("A part has more than no time.")


@dataclass(frozen=True, kw_only=True)
class DatasetScored(FieldsInNotebook):
    """The result of `infer_dataset`.

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
