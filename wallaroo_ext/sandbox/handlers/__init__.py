"""The handlers of the contract's operations, one module per tag."""

from wallaroo_ext.sandbox.handlers import (
    assays,
    assays_v2,
    authentication,
    deployments,
    features,
    inference,
    models,
    pipeline_logs,
    pipelines,
    users,
    workspaces,
)
from wallaroo_ext.sandbox.handlers.calls import HANDLERS

__all__ = [
    "HANDLERS",
    "assays",
    "assays_v2",
    "authentication",
    "deployments",
    "features",
    "inference",
    "models",
    "pipeline_logs",
    "pipelines",
    "users",
    "workspaces",
]
