"""Are the names of frameworks that are mistyped refused, and others sent as they are?"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext import InvalidDataError, upload_model
from wallaroo_ext.uploads.frameworks import KNOWN, check_framework

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_mlops_client import Client

    from contract_tests.support.command_line import Done


class Framework(Enum):
    """How the vendor's SDK names some."""

    ONNX = "onnx"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("onx", "onnx"),
        ("ONNX", "onnx"),
        (" onnx", "onnx"),
        ("PyTorch", "pytorch"),
        ("tensorflwo", "tensorflow"),
        ("xgbost", "xgboost"),
        ("hugging-face-sumarization", "hugging-face-summarization"),
    ],
)
def test_a_mistyped_framework_is_refused_with_what_is_near(name: str, near: str) -> None:
    with pytest.raises(InvalidDataError, match=near) as caught:
        check_framework(name, new_framework=False)
    assert "new_framework=True" in caught.value.advice
    assert check_framework(name, new_framework=True) == name


@pytest.mark.parametrize("name", [*KNOWN, "jax-of-2030", "hugging-face-video-to-smell"])
def test_known_and_new_frameworks_are_sent(name: str) -> None:
    assert check_framework(name, new_framework=False) == name


def test_the_vendors_enumeration_is_taken() -> None:
    assert check_framework(Framework.ONNX, new_framework=False) == "onnx"


@pytest.mark.parametrize("framework", ["", None, 5, b"onnx"])
def test_what_is_no_text_is_refused(framework: Any) -> None:
    with pytest.raises(InvalidDataError, match="is a text such as onnx"):
        check_framework(framework, new_framework=True)


def test_nothing_is_uploaded(client: Client, model_file: Path, wallaroo: Callable[..., Done]) -> None:
    with pytest.raises(InvalidDataError, match="Nothing was uploaded"):
        upload_model(client, model_file, name="typed", framework="onx")
    refused = wallaroo("upload", str(model_file), "--name", "typed", "--framework", "onx")
    assert refused.code == 2
    assert "--new-framework" in refused.err
    assert wallaroo("list", "models").out.count("typed") == 0
