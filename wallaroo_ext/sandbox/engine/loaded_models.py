"""Models in memory: reading an uploaded file, loading a deployment's models, scoring rows on them."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.engine.process import (
    ModelFile,
    ModelProcesses,
    ModelRefusedError,
    ProcessEndedError,
    Refusal,
    ShortageError,
)
from wallaroo_ext.sandbox.engine.transitions import Transitions
from wallaroo_ext.sandbox.http.problems import engine_error, too_large, unavailable
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wallaroo_ext.sandbox.engine.process import ModelProcess
    from wallaroo_ext.sandbox.engine.tensors import Array
    from wallaroo_ext.sandbox.engine.transitions import Transition
    from wallaroo_ext.sandbox.http.problems import Problem
    from wallaroo_ext.sandbox.storage.store import Row, Store

NATIVE_FRAMEWORK = "onnx"
_AT_A_TIME = 8
_LAYERS = ("a network of its own", "limits", "Landlock", "seccomp")
_LOGGER = logging.getLogger(__name__)


class ModelUnreadableError(Exception):
    """A file is no model that the engine can run; the message says why.

    Attributes:
        number: Which one of several models it is.
    """

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        self.number = number


class _InterruptedError(Exception):
    """The sandbox ends, or was reset, before it was known how something would end."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model version that is ready to run: what is said of it."""

    name: str
    version: str
    sha: str


@dataclass(slots=True)
class Scored:
    """Rows that were scored.

    Attributes:
        outputs: The last model's outputs, by name.
        model: The last model.
        elapsed_ns: How long the models ran.
        rows: The rows as a plain Arrow file, where they came as one that is not plain; None where they did.
    """

    outputs: dict[str, Array]
    model: LoadedModel
    elapsed_ns: int
    rows: memoryview | None = None


@dataclass(slots=True)
class RunningDeployment:
    """A deployment's models, and how far loading them is.

    Attributes:
        models: The models, in the order of the steps; empty before all are loaded.
        process: The process that has loaded them; None before.
        error: Why they could not be loaded.
        held_until: Until when it is starting whatever is loaded, by the monotonic clock in seconds.
    """

    models: list[LoadedModel] = field(default_factory=list[LoadedModel])
    process: ModelProcess | None = None
    error: str | None = None
    held_until: float = 0.0

    @staticmethod
    def beginning(transition: Transition) -> RunningDeployment:
        """Return a deployment that begins now, and that ends as the transition says where it does not say `Running`."""
        seconds = math.inf if transition.status == "Starting" else transition.seconds
        error = transition.reason if transition.status == "Error" else None
        return RunningDeployment(error=error, held_until=time.monotonic() + seconds)

    @property
    def status(self) -> str:
        """The deployment's state, as the API names it."""
        if time.monotonic() < self.held_until:
            return "Starting"
        return "Error" if self.error else "Running" if self.process else "Starting"

    def lose_ended_process(self) -> bool:
        """Let go of a process that has ended; whether there was one, so that the models have to be loaded anew."""
        if self.process is None or self.process.is_alive:
            return False
        self.process, self.models = None, []
        return True

    def score(self, rows: Sequence[Any]) -> Scored:
        """Run the models one after the other, the outputs of one being the inputs of the next.

        Args:
            rows: An Arrow file, in pieces.

        Raises:
            Problem: 400 in the engine's form, 413 for rows that take more memory than they may, and 503 where the
                process ended for a reason that is not known to be these rows.
        """
        from wallaroo_ext.sandbox.engine.tensors import unpack

        process, model = self.process, self.models[-1] if self.models else None
        if process is None or model is None:
            raise unavailable("no healthy upstream: the deployment is Starting")
        try:
            reply = process.score(rows)
            outputs, content = unpack(reply.outputs, reply.content)
        except Refusal as refusal:
            raise _refusal(refusal) from None
        except ProcessEndedError as error:
            raise _ended(error) from None
        except ShortageError as error:
            raise unavailable(f"upstream connect error: {error}; send this request again later") from None
        except ValueError:
            process.end()
            raise _ended(ProcessEndedError()) from None
        return Scored(outputs, model, reply.elapsed_ns, content if reply.has_rows else None)


def _refusal(refusal: Refusal) -> Problem:
    """Return what to answer where a process refuses rows."""
    return (
        too_large(refusal.reason)
        if refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        else engine_error(refusal.reason)
    )


def _ended(error: ProcessEndedError) -> Problem:
    """Return what to answer where a process ended while it worked on rows."""
    if error.is_late:
        return engine_error("The models were stopped on these rows: they take longer than they may.")
    if error.was_told or not error.was_alone:
        return unavailable("upstream connect error: the deployment was ended, or starts anew after a failure")
    return engine_error(
        "The process of the models ended on these rows: they take more memory than they may, or a model is broken. It "
        "is started anew."
    )


