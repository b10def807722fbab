"""Helpers for what is hard by plain REST on a Wallaroo instance: signing in, uploading models, scoring rows.

They extend the generated client, `wallaroo_mlops_client`: `connect` returns a client for every generated operation and
every function of this package. `wallaroo_ext.aio` has the same functions for asyncio.

Importing this package loads nothing; each name is loaded when it is first asked for, and pyarrow, pandas and the
generated client when a function first needs them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wallaroo_ext.assays.chart import assay_chart
    from wallaroo_ext.assays.results import assay_results
    from wallaroo_ext.auth import BearerToken, KeycloakAuth
    from wallaroo_ext.batch import (
        BatchProgress,
        BatchRetries,
        DatasetScored,
        PartSize,
        Rejection,
        infer_batches,
        infer_dataset,
    )
    from wallaroo_ext.client import connect
    from wallaroo_ext.deployments.deploy import deploy_pipeline
    from wallaroo_ext.deployments.deployment import Deployment
    from wallaroo_ext.deployments.find import find_deployment, undeploy
    from wallaroo_ext.deployments.listing import list_deployments
    from wallaroo_ext.deployments.wait import wait_until_running
    from wallaroo_ext.errors import (
        AmbiguousError,
        AnswerError,
        AnswerTooLargeError,
        ApiError,
        AuthenticationError,
        ConfigurationError,
        ConflictError,
        ConnectionFailedError,
        ContractViolationError,
        ConversionError,
        DeploymentError,
        EngineError,
        ForkedError,
        InvalidDataError,
        InvalidRequestError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitedError,
        RequestTimeoutError,
        ServerError,
        UploadCorruptedError,
        WaitTimeoutError,
        WallarooError,
    )
    from wallaroo_ext.inference.infer import infer
    from wallaroo_ext.inference.scored_rows.outputs import outputs
    from wallaroo_ext.logs.pipeline_logs import pipeline_log_batches, pipeline_logs
    from wallaroo_ext.operations import call
    from wallaroo_ext.resources.models import ModelInfo, list_models, model_version
    from wallaroo_ext.resources.pipelines import PipelineInfo, list_pipelines
    from wallaroo_ext.resources.workspaces import find_workspace, list_workspaces
    from wallaroo_ext.sandbox.process import sandbox
    from wallaroo_ext.settings import Settings
    from wallaroo_ext.transport.retry import Attempt, Clock, RetryPolicy, attempts_of
    from wallaroo_ext.transport.timeouts import Timeouts
    from wallaroo_ext.uploads import upload_model

_MODULES = {
    "assays.chart": ("assay_chart",),
    "assays.results": ("assay_results",),
    "auth": (
        "BearerToken",
        "KeycloakAuth",
    ),
    "batch": (
        "BatchProgress",
        "BatchRetries",
        "DatasetScored",
        "PartSize",
        "Rejection",
        "infer_batches",
        "infer_dataset",
    ),
    "client": ("connect",),
    "deployments.deploy": ("deploy_pipeline",),
    "deployments.deployment": ("Deployment",),
    "deployments.find": (
        "find_deployment",
        "undeploy",
    ),
    "deployments.listing": ("list_deployments",),
    "deployments.wait": ("wait_until_running",),
    "errors": (
        "AmbiguousError",
        "AnswerTooLargeError",
        "AnswerError",
        "ApiError",
        "AuthenticationError",
        "ConfigurationError",
        "ConflictError",
        "ConnectionFailedError",
        "ContractViolationError",
        "ConversionError",
        "DeploymentError",
        "EngineError",
        "ForkedError",
        "InvalidDataError",
        "InvalidRequestError",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitedError",
        "RequestTimeoutError",
        "ServerError",
        "UploadCorruptedError",
        "WaitTimeoutError",
        "WallarooError",
    ),
    "inference.infer": ("infer",),
    "inference.scored_rows.outputs": ("outputs",),
    "logs.pipeline_logs": (
        "pipeline_log_batches",
        "pipeline_logs",
    ),
    "resources.models": (
        "ModelInfo",
        "list_models",
        "model_version",
    ),
    "resources.pipelines": (
        "PipelineInfo",
        "list_pipelines",
    ),
    "operations": ("call",),
    "transport.retry": (
        "Attempt",
        "Clock",
        "RetryPolicy",
        "attempts_of",
    ),
    "sandbox": ("sandbox",),
    "settings": ("Settings",),
    "transport.timeouts": ("Timeouts",),
    "uploads": ("upload_model",),
    "resources.workspaces": (
        "find_workspace",
        "list_workspaces",
    ),
}
"""The public names of each module of this package."""

__all__ = [
    "AmbiguousError",
    "AnswerError",
    "AnswerTooLargeError",
    "ApiError",
    "Attempt",
    "AuthenticationError",
    "BatchProgress",
    "BatchRetries",
    "BearerToken",
    "Clock",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "ContractViolationError",
    "ConversionError",
    "DatasetScored",
    "Deployment",
    "DeploymentError",
    "EngineError",
    "ForkedError",
    "InvalidDataError",
    "InvalidRequestError",
    "KeycloakAuth",
    "ModelInfo",
    "NotFoundError",
    "PartSize",
    "PermissionDeniedError",
    "PipelineInfo",
    "RateLimitedError",
    "Rejection",
    "RequestTimeoutError",
    "RetryPolicy",
    "ServerError",
    "Settings",
    "Timeouts",
    "UploadCorruptedError",
    "WaitTimeoutError",
    "WallarooError",
    "assay_chart",
    "assay_results",
    "attempts_of",
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
    "outputs",
    "pipeline_log_batches",
    "pipeline_logs",
    "sandbox",
    "undeploy",
    "upload_model",
    "wait_until_running",
]


def __getattr__(name: str) -> object:
    """Return a public name, loaded from its module."""
    for module, names in _MODULES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return [*globals(), *(name for name in __all__ if name not in globals())]
