"""The processes that run models: the first one, which loads the libraries, and those that it forks.

The first one never sees a model. Who is forked confines itself, loads the models of one deployment, whose files it is
handed open, and scores rows; it is told everything over its sockets and has nothing else.
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
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.engine import confinement, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from wallaroo_ext.sandbox.engine.model_limits import ModelLimits
    from wallaroo_ext.sandbox.engine.tensors import Array, Column, TensorSpec
    from wallaroo_ext.sandbox.http.problems import Problem

COMMAND = struct.Struct("<cQ")
"""What the first process is told: what to do, and the number that the sandbox gave the process it is about."""

FORK, END = b"F", b"E"
_NO_LIMIT = 1 << 62
_LIBRARIES = (
    "encodings.idna",
    "onnxruntime",
    "pyarrow.compute",
    "wallaroo_ext.sandbox.inference.arrow_rows",
    "wallaroo_ext.sandbox.engine.model_limits",
    "wallaroo_ext.sandbox.engine.tensors",
)
_MIB = 1 << 20


def main() -> None:
    """Load the libraries, and fork a process each time that the sandbox wants one, until the sandbox ends."""
    control = socket.socket(fileno=int(sys.argv[1]))
    layers = confinement.separate()
    _load_libraries()
    gc.collect()
    gc.freeze()  # else the garbage collection of each process would copy all that they share
    messages.send(control, {"layers": layers + _tried_layers()})
    _Forks(control).serve()


def _load_libraries() -> None:
    """Import all that a process will need, which can open no file later."""
    for name in _LIBRARIES:
        import_module(name)

    import numpy as np
    import pyarrow as pa

    from wallaroo_ext._util import arrow_files
    from wallaroo_ext.sandbox.engine.allocator import keep_memory
    from wallaroo_ext.sandbox.inference.arrow_rows import read_file

    keep_memory()
    table: Any = pa.table({"a": pa.array(np.zeros((2, 2)).tolist())})
    read_file(arrow_files.to_file(table).to_pybytes(), _MIB)  # what these import at their first use


def _tried_layers() -> list[str]:
    """Return the layers that hold in a process that confines itself, by trying it in one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _end_after(lambda: os.write(writing, "\n".join(confinement.confine(_MIB)).encode()))
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as said:
        layers = said.read().splitlines()
    os.waitpid(child, 0)
    return layers


def _end_after(work: Callable[[], Any]) -> NoReturn:
    """Do the work of a forked process, and end it; what the libraries would do at an end is the first process's."""
    try:
        work()
    finally:
        os._exit(0)


class _Forks:
    """The processes that the first one has forked.

    Args:
        control: Where the sandbox says what it wants.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._processes: dict[int, int] = {}

    def serve(self) -> None:
        """Fork and end processes, until the sandbox is gone; then end them all."""
        while True:
            command, files, _, _ = socket.recv_fds(self._control, COMMAND.size, 1)
            self._bury()
            if len(command) < COMMAND.size:
                break
            kind, number = COMMAND.unpack(command)
            if kind == FORK and not files:
                messages.send(self._control, {"error": "too many files are open"})  # so the system left it out
            elif kind == FORK:
                self._fork(number, files[0])
            elif number in self._processes:
                os.kill(self._processes[number], signal.SIGKILL)
        for process in self._processes.values():
            os.kill(process, signal.SIGKILL)

    def _fork(self, number: int, connection: int) -> None:
        try:
            process = os.fork()
        except OSError as error:  # those that run go on
            os.close(connection)
            messages.send(self._control, {"error": str(error)})
            return
        if process == 0:
            confinement.die_with_parent()
            self._control.close()
            _end_after(lambda: _Process(socket.socket(fileno=connection)).serve())
        os.close(connection)
        self._processes[number] = process
        messages.send(self._control, {"process": process})

    def _bury(self) -> None:
        """Forget those that have ended. Until then, their ids are nobody else's."""
        for number, process in list(self._processes.items()):
            if os.waitpid(process, os.WNOHANG)[0]:
                del self._processes[number]


@dataclass(frozen=True, slots=True)
class _Model:
    """A model version that is ready to run."""

    name: str
    session: Any
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    limits: ModelLimits

    def run(self, columns: Mapping[str, Column]) -> dict[str, Array]:
        """Return the model's outputs for the rows of these columns, by name."""
        from wallaroo_ext.sandbox.engine.model_limits import ModelTooExpensiveError
        from wallaroo_ext.sandbox.engine.tensors import take_inputs
        from wallaroo_ext.sandbox.http.problems import engine_error

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


