"""Judges many mutants in several processes."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract_tests.mutants.catalogue import mutants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract_tests.mutants.judging import Verdict
    from contract_tests.mutants.serving import LyingInstance

FEW_CASES, ALL_CASES = 5, 20
"""The number of random requests of each operation and kind, for a mutant and for the honest instance."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of the suite.

    Attributes:
        mutant: The mutant's name; empty for the honest instance.
        seed: The seed of random data.
    """

    mutant: str
    seed: int


@dataclass(slots=True)
class _Worker:
    """The state that a process keeps from one trial to the next."""

    instance: LyingInstance | None = None
    open: ExitStack = field(default_factory=ExitStack)


_worker = _Worker()


def _start() -> None:
    """Start a sandbox in this process."""
    from contract_tests.mutants.serving import lying_instance

    _worker.instance = _worker.open.enter_context(lying_instance())
    multiprocessing.util.Finalize(None, _worker.open.close, exitpriority=100)


def _try(trial: Trial) -> Verdict:
    from contract_tests.mutants.judging import judge

    assert _worker.instance is not None, "the process was started by `_start`"
    mutant = mutants()[trial.mutant] if trial.mutant else None
    return judge(_worker.instance, mutant, cases=FEW_CASES if mutant else ALL_CASES, seed=trial.seed)


def verdicts(trials: Iterable[Trial], processes: int) -> Iterator[tuple[Trial, Verdict]]:
    """Yield the verdict of each trial, as it comes.

    Args:
        trials: The trials.
        processes: The number of processes, each with a sandbox of its own.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start) as pool:
        waiting = {pool.submit(_try, trial): trial for trial in trials}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)
