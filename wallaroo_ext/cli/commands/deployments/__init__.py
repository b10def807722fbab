"""The commands that start, show and end a deployment."""