class _Era:
    """The time from one reset to the next; what began in an era that is over changes nothing any more."""

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._timers: set[threading.Timer] = set()

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something after a time, in a thread of its own, unless the era is over by then."""

        def run() -> None:
            work()
            with self._lock:
                self._timers.discard(timer)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        with self._lock:
            if not self.is_over:
                self._timers.add(timer)
                timer.start()

    def end(self) -> list[threading.Timer]:
        """Cancel what is still to be done; what may be doing its work just now is given back."""
        with self._lock:
            self.is_over = True
            for timer in self._timers:
                timer.cancel()
            return list(self._timers)


class Engine:
    """Converts uploaded models and runs deployments, in threads of its own.

    Args:
        store: Where versions, deployments and files are.
        options: How much memory and time models may take.

    Attributes:
        transitions: How long what begins from now on takes, and how it ends.
    """

    def __init__(self, store: Store, options: SandboxOptions = DEFAULT_OPTIONS) -> None:
        self.transitions = Transitions()
        self._processes = ModelProcesses(options)
        self._store = store
        # One each, so that models which are slow to convert keep no deployment from starting.
        self._conversions = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="conversions")
        self._loads = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="loads")
        self._deployments: dict[int, RunningDeployment] = {}
        self._era = _Era()
        self._lock = threading.Lock()
        self._imported: Future[None] | None = None

    def confinement(self) -> tuple[str, ...]:
        """Return what keeps the models' processes to themselves; it waits until their libraries are loaded."""
        try:
            self._processes.start()
        except ShortageError as error:
            _LOGGER.error("%s", error)  # noqa: TRY400 - the reason says all
        except ProcessEndedError:
            pass
        return self._processes.layers or ()

    def resume(self) -> None:
        """Load the libraries of the models, and take up what an earlier run left: conversions, and deployments."""
        self._conversions.submit(self._start_processes)
        with self._store.transaction() as db:
            versions = db.execute("SELECT id FROM model_versions WHERE status NOT IN ('ready', 'error')").fetchall()
            deployments = db.execute("SELECT id FROM deployments WHERE deployed").fetchall()
        for row in versions:
            self.convert(row["id"])
        for row in deployments:
            self.start(row["id"])

    def _start_processes(self) -> None:
        """Load the processes' libraries before they are wanted, and say what does not keep them to themselves."""
        holding = self.confinement()
        missing = [layer for layer in _LAYERS if not any(held.startswith(layer) for held in holding)]
        if holding and missing:
            _LOGGER.warning("models run without %s, which this system does not give", ", ".join(missing))

    def _libraries(self) -> Future[None]:
        """The import of the heavy libraries, once and in one thread: several at a time would meet half-made modules."""
        with self._lock:
            if self._imported is None:
                self._imported = self._loads.submit(_import_libraries)
            return self._imported

    def wait_for_libraries(self) -> None:
        """Wait until the heavy libraries are loaded, so that importing them in another thread finds them whole."""
        self._libraries().result()

    def forget(self) -> None:
        """Let go of all models, and let what is under way change nothing more.

        It is called within the transaction that deletes the versions and deployments, so that a conversion ends either
        before it or not at all.
        """
        with self._lock:
            self._era.end()
            self._era = _Era()
            self._deployments.clear()
        self._processes.end_all()

    def interrupt(self) -> None:
        """End all rows that models work on; their deployments start anew when they are wanted."""
        self._processes.end_working()

    def close(self) -> None:
        """End all processes of models, and begin nothing more; conversions are taken up by the next run."""
        self._processes.close()
        for timer in self._era.end():
            timer.join()
        for threads in (self._conversions, self._loads):
            threads.shutdown(wait=True, cancel_futures=True)

    def convert(self, version_id: int) -> None:
        """Read an uploaded model in the background; its status tells how it ended."""
        self._libraries()  # a deployment is likely to follow
        self._conversions.submit(self._convert, self._era, version_id, self.transitions.models)

    def _convert(self, era: _Era, version_id: int, transition: Transition) -> None:
        began = time.monotonic()
        row = self._begin_conversion(era, version_id)
        if row is None:
            return
        try:
            reason = transition.reason if transition.status == "error" else self._why_unreadable(row)
        except _InterruptedError:
            return
        except Exception:
            _LOGGER.exception("converting the model version %s failed", version_id)
            reason = "the sandbox failed to read the model; its log has the details"

        def end() -> None:
            with self._store.transaction() as db:
                if not era.is_over:
                    changes = ("error" if reason else "ready", reason, version_id)
                    db.execute("UPDATE model_versions SET status = ?, error_summary = ? WHERE id = ?", changes)

        left = began + transition.seconds - time.monotonic()
        if left > 0:
            era.later(left, end)
        else:
            end()

    def _begin_conversion(self, era: _Era, version_id: int) -> Row | None:
        """Return the version to convert; None where there was a reset since."""
        with self._store.transaction() as db:
            if era.is_over:
                return None
            db.execute("UPDATE model_versions SET status = 'converting' WHERE id = ?", (version_id,))
            return find_version(db, version_id)

    def _why_unreadable(self, row: Row) -> str | None:
        """Return why a version is no model that the engine can run; None where it is one, or is for another engine."""
        if json.loads(row["metadata"])["conversion"]["framework"] != NATIVE_FRAMEWORK:
            return None
        try:
            self._loaded([row]).end()
        except ModelUnreadableError as error:
            return str(error)
        return None

    def _loaded(self, rows: list[Row]) -> ModelProcess:
        """Return a process with the models of these versions."""
        return open_models(
            self._processes, [ModelFile(row["name"], self._store.model_file(row["version"])) for row in rows]
        )

    def start(self, deployment_id: int) -> None:
        """Load a deployment's models in the background, unless it is to come to another end."""
        transition = self.transitions.deployments
        deployment = RunningDeployment.beginning(transition)
        with self._lock:
            before = self._deployments.get(deployment_id)
            self._deployments[deployment_id] = deployment
        if before is not None and before.process is not None:
            before.process.retire()
        self._libraries()
        if transition.status == "Running":
            self._loads.submit(self._load, self._era, deployment_id, deployment)

    def _load(self, era: _Era, deployment_id: int, deployment: RunningDeployment) -> None:
        with self._store.transaction() as db:
            if era.is_over:
                return
            steps = json.loads(db.execute("SELECT steps FROM deployments WHERE id = ?", (deployment_id,)).fetchone()[0])
            rows = [find_version(db, version_id) for version_id in steps]
        self.wait_for_libraries()
        try:
            self._load_models(deployment, rows)
        except ModelUnreadableError as error:
            deployment.error = str(error)
        except _InterruptedError:
            return
        except Exception:
            _LOGGER.exception("loading the deployment %s failed", deployment_id)
            deployment.error = "The sandbox failed to load the models; its log has the details."
        self._end_unless_wanted(deployment_id, deployment)

    def _load_models(self, deployment: RunningDeployment, rows: list[Row]) -> None:
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
            process = self._loaded(rows)
        except ModelUnreadableError as error:
            name = rows[error.number]["name"]
            raise ModelUnreadableError(f"The model {name!r} cannot be run: {error}.") from None
        deployment.models = [LoadedModel(row["name"], row["version"], row["sha"]) for row in rows]
        deployment.process = process

    def _end_unless_wanted(self, deployment_id: int, deployment: RunningDeployment) -> None:
        """End the process of a deployment that was ended while its models were loaded."""
        with self._lock:
            is_wanted = self._deployments.get(deployment_id) is deployment
        if not is_wanted and deployment.process is not None:
            deployment.process.end(was_told=True)

    def stop(self, deployment_id: int) -> None:
        """Let go of a deployment's models, when what they work on has ended."""
        with self._lock:
            deployment = self._deployments.pop(deployment_id, None)
        if deployment is not None and deployment.process is not None:
            deployment.process.retire()

    def deployment(self, deployment_id: int) -> RunningDeployment:
        """A deployment's models, loaded anew where their process has ended; an unknown one has none and is starting."""
        with self._lock:
            deployment = self._deployments.get(deployment_id)
            if deployment is None:
                return RunningDeployment()
            if deployment.lose_ended_process():
                self._loads.submit(self._load, self._era, deployment_id, deployment)
            return deployment


