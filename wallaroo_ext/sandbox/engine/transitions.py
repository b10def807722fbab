"""How long a deployment takes to start and a model version to be converted, and how each of them ends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transition:
    """How something that begins comes to its end.

    Attributes:
        seconds: How long it takes at the least, in seconds.
        status: How it ends. `Running` and `ready` are for what can be loaded; what cannot ends in an error in any case.
            `Starting` never ends.
        reason: What is said where it ends in `Error` or `error`.
    """

    seconds: float
    status: str
    reason: str


LOADED = Transition(0.0, "Running", "The transition of deployments is set to end in Error.")
CONVERTED = Transition(0.0, "ready", "The transition of models is set to end in error.")


@dataclass(slots=True)
class Transitions:
    """What is valid for deployments and models that begin from now on, until the sandbox ends.

    Attributes:
        deployments: For deployments, which end in `Running` or `Error`, or stay `Starting`.
        models: For model versions, which end in `ready` or `error`.
    """

    deployments: Transition = LOADED
    models: Transition = CONVERTED

    def reset(self) -> None:
        """Let everything take as long as it takes."""
        self.deployments, self.models = LOADED, CONVERTED
