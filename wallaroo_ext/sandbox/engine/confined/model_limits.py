"""Limits the memory and time of models when they are loaded and when they run.

This is for a process that runs the models of one deployment. Their tensors come from one arena of onnxruntime with a
size limit: a model that needs more gets an error, and the process continues. Memory outside the arena, such as weights,
is bounded only by the limit of the process.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.engine.confined.onnx_file import inspect
from wallaroo_ext.sandbox.engine.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wallaroo_ext.sandbox.engine.confined.onnx_file import OnnxFile
    from wallaroo_ext.sandbox.engine.tensors import Array

_MIB = 1 << 20
_SILENT = 4
_OUT_OF_MEMORY = "Available memory of"  # in onnxruntime's message when the arena is exhausted
_LARGEST_VALUE = 8  # bytes of a number in a tensor
_DEADLINES = Deadlines()
_ARENA_LOCK = threading.Lock()
_ARENAS: list[int] = []


class ModelTooExpensiveError(Exception):
    """A model exceeds its limit of memory or time; the message says which."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """The limits of models.

    Attributes:
        memory_mib: The memory for the tensors of all models in the process, in MiB. The first value in a process holds
            for its lifetime.
        seconds: The time limit of loading a model, and of a run; onnxruntime checks it between two nodes.
    """

    memory_mib: int
    seconds: float

    def load(self, content: bytes) -> Any:
        """Return an onnxruntime session for the content of a file.

        onnxruntime gets no path, so that the model cannot refer to other files.

        Raises:
            OnnxFileError: The file is not a model, or is incomplete.
            ModelTooExpensiveError: The model needs too much memory, or loading it takes too long.
        """
        found = inspect(content)
        if found.dense_values * _LARGEST_VALUE > self.memory_mib * _MIB:
            raise ModelTooExpensiveError(f"its sparse tensors take more than {self.memory_mib} MiB")
        onnxruntime = import_module("onnxruntime")
        self._make_arena(onnxruntime)
        options = self._options(onnxruntime, found)
        timeouts: list[bool] = []

        def cancel() -> None:
            timeouts.append(True)
            options.set_load_cancellation_flag(True)

        try:
            with _DEADLINES.after(self.seconds, cancel):
                return onnxruntime.InferenceSession(
                    content, options, providers=["CPUExecutionProvider"], enable_fallback=False
                )
        except Exception as error:
            self._raise_if_too_expensive(error, timed_out=bool(timeouts))
            raise

    def _make_arena(self, onnxruntime: Any) -> None:
        """Register the arena with onnxruntime, the first time that a model is loaded."""
        with _ARENA_LOCK:
            if _ARENAS:
                return
            memory = onnxruntime.OrtMemoryInfo(
                "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
            )
            # Strategy 1 extends the arena by what is requested; doubling it each time would leave memory unused.
            arena = onnxruntime.OrtArenaCfg({"max_mem": self.memory_mib * _MIB, "arena_extend_strategy": 1})
            onnxruntime.create_and_register_allocator(memory, arena)
            _ARENAS.append(self.memory_mib)

    def _options(self, onnxruntime: Any, found: OnnxFile) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SILENT
        for name, value in {
            # Threads that spin while they wait for the next request would take the processor from the thread that
            # writes this one's answer.
            "session.intra_op.allow_spinning": 0,
            "session.load_model_format": "ONNX",
            "session.use_env_allocators": 1,
            "session.use_device_allocator_for_initializers": 1,
            # Even if every node is folded into a constant, the constants fit into the memory.
            "optimization.constant_folding_max_output_size_in_bytes": self.memory_mib * _MIB // max(1, found.nodes),
        }.items():
            options.add_session_config_entry(name, str(value))
        return options

    def run(self, session: Any, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return the outputs of a session for these inputs.

        Raises:
            ModelTooExpensiveError: The run needs too much memory, or takes too long.
        """
        options = import_module("onnxruntime").RunOptions()
        options.log_severity_level = _SILENT

        def terminate() -> None:
            options.terminate = True

        try:
            with _DEADLINES.after(self.seconds, terminate):
                return _run(session, outputs, inputs, options)
        except Exception as error:
            self._raise_if_too_expensive(error, timed_out=bool(options.terminate))
            raise

    def _raise_if_too_expensive(self, error: Exception, *, timed_out: bool) -> None:
        """Raise a ModelTooExpensiveError if an error of onnxruntime means that a limit was exceeded."""
        if timed_out:
            raise ModelTooExpensiveError(f"it takes longer than {self.seconds:.10g} seconds") from None
        if _OUT_OF_MEMORY in str(error):
            raise ModelTooExpensiveError(f"it needs more than the {self.memory_mib} MiB of memory for models") from None


def _run(session: Any, outputs: Sequence[str], inputs: Mapping[str, Array], options: Any) -> list[Array]:
    """Run a session, again with an empty arena if its free memory is too fragmented.

    The second run only shrinks the arena at its end, even if it fails; the third one then has all of the memory.
    """
    try:
        return session.run(outputs, inputs, options)
    except Exception as error:
        if _OUT_OF_MEMORY not in str(error) or options.terminate:
            raise
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        return session.run(outputs, inputs, options)
    except Exception as error:
        if _OUT_OF_MEMORY not in str(error) or options.terminate:
            raise
    return session.run(outputs, inputs, options)
