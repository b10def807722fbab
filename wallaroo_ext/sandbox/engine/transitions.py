"""How long starting deployments and converting model versions takes, and how it ends; tests can change both."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transition:
    """The duration and the outcome of a start or a conversion.

    Attributes:
        seconds: The least duration, in seconds.
        status: The final status. Models that cannot be loaded end in an error even with `Running` or `ready`. With
            `Starting`, the start never ends.
        reason: The reason that is given with the status `Error` or `error`.
    """

    seconds: float
    status: str
    reason: str


LOADED = Transition(0.0, "Running", "The transition of deployments is set to end in Error.")
CONVERTED = Transition(0.0, "ready", "The transition of models is set to end in error.")


@dataclass(slots=True)
class Transitions:
    """The transitions of deployments and conversions that begin from now on.

    Attributes:
        deployments: The transition of deployments, to `Running` or `Error`, or none with `Starting`.
        models: The transition of model versions, to `ready` or `error`.
    """

    deployments: Transition = LOADED
    models: Transition = CONVERTED

    def reset(self) -> None:
        """Restore real durations and outcomes."""
        self.deployments, self.models = LOADED, CONVERTED
