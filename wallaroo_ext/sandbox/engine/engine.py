"""The engine: converts uploaded models, loads the models of deployments, and scores rows on them."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.engine.model_process import (
    ModelFile,
    ModelProcesses,
    ModelRefusedError,
    ProcessEndedError,
    RowsRefusedError,
    ShortageError,
)
from wallaroo_ext.sandbox.engine.results import Scored
from wallaroo_ext.sandbox.engine.steps import Model, StepError, parse
from wallaroo_ext.sandbox.engine.transitions import Transitions
from wallaroo_ext.sandbox.http.problems import engine_error, too_large, unavailable
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from wallaroo_ext.sandbox.engine.model_process import ModelProcess
    from wallaroo_ext.sandbox.engine.transitions import Transition
    from wallaroo_ext.sandbox.http.problems import Problem
    from wallaroo_ext.sandbox.storage.store import Row, Store

NATIVE_FRAMEWORK = "onnx"
_THREADS = 8
_CONFINEMENT_LAYERS = ("a network of its own", "limits", "Landlock", "seccomp")
_LOGGER = logging.getLogger(__name__)


class ModelUnreadableError(Exception):
    """A file is no model that the engine can run; the message says why.

    Attributes:
        number: The index of the model among several.
    """

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        self.number = number


class _InterruptedError(Exception):
    """The sandbox was closed or reset before a conversion or a start was finished."""


@dataclass(slots=True)
class RunningDeployment:
    """A deployment's models and their status.

    Attributes:
        models: The models that the steps run; empty until all are loaded.
        process: The process that has loaded them; None until then.
        error: Why they could not be loaded.
        starting_until: When the status stops being `Starting` even if all is loaded, in seconds of the monotonic clock.
    """

    models: list[Model] = field(default_factory=list[Model])
    process: ModelProcess | None = None
    error: str | None = None
    starting_until: float = 0.0

    @staticmethod
    def starting(transition: Transition) -> RunningDeployment:
        """Return a deployment that starts now; unless the transition leads to `Running`, its outcome is decided."""
        seconds = math.inf if transition.status == "Starting" else transition.seconds
        error = transition.reason if transition.status == "Error" else None
        return RunningDeployment(error=error, starting_until=time.monotonic() + seconds)

    @property
    def status(self) -> str:
        """The deployment's status, as in the API."""
        if time.monotonic() < self.starting_until:
            return "Starting"
        return "Error" if self.error else "Running" if self.process else "Starting"

    def drop_ended_process(self) -> bool:
        """Forget a process that has ended, and return whether there was one, so that models must be loaded again."""
        if self.process is None or self.process.is_alive:
            return False
        self.process, self.models = None, []
        return True

    def score(self, rows: Sequence[Any]) -> Scored:
        """Run the steps one after the other.

        Args:
            rows: An Arrow file, in chunks.

        Raises:
            Problem: 400 in the engine's form, 413 if the rows take too much memory, or 503 if the process ended and
                these rows are not known to be the reason.
        """
        process, models = self.process, self.models
        if process is None:
            raise unavailable("no healthy upstream: the deployment is Starting")
        try:
            return Scored.of(process.score(rows), models)
        except RowsRefusedError as error:
            raise _problem_of_refusal(error) from None
        except ProcessEndedError as error:
            raise _problem_of_end(error) from None
        except ShortageError as error:
            raise unavailable(f"upstream connect error: {error}; send this request again later") from None
        except ValueError:
            process.end()
            raise _problem_of_end(ProcessEndedError()) from None


def _problem_of_refusal(error: RowsRefusedError) -> Problem:
    """Return the answer when a process refused rows."""
    is_too_large = error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return too_large(error.reason) if is_too_large else engine_error(error.reason)


def _problem_of_end(error: ProcessEndedError) -> Problem:
    """Return the answer when a process ended while it was scoring rows."""
    if error.timed_out:
        return engine_error(
            "The models were stopped because these rows take longer than they may; send fewer at a time."
        )
    if error.was_requested or not error.was_only_request:
        return unavailable(
            "upstream connect error: the deployment was ended or is restarting; send this request again later"
        )
    return engine_error(
        "The process of the models ended on these rows, which take too much memory or make a model crash; send fewer "
        "rows at a time, or check the models."
    )


