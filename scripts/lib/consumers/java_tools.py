"""x."""

from __future__ import annotations

from scripts.lib.consumers.tools import Tool

TOOLS: tuple[Tool, ...] = ()
