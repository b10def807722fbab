"""What a run of the suite is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.conformance.instance import Kind

SEED = 29
"""What random data is made from, unless another seed is asked for."""
CASES = 15
"""How many random requests are sent of each operation and kind, unless another number is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOptions:
    """What a run is told.

    Attributes:
        instance: `sandbox`, `recorded` or `live`.
        environment: The variables that name a live instance; None for those of the process.
        running: The variables of a sandbox that runs already; None for a new one.
        contract: The contract's file; None for the one that comes with this package.
        read_only: Whether nothing may be written.
        allow_user_changes: Whether users may be invited, activated and deactivated; on a sandbox they always may.
        rate: How many requests a second may be sent; None for any number.
        seed: What random data is made from.
        cases: How many random requests are sent of each operation and kind.
        operations: The operations to look at; empty for all.
        drift: Whether to compare the instance's own OpenAPI document with the contract.
        drift_url: Where that document is; None to look for it.
        recorded: A directory of recorded exchanges to compare with the contract.
    """

    instance: Kind = "sandbox"
    environment: dict[str, str] | None = field(default=None, repr=False)
    running: dict[str, str] | None = field(default=None, repr=False)
    contract: Path | None = None
    read_only: bool = False
    allow_user_changes: bool = False
    rate: float | None = None
    seed: int = SEED
    cases: int = CASES
    operations: tuple[str, ...] = ()
    drift: bool = False
    drift_url: str | None = None
    recorded: Path | None = None

    def shown(self) -> tuple[str, ...]:
        """Return what differs from the defaults, as a person writes it."""
        flags = {
            "--read-only": self.read_only,
            "--allow-user-changes": self.allow_user_changes,
            "--drift": self.drift,
        }
        valued = {
            "--rate": self.rate,
            "--contract": self.contract,
            "--drift-url": self.drift_url,
            "--recorded": self.recorded,
        }
        return (
            *(name for name, given in flags.items() if given),
            *(f"{name} {value}" for name, value in valued.items() if value is not None),
            *(f"--operation {name}" for name in self.operations),
        )
