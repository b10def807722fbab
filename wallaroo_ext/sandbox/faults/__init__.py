"""Failing on demand, in the ways that networks and servers fail: the rules, and the ASGI layer that applies them."""

from __future__ import annotations

from wallaroo_ext.sandbox.faults.layer import FaultLayer
from wallaroo_ext.sandbox.faults.register import Faults

__all__ = ["FaultLayer", "Faults"]
