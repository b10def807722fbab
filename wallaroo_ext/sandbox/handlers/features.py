"""What the instance has enabled."""

from __future__ import annotations

from typing import Any

from wallaroo_ext.sandbox.handlers.calls import Call, handles_at_once


@handles_at_once
def list_features(call: Call) -> dict[str, Any]:
    """Return the instance's name and features; a feature's value is a text, as recorded."""
    _ = call.user  # a token without a user may not ask
    return {"features": {"plateau": "true"}, "name": "Wallaroo Sandbox", "is_auth_enabled": True}
