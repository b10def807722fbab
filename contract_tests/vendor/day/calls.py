"""What a day with the vendor's SDK consists of: calls, what they have made so far, and how values are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NEW, OLD = "2026.1.3", "2023.4.2"
"""The releases of the SDK."""

ABSENT = "this release of the SDK does not have it"
"""The reason of a call that a release of the SDK has no method for; it is looked for in the SDK's class."""

_MODULES = {
    "Assay": "assay",
    "AssayAnalysis": "assay",
    "AssayAnalysisList": "assay",
    "AssayBuilder": "assay_config",
    "AssayConfig": "assay_config",
    "AssayV2": "assays_v2",
    "Client": "client",
    "Deployment": "deployment",
    "DeploymentConfigBuilder": "deployment_config",
    "Model": "model",
    "ModelConfig": "model_config",
    "ModelVersion": "model_version",
    "Pipeline": "pipeline",
    "PipelineVersion": "pipeline_version",
    "Tag": "tag",
    "Workspace": "workspace",
}


@dataclass
class Day:
    """What the calls of a day have, and what they have made so far.

    Attributes:
        release: The SDK's release.
        environment: What the sandbox printed.
        files: The directory with the models' files, where the day may write.
        client: The SDK's client.
        made: The SDK's objects, by names of the day's.
    """

    release: str
    environment: Mapping[str, str]
    files: Path
    client: Any = None
    made: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_new(self) -> bool:
        """Whether the SDK is the newer of the two."""
        return self.release == NEW

    def __getitem__(self, name: str) -> Any:
        """Return an object that a call has made."""
        return self.made[name]

    def __setitem__(self, name: str, value: Any) -> None:
        """Keep an object for later calls."""
        self.made[name] = value


@dataclass(frozen=True)
class Call:
    """A call of the SDK.

    Attributes:
        name: The call as a person writes it: a class of the SDK, its method, and the arguments that matter; or a
            function of the client that was generated for the SDK, which begins with `api`.
        does: What it does.
        gives: What must come back; `run` checks it.
        needs: A further class of the SDK without which there is no such call; empty for none.
        run: Makes the call, and raises where something else comes back.
        reasons: Why it does not work, by the SDK's release; it must not work, then.
    """

    name: str
    does: str
    gives: str
    needs: str
    run: Callable[[Day], None]
    reasons: Mapping[str, str]

    def is_absent(self) -> bool:
        """Return whether the SDK has no such method; for programs in an environment with the SDK."""
        *owner, method = self.name.partition("(")[0].split(".")
        try:
            is_there = hasattr(_owner(owner or [method]), method if owner else "__init__")
            return not is_there or bool(self.needs and _owner([self.needs]) is None)
        except (ImportError, AttributeError):
            return True


def _owner(path: list[str]) -> Any:
    """Return a class of the SDK's, or a module of the client that it was generated with."""
    if path[0] == "api":
        return import_module(".".join(("wallaroo.wallaroo_ml_ops_api_client", *path)))
    return getattr(import_module(f"wallaroo.{_MODULES[path[0]]}"), path[0])


class Calls(list[Call]):
    """Calls, in the order in which the day makes them."""

    def add(
        self, name: str, does: str, gives: str, *, needs: str = "", **reasons: str
    ) -> Callable[[Callable[[Day], None]], Callable[[Day], None]]:
        """Add the decorated function as a call; `old` and `new` are why it does not work with that SDK."""

        def adding(run: Callable[[Day], None]) -> Callable[[Day], None]:
            by_release = {{"old": OLD, "new": NEW}[which]: reason for which, reason in reasons.items()}
            self.append(Call(name, does, gives, needs, run, by_release))
            return run

        return adding


def both(reason: str) -> dict[str, str]:
    """Return a reason for both releases of the SDK."""
    return {"old": reason, "new": reason}


def equal(got: Any, wanted: Any) -> None:
    """Raise where a value is not the wanted one; the program that runs a day has no pytest to show both."""
    if got != wanted:
        raise AssertionError(f"{got!r} came back, and not {wanted!r}")


def among(wanted: Any, got: Any) -> None:
    """Raise where values do not have a wanted one."""
    if wanted not in got:
        raise AssertionError(f"{got!r} came back, without {wanted!r}")


def numbers(column: Any) -> list[float]:
    """Return the numbers of a column whose cells are numbers, or lists of one number each, of pandas or Arrow."""
    cells = column.to_pylist() if hasattr(column, "to_pylist") else list(column)
    return [float(cell[0] if hasattr(cell, "__len__") else cell) for cell in cells]


def sdk() -> Any:
    """Return the SDK's package, which only the environments of the tests with it have."""
    return import_module("wallaroo")
