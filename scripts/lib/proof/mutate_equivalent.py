"""The changes that no test can notice, with the reasons."""

from __future__ import annotations

REASONS: dict[str, str] = {}
"""The reasons, by the name of the change."""