class _Epoch:
    """The time from one reset to the next; work that began in an earlier epoch must not change anything."""

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._timers: set[threading.Timer] = set()

    def schedule(self, seconds: float, work: Callable[[], None]) -> None:
        """Call a function after a time, in a thread of its own, unless the epoch is over by then."""

        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._timers.discard(timer)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        with self._lock:
            if not self.is_over:
                self._timers.add(timer)
                timer.start()

    def end(self) -> list[threading.Timer]:
        """End the epoch and cancel its timers.

        Returns:
            The timers; one of them may be calling its function at this moment.
        """
        with self._lock:
            self.is_over = True
            for timer in self._timers:
                timer.cancel()
            return list(self._timers)


class Engine:
    """Converts uploaded models and runs deployments, in threads of its own.

    Args:
        store: The store with model versions, deployments and model files.
        options: The limits of memory and time.

    Attributes:
        transitions: The durations and outcomes of starts and conversions that begin from now on.
    """

    def __init__(self, store: Store, options: SandboxOptions = DEFAULT_OPTIONS) -> None:
        self.transitions = Transitions()
        self._processes = ModelProcesses(options)
        self._store = store
        # Two pools, so that slow conversions do not keep deployments from starting.
        self._conversions = ThreadPoolExecutor(_THREADS, thread_name_prefix="conversions")
        self._loads = ThreadPoolExecutor(_THREADS, thread_name_prefix="loads")
        self._deployments: dict[int, RunningDeployment] = {}
        self._epoch = _Epoch()
        self._lock = threading.Lock()
        self._imported: Future[None] | None = None

    def confinement(self) -> tuple[str, ...]:
        """Wait until the models' processes can be started, and return the layers that confine them."""
        layers = self._processes.layers
        if layers is not None:
            return layers
        try:
            # The fork server ends with the thread that started it, and the caller's may end soon.
            return self._conversions.submit(self._start_fork_server).result()
        except (RuntimeError, CancelledError):  # the sandbox is closing
            return ()

    def _start_fork_server(self) -> tuple[str, ...]:
        """Wait until the models' processes can be started, and return the layers that confine them."""
        try:
            self._processes.start()
        except ShortageError as error:
            _LOGGER.error("%s", error)  # noqa: TRY400 - the message has everything
        except ProcessEndedError:
            pass
        return self._processes.layers or ()

    def resume(self) -> None:
        """Start the models' processes, and continue the conversions and deployments of an earlier run."""
        self._conversions.submit(_logged(self._start_processes, "starting the processes of models"))
        with self._store.transaction() as db:
            versions = db.execute("SELECT id FROM model_versions WHERE status NOT IN ('ready', 'error')").fetchall()
            deployments = db.execute("SELECT id FROM deployments WHERE deployed").fetchall()
        for row in versions:
            self.convert(row["id"])
        for row in deployments:
            self.start(row["id"])

    def _start_processes(self) -> None:
        """Start the models' processes ahead of the first request, and warn about missing layers of confinement."""
        layers = self._start_fork_server()
        missing = [name for name in _CONFINEMENT_LAYERS if not any(layer.startswith(name) for layer in layers)]
        if layers and missing:
            _LOGGER.warning("models run without %s, which this system does not give", ", ".join(missing))

    def _import_libraries(self) -> Future[None]:
        """Import the heavy libraries in the background, once, and return the future.

        One thread imports them: several at a time would see modules that are only partly initialized.
        """
        with self._lock:
            if self._imported is None:
                self._imported = self._loads.submit(_import_heavy_libraries)
            return self._imported

    def wait_for_libraries(self) -> None:
        """Wait until the heavy libraries are imported, so that importing them in another thread is safe."""
        self._import_libraries().result()

    def reset(self) -> None:
        """End all deployments, and keep conversions and starts in progress from changing anything.

        Call this within the transaction that deletes the versions and deployments, so that a conversion either ends
        before it or has no effect.
        """
        with self._lock:
            self._epoch.end()
            self._epoch = _Epoch()
            self._deployments.clear()
        self._processes.end_all()

    def interrupt(self) -> None:
        """End the requests that models are working on; their deployments load again when they are used."""
        self._processes.end_busy()

    def close(self) -> None:
        """End all processes and threads; the next run continues unfinished conversions."""
        self._processes.close()
        for timer in self._epoch.end():
            timer.join()
        for threads in (self._conversions, self._loads):
            threads.shutdown(wait=True, cancel_futures=True)

    def convert(self, version_id: int) -> None:
        """Convert an uploaded model in the background, and store the outcome as its status."""
        self._import_libraries()  # a deployment is likely to follow
        convert = _logged(self._convert, f"converting the model version {version_id}")
        self._conversions.submit(convert, self._epoch, version_id, self.transitions.models)

    def _convert(self, epoch: _Epoch, version_id: int, transition: Transition) -> None:
        began = time.monotonic()
        row = self._begin_conversion(epoch, version_id)
        if row is None:
            return
        try:
            reason = transition.reason if transition.status == "error" else self._conversion_error(row)
        except _InterruptedError:
            return
        except Exception:
            _LOGGER.exception("converting the model version %s failed", version_id)
            reason = "the sandbox failed to read the model; see its log"

        def end() -> None:
            with self._store.transaction() as db:
                if not epoch.is_over:
                    changes = ("error" if reason else "ready", reason, version_id)
                    db.execute("UPDATE model_versions SET status = ?, error_summary = ? WHERE id = ?", changes)

        left = began + transition.seconds - time.monotonic()
        if left > 0:
            epoch.schedule(left, _logged(end, f"storing the state of the model version {version_id}"))
        else:
            end()

    def _begin_conversion(self, epoch: _Epoch, version_id: int) -> Row | None:
        """Set a version's status and return its row, or None if there was a reset since."""
        with self._store.transaction() as db:
            if epoch.is_over:
                return None
            db.execute("UPDATE model_versions SET status = 'converting' WHERE id = ?", (version_id,))
            return _model_version(db, version_id)

    def _conversion_error(self, row: Row) -> str | None:
        """Return why the engine cannot run a version; None if it can, or if the version is for another engine."""
        if json.loads(row["metadata"])["conversion"]["framework"] != NATIVE_FRAMEWORK:
            return None
        try:
            self._load_versions([row]).end()
        except ModelUnreadableError as error:
            return str(error)
        return None

    def _load_versions(self, rows: list[Row], steps: list[Any] | None = None) -> ModelProcess:
        """Return a new process that has loaded some model versions, and runs steps or one model after the other."""
        files = [ModelFile(_model_of(row), self._store.model_file(row["version"])) for row in rows]
        return open_models(self._processes, files, steps)

    def start(self, deployment_id: int) -> None:
        """Load a deployment's models in the background, unless its transition has another outcome."""
        transition = self.transitions.deployments
        deployment = RunningDeployment.starting(transition)
        with self._lock:
            before = self._deployments.get(deployment_id)
            self._deployments[deployment_id] = deployment
        if before is not None and before.process is not None:
            before.process.retire()
        self._import_libraries()
        if transition.status == "Running":
            self._loads.submit(self._load, self._epoch, deployment_id, deployment)

    def _load(self, epoch: _Epoch, deployment_id: int, deployment: RunningDeployment) -> None:
        try:
            stored = self._stored_models(epoch, deployment_id)
            if stored is None:
                return
            self.wait_for_libraries()
            self._load_models(deployment, *stored)
        except ModelUnreadableError as error:
            deployment.error = str(error)
        except _InterruptedError:
            return
        except Exception:
            _LOGGER.exception("loading the deployment %s failed", deployment_id)
            deployment.error = "The sandbox failed to load the models; see its log."
        self._end_if_replaced(deployment_id, deployment)

    def _stored_models(self, epoch: _Epoch, deployment_id: int) -> tuple[list[Row], Any] | None:
        """Return a deployment's model versions and its definition, or None if there was a reset since."""
        with self._store.transaction() as db:
            if epoch.is_over:
                return None
            row = db.execute(
                "SELECT steps, definition FROM deployments "
                "JOIN pipeline_versions ON pipeline_versions.id = pipeline_version_id WHERE deployments.id = ?",
                (deployment_id,),
            ).fetchone()
            rows = [_model_version(db, version_id) for version_id in json.loads(row["steps"])]
        return rows, json.loads(row["definition"])

    def _load_models(self, deployment: RunningDeployment, rows: list[Row], definition: Any) -> None:
        """Load models for the steps of a definition or, without steps, to run one after the other."""
        steps = object_of(definition).get("steps")
        if steps:
            try:
                parse(steps)
            except StepError as error:
                raise ModelUnreadableError(str(error)) from None
        for row in rows:
            framework = json.loads(row["metadata"])["conversion"]["framework"]
            if framework != NATIVE_FRAMEWORK:
                name = row["name"]
                raise ModelUnreadableError(
                    f"The model {name!r} is of the framework {framework!r}, and the sandbox runs ONNX models only."
                )
        if not rows:
            return
        try:
            process = self._load_versions(rows, steps or None)
        except ModelUnreadableError as error:
            name = rows[error.number]["name"]
            raise ModelUnreadableError(f"The model {name!r} cannot be run: {error}.") from None
        deployment.models = [_model_of(row) for row in rows]
        deployment.process = process

    def _end_if_replaced(self, deployment_id: int, deployment: RunningDeployment) -> None:
        """End a deployment's process if the deployment was ended or replaced while its models were loaded."""
        with self._lock:
            is_current = self._deployments.get(deployment_id) is deployment
        if not is_current and deployment.process is not None:
            deployment.process.end(was_requested=True)

    def stop(self, deployment_id: int) -> None:
        """End a deployment once its requests are done."""
        with self._lock:
            deployment = self._deployments.pop(deployment_id, None)
        if deployment is not None and deployment.process is not None:
            deployment.process.retire()

    def deployment(self, deployment_id: int) -> RunningDeployment:
        """Return a deployment; if its process has ended, its models are loaded again in the background.

        An unknown deployment is `Starting` and has no models.
        """
        with self._lock:
            deployment = self._deployments.get(deployment_id)
            if deployment is None:
                return RunningDeployment()
            if deployment.drop_ended_process():
                self._loads.submit(self._load, self._epoch, deployment_id, deployment)
            return deployment