def _open_model(name: str, content: bytes, limits: ModelLimits) -> _Model:
    """Load an ONNX file.

    Raises:
        ValueError: It is none, it takes more than the limits allow, or it takes or gives something other than tensors.
    """
    from wallaroo_ext.sandbox.engine.model_limits import ModelTooExpensiveError
    from wallaroo_ext.sandbox.engine.onnx_file import OnnxFileError
    from wallaroo_ext.sandbox.engine.tensors import TensorSpec, UnsupportedTypeError

    try:
        session = limits.load(content)
        return _Model(
            name=name,
            session=session,
            inputs=[TensorSpec.of(item.name, item.type, item.shape) for item in session.get_inputs()],
            outputs=[TensorSpec.of(item.name, item.type, item.shape) for item in session.get_outputs()],
            limits=limits,
        )
    except (OnnxFileError, ModelTooExpensiveError, UnsupportedTypeError) as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - onnxruntime raises types of its own, for whatever the file is
        raise ValueError(f"the file is no ONNX model that can be loaded: {_first_line(error)}") from None


class _Process:
    """A process with the models of one deployment.

    Args:
        control: Where the sandbox hands it files and connections.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._models: list[_Model] = []
        self._rows_memory = 0

    def serve(self) -> None:
        """Confine this process, load the models, and answer on each connection, until the sandbox is gone."""
        from wallaroo_ext.sandbox.engine.model_limits import ModelLimits

        header = messages.receive(self._control, 0).header
        confinement.confine(int(header["memory"]))
        limits = ModelLimits(int(header["model_memory_mib"]), float(header["seconds"]))
        self._rows_memory = int(header["rows_memory_mib"]) * _MIB
        with confinement.keeping_back(int(header["memory_for_rows"])):
            for name in header["names"]:
                self._load(str(name), limits)
        while connection := self._handed():
            threading.Thread(target=self._answer, args=(socket.socket(fileno=connection),), daemon=True).start()

    def _handed(self) -> int | None:
        """Return the next file or connection from the sandbox; None when that is gone."""
        said, files, _, _ = socket.recv_fds(self._control, 1, 1)
        return files[0] if said and files else None

    def _load(self, name: str, limits: ModelLimits) -> None:
        """Load the next model, and say how it went."""
        file = self._handed()
        if file is None:
            os._exit(0)
        try:
            with os.fdopen(file, "rb") as opened:
                self._models.append(_open_model(name, opened.read(), limits))
        except MemoryError:
            messages.send(
                self._control, {"error": f"it needs more than the {limits.memory_mib} MiB of memory for models"}
            )
        except ValueError as error:
            messages.send(self._control, {"error": str(error)})
        else:
            messages.send(self._control, {})

    def _answer(self, connection: socket.socket) -> None:
        """Score what comes on a connection, until it is closed."""
        with connection, suppress(OSError, messages.BrokenMessageError):
            while True:
                rows = messages.receive(connection, _NO_LIMIT).content
                header, pieces = self._scored(rows)
                del rows
                messages.send(connection, header, pieces)
                del pieces

    def _scored(self, content: memoryview) -> tuple[dict[str, Any], Sequence[Any]]:
        """Return what the models give for the rows of an Arrow file, or why there is nothing."""
        import pyarrow as pa

        from wallaroo_ext.sandbox.http.problems import Problem

        try:
            return self._score(content)
        except Problem as problem:
            return {"status": problem.status, "error": _sentence(problem)}, ()
        except (MemoryError, pa.ArrowMemoryError):
            said = "The rows and what the models make of them take more memory than they may; send fewer at a time."
            return {"status": HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "error": said}, ()

    def _score(self, content: memoryview) -> tuple[dict[str, Any], Sequence[Any]]:
        from wallaroo_ext._util import arrow_files
        from wallaroo_ext.sandbox.engine.tensors import pack
        from wallaroo_ext.sandbox.inference.arrow_rows import read_file

        table, is_plain = read_file(content, self._rows_memory)
        started = time.perf_counter_ns()
        outputs = self._outputs(table)
        elapsed = time.perf_counter_ns() - started
        descriptions, pieces = pack(outputs)
        rows = [] if is_plain else [arrow_files.to_file(table.combine_chunks())]
        return {"outputs": descriptions, "elapsed_ns": elapsed, "has_rows": not is_plain}, [*pieces, *rows]

    def _outputs(self, table: pa.Table) -> dict[str, Array]:
        """Run the models one after the other, the outputs of one being the inputs of the next."""
        import pyarrow as pa

        from wallaroo_ext.sandbox.engine.tensors import to_column

        columns = {name: table.column(name) for name in table.column_names}
        outputs: dict[str, Array] = {}
        for number, model in enumerate(self._models):
            if number:
                columns = _renamed(
                    {name: pa.chunked_array([to_column(tensor)]) for name, tensor in outputs.items()}, model
                )
            outputs = model.run(columns)
        return outputs


def _sentence(problem: Problem) -> str:
    """Return what a problem says, in the form of the API's or of the engine's errors."""
    content = object_of(problem.content)
    return str(content.get("error") or content.get("msg"))


def _renamed(columns: dict[str, Column], model: _Model) -> dict[str, Column]:
    """Return a single output goes into a single input, whatever their names are."""
    if len(columns) == len(model.inputs) == 1:
        return {model.inputs[0].name: next(iter(columns.values()))}
    return columns


if __name__ == "__main__":
    main()
