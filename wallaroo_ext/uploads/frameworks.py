"""The frameworks that models are written with, as far as the vendor's SDK names them, and names that are mistyped."""

from __future__ import annotations

from enum import Enum
from typing import Any

from wallaroo_ext._util.near_names import MISTYPED, near_names
from wallaroo_ext.errors import InvalidDataError

_OF_TASKS = "hugging-face-"
_TASKS = (
    "automatic-speech-recognition",
    "feature-extraction",
    "image-classification",
    "image-segmentation",
    "image-to-text",
    "object-detection",
    "question-answering",
    "sentiment-analysis",
    "stable-diffusion-text-2-img",
    "summarization",
    "text-classification",
    "text-generation",
    "translation",
    "zero-shot-classification",
    "zero-shot-image-classification",
    "zero-shot-object-detection",
)
KNOWN = (
    "custom",
    "keras",
    "onnx",
    "python",
    "pytorch",
    "sglang",
    "sklearn",
    "tensorflow",
    "vllm",
    "xgboost",
    *(f"{_OF_TASKS}{task}" for task in _TASKS),
)
"""The contract does not close the list: an instance may have others."""


def check_framework(framework: Any, *, new_framework: bool) -> str:
    """Return the framework of an upload, which is a text or the vendor's enumeration of them.

    Args:
        framework: The framework.
        new_framework: Whether it is meant, though it is near a known one.

    Raises:
        InvalidDataError: It is no text, or it is a mistyped name of a known one.
    """
    name = framework.value if isinstance(framework, Enum) else framework
    if not isinstance(name, str) or not name:
        raise InvalidDataError(f"`framework` is a text such as onnx, not {framework!r}.")
    if not new_framework and name not in KNOWN and (near := _near(name.strip().casefold())):
        raise InvalidDataError(
            f"No framework is known as {name!r}, and it is near {', '.join(near)}. Nothing was uploaded.",
            advice="If the instance has it, say new_framework=True (--new-framework on the command line).",
        )
    return name


def _near(name: str) -> list[str]:
    """Return the known frameworks of which a name may be a mistyped form; the beginning of a task's does not count."""
    task = name.removeprefix(_OF_TASKS)
    if task != name:
        return [f"{_OF_TASKS}{near}" for near in near_names(task, _TASKS, least=MISTYPED)]
    return near_names(name, KNOWN, least=MISTYPED)
