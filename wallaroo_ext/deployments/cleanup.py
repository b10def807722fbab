"""Undeploying after a block or a failure, even where that is interrupted, with a note where it did not succeed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.errors import NotFoundError
from wallaroo_ext.operations import Steps, call_steps, note_leftovers, within

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 30.0
"""How long a clean-up may take, because a person who interrupted the program waits for it."""

_TIMES = 2


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """The result of a clean-up.

    Attributes:
        left: What is left behind, and how to end it; empty for nothing.
        failure: The error with which the clean-up failed; None for none.
        interrupt: The interrupt that came meanwhile, even where the clean-up succeeded after it; None for none.
    """

    left: str = ""
    failure: BaseException | None = None
    interrupt: BaseException | None = None


def undeploy_steps(deployment_id: int) -> Steps[None]:
    """Undeploy a deployment; one that has ended already is no error."""
    from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
    from wallaroo_mlops_client.models import UndeployPipelineRequest

    try:
        yield from call_steps(undeploy_pipeline, body=UndeployPipelineRequest(deployment_id=deployment_id))
    except NotFoundError:
        return


def undeploy_after_steps(error: BaseException | None, deployment_id: int, name: str) -> Steps[None]:
    """Undeploy after an error, or at the end of a block without one; see `raise_after_cleanup`."""

    def steps() -> Steps[str]:
        yield from undeploy_steps(deployment_id)
        return ""

    cleaned = yield from cleanup_of_steps(deployment_id, name, steps)
    raise_after_cleanup(error, cleaned)


def cleanup_of_steps(deployment_id: int, name: str, make: Callable[[], Steps[str]]) -> Steps[CleanupResult]:
    """Clean up by steps that undeploy a deployment; see `bounded_cleanup_steps`."""
    what = f"Undeploying {name} failed as well, it may go on running"
    return (yield from bounded_cleanup_steps(make, what, f"{undeploy_commands(deployment_id, name)} ends it."))


def bounded_cleanup_steps(make: Callable[[], Steps[str]], what: str, advice: str) -> Steps[CleanupResult]:
    """Clean up in at most 30 s, and once more where something interrupts it.

    Args:
        make: A function that returns the steps, whose result says what is left behind.
        what: The consequence where they fail, without a full stop.
        advice: What to do in that case.
    """
    interrupt: BaseException | None = None
    for _ in range(_TIMES):
        try:
            return CleanupResult((yield from within(_SECONDS, make())), interrupt=interrupt)
        except GeneratorExit as closed:  # nothing can be sent any more
            note_leftovers(closed, f"{what}, because nobody waits for that any more. {advice}")
            raise
        except Exception as failure:  # noqa: BLE001 - the error before the clean-up is the one to raise
            return CleanupResult(f"{what}: {failure} {advice}", failure, interrupt)
        except BaseException as error:  # noqa: BLE001 - `raise_after_cleanup` raises it
            interrupt = error
    return CleanupResult(f"{what}, because that was interrupted, too. {advice}", interrupt, interrupt)


def raise_after_cleanup(error: BaseException | None, cleaned: CleanupResult) -> None:
    """Raise the error or interrupt of a clean-up, unless the error before it matters more; add a note about leftovers.

    Args:
        error: The error before the clean-up, which the caller raises; None for none. GeneratorExit counts as none,
            because a caller that closes a generator does not see it.
        cleaned: The result of the clean-up.

    Raises:
        BaseException: The interrupt of the clean-up, unless `error` is an interrupt, too; or its failure, where there
            was no `error`.
    """
    raised = error
    if error is None or isinstance(error, GeneratorExit):
        raised = cleaned.interrupt or cleaned.failure or error
    elif isinstance(error, Exception):
        raised = cleaned.interrupt or error
    if raised is None:
        return
    if cleaned.left:
        note_leftovers(raised, cleaned.left)
    if raised is not error:
        raise raised from error


def undeploy_commands(deployment_id: int, name: str) -> str:
    """Return how to end a deployment, in Python and on the command line."""
    return f"`undeploy(client, {deployment_id})` or `wallaroo-ext undeploy {name}`"
