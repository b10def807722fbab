"""Compares the contract with another side: recorded exchanges, an instance's own document, or one in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.drift.documents import compare_document
from wallaroo_ext.conformance.drift.fetching import document_file, fetch_document, read_document
from wallaroo_ext.conformance.drift.recorded_exchanges import compare_recordings

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
    """Return the differences between the contract and recorded exchanges, or another OpenAPI document.

    Args:
        contract: The contract, as `wallaroo_ext.contract.load` returns it.
        client: A client of the instance, from `connect`.
        url: A file with a document, or the URL of the instance's, or of a page that names it; beside `/v1/api/docs` by
            default.
        recorded: A directory of recorded exchanges, in place of an instance.
        progress: Called with the number of recordings that were read, and the number of all recordings.

    Raises:
        DriftError: The other side cannot be read or compared; the message names it.
        WallarooError: The instance could not be asked.
    """
    if recorded is not None:
        return compare_recordings(contract, recorded, progress)
    file = None if url is None else document_file(url)
    fetched = fetch_document(client, url) if file is None else read_document(file)
    return compare_document(contract, fetched.document, fetched.url)
