"""Runs models, each deployment in a confined process of its own."""
