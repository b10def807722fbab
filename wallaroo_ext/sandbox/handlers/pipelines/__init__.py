"""The operations on pipelines: their deployments, inference, and the logs of what they scored."""
