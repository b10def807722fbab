"""Instances that lie in one chosen way: the sandbox with a layer around it that changes what it says, or hears."""