def _model_version(db: sqlite3.Connection, version_id: int) -> Row:
    """Return the row of a model version, with its model's name."""
    return db.execute(
        "SELECT model_versions.*, models.name FROM model_versions JOIN models ON models.id = model_id "
        "WHERE model_versions.id = ?",
        (version_id,),
    ).fetchone()


def _model_of(row: Row) -> Model:
    """Return the model version of a row."""
    return Model(row["name"], row["version"], row["sha"])


def open_models(processes: ModelProcesses, files: list[ModelFile], steps: list[Any] | None = None) -> ModelProcess:
    """Return a new process that has loaded some models, and runs steps or one model after the other.

    Raises:
        ModelUnreadableError: The engine cannot run one of them.
        _InterruptedError: The sandbox was closed or reset.
    """
    try:
        return processes.load(files, steps)
    except ModelRefusedError as error:
        raise ModelUnreadableError(str(error), error.number) from None
    except ShortageError as error:
        _LOGGER.error("%s", error)  # noqa: TRY400 - the message has everything
        raise ModelUnreadableError(f"the sandbox is short of what it takes to run it ({error})") from None
    except FileNotFoundError:  # a reset has removed it
        raise _InterruptedError from None
    except ProcessEndedError as error:
        if error.was_requested:
            raise _InterruptedError from None
        reason = "it takes longer than it may" if error.timed_out else "loading it ended the process of the engine"
        raise ModelUnreadableError(reason) from None


def _logged(work: Callable[..., None], what: str) -> Callable[..., None]:
    """Return a function that logs why another one failed: nobody waits for what its thread does."""

    def logged(*arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception:
            _LOGGER.exception("%s failed", what)

    return logged


def _import_heavy_libraries() -> None:
    """Import numpy and pyarrow, which takes long."""
    import_module("wallaroo_ext.sandbox.engine.tensors")
