"""Instances that lie in one chosen way: the sandbox with a layer around it that changes answers or requests."""
