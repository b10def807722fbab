"""Assays that run by the clock: the windows that are over are computed, as if a scheduler had done so all the time.

It is done when somebody could see a difference: when the clock is set, when assays are listed, when results are asked
for, and before an assay is switched on or off. So nothing has to run in the background.

A window is computed once, from the rows that are logged when it is due. Rows that are logged later, seeded ones for
example, change no result that is there. A window that had no rows when it was due has no result; it gets one if rows of
its time are seeded, or logged after the clock was set back.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.http.problems import Problem, bad_request
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from wallaroo_ext.sandbox.assays.runs import Plan, Run
    from wallaroo_ext.sandbox.inference.inference_log import InferenceLog
    from wallaroo_ext.sandbox.storage.store import Row, Store


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What catching up did.

    Attributes:
        assay_id: The assay.
        results: How many windows got a result.
        problem: Why it cannot be run; None where it can.
    """

    assay_id: int
    results: int
    problem: str | None = None


class ScheduledAssays:
    """The active assays of a sandbox.

    Args:
        store: Where they and their results are.
        log: What they are computed from.
    """

    def __init__(self, store: Store, log: InferenceLog) -> None:
        self._store = store
        self._log = log
        self._lock = threading.Lock()

    def catch_up_all(self, pipeline_id: int | None = None) -> list[CaughtUp]:
        """Compute what is due of all active assays, or of those of one pipeline; what was done, where something was."""
        with self._store.reading() as db:
            query = "SELECT id FROM assays WHERE active AND (? IS NULL OR pipeline_id = ?) ORDER BY id"
            ids = [row["id"] for row in db.execute(query, (pipeline_id, pipeline_id))]
        done = [self.try_to_catch_up(assay_id) for assay_id in ids]
        return [found for found in done if found.results or found.problem]

    def try_to_catch_up(self, assay_id: int) -> CaughtUp:
        """Compute what is due of an assay; why not, where it cannot be run."""
        try:
            return CaughtUp(assay_id, self.catch_up(assay_id))
        except Problem as problem:
            return CaughtUp(assay_id, 0, object_of(problem.content).get("msg"))

    def catch_up(self, assay_id: int) -> int:
        """Compute the windows of an assay that are over and not computed yet, if it is active; how many got a result.

        An assay whose baseline has no inferences cannot be run yet. Of very many windows, the first ones are computed,
        and the others the next time.

        Raises:
            Problem: 400, when the logged rows do not have the value that the assay watches.
        """
        with self._lock:
            with self._store.reading() as db:
                assay = db.execute("SELECT * FROM assays WHERE id = ? AND active", (assay_id,)).fetchone()
                pipelines = {} if assay is None else watched_pipelines(db, orjson.loads(assay["request"]))
            return 0 if assay is None else self._run(assay, pipelines)

    def _run(self, assay: Row, pipelines: dict[str, int]) -> int:
        from wallaroo_ext.sandbox.assays.runs import WINDOWS_AT_ONCE, Plan, Run

        plan = Plan.of(orjson.loads(assay["request"]))
        run = Run(plan, self._log, pipelines, self._store.clock, assay["windows_done"])
        if not run.is_due:
            return 0
        run.check_baseline()
        numbers = run.occupied_windows(WINDOWS_AT_ONCE, self._known(assay))
        done = numbers[-1] + 1 if len(numbers) == WINDOWS_AT_ONCE else run.schedule.complete
        results = [(run.schedule.begin(number), orjson.dumps(run.result(number)).decode()) for number in numbers]
        self._keep(assay, results, done, _times_of_runs(assay, plan, run, done))
        return len(results)

    def _known(self, assay: Row) -> set[int]:
        """Return when the windows begin that have results."""
        with self._store.reading() as db:
            rows = db.execute("SELECT window_start FROM assay_results WHERE assay_id = ?", (assay["id"],))
            return {row["window_start"] for row in rows}

    def _keep(
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

    It runs an assay when a window ends; the windows that ended before the assay was created or switched on, it runs
    then. All of these texts are in UTC, so that they are in the order of the times.
    """
    ended, last = plan.next_run(run.schedule, done - 1) or "", assay["last_run"] or ""
    return last if ended <= last else max(ended, assay["updated_at"]), plan.next_run(run.schedule, done)


def look_again(db: sqlite3.Connection) -> None:
    """Have windows that had no rows looked at once more, because rows of their time may come."""
    db.execute("UPDATE assays SET windows_done = 0")


def watched_pipelines(db: sqlite3.Connection, request: dict[str, Any]) -> dict[str, int]:
    """Return the ids of the pipelines that an assay compares, by name.

    Raises:
        Problem: 400, when the workspace has no such pipeline.
    """
    names = {request["baseline"]["Fixed"]["pipeline"], request["window"]["pipeline"]}
    return {name: require_pipeline(db, request["workspace_id"], name) for name in names}


def require_pipeline(db: sqlite3.Connection, workspace_id: int, name: str) -> int:
    """Return the id of a workspace's pipeline of a name.

    Raises:
        Problem: 400, when there is none.
    """
    query = "SELECT id FROM pipelines WHERE workspace_id = ? AND name = ?"
    row = db.execute(query, (workspace_id, name)).fetchone()
    if row is None:
        raise bad_request(f"The workspace {workspace_id} has no pipeline {name!r}.")
    return int(row["id"])
