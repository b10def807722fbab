"""The program of the processes that run models: a fork server, which imports the libraries, and the workers it forks.

The fork server never reads a model. A worker confines itself, loads the models of one deployment from open files that
it receives, and scores rows. Its sockets are its only input. `model_process.py` is the sandbox's side of it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from wallaroo_ext._util.arrow.no_pandas import hide_pandas
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.engine import messages
from wallaroo_ext.sandbox.engine.confined import confinement
from wallaroo_ext.sandbox.engine.steps import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wallaroo_ext.sandbox.engine.confined.model_limits import ModelLimits
    from wallaroo_ext.sandbox.engine.confined.step_runs import StepRun
    from wallaroo_ext.sandbox.engine.steps import Step
    from wallaroo_ext.sandbox.engine.tensors import Array, Column, TensorSpec
    from wallaroo_ext.sandbox.http.problems import Problem

COMMAND = struct.Struct("<cQ")
"""A command to the fork server: what to do, and the number that the sandbox gave to the worker."""

FORK, END = b"F", b"E"
_NO_LIMIT = 1 << 62
_LIBRARIES = (
    "encodings.idna",
    "onnxruntime",
    "pyarrow.compute",
    "wallaroo_ext.sandbox.engine.arrow_rows",
    "wallaroo_ext.sandbox.engine.confined.model_limits",
    "wallaroo_ext.sandbox.engine.confined.step_runs",
    "wallaroo_ext.sandbox.engine.tensors",
)
_MIB = 1 << 20


def main() -> None:
    """Import the libraries, and fork a worker each time that the sandbox requests one, until the sandbox ends."""
    control = socket.socket(fileno=int(sys.argv[1]))
    layers = confinement.isolate()
    hide_pandas()
    import_libraries()
    gc.collect()
    gc.freeze()  # otherwise, garbage collection in each worker would copy the memory that they share
    messages.send(control, {"layers": layers + _probe_layers()})
    _ForkServer(control).serve()


def import_libraries() -> None:
    """Import everything that a worker needs, because it can open no file later."""
    for name in _LIBRARIES:
        import_module(name)

    import numpy as np
    import pyarrow as pa

    from wallaroo_ext._util.arrow.files import to_file
    from wallaroo_ext.sandbox.engine.allocator import keep_memory
    from wallaroo_ext.sandbox.engine.arrow_rows import read_file
    from wallaroo_ext.sandbox.engine.tensors import to_column

    keep_memory()
    zeros = np.zeros((2, 2))
    table: Any = pa.table({"a": pa.array(zeros.tolist()), "b": to_column(zeros)})
    read_file(to_file(table).to_pybytes(), _MIB)  # some modules are imported at the first use


def _probe_layers() -> list[str]:
    """Return the names of the layers that confine a worker, by confining a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _run_and_exit(lambda: os.write(writing, "\n".join(confinement.confine(_MIB)).encode()))
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as names:
        layers = names.read().splitlines()
    os.waitpid(child, 0)
    return layers


def _run_and_exit(work: Callable[[], Any]) -> NoReturn:
    """Run a function in a forked process and exit, without the exit handlers, which belong to the fork server."""
    try:
        work()
    finally:
        os._exit(0)


class _ForkServer:
    """Forks and kills workers as the sandbox commands.

    Args:
        control: The connection to the sandbox.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._workers: dict[int, int] = {}  # process ids, by number

    def serve(self) -> None:
        """Execute commands until the sandbox has ended, and then kill all workers."""
        while True:
            command, files, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
            self._reap()
            if len(command) < COMMAND.size:
                break
            kind, number = COMMAND.unpack(command)
            if kind == FORK and not files:
                messages.send(self._control, {"error": "too many files are open"})  # the kernel then drops the file
            elif kind == FORK:
                self._fork(number, files[0])
            elif number in self._workers:
                os.kill(self._workers[number], signal.SIGKILL)
        for pid in self._workers.values():
            os.kill(pid, signal.SIGKILL)

    def _fork(self, number: int, connection: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:  # the other workers continue
            os.close(connection)
            messages.send(self._control, {"error": str(error)})
            return
        if pid == 0:
            confinement.die_with_parent()
            self._control.close()
            _run_and_exit(lambda: _Worker(socket.socket(fileno=connection)).serve())
        os.close(connection)
        self._workers[number] = pid
        messages.send(self._control, {"process": pid})

    def _reap(self) -> None:
        """Remove the workers that have ended. Until then, the kernel does not reuse their process ids."""
        for number, pid in list(self._workers.items()):
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self._workers[number]


@dataclass(frozen=True, slots=True)
class _Model:
    """A model version that is ready to run."""

    name: str
    version: str
    session: Any
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    limits: ModelLimits

    def run(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """Return the model's outputs for the rows of some columns, by name."""
        from wallaroo_ext.sandbox.engine.confined.model_limits import ModelTooExpensiveError
        from wallaroo_ext.sandbox.engine.tensors import take_inputs
        from wallaroo_ext.sandbox.http.problems import engine_error

        inputs = take_inputs(columns, self.inputs)
        rows = next((len(tensor) for tensor in inputs.values()), 0)
        try:
            results = self.limits.run(self.session, [output.name for output in self.outputs], inputs)
        except ModelTooExpensiveError as error:
            raise engine_error(f"The model {self.name!r} was stopped on these rows: {error}.") from None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - onnxruntime raises its own types for any failure of the model
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


