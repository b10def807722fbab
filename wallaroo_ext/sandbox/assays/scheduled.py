"""Scheduled assays: computes the complete windows of active assays, as if a scheduler had run all the time.

Nothing runs in the background. Windows are computed when somebody could see the difference: when the clock is set, when
assays are listed, when results are requested, and before an assay is switched on or off.

A window is computed once, from the rows that are logged when it is due. Rows that are logged or seeded later do not
change its result. A window without rows gets no result; it is computed later if rows of its time are seeded, or logged
after the clock was set back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.assays.request_forms import Source, sources
from wallaroo_ext.sandbox.http.problems import Problem, bad_request
from wallaroo_ext.sandbox.storage.pipelines import find_pipeline
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from wallaroo_ext.sandbox.assays.runs import Plan, Run
    from wallaroo_ext.sandbox.inference.inference_log import InferenceLog
    from wallaroo_ext.sandbox.storage.store import Row, Store


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The outcome of catching up with an assay.

    Attributes:
        assay_id: The assay.
        results: How many windows got a result.
        problem: Why the assay cannot be run; None if it can.
    """

    assay_id: int
    results: int
    problem: str | None = None


class ScheduledAssays:
    """The active assays of a sandbox.

    Args:
        store: The store with the assays and their results.
        log: The inference log that they are computed from.
    """

    def __init__(self, store: Store, log: InferenceLog) -> None:
        self._store = store
        self._log = log
        self._lock = threading.Lock()

    def catch_up_all(self, pipeline_id: int | None = None) -> list[CaughtUp]:
        """Compute the due windows of all active assays, or of those of one pipeline.

        Returns:
            The assays that got results or cannot be run.
        """
        with self._store.reading() as db:
            query = "SELECT id FROM assays WHERE active AND (? IS NULL OR pipeline_id = ?) ORDER BY id"
            ids = [row["id"] for row in db.execute(query, (pipeline_id, pipeline_id))]
        done = [self.try_to_catch_up(assay_id) for assay_id in ids]
        return [found for found in done if found.results or found.problem]

    def try_to_catch_up(self, assay_id: int) -> CaughtUp:
        """Compute the due windows of an assay; the outcome says why if it cannot be run."""
        try:
            return CaughtUp(assay_id, self.catch_up(assay_id))
        except Problem as problem:
            return CaughtUp(assay_id, 0, object_of(problem.content).get("msg"))

    def catch_up(self, assay_id: int) -> int:
        """Compute the complete windows of an assay that were not computed yet, and return how many got a result.

        Nothing is computed for an assay that is not active, or whose baseline has no inferences yet. At most
        `WINDOWS_AT_ONCE` windows are computed; the next call computes the next ones.

        Raises:
            Problem: 400, if the logged rows do not have the value that the assay watches.
        """
        with self._lock:
            with self._store.reading() as db:
                assay = db.execute("SELECT * FROM assays WHERE id = ? AND active", (assay_id,)).fetchone()
                pipelines = {} if assay is None else watched_pipelines(db, orjson.loads(assay["request"]))
            return 0 if assay is None else self._run(assay, pipelines)

    def _run(self, assay: Row, pipelines: dict[Source, int]) -> int:
        from wallaroo_ext.sandbox.assays.logged_values import LoggedValues
        from wallaroo_ext.sandbox.assays.runs import WINDOWS_AT_ONCE, Plan, Run

        plan = Plan.of(orjson.loads(assay["request"]), created_microseconds(assay))
        run = Run(plan, LoggedValues(self._log), pipelines, self._store.clock, assay["windows_done"])
        if not run.is_due:
            return 0
        numbers = run.occupied_windows(WINDOWS_AT_ONCE, self._known(assay))
        if numbers or not assay["windows_done"]:  # otherwise it was read before, and nothing is compared with it
            if not run.has_baseline:
                return 0
            run.check_baseline()
        done = numbers[-1] + 1 if len(numbers) == WINDOWS_AT_ONCE else run.schedule.complete
        results = [(run.schedule.begin(number), orjson.dumps(run.result(number)).decode()) for number in numbers]
        self._store_results(assay, results, done, _times_of_runs(assay, plan, run, done))
        return len(results)

    def _known(self, assay: Row) -> set[int]:
        """Return the starts of the windows that have results."""
        with self._store.reading() as db:
            rows = db.execute("SELECT window_start FROM assay_results WHERE assay_id = ?", (assay["id"],))
            return {row["window_start"] for row in rows}

    def _store_results(
        self, assay: Row, results: Iterable[tuple[int, str]], done: int, times: tuple[str | None, str | None]
    ) -> None:
        with self._store.transaction() as db:
            time = now(db)
            db.executemany(
                "INSERT INTO assay_results (assay_id, window_start, result, created_at) VALUES (?, ?, ?, ?)",
                [(assay["id"], *result, time) for result in results],
            )
            db.execute(
                "UPDATE assays SET windows_done = ?, last_run = ?, next_run = ? WHERE id = ?",
                (done, *times, assay["id"]),
            )


def _times_of_runs(assay: Row, plan: Plan, run: Run, done: int) -> tuple[str, str | None]:
    """Return when a scheduler would have run the assay last, and when it would run it next.

    A scheduler runs an assay when a window ends, or, for earlier windows, when the assay is created or switched on.
    All times are texts in UTC, so comparing the texts compares the times.
    """
    ended, last = plan.next_run(run.schedule, done - 1) or "", assay["last_run"] or ""
    return last if ended <= last else max(ended, assay["updated_at"]), plan.next_run(run.schedule, done)


def recheck_empty_windows(db: sqlite3.Connection) -> None:
    """Have the windows that had no rows checked again, because rows of their time may be added."""
    db.execute("UPDATE assays SET windows_done = 0")


def created_microseconds(assay: Row) -> int:
    """Return when an assay was created, in microseconds since 1970; when it was changed last, for older ones."""
    from wallaroo_ext.sandbox.assays.windows import parse_time

    return parse_time(assay["created_at"] or assay["updated_at"])


def watched_pipelines(db: sqlite3.Connection, request: dict[str, Any]) -> dict[Source, int]:
    """Return the ids of the pipelines that an assay compares, by where its values come from.

    Raises:
        Problem: 400, if a workspace does not have one of them.
    """
    return {source: require_pipeline(db, source.workspace_id, source.pipeline) for source in sources(request)}


def require_pipeline(db: sqlite3.Connection, workspace_id: int, name: str) -> int:
    """Return the id of a workspace's pipeline.

    Raises:
        Problem: 400, if the workspace has no pipeline of this name.
    """
    pipeline_id = find_pipeline(db, workspace_id, name)
    if pipeline_id is None:
        raise bad_request(f"The workspace {workspace_id} has no pipeline {name!r}.")
    return pipeline_id
