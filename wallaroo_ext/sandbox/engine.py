"""Models in memory: reading an uploaded file, loading a deployment's models, scoring rows on them."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.model_limits import ModelLimits, ModelTooExpensiveError
from wallaroo_ext.sandbox.onnx_file import OnnxFileError
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions
from wallaroo_ext.sandbox.problems import engine_error
from wallaroo_ext.sandbox.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from wallaroo_ext.sandbox.store import Row, Store
    from wallaroo_ext.sandbox.tensors import Array, Column, TensorSpec
    from wallaroo_ext.sandbox.transitions import Transition

NATIVE_FRAMEWORK = "onnx"
_LOGGER = logging.getLogger(__name__)


class ModelUnreadableError(Exception):
    """A file is no model that the engine can run; the message says why."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model version that is ready to run."""

    name: str
    version: str
    sha: str
    session: Any
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    limits: ModelLimits

    def run(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """The model's outputs for the rows of these columns, by name."""
        from wallaroo_ext.sandbox.tensors import take_inputs

        inputs = take_inputs(columns, self.inputs)
        rows = next((len(tensor) for tensor in inputs.values()), 0)
        try:
            results = self.limits.run(self.session, [output.name for output in self.outputs], inputs)
        except ModelTooExpensiveError as error:
            raise engine_error(f"The model {self.name!r} was stopped on these rows: {error}.") from None
        except Exception as error:  # noqa: BLE001 - onnxruntime raises types of its own, for whatever the model does
            raise engine_error(f"The model {self.name!r} failed on these rows: {_first_line(error)}") from None
        for output, tensor in zip(self.outputs, results, strict=True):
            if tensor.ndim == 0 or len(tensor) != rows:
                raise engine_error(
                    f"The model's output {output.name!r} has the shape {list(tensor.shape)} for {rows} rows: its first "
                    f"dimension has to be the rows."
                )
        return {output.name: tensor for output, tensor in zip(self.outputs, results, strict=True)}


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def open_model(path: Path, row: Row, limits: ModelLimits) -> LoadedModel:
    """Load an ONNX file.

    Raises:
        ModelUnreadableError: It is none, it takes more than the limits allow, or it takes or gives something other than
            tensors.
    """
    from wallaroo_ext.sandbox.tensors import TensorSpec, UnsupportedTypeError

    try:
        session = limits.load(path.read_bytes())
        return LoadedModel(
            name=row["name"],
            version=row["version"],
            sha=row["sha"],
            session=session,
            inputs=[TensorSpec.of(item.name, item.type, item.shape) for item in session.get_inputs()],
            outputs=[TensorSpec.of(item.name, item.type, item.shape) for item in session.get_outputs()],
            limits=limits,
        )
    except (OnnxFileError, ModelTooExpensiveError, UnsupportedTypeError) as error:
        raise ModelUnreadableError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - onnxruntime raises types of its own, for whatever the file is
        raise ModelUnreadableError(f"the file is no ONNX model that can be loaded: {_first_line(error)}") from None


@dataclass(slots=True)
class Scored:
    """Rows that were scored.

    Attributes:
        outputs: The last model's outputs, by name.
        model: The last model.
        elapsed_ns: How long the models ran.
    """

    outputs: dict[str, Array]
    model: LoadedModel
    elapsed_ns: int


@dataclass(slots=True)
class RunningDeployment:
    """A deployment's models, and how far loading them is.

    Attributes:
        models: The models, in the order of the steps; empty before all are loaded.
        error: Why they could not be loaded.
        held_until: Until when it is starting whatever is loaded, by the monotonic clock in seconds.
    """

    models: list[LoadedModel] = field(default_factory=list[LoadedModel])
    error: str | None = None
    held_until: float = 0.0

    @staticmethod
    def beginning(transition: Transition) -> RunningDeployment:
        """A deployment that begins now, and that ends as the transition says where it does not say `Running`."""
        seconds = math.inf if transition.status == "Starting" else transition.seconds
        error = transition.reason if transition.status == "Error" else None
        return RunningDeployment(error=error, held_until=time.monotonic() + seconds)

    @property
    def status(self) -> str:
        """The deployment's state, as the API names it."""
        if time.monotonic() < self.held_until:
            return "Starting"
        return "Error" if self.error else "Running" if self.models else "Starting"

    def score(self, table: pa.Table) -> Scored:
        """Run the models one after the other, the outputs of one being the inputs of the next."""
        import pyarrow as pa

        from wallaroo_ext.sandbox.tensors import to_column

        columns = {name: table.column(name) for name in table.column_names}
        outputs: dict[str, Array] = {}
        started = time.perf_counter_ns()
        for number, model in enumerate(self.models):
            if number:
                columns = _renamed(
                    {name: pa.chunked_array([to_column(tensor)]) for name, tensor in outputs.items()}, model
                )
            outputs = model.run(columns)
        return Scored(outputs, self.models[-1], time.perf_counter_ns() - started)


def _renamed(columns: dict[str, Column], model: LoadedModel) -> dict[str, Column]:
    """A single output goes into a single input, whatever their names are."""
    if len(columns) == len(model.inputs) == 1:
        return {model.inputs[0].name: next(iter(columns.values()))}
    return columns


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
        self._limits = ModelLimits.of(options)
        self._store = store
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="engine")
        self._deployments: dict[int, RunningDeployment] = {}
        self._era = _Era()
        self._lock = threading.Lock()
        self._imported: Future[None] | None = None

    def resume(self) -> None:
        """Load the libraries, and take up what an earlier run left: conversions that had not ended, and deployments."""
        self._libraries()
        with self._store.transaction() as db:
            versions = db.execute("SELECT id FROM model_versions WHERE status NOT IN ('ready', 'error')").fetchall()
            deployments = db.execute("SELECT id FROM deployments WHERE deployed").fetchall()
        for row in versions:
            self.convert(row["id"])
        for row in deployments:
            self.start(row["id"])

    def _libraries(self) -> Future[None]:
        """The import of the heavy libraries, once and in one thread: several at a time would meet half-made modules."""
        with self._lock:
            if self._imported is None:
                self._imported = self._threads.submit(_import_libraries)
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

    def close(self) -> None:
        """Let what is under way end, and begin nothing more."""
        for timer in self._era.end():
            timer.join()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def convert(self, version_id: int) -> None:
        """Read an uploaded model in the background; its status tells how it ended."""
        self._libraries()
        self._threads.submit(self._convert, self._era, version_id, self.transitions.models)

    def _convert(self, era: _Era, version_id: int, transition: Transition) -> None:
        began = time.monotonic()
        self.wait_for_libraries()
        row = self._begin_conversion(era, version_id)
        if row is None:
            return
        reason = transition.reason if transition.status == "error" else self._why_unreadable(row)

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
        """The version to convert; None where there was a reset since."""
        with self._store.transaction() as db:
            if era.is_over:
                return None
            db.execute("UPDATE model_versions SET status = 'converting' WHERE id = ?", (version_id,))
            return find_version(db, version_id)

    def _why_unreadable(self, row: Row) -> str | None:
        """Why a version is no model that the engine can run; None where it is one, or is for another engine."""
        if json.loads(row["metadata"])["conversion"]["framework"] != NATIVE_FRAMEWORK:
            return None
        try:
            open_model(self._store.model_file(row["version"]), row, self._limits)
        except ModelUnreadableError as error:
            return str(error)
        return None

    def start(self, deployment_id: int) -> None:
        """Load a deployment's models in the background, unless it is to come to another end."""
        transition = self.transitions.deployments
        deployment = RunningDeployment.beginning(transition)
        with self._lock:
            self._deployments[deployment_id] = deployment
        self._libraries()
        if transition.status == "Running":
            self._threads.submit(self._load, self._era, deployment_id, deployment)

    def _load(self, era: _Era, deployment_id: int, deployment: RunningDeployment) -> None:
        with self._store.transaction() as db:
            if era.is_over:
                return
            steps = json.loads(db.execute("SELECT steps FROM deployments WHERE id = ?", (deployment_id,)).fetchone()[0])
            rows = [find_version(db, version_id) for version_id in steps]
        self.wait_for_libraries()
        try:
            deployment.models = [self._load_model(row) for row in rows]
        except ModelUnreadableError as error:
            deployment.error = str(error)
        except Exception:
            _LOGGER.exception("loading the deployment %s failed", deployment_id)
            deployment.error = "The sandbox failed to load the models; its log has the details."

    def _load_model(self, row: Row) -> LoadedModel:
        framework = json.loads(row["metadata"])["conversion"]["framework"]
        if framework != NATIVE_FRAMEWORK:
            raise ModelUnreadableError(
                f"The model {row['name']!r} is of the framework {framework!r}, and the sandbox runs ONNX models only."
            )
        try:
            return open_model(self._store.model_file(row["version"]), row, self._limits)
        except ModelUnreadableError as error:
            raise ModelUnreadableError(f"The model {row['name']!r} cannot be run: {error}.") from None

    def stop(self, deployment_id: int) -> None:
        """Let go of a deployment's models."""
        with self._lock:
            self._deployments.pop(deployment_id, None)

    def deployment(self, deployment_id: int) -> RunningDeployment:
        """A deployment's models; an unknown one has none and is starting."""
        with self._lock:
            return self._deployments.get(deployment_id, RunningDeployment())


def find_version(db: Any, version_id: int) -> Row:
    """A model version with its model's name."""
    return db.execute(
        "SELECT model_versions.*, models.name FROM model_versions JOIN models ON models.id = model_id "
        "WHERE model_versions.id = ?",
        (version_id,),
    ).fetchone()


def _onnxruntime() -> Any:
    """The library, which has no type stubs."""
    return import_module("onnxruntime")


def _import_libraries() -> None:
    """The heavy ones, after the port answers: the first conversion and the first rows then find them loaded."""
    _onnxruntime()
    import_module("wallaroo_ext.sandbox.answers")
