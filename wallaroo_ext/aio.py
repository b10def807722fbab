"""The functions of `wallaroo_ext` for asyncio: the same names, arguments and errors, to be awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import httpx

from wallaroo_ext.deployments import wait_until_running_steps
from wallaroo_ext.inference import infer_steps
from wallaroo_ext.operations import Operation, Pause, Steps, call_steps, connection_failed
from wallaroo_ext.uploads import upload_model_steps

if TYPE_CHECKING:
    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus, ModelVersion

    from wallaroo_ext.arrow import Rows
    from wallaroo_ext.uploads import ModelSource, UploadOptions

T = TypeVar("T")

__all__ = ["call", "infer", "run", "upload_model", "wait_until_running"]


async def run(client: Client, steps: Steps[T]) -> T:
    """Run a helper's steps with an asynchronous client."""
    answer: httpx.Response | None = None
    try:
        while True:
            step = steps.send(answer)
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                answer = None
            else:
                try:
                    answer = await client.get_async_httpx_client().request(**step.request)
                except httpx.TransportError as error:
                    raise connection_failed(step.operation, error) from error
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


async def call(client: Client, operation: Operation[Any], expected: type[T], **arguments: Any) -> T:
    """Call any generated operation; see `wallaroo_ext.call`."""
    return await run(client, call_steps(operation, expected, **arguments))


async def upload_model(client: Client, source: ModelSource, **options: Unpack[UploadOptions]) -> ModelVersion:
    """Upload a model and wait until it is ready; see `wallaroo_ext.upload_model`."""
    return await run(client, upload_model_steps(source, **options))


async def wait_until_running(client: Client, deployment: str, *, timeout: float = 300.0) -> DeploymentStatus:  # noqa: ASYNC109 - a deadline over many requests, checked by the steps
    """Wait until a deployment answers; see `wallaroo_ext.wait_until_running`."""
    return await run(client, wait_until_running_steps(deployment, timeout=timeout))


async def infer(client: Client, url: str, rows: Rows) -> pa.Table:
    """Score rows; see `wallaroo_ext.infer`."""
    return await run(client, infer_steps(url, rows))
