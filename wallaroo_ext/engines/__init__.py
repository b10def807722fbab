"""Scoring on a cluster that is there already: adapters for Spark (`engines.spark`) and Ray Data (`engines.ray`).

Each is a small adapter around the core of `infer_batches`; the cluster's engine schedules, repeats tasks and writes.
Both build plans that run later, in processes of the engine, and so have no asynchronous form.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from wallaroo_ext.errors import ConfigurationError


def engine_module(name: str, *, engine: str) -> Any:
    """Return a module of an engine.

    Raises:
        ConfigurationError: The engine is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        extra = engine.lower()
        raise ConfigurationError(f"{engine} needs: pip install 'wallaroo-ext[{extra}]'.") from None
