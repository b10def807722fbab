"""The functions of `wallaroo_ext` for asyncio: the same names, arguments and errors, to be awaited."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import ExitStack, aclosing, asynccontextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from wallaroo_ext.assays import results
from wallaroo_ext.batch import batches, dataset
from wallaroo_ext.batch.asyncio_threads import elements
from wallaroo_ext.batch.batches import batch_options, scored_batches
from wallaroo_ext.client import connect
from wallaroo_ext.deployments import deploy, find, listing, wait
from wallaroo_ext.inference import infer as inference
from wallaroo_ext.logs import pipeline_logs as logs
from wallaroo_ext.operations import (
    NullableOperation,
    Operation,
    asynchronous,
    asynchronous_block,
    call_steps,
    client_of,
    to_its_end,
)
from wallaroo_ext.operations import run_async as run
from wallaroo_ext.resources import models, pipelines, workspaces
from wallaroo_ext.uploads import upload

if TYPE_CHECKING:
    import os
    import threading
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence

    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.batches import Batches
    from wallaroo_ext.batch.options import ScoringOptions
    from wallaroo_ext.batch.scoring.rejections import Rejection
    from wallaroo_ext.inference.infer import Where
    from wallaroo_ext.inference.inputs.rows import Rows
    from wallaroo_ext.logs.pages import Pages
    from wallaroo_ext.sandbox.control_client import Sandbox

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
    "list_deployments",
    "list_models",
    "list_pipelines",
    "list_workspaces",
    "model_version",
    "pipeline_log_batches",
    "pipeline_logs",
    "run",
    "sandbox",
    "undeploy",
    "upload_model",
    "wait_until_running",
]

assay_results = asynchronous(results.assay_results)
"""Get the stored results of an assay; see `wallaroo_ext.assay_results`."""

deploy_pipeline = asynchronous_block(deploy.deploy_pipeline)
"""Deploy models as a pipeline; see `wallaroo_ext.deploy_pipeline`.

    async with aio.deploy_pipeline(client, "tumours", model) as deployment:
        scored = await aio.infer(client, deployment, rows)

It is undeployed at the end of the block. `await deploy_pipeline(...)` gives the deployment, which then goes on.
"""

find_deployment = asynchronous_block(find.find_deployment)
"""Find a pipeline that is deployed; see `wallaroo_ext.find_deployment`. It is awaited, or entered by `async with`."""

find_workspace = asynchronous(workspaces.find_workspace)
"""Find a workspace; see `wallaroo_ext.find_workspace`."""

infer = asynchronous(inference.infer)
"""Score rows; see `wallaroo_ext.infer`. A file is read in a thread."""

infer_dataset = asynchronous(dataset.infer_dataset)
"""Score a data set of any size; see `wallaroo_ext.infer_dataset`.

It runs in threads, as `infer_batches` does, and `progress` is called there. When the task is cancelled, what is scored
by then is kept, and the threads end.
"""

list_deployments = asynchronous(listing.list_deployments)
"""List the pipelines that are deployed; see `wallaroo_ext.list_deployments`."""

list_models = asynchronous(models.list_models)
"""List models with their versions; see `wallaroo_ext.list_models`."""

list_pipelines = asynchronous(pipelines.list_pipelines)
"""List pipelines; see `wallaroo_ext.list_pipelines`."""

list_workspaces = asynchronous(workspaces.list_workspaces)
"""List the workspaces that the user sees; see `wallaroo_ext.list_workspaces`."""

model_version = asynchronous(models.model_version)
"""Find a version of a model; see `wallaroo_ext.model_version`."""

pipeline_logs = asynchronous(logs.pipeline_logs)
"""Get the rows that a pipeline scored; see `wallaroo_ext.pipeline_logs`."""

undeploy = asynchronous(find.undeploy)
"""End a deployment; see `wallaroo_ext.undeploy`."""

upload_model = asynchronous(upload.upload_model)
"""Upload a model and wait until it is ready; see `wallaroo_ext.upload_model`."""

wait_until_running = asynchronous(wait.wait_until_running)
"""Wait until a deployment answers; see `wallaroo_ext.wait_until_running`."""


@overload
async def call(operation: NullableOperation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T | None: ...
@overload
async def call(operation: Operation[P, T], /, *arguments: P.args, **named: P.kwargs) -> T: ...
async def call(operation: Any, /, *arguments: Any, **named: Any) -> Any:
    """Call any generated operation; see `wallaroo_ext.call`."""
    return await run(client_of(named), call_steps(operation, *arguments, **named))


def _with_parameters_of(function: Callable[P, object]) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Return a decorator that gives a function the parameters of another one, all of which it gets by name."""
    parameters = inspect.signature(function)

    def decorate(own: Callable[..., T]) -> Callable[P, T]:
        @wraps(own)
        def bound(*arguments: P.args, **named: P.kwargs) -> T:
            given = parameters.bind(*arguments, **named)
            given.apply_defaults()
            return own(**given.arguments)

        returned = inspect.signature(own).return_annotation
        bound.__signature__ = parameters.replace(return_annotation=returned)  # pyright: ignore[reportAttributeAccessIssue] - where `inspect` looks for it
        return bound

    return decorate