def _open_model(name: str, version: str, content: bytes, limits: ModelLimits) -> _Model:
    """Load the content of an ONNX file.

    Raises:
        ValueError: It is no model, exceeds the limits, or has inputs or outputs that are no tensors.
    """
    from wallaroo_ext.sandbox.engine.confined.model_limits import ModelTooExpensiveError
    from wallaroo_ext.sandbox.engine.confined.onnx_file import OnnxFileError
    from wallaroo_ext.sandbox.engine.tensors import TensorSpec, UnsupportedTypeError

    try:
        session = limits.load(content)
        return _Model(
            name=name,
            version=version,
            session=session,
            inputs=[TensorSpec.of(item.name, item.type, item.shape) for item in session.get_inputs()],
            outputs=[TensorSpec.of(item.name, item.type, item.shape) for item in session.get_outputs()],
            limits=limits,
        )
    except (OnnxFileError, ModelTooExpensiveError, UnsupportedTypeError) as error:
        raise ValueError(str(error)) from None
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - onnxruntime raises its own types for any fault of the file
        raise ValueError(f"the file is no ONNX model that can be loaded: {_first_line(error)}") from None


class _Worker:
    """Scores rows on the models of one deployment.

    Args:
        control: The connection on which the sandbox passes files and connections.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._models: list[_Model] = []
        self._steps: tuple[Step, ...] = ()
        self._rows_memory = 0

    def serve(self) -> None:
        """Confine this process, load the models, and serve each connection until the sandbox has ended."""
        from wallaroo_ext.sandbox.engine.confined.model_limits import ModelLimits

        header = messages.receive(self._control, 0).header
        confinement.confine(int(header["memory"]))
        limits = ModelLimits(int(header["model_memory_mib"]), float(header["seconds"]))
        self._rows_memory = int(header["rows_memory_mib"]) * _MIB
        self._steps = parse(header["steps"])
        with confinement.reserve(int(header["memory_for_rows"])):
            for name, version in header["models"]:
                self._load(str(name), str(version), limits)
        while connection := self._receive_file():
            arguments = (socket.socket(fileno=connection),)
            threading.Thread(target=self._serve_connection, args=arguments, daemon=True).start()

    def _receive_file(self) -> int | None:
        """Return the descriptor of the next file or connection, or None if the sandbox has ended."""
        content, files, _, _ = socket.recv_fds(self._control, 1, 1)
        return files[0] if content and files else None

    def _load(self, name: str, version: str, limits: ModelLimits) -> None:
        """Load the next model, and report the result to the sandbox."""
        file = self._receive_file()
        if file is None:
            os._exit(0)
        try:
            with os.fdopen(file, "rb") as opened:
                self._models.append(_open_model(name, version, opened.read(), limits))
        except MemoryError:
            messages.send(
                self._control, {"error": f"it needs more than the {limits.memory_mib} MiB of memory for models"}
            )
        except ValueError as error:
            messages.send(self._control, {"error": str(error)})
        else:
            messages.send(self._control, {})

    def _serve_connection(self, connection: socket.socket) -> None:
        """Score the rows that arrive on a connection, until it is closed."""
        with connection, suppress(OSError, messages.BrokenMessageError):
            while True:
                rows = messages.receive(connection, _NO_LIMIT).content
                header, chunks = self._score(rows)
                del rows
                messages.send(connection, header, chunks)
                del chunks

    def _score(self, content: memoryview) -> tuple[dict[str, Any], Sequence[Any]]:
        """Return the message with the models' outputs for an Arrow file, or with the reason why there are none."""
        import pyarrow as pa

        from wallaroo_ext.sandbox.http.problems import Problem

        try:
            return self._run_models(content)
        except Problem as problem:
            return {"status": problem.status, "error": _message_of(problem)}, ()
        except (MemoryError, pa.ArrowMemoryError):
            error = "The rows and what the models make of them take more memory than they may; send fewer at a time."
            return {"status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "error": error}, ()
        except Exception as error:  # noqa: BLE001 - rows that nobody thought of end neither this process nor others' work
            message = f"The sandbox failed on these rows: {_first_line(error)}"
            return {"status": HTTPStatus.BAD_REQUEST, "error": message, "trace": traceback.format_exc()}, ()

    def _run_models(self, content: memoryview) -> tuple[dict[str, Any], Sequence[Any]]:
        from wallaroo_ext._util.arrow.files import to_file
        from wallaroo_ext.sandbox.engine.arrow_rows import read_file
        from wallaroo_ext.sandbox.engine.confined.step_runs import StepRun

        table, is_plain = read_file(content, self._rows_memory)
        columns = {name: table.column(name) for name in table.column_names}
        run = StepRun(self._models, columns, table.num_rows)
        started = time.perf_counter_ns()
        run.run(self._steps)
        elapsed = time.perf_counter_ns() - started
        results, chunks = packed_results(run)
        rows = [] if is_plain else [to_file(table.combine_chunks())]
        return results | {"elapsed_ns": elapsed, "has_rows": not is_plain}, [*chunks, *rows]


def packed_results(run: StepRun) -> tuple[dict[str, Any], list[Array]]:
    """Return the descriptions of all outputs and of the choices of a split, and their bytes in chunks."""
    from wallaroo_ext.sandbox.engine.tensors import pack

    results: dict[str, Any] = {}
    chunks: list[Array] = []
    for kind, scored in (("answered", run.answered), ("audited", run.audited)):
        results[kind] = []
        for result in scored:
            descriptions, packed = pack(result.outputs)
            results[kind].append({"model": result.model, "is_split": result.is_split, "outputs": descriptions})
            chunks += packed
    results["chosen"], packed = pack({} if run.chosen is None else {"chosen": run.chosen})
    return results, [*chunks, *packed]


def _message_of(problem: Problem) -> str:
    """Return the message of a problem in the form of the API or of the engine."""
    content = object_of(problem.content)
    return str(content.get("error") or content.get("msg"))


if __name__ == "__main__":
    main()
