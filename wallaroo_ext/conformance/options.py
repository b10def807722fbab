"""The options of a run of the suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wallaroo_ext.conformance.results import LEAST_SUCCESSES
from wallaroo_ext.redaction.patterns import redact

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.conformance.instance import Kind

SEED = 29
"""The default seed of random data."""
CASES = 6
"""The default number of random requests of each operation and kind; the proof's faults are noticed with five."""

LEAST_SUCCESSES_QUICKLY = 1
"""How often each operation has to succeed in a quick run, which leaves out random data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOptions:
    """The options of a run.

    Attributes:
        instance: `sandbox`, `recorded` or `live`.
        environment: The variables that name a live instance; None for those of the process.
        running: The variables of a sandbox that is already running; None to start one.
        contract: The contract's file; None for the one that comes with this package.
        release: The release whose overlay is applied to the contract; None to find it out.
        read_only: Whether nothing may be written.
        allow_user_changes: Whether users may be invited, activated and deactivated; on a sandbox they always may.
        rate: The largest number of requests a second; None for any.
        seed: The seed of random data.
        cases: The number of random requests of each operation and kind.
        operations: The operations to check; empty for all.
        quick: Whether to leave out the tests that are marked as thorough.
        drift: Whether to compare the instance's own OpenAPI document with the contract.
        drift_url: The URL of that document; None to look for it.
        recorded: A directory of recorded exchanges to compare with the contract.
        inference_hosts: Further hosts that tokens may be sent to, where inference URLs name another one than the API's.
    """

    instance: Kind = "sandbox"
    environment: dict[str, str] | None = field(default=None, repr=False)
    running: dict[str, str] | None = field(default=None, repr=False)
    contract: Path | None = None
    release: str | None = None
    read_only: bool = False
    allow_user_changes: bool = False
    rate: float | None = None
    seed: int = SEED
    cases: int = CASES
    operations: tuple[str, ...] = ()
    quick: bool = False
    drift: bool = False
    drift_url: str | None = None
    recorded: Path | None = None
    inference_hosts: tuple[str, ...] = ()

    @property
    def least_successes(self) -> int:
        """How often each operation has to succeed: less often where few requests of it are asked for."""
        return LEAST_SUCCESSES_QUICKLY if self.quick else min(LEAST_SUCCESSES, self.cases + 2)

    def shown(self) -> tuple[str, ...]:
        """Return the options that differ from the defaults, as a person writes them, without secrets."""
        flags = {
            "--read-only": self.read_only,
            "--allow-user-changes": self.allow_user_changes,
            "--quick": self.quick,
            "--drift": self.drift,
        }
        valued = {
            "--cases": None if self.cases == CASES else self.cases,
            "--rate": self.rate,
            "--contract": self.contract,
            "--release": self.release,
            "--drift-url": self.drift_url,
            "--recorded": self.recorded,
        }
        return (
            *(name for name, given in flags.items() if given),
            *(redact(f"{name} {value}") for name, value in valued.items() if value is not None),
            *(f"--inference-host {host}" for host in self.inference_hosts),
            *(f"--operation {name}" for name in self.operations),
        )