@_with_parameters_of(batches.infer_batches)
def infer_batches(
    client: Client,
    pipeline: Where,
    batches: Batches,
    rejected: Callable[[Rejection], object] | None,
    **options: Any,
) -> AsyncGenerator[pa.RecordBatch]:
    """Score any number of rows; see `wallaroo_ext.infer_batches`.

    The requests are sent by the same threads, over the client's connections for threads: they were measured to be at
    least as fast as asyncio with httpx or aiohttp (`scripts/bench batch`), and reading and writing Arrow would hold up
    an event loop. The batches may come from an asynchronous iterator; `rejected` is called in a thread. When the task
    is cancelled, or the iterator closed with `aclose`, the threads end.
    """
    return _scored_batches(client, pipeline, batches, rejected, batch_options(**options))


async def _scored_batches(
    client: Client,
    pipeline: Where,
    batches: Batches,
    rejected: Callable[[Rejection], object] | None,
    how: ScoringOptions,
) -> AsyncGenerator[pa.RecordBatch]:
    """Yield the scored rows of `infer_batches`."""
    from wallaroo_ext.batch.deployed_models import url_work_steps

    url = await run(client, url_work_steps(client, pipeline, how))

    def make(source: Iterable[pa.RecordBatch | Rows], stopped: threading.Event) -> Generator[pa.RecordBatch]:
        return scored_batches(client, url, source, how, rejected=rejected, stopped=stopped)

    async with aclosing(elements(make, batches)) as scored:
        async for batch in scored:
            yield batch


@_with_parameters_of(logs.pipeline_log_batches)
def pipeline_log_batches(client: Client, pipeline: Any, **options: Any) -> AsyncGenerator[pa.RecordBatch]:
    """Get the rows that a pipeline scored in record batches; see `wallaroo_ext.pipeline_log_batches`."""
    from wallaroo_ext.inference.inputs.rows import require_pyarrow

    require_pyarrow()
    from wallaroo_ext.logs.pages import pages_of

    return _logged_batches(client, pages_of(pipeline, **options))


async def _logged_batches(client: Client, pages: Pages) -> AsyncGenerator[pa.RecordBatch]:
    """Yield the batches of pages."""
    while not pages.ended:
        batches = await run(client, pages.batch_steps())
        batches.reverse()
        while batches:
            yield batches.pop()  # so that a page is forgotten before the next one is asked for


@asynccontextmanager
async def sandbox(
    *,
    data_dir: str | os.PathLike[str] | None = None,
    release: str | None = None,
    log: str | os.PathLike[str] | None = None,
    arguments: Sequence[str] = (),
) -> AsyncGenerator[Sandbox]:
    """Run a sandbox for the duration of an `async with` block; see `wallaroo_ext.sandbox`.

    What steers it is quick, and is not awaited.
    """
    from wallaroo_ext.sandbox.process import sandbox as run

    running = ExitStack()
    made = run(data_dir=data_dir, release=release, log=log, arguments=arguments)
    starting = asyncio.ensure_future(asyncio.to_thread(running.enter_context, made))
    try:
        instance = await asyncio.shield(starting)
        try:
            yield instance
        finally:
            await instance.aclose()
    finally:  # also where the task was cancelled while the sandbox started
        await to_its_end(_end(starting, running))


async def _end(starting: asyncio.Future[Any], running: ExitStack) -> None:
    """End a sandbox, which may still be starting."""
    await asyncio.gather(starting, return_exceptions=True)
    await asyncio.to_thread(running.close)
