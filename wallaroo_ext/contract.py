"""The contract: the file itself, and the short table of its operations that clients need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

_FILE = "wallaroo-mlops.yaml"


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """What a client needs to know of an operation beside its generated module.

    Attributes:
        path: The path, with parameters in braces.
        request_types: The media types of its body.
        response_types: The media types of its answer when it succeeds.
        idempotent: Whether a request may be sent twice.
    """

    path: str
    request_types: tuple[str, ...]
    response_types: tuple[str, ...]
    idempotent: bool


@cache
def _operations() -> dict[str, OperationInfo]:
    text = resources.files("wallaroo_mlops_client").joinpath("operations.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, Any]] = json.loads(text)
    return {
        name: OperationInfo(
            path=row["path"],
            request_types=tuple(row["request_types"]),
            response_types=tuple(row["response_types"]),
            idempotent=row["idempotent"],
        )
        for name, row in table.items()
    }


def operation(operation_id: str) -> OperationInfo:
    """The row of an operation.

    Raises:
        KeyError: The contract has no operation of this id.
    """
    return _operations()[operation_id]


def path() -> Path:
    """The contract file: beside this module in an installed wheel, under openapi/ in a checkout."""
    here = Path(__file__).parent
    installed = here / _FILE
    return installed if installed.exists() else here.parent / "openapi" / _FILE


def load(file: Path | None = None) -> dict[str, Any]:
    """The contract as YAML reads it; needs the extra `sandbox`, for PyYAML.

    Args:
        file: Another contract than the one that comes with this package.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no YAML.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (file or path()).open(encoding="utf-8") as stream:
        try:
            return yaml.load(stream, Loader=loader)  # noqa: S506 - both are the safe loader, one of them in C
        except yaml.YAMLError as error:
            raise ValueError(f"it is no YAML, {error}") from None
