"""How much memory and time models may take, when they are loaded and when they run.

It is for a process that runs the models of one deployment. Their tensors come from one arena of onnxruntime's, which is
only so large: a model that asks for more gets an error, and the process goes on. What a model takes beside the arena,
its weights for one, is bounded by the process's own limit only.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.engine.deadlines import Deadlines
from wallaroo_ext.sandbox.engine.onnx_file import inspect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wallaroo_ext.sandbox.engine.onnx_file import OnnxFile
    from wallaroo_ext.sandbox.engine.tensors import Array

_MIB = 1 << 20
_SILENT = 4
_FULL = "Available memory of"  # in onnxruntime's message, when the arena cannot give what is asked for
_LARGEST_VALUE = 8  # of a number in a tensor, in bytes
_DEADLINES = Deadlines()
_ARENA_LOCK = threading.Lock()
_ARENAS: list[int] = []


class ModelTooExpensiveError(Exception):
    """A model takes more memory or time than it may; the message says which."""


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What models may take.

    Attributes:
        memory_mib: What those of a process may take at a time for what they compute, in MiB. The first value in a
            process counts for all of it.
        seconds: How long loading one, or a run, may take. It is ended between two nodes of the model.
    """

    memory_mib: int
    seconds: float

    def load(self, content: bytes) -> Any:
        """An onnxruntime session of a file's content. It is given no path, so no other file has a place beside it.

        Raises:
            OnnxFileError: The file is no model, or not all of one.
            ModelTooExpensiveError: It is too large for the memory, or loading it takes too long.
        """
        found = inspect(content)
        if found.dense_values * _LARGEST_VALUE > self.memory_mib * _MIB:
            raise ModelTooExpensiveError(f"its sparse tensors take more than {self.memory_mib} MiB")
        onnxruntime = import_module("onnxruntime")
        self._make_arena(onnxruntime)
        options = self._options(onnxruntime, found)
        late: list[bool] = []

        def cancel() -> None:
            late.append(True)
            options.set_load_cancellation_flag(True)

        try:
            with _DEADLINES.after(self.seconds, cancel):
                return onnxruntime.InferenceSession(
                    content, options, providers=["CPUExecutionProvider"], enable_fallback=False
                )
        except Exception as error:
            self._explain(error, late=bool(late))
            raise

    def _make_arena(self, onnxruntime: Any) -> None:
        """Give onnxruntime the one arena, the first time that a model is loaded."""
        with _ARENA_LOCK:
            if _ARENAS:
                return
            where = onnxruntime.OrtMemoryInfo(
                "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
            )
            # It takes as much from the system as is asked for, not twice as much each time, which could not be used up.
            arena = onnxruntime.OrtArenaCfg({"max_mem": self.memory_mib * _MIB, "arena_extend_strategy": 1})
            onnxruntime.create_and_register_allocator(where, arena)
            _ARENAS.append(self.memory_mib)

    def _options(self, onnxruntime: Any, found: OnnxFile) -> Any:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SILENT
        for name, value in {
            # Threads that wait busily for the next request would take the processor from whoever writes this one's
            # answer.
            "session.intra_op.allow_spinning": 0,
            "session.load_model_format": "ONNX",
            "session.use_env_allocators": 1,
            "session.use_device_allocator_for_initializers": 1,
            # What is computed once, when the model is loaded, is no more than the memory if every node is.
            "optimization.constant_folding_max_output_size_in_bytes": self.memory_mib * _MIB // max(1, found.nodes),
        }.items():
            options.add_session_config_entry(name, str(value))
        return options

    def run(self, session: Any, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return the outputs of a session for these inputs.

        Raises:
            ModelTooExpensiveError: It needs too much memory, or takes too long.
        """
        options = import_module("onnxruntime").RunOptions()
        options.log_severity_level = _SILENT

        def terminate() -> None:
            options.terminate = True

        try:
            with _DEADLINES.after(self.seconds, terminate):
                return _run(session, outputs, inputs, options)
        except Exception as error:
            self._explain(error, late=bool(options.terminate))
            raise

    def _explain(self, error: Exception, *, late: bool) -> None:
        """Raise a ModelTooExpensiveError where that is what an error of onnxruntime's means."""
        if late:
            raise ModelTooExpensiveError(f"it takes longer than {self.seconds:g} seconds") from None
        if _FULL in str(error):
            raise ModelTooExpensiveError(f"it needs more than the {self.memory_mib} MiB of memory for models") from None


def _run(session: Any, outputs: Sequence[str], inputs: Mapping[str, Array], options: Any) -> list[Array]:
    """Run a session; where memory is in pieces that are too small, give it all back and try once more.

    A run gives back at its end, even at that of a failure.
    """
    try:
        return session.run(outputs, inputs, options)
    except Exception as error:
        if _FULL not in str(error) or options.terminate:
            raise
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        return session.run(outputs, inputs, options)
    except Exception as error:
        if _FULL not in str(error) or options.terminate:
            raise
    return session.run(outputs, inputs, options)
