"""A deployment as a value: what it is called, where it answers, and that it ends with a `with` block."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any, Self

from wallaroo_ext.errors import ConfigurationError, NotFoundError
from wallaroo_ext.operations import Steps, call_steps, run

if TYPE_CHECKING:
    from types import TracebackType

    from wallaroo_mlops_client import Client


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A pipeline that is deployed, as it was when it was deployed or found.

    As a context manager it is undeployed at the end of the block, also where the block raises: `with` for a program,
    `async with` for asyncio. Where undeploying fails as well, the block's exception is the one that is raised, with a
    note about it.

    It can be pickled, without the client: `undeploy(client, deployment)` ends it then.

    Args:
        client: What undeploys it at the end of a block; it is no field, and so in no repr, comparison or pickle.

    Attributes:
        name: The name that `get_deployment_status` takes, `{deploy_id}-{id}`.
        id: The deployment's id.
        url: Where it scores rows.
        pipeline: The pipeline's name.
        workspace_id: The workspace that the pipeline is in.
        status: How it was then, such as `Running` or `Starting`.
        pipeline_id: The pipeline's id; None where it was found by its name, because no operation tells it.
        pipeline_version_id: The id of the pipeline version that was deployed; None likewise.
        pipeline_version: Its UUID; None likewise, and where the release does not tell it.
    """

    name: str
    id: int
    url: str
    pipeline: str
    workspace_id: int
    status: str
    pipeline_id: int | None = None
    pipeline_version_id: int | None = None
    pipeline_version: str | None = None
    client: InitVar[Client | None] = None

    def __post_init__(self, client: Client | None) -> None:
        object.__setattr__(self, "_client", client)  # no field, so that nothing shows it

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __enter__(self) -> Self:
        self._connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            run(self._connected(), end_steps(self.id, self.pipeline_id))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the block's own error is the one to raise
            note_or_raise(failure, error, self.name)

    async def __aenter__(self) -> Self:
        self._connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from wallaroo_ext import aio

        try:
            await aio.run(self._connected(), end_steps(self.id, self.pipeline_id))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the block's own error is the one to raise
            note_or_raise(failure, error, self.name)

    def _connected(self) -> Client:
        """The client that it was deployed or found with."""
        client: Client | None = self.__dict__["_client"]
        if client is None:
            raise ConfigurationError(f"This copy of {self.name} has no client: use undeploy(client, deployment).")
        return client


def note_or_raise(failure: Exception, error: BaseException | None, name: str) -> None:
    """Say on an error that undeploying failed as well; where there is none, the failure is the error."""
    if error is None:
        raise failure
    error.add_note(f"Undeploying {name} failed as well, it may go on running: {failure}")


def end_steps(deployment_id: int | None, pipeline_id: int | None) -> Steps[None]:
    """End a deployment, or all of a pipeline; one that has ended already is fine."""
    from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
    from wallaroo_mlops_client.models import UndeployPipelineRequest
    from wallaroo_mlops_client.types import UNSET

    body = UndeployPipelineRequest(
        deployment_id=UNSET if deployment_id is None else deployment_id,
        pipeline_id=UNSET if pipeline_id is None else pipeline_id,
    )
    try:
        yield from call_steps(undeploy_pipeline, body=body)
    except NotFoundError:
        return
