"""The mutants that the suite does not notice, with the reason."""

from __future__ import annotations

REASONS: dict[str, str] = {}
"""Why, by name."""
