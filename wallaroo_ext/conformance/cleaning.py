"""What a run removes at its end, and what it leaves behind, because no operation removes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
from wallaroo_mlops_client.api.users import deactivate_user
from wallaroo_mlops_client.models import DeactivateUserRequest, UndeployPipelineRequest

from wallaroo_ext import call
from wallaroo_ext.errors import WallarooError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.belongings import Belongings
    from wallaroo_ext.conformance.subjects import Kind

_KINDS: dict[Kind, str] = {"workspace": "workspace", "model": "model", "pipeline": "pipeline", "assay": "assay"}
_SHOWN = 5


def clean_up(client: Client, belongings: Belongings) -> Iterator[str]:
    """Undeploy what was deployed, and deactivate who was invited.

    Args:
        client: A client of the instance.
        belongings: What the run made.

    Yields:
        What is left, one text each.
    """
    for deployment_id in belongings.of("deployment"):
        body = UndeployPipelineRequest(deployment_id=deployment_id)
        yield from _tried(
            f"the deployment {deployment_id}", lambda body=body: call(undeploy_pipeline, client=client, body=body)
        )
    for email in belongings.of("email"):
        person = DeactivateUserRequest(email=email)
        yield from _tried(f"the user {email}", lambda person=person: call(deactivate_user, client=client, body=person))
    for kind, name in _KINDS.items():
        yield from _counted(name, belongings.of(kind))
    yield from _counted("deactivated user", belongings.of("email"))


def _tried(what: str, action: Callable[[], object]) -> Iterator[str]:
    try:
        action()
    except WallarooError as error:
        yield f"{what}, which could not be ended: {error}"


def _counted(name: str, found: list[object]) -> Iterator[str]:
    """What no operation removes, by its number and the first few of it."""
    if found:
        shown = ", ".join(map(str, found[:_SHOWN])) + (", …" if len(found) > _SHOWN else "")
        yield f"{len(found)} {name}{'' if len(found) == 1 else 's'}: {shown}"
