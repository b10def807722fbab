"""How the contract and another side differ, whichever side is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.drift.documents import against_document
from wallaroo_ext.conformance.drift.fetching import fetch_document
from wallaroo_ext.conformance.drift.recordings import against_recordings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.drift.changes import Drift


def drift_of(
    contract: dict[str, Any],
    *,
    client: Client | None = None,
    url: str | None = None,
    recorded: Path | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Drift:
    """Return how a recorded set, or else an instance's own OpenAPI document, differs from the contract.

    Args:
        contract: The contract, as `wallaroo_ext.contract.load` gives it.
        client: The instance, as `connect` gave it.
        url: Where its document is, or a page that names it; beside `/v1/api/docs` by default.
        recorded: A directory of recorded exchanges, in place of an instance.
        progress: Is told how many recordings were read, and how many there are.

    Raises:
        DriftError: The other side cannot be read or compared; the message names it.
        WallarooError: The instance could not be asked.
    """
    if recorded is not None:
        return against_recordings(contract, recorded, progress)
    fetched = fetch_document(client, url)
    return against_document(contract, fetched.document, fetched.url)
