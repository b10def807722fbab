"""Judges many mutants in several processes."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract_tests.mutants.catalogue import mutants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract_tests.mutants.proving.judging import Verdict
    from contract_tests.mutants.serving import LyingInstance

FEW_CASES = 5
"""The number of random requests of each operation and kind."""
_TRIALS_OF_A_PROCESS = 50
"""About how many trials a process makes before another takes its place: each leaves some 20 MB of memory in use."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of the suite.

    Attributes:
        mutant: The mutant's name; empty for a healthy instance.
        seed: The seed of random data.
        surroundings: What a healthy instance is and has been through, one of `healthy_instances.SURROUNDINGS`.
        cases: The number of random requests of each operation and kind.
    """

    mutant: str
    seed: int
    surroundings: str = ""
    cases: int = FEW_CASES


@dataclass(slots=True)
class _Worker:
    """The state that a process keeps from one trial to the next."""

    instance: LyingInstance | None = None
    open: ExitStack = field(default_factory=ExitStack)


_worker = _Worker()


def _start() -> None:
    """Have the sandbox of this process ended with it, and the process with the one that started it."""
    multiprocessing.util.Finalize(None, _worker.open.close, exitpriority=100)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait until the process that started this one has ended, which a signal may do, and end this one at once."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "it was started by another process"
    parent.join()
    try:
        _worker.open.close()
    finally:
        os._exit(1)


def _instance() -> LyingInstance:
    """Return the sandbox of this process, which is started at the first call."""
    from contract_tests.mutants.serving import lying_instance

    if _worker.instance is None:
        _worker.instance = _worker.open.enter_context(lying_instance())
    return _worker.instance


def _try(trial: Trial) -> Verdict:
    from contract_tests.mutants.proving.judging import judge, judge_healthy

    if not trial.mutant:
        return judge_healthy(trial.surroundings, cases=trial.cases, seed=trial.seed)
    return judge(_instance(), mutants()[trial.mutant], cases=trial.cases, seed=trial.seed)


def verdicts(trials: Iterable[Trial], processes: int) -> Iterator[tuple[Trial, Verdict]]:
    """Yield the verdict of each trial, as it comes.

    Args:
        trials: The trials.
        processes: The number of processes, each with a sandbox of its own.
    """
    # The executor can hang where it replaces processes itself (`max_tasks_per_child`, python/cpython#115634).
    left = list(trials)
    while left:
        now, left = left[: processes * _TRIALS_OF_A_PROCESS], left[processes * _TRIALS_OF_A_PROCESS :]
        yield from _verdicts_of_round(now, processes)


def _verdicts_of_round(trials: Iterable[Trial], processes: int) -> Iterator[tuple[Trial, Verdict]]:
    """Yield the verdict of each trial, from processes that end with the last one."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_start) as pool:
        waiting = {pool.submit(_try, trial): trial for trial in trials}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(cancel_futures=True)
