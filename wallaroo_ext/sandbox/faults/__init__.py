"""Requests that fail on demand, in the ways that networks and servers fail."""

from __future__ import annotations

from wallaroo_ext.sandbox.faults.middleware import FaultMiddleware, Faults

__all__ = ["FaultMiddleware", "Faults"]
