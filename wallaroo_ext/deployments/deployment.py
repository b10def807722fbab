"""A deployment as a value, with its name and URL, which is undeployed at the end of a `with` block."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import TYPE_CHECKING, Any, Self

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext._util.notebook_tables import FieldsInNotebook
from wallaroo_ext.deployments.cleanup import undeploy_after_steps
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.operations import Steps, run, run_async

if TYPE_CHECKING:
    from types import TracebackType

    from wallaroo_mlops_client import Client

    from wallaroo_ext._util.after_fork import Process


@dataclass(frozen=True, kw_only=True)
class Deployment(FieldsInNotebook):
    """A pipeline that is deployed, as it was when it was deployed or found.

    As a context manager (`async with` in asyncio) it is undeployed at the end of the block, also where the block
    raises, if the call to `deploy_pipeline` started it. A deployment that ran before, and got another version only, or
    that `find_deployment` found, goes on after the block; `undeploy` ends it. Only the process that entered a block
    undeploys at its end, not a child that was forked within it.

    Where undeploying fails or is interrupted, the block's own exception is raised, with a note about that.

    It can be pickled, without the client: `undeploy(client, deployment)` ends it then.

    Args:
        client: The client that undeploys it at the end of a block. It is no field, and so in no repr, comparison or
            pickle.

    Attributes:
        name: The name that `get_deployment_status` takes, `{deploy_id}-{id}`.
        id: The deployment's id.
        url: Where it scores rows.
        pipeline: The pipeline's name.
        workspace_id: The workspace that the pipeline is in.
        status: Its status at that time, such as `Running` or `Starting`.
        pipeline_id: The pipeline's id; None where it was found by its name, because no operation returns it.
        pipeline_version_id: The id of the pipeline version that was deployed; None likewise.
        pipeline_version: Its UUID; None likewise, and where the release does not return it.
        started: Whether the call that returned this value started the deployment, so that the end of a block ends it.
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
    started: bool = False
    client: InitVar[Client | None] = None

    def __post_init__(self, client: Client | None) -> None:
        object.__setattr__(self, "_client", client)  # no field, so that nothing shows it
        object.__setattr__(self, "_blocks", [])  # the same
        object.__setattr__(self, "_process", this_process())  # the same

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None, "_blocks": [], "_process": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __enter__(self) -> Self:
        return self._entered()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run(self._connected(), self._end_of_block_steps(error))

    async def __aenter__(self) -> Self:
        return self._entered()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await run_async(self._connected(), self._end_of_block_steps(error))

    def _end_of_block_steps(self, error: BaseException | None) -> Steps[None]:
        blocks: list[Process] = self.__dict__["_blocks"]
        process: Process = blocks.pop() if blocks else self.__dict__["_process"]  # `ExitStack.push` enters no block
        if process.is_this and self.started:
            yield from undeploy_after_steps(error, self.id, self.name)

    def _entered(self) -> Self:
        self._connected()
        self.__dict__["_blocks"].append(this_process())
        return self

    def _connected(self) -> Client:
        """Return the client that it was deployed or found with."""
        client: Client | None = self.__dict__["_client"]
        if client is None:
            raise ConfigurationError(f"This copy of {self.name} has no client: use undeploy(client, deployment).")
        return client
