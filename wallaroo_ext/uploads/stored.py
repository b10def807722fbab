"""The result of an upload on the instance: the version and its digest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wallaroo_ext._util.times import UNKNOWN_SECONDS, growing_pauses
from wallaroo_ext.errors import ContractViolationError, UploadCorruptedError
from wallaroo_ext.operations import Pause, Steps, call_steps

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client.models import ModelVersion


def stored_version_steps(name: str, version_id: int, sha: str | None) -> Steps[ModelVersion]:
    """Return the version of an id, as it is now.

    An instance may take a moment to list it.

    Raises:
        UploadCorruptedError: The instance has other bytes than were sent.
        ContractViolationError: It does not appear in the list.
    """
    listed: list[ModelVersion] = []
    for pause in pauses(UNKNOWN_SECONDS):
        listed = yield from _versions(name)
        for version in listed:
            if version.id == version_id:
                _compare(version, sha)
                return version
        yield pause
    raise ContractViolationError(
        f"list_model_versions: the version {version_id} of {name} that was just uploaded is not in the list.",
        operation="list_model_versions",
        status=200,
        body=str([version.to_dict() for version in listed])[:500],
    )


def pauses(seconds: float) -> Generator[Pause]:
    """Yield growing pauses for so many seconds; the last one ends with the time, for a last look."""
    deadline = time.monotonic() + seconds
    for pause in growing_pauses():
        left = deadline - time.monotonic()
        if left <= 0:
            break
        yield Pause(min(pause, left))
    yield Pause(0)


def _versions(name: str) -> Steps[list[ModelVersion]]:
    from wallaroo_mlops_client.api.models import list_model_versions
    from wallaroo_mlops_client.models import ListModelVersionsRequest

    return (yield from call_steps(list_model_versions, body=ListModelVersionsRequest(model_id=name)))


def _compare(version: ModelVersion, sha: str | None) -> None:
    """Raise UploadCorruptedError where an instance has other bytes than were sent; an empty digest is not compared."""
    if sha is not None and version.sha and version.sha.lower() != sha:
        raise UploadCorruptedError(
            f"The instance stored other bytes than were sent: version {version.id} has the SHA-256 {version.sha}, "
            f"and what was sent has {sha}.",
            version_id=version.id,
            sent_sha=sha,
            stored_sha=version.sha,
            advice="Do not deploy this version; upload the model again.",
        )
