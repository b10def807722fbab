"""Ending a deployment after a block or a failure, whatever interrupts that, and saying so where it did not end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.errors import NotFoundError
from wallaroo_ext.operations import Steps, call_steps, note_leftovers, within

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 30.0
"""How long a clean-up may take: a person who interrupted a program waits for it."""

_TIMES = 2


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up came to.

    Attributes:
        left: What is left behind, and what ends it; empty where nothing is.
        failure: Why it failed; None where it did not.
        interrupt: What interrupted it, also where it was done after that; None for nothing.
    """

    left: str = ""
    failure: BaseException | None = None
    interrupt: BaseException | None = None


def end_steps(deployment_id: int) -> Steps[None]:
    """End a deployment; one that has ended already is fine."""
    from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
    from wallaroo_mlops_client.models import UndeployPipelineRequest

    try:
        yield from call_steps(undeploy_pipeline, body=UndeployPipelineRequest(deployment_id=deployment_id))
    except NotFoundError:
        return


def end_after_steps(error: BaseException | None, deployment_id: int, name: str) -> Steps[None]:
    """End a deployment after an error, or at the end of a block that had none; see `raise_after`."""

    def steps() -> Steps[str]:
        yield from end_steps(deployment_id)
        return ""

    what = f"Undeploying {name} failed as well, it may go on running"
    raise_after(error, (yield from cleaned_steps(steps, what, f"{ends(deployment_id, name)} ends it.")))


def cleaned_steps(make: Callable[[], Steps[str]], what: str, advice: str) -> Steps[Cleaned]:
    """Clean up in at most 30 s, and once more where something interrupts it.

    Args:
        make: Makes the steps, which give what is left behind.
        what: What it means where they fail, without a full stop.
        advice: What to do then.
    """
    interrupt: BaseException | None = None
    for _ in range(_TIMES):
        try:
            return Cleaned((yield from within(_SECONDS, make())), interrupt=interrupt)
        except GeneratorExit as closed:  # nothing can be sent any more
            note_leftovers(closed, f"{what}, because nobody waits for that any more. {advice}")
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, the first error is the one to raise
            return Cleaned(f"{what}: {failure} {advice}", failure, interrupt)
        except BaseException as error:  # noqa: BLE001 - `raise_after` raises it
            interrupt = error
    return Cleaned(f"{what}, because that was interrupted, too. {advice}", interrupt, interrupt)


def raise_after(error: BaseException | None, cleaned: Cleaned) -> None:
    """Raise what a clean-up came to, where that is more than the error before it, which gets a note about it.

    Args:
        error: The error before the clean-up, which its caller raises; None where there was none. Whoever closes a
            generator does not see that it raises GeneratorExit, so that this counts as none.
        cleaned: What the clean-up came to.

    Raises:
        BaseException: What interrupted the clean-up, in place of no error or another one than an interrupt; or why it
            failed, in place of no error.
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


def ends(deployment_id: int, name: str) -> str:
    """Return what ends a deployment, in Python and on the command line."""
    return f"`undeploy(client, {deployment_id})` or `wallaroo-ext undeploy {name}`"