def find_version(db: Any, version_id: int) -> Row:
    """Return a model version with its model's name."""
    return db.execute(
        "SELECT model_versions.*, models.name FROM model_versions JOIN models ON models.id = model_id "
        "WHERE model_versions.id = ?",
        (version_id,),
    ).fetchone()


def open_models(processes: ModelProcesses, files: list[ModelFile]) -> ModelProcess:
    """Return a process that has loaded these models.

    Raises:
        ModelUnreadableError: One of them is none that the engine can run.
        _InterruptedError: The sandbox ends, or was reset.
    """
    try:
        return processes.load(files)
    except ModelRefusedError as error:
        raise ModelUnreadableError(str(error), error.number) from None
    except ShortageError as error:
        _LOGGER.error("%s", error)  # noqa: TRY400 - the reason says all
        raise ModelUnreadableError(f"the sandbox is short of what it takes to run it ({error})") from None
    except FileNotFoundError:  # a reset has removed it
        raise _InterruptedError from None
    except ProcessEndedError as error:
        if error.was_told:
            raise _InterruptedError from None
        reason = "it takes longer than it may" if error.is_late else "loading it ended the process of the engine"
        raise ModelUnreadableError(reason) from None


def _import_libraries() -> None:
    """The heavy ones, when the first model is uploaded: the first rows then find them loaded."""
    import_module("wallaroo_ext.sandbox.inference.answers")
