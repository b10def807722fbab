"""Helpers that deploy models, for tests with a sandbox of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext import NotFoundError, connect, deploy_pipeline, find_deployment, upload_model

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_mlops_client import Client

WORKSPACE = 1


def deployed(environment: dict[str, str], model: Path | bytes, name: str = "deployed") -> str:
    """Deploy a new model in the default user's workspace, and return the URL of the running deployment.

    Args:
        environment: The environment variables that lead to the sandbox.
        model: The model's file, or its content.
        name: The name of the model, the pipeline and the deployment.
    """
    with connect(environment=environment) as client:
        version = upload_model(client, model, name=name, workspace=WORKSPACE)
        return deploy_pipeline(client, name, version).url


def is_deployed(client: Client, name: str) -> bool:
    """Return whether there is a deployment with a name."""
    try:
        find_deployment(client, name)
    except NotFoundError:
        return False
    return True
