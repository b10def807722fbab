"""The operations, one module a tag of the contract. Importing this package registers them all."""

from wallaroo_ext.sandbox.handlers import authentication, deployments, inference, models, pipelines, workspaces

__all__ = ["authentication", "deployments", "inference", "models", "pipelines", "workspaces"]
