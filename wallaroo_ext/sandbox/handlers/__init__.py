"""The handlers of the contract's operations, one module per tag."""

from wallaroo_ext.sandbox.handlers import assays, assays_v2, authentication, features, models, users, workspaces
from wallaroo_ext.sandbox.handlers.calls import HANDLERS
from wallaroo_ext.sandbox.handlers.pipelines import deployments, inference, pipeline_logs, pipelines

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
