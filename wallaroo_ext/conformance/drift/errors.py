"""What is said where another description of the API, or a recorded set, cannot be compared with the contract."""

from __future__ import annotations

from wallaroo_ext.errors import WallarooError


class DriftError(WallarooError):
    """The other side cannot be read: it is missing, no JSON, of another shape, or too large. The message names it."""
