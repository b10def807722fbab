"""The operations, one module a tag of the contract."""

from wallaroo_ext.sandbox.calls import HANDLERS
from wallaroo_ext.sandbox.handlers import authentication, deployments, inference, models, pipelines, workspaces

__all__ = ["HANDLERS", "authentication", "deployments", "inference", "models", "pipelines", "workspaces"]
