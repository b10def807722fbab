"""Rules by which the sandbox fails in every way that it can."""

from __future__ import annotations

from typing import Any

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop-before-answer"},
    {"kind": "drop-before-answer", "reset": True},
    {"kind": "drop-before-answer", "handled": False, "after_bytes": 100},
    {"kind": "drop-during-answer"},
    {"kind": "drop-during-answer", "reset": True},
    {"kind": "slow-answer", "seconds": 0.1},
    {"kind": "delay", "seconds": 0.1},
    {"kind": "truncated-answer"},
    {"kind": "empty-answer"},
    {"kind": "too-many-requests", "retry_after": 1},
    {"kind": "too-many-requests"},
    {"kind": "service-unavailable", "handled": True},
    {"kind": "bad-gateway"},
    {"kind": "unknown-status"},
    {"kind": "expired-token"},
    {"kind": "redirect", "location": "http://elsewhere.example.com/"},
)


def fault_rules(share: float, operation: str = "*") -> list[dict[str, Any]]:
    """Return rules by which a share of all requests fails, with the same share for each way."""
    each = share / len(FAULTS)
    return [
        {"operation": operation, "probability": each, "seed": number} | fault for number, fault in enumerate(FAULTS)
    ]
