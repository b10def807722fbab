"""The files that a chart can be written to."""

from __future__ import annotations

ENDINGS = (".png", ".svg", ".pdf")
"""How their names end, each in its form."""
