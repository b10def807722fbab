"""What a JSON web token says about itself. It is read, and not verified: that is the instance's task."""

from __future__ import annotations

import base64
import json
from typing import Any

from wallaroo_ext.json_values import object_of


def claims_of(token: str) -> dict[str, Any]:
    """The claims; none where it is no JSON web token."""
    _, _, rest = token.partition(".")
    payload = rest.partition(".")[0]
    try:
        return object_of(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (ValueError, RecursionError):
        return {}
