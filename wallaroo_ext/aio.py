"""The functions of `wallaroo_ext` for asyncio: the same names, arguments and errors, to be awaited."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, overload

import httpx

from wallaroo_ext.assays.results import assay_results_steps
from wallaroo_ext.batch.asyncio_threads import elements, in_thread
from wallaroo_ext.batch.batches import scored_batches
from wallaroo_ext.batch.dataset import DatasetOptions, score_dataset
from wallaroo_ext.batch.options import BatchOptions, how_to_score
from wallaroo_ext.client import connect
from wallaroo_ext.deployments.deploy import deploy_steps
from wallaroo_ext.deployments.find import find_deployment_steps, undeploy_steps
from wallaroo_ext.deployments.wait import TIMEOUT, wait_until_running_steps
from wallaroo_ext.inference.infer import infer_steps
from wallaroo_ext.operations import (
    NullableOperation,
    Operation,
    Pause,
    Send,
    Steps,
    built,
    call_steps,
    client_of,
    has_ended,
    no_answer,
)
from wallaroo_ext.redaction.tracebacks import clear_frames
from wallaroo_ext.resources.models import model_version_steps
from wallaroo_ext.resources.workspaces import find_workspace_steps
from wallaroo_ext.uploads import upload_model_steps

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable

    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus, ModelVersion, Workspace

    from wallaroo_ext.assays.results import Time
    from wallaroo_ext.batch.dataset import DataSource
    from wallaroo_ext.batch.options import DatasetScored
    from wallaroo_ext.batch.progress import ProgressOption
    from wallaroo_ext.batch.scoring.rejections import Rejection
    from wallaroo_ext.deployments.deploy import DeployOptions, Models
    from wallaroo_ext.deployments.deployment import Deployment
    from wallaroo_ext.deployments.wait import Wanted as StatusWanted
    from wallaroo_ext.inference.infer import InferOptions, Where
    from wallaroo_ext.inference.rows import Rows
    from wallaroo_ext.transport.retry.clock import Clock
    from wallaroo_ext.uploads import ModelSource, UploadOptions

P = ParamSpec("P")
T = TypeVar("T")

__all__ = [
    "assay_results",
    "call",
    "connect",
    "deploy_pipeline",
    "find_deployment",
    "find_workspace",
    "infer",
    "infer_batches",
    "infer_dataset",
    "model_version",
    "run",
    "undeploy",
    "upload_model",
    "wait_until_running",
]


async def run(client: Client, steps: Steps[T]) -> T:
    """Run a helper's steps with an asynchronous client.

    A cancellation is raised inside the helper, which may have something to end. What it does from then on is not
    cancelled any more.
    """
    outcome: httpx.Response | BaseException | None = None
    carry_out = _carried_out
    while True:
        try:
            step = steps.throw(outcome) if isinstance(outcome, BaseException) else steps.send(outcome)
            outcome = await carry_out(client, step)
        except StopIteration as end:
            result: T = end.value
            return result
        except GeneratorExit:  # nobody awaits this any more
            steps.close()
            raise
        except BaseException as error:
            outcome = None  # it would refer to this frame, and the frame to it
            if has_ended(steps):
                raise
            outcome = error
            carry_out = _carried_out if isinstance(error, Exception) else _carried_out_to_the_end


async def _carried_out(client: Client, step: Send | Pause) -> httpx.Response | Exception | None:
    if isinstance(step, Send):
        return await _sent(client.get_async_httpx_client(), step)
    await step.clock.sleep_async(step.seconds)
    return None


async def _carried_out_to_the_end(client: Client, step: Send | Pause) -> httpx.Response | Exception | None:
    """Carry out a step, whoever cancels the task meanwhile: some cancel it again and again until it has ended."""
    work = asyncio.ensure_future(_carried_out(client, step))
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(work)
    return work.result()


async def _sent(http: httpx.AsyncClient, step: Send) -> httpx.Response | Exception:
    try:
        return await http.send(built(http, step))
    except (httpx.RequestError, httpx.InvalidURL) as error:
        return no_answer(step, error)
    except BaseException as error:
        clear_frames(error)
        raise


@overload
async def call(operation: NullableOperation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T | None: ...
@overload
async def call(operation: Operation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T: ...
async def call(operation: Any, /, *arguments: Any, **named: Any) -> Any:
    """Call any generated operation; see `wallaroo_ext.call`."""
    return await run(client_of(named), call_steps(operation, *arguments, **named))


async def upload_model(client: Client, model: ModelSource, **options: Unpack[UploadOptions]) -> ModelVersion:
    """Upload a model and wait until it is ready; see `wallaroo_ext.upload_model`."""
    return await run(client, upload_model_steps(model, **options))


async def find_workspace(client: Client, workspace: int | str | None = None, *, create: bool = False) -> Workspace:
    """Find a workspace; see `wallaroo_ext.find_workspace`."""
    return await run(client, find_workspace_steps(workspace, create=create))


async def model_version(
    client: Client,
    name: str,
    *,
    workspace: int | str | None = None,
    version: str | None = None,
    sha: str | None = None,
) -> ModelVersion:
    """Find a version of a model; see `wallaroo_ext.model_version`."""
    return await run(client, model_version_steps(name, workspace=workspace, version=version, sha=sha))


async def deploy_pipeline(client: Client, name: str, models: Models, **options: Unpack[DeployOptions]) -> Deployment:
    """Deploy models as a pipeline; see `wallaroo_ext.deploy_pipeline`.

    It is undeployed at the end of `async with await deploy_pipeline(...) as deployment`.
    """
    return await run(client, deploy_steps(client, name, models, options))


async def find_deployment(
    client: Client, name: str, workspace: int | str | None = None, *, deployment_id: int | None = None
) -> Deployment:
    """Find a pipeline that is deployed; see `wallaroo_ext.find_deployment`."""
    return await run(client, find_deployment_steps(client, name, workspace, deployment_id))


async def undeploy(client: Client, deployment: Deployment | str | int, *, workspace: int | str | None = None) -> None:
    """End a deployment; see `wallaroo_ext.undeploy`."""
    await run(client, undeploy_steps(deployment, workspace=workspace))


async def wait_until_running(
    client: Client,
    deployment: Deployment | str,
    *,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - a deadline over many requests, checked by the steps
    progress: StatusWanted = None,
    clock: Clock | None = None,
) -> DeploymentStatus:
    """Wait until a deployment answers; see `wallaroo_ext.wait_until_running`."""
    return await run(client, wait_until_running_steps(deployment, timeout=timeout, progress=progress, clock=clock))


async def assay_results(
    client: Client, assay_id: int, start: Time | None = None, end: Time | None = None, limit: int | None = None
) -> pa.Table:
    """Get the stored results of an assay; see `wallaroo_ext.assay_results`."""
    return await run(client, assay_results_steps(assay_id, start, end, limit))


async def infer(client: Client, where: Where, data: Rows, **options: Unpack[InferOptions]) -> pa.Table:
    """Score rows; see `wallaroo_ext.infer`. A file is read in a thread."""
    if isinstance(data, str | PathLike):
        from wallaroo_ext.inference.rows import to_table

        data = await asyncio.to_thread(to_table, data)
    return await run(client, infer_steps(where, data, **options))


async def infer_batches(
    client: Client,
    pipeline: Where,
    batches: Iterable[pa.RecordBatch] | AsyncIterable[pa.RecordBatch],
    *,
    rejected: Callable[[Rejection], object] | None = None,
    **options: Unpack[BatchOptions],
) -> AsyncGenerator[pa.RecordBatch]:
    """Score any number of rows; see `wallaroo_ext.infer_batches`.

    The requests are sent by the same threads, over the client's connections for threads: they were measured to be at
    least as fast as asyncio with httpx or aiohttp (`scripts/bench batch`), and reading and writing Arrow would hold up
    an event loop. The batches may come from an asynchronous iterator; `rejected` is called in a thread. When the task
    is cancelled, or the iterator closed with `aclose`, the threads end.
    """
    from wallaroo_ext.batch.deployed_models import url_of
    from wallaroo_ext.inference.rows import require_pyarrow

    require_pyarrow()
    how = how_to_score(options)
    url = await asyncio.to_thread(url_of, client, pipeline, how)

    def make(source: Iterable[pa.RecordBatch], stopped: threading.Event) -> Generator[pa.RecordBatch]:
        return scored_batches(client, url, source, how, rejected=rejected, stopped=stopped)

    async with aclosing(elements(make, batches)) as scored:
        async for batch in scored:
            yield batch


async def infer_dataset(
    client: Client,
    pipeline: Where,
    source: DataSource,
    target: str | PathLike[str],
    *,
    progress: ProgressOption = None,
    **options: Unpack[DatasetOptions],
) -> DatasetScored:
    """Score a data set of any size; see `wallaroo_ext.infer_dataset`.

    It runs in threads, as `infer_batches` does, and `progress` is called there. When the task is cancelled, what is
    scored by then is kept, and the threads end.
    """
    score: Any = partial(score_dataset, client, pipeline, source, target, progress=progress, **options)
    result: DatasetScored = await in_thread(lambda stopped: score(stopped=stopped))
    return result
