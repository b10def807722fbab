"""When a part of an output is complete."""

from __future__ import annotations

from dataclasses import dataclass

from wallaroo_ext.errors import InvalidDataError


@dataclass(frozen=True, kw_only=True)
class PartSize:
    """When a part is put in its place, and the next one begun: what comes first.

    Attributes:
        rows: After how many rows.
        seconds: After how long; what a run that is killed has to do again.
    """

    rows: int = 1_000_000
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.rows < 1 or not self.seconds > 0:
            raise InvalidDataError("A part has at least one row, and more than no time.")
