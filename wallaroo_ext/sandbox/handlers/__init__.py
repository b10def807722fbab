"""The operations, one module a tag of the contract."""

from wallaroo_ext.sandbox.handlers import (
    assays,
    authentication,
    deployments,
    features,
    inference,
    models,
    pipelines,
    users,
    workspaces,
)
from wallaroo_ext.sandbox.handlers.calls import HANDLERS

__all__ = [
    "HANDLERS",
    "assays",
    "authentication",
    "deployments",
    "features",
    "inference",
    "models",
    "pipelines",
    "users",
    "workspaces",
]
