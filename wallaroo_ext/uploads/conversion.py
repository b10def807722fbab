"""Waiting until an uploaded version is converted, and finding out why one was not."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from wallaroo_ext.errors import (
    AnswerError,
    AuthenticationError,
    ConnectionFailedError,
    ConversionError,
    WaitTimeoutError,
)
from wallaroo_ext.operations import Steps, call_steps, within
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.uploads.stored import pauses, stored_version_steps

if TYPE_CHECKING:
    from wallaroo_mlops_client.models import ModelVersion, ModelVersionDetails

_LOG_SECONDS = 10.0
"""How long may be spent on the reason and the log of a failed conversion, which is known to have failed by then."""

_LINES = 3


def ready_version_steps(name: str, version_id: int, sha: str | None, timeout: float) -> Steps[ModelVersion]:
    """Wait for the version of an id to be `ready`; a release without a status has only ready ones.

    It is listed once, and then asked for by its id, as published clients do; where an instance does not answer that,
    because its release does not have the operation, it is listed each time. Any status but `ready` and `error` is one
    on the way: releases have had `pending_conversion`, `attempting_load_container` and others.

    Raises:
        ConversionError: It ended in `error`.
        UploadCorruptedError: The instance has other bytes than were sent.
        WaitTimeoutError: It is not ready yet.
    """
    version: ModelVersion | None = None
    is_told_by_id = True
    for pause in pauses(timeout):
        details = (yield from _details_steps(version_id)) if version is not None and is_told_by_id else None
        if version is None or details is None:
            is_told_by_id = version is None
            version = yield from stored_version_steps(name, version_id, sha)
        else:
            _update(version, details)
        if not isinstance(version.status, str) or version.status == "ready":
            return version
        if version.status == "error":
            raise (yield from _not_converted_steps(name, version, ask=is_told_by_id and details is None))
        yield pause
    status = "unknown" if version is None else version.status
    raise WaitTimeoutError(
        f"The model {name}, version {version_id}, is still {status!r} after {timeout:g} s; it may need longer."
    )


def _details_steps(version_id: int) -> Steps[ModelVersionDetails | None]:
    """Return a version by its id; None where the instance does not answer that, such as with a gateway's page."""
    from wallaroo_mlops_client.api.models import get_model_version_by_id
    from wallaroo_mlops_client.models import GetModelVersionByIdRequest

    body = GetModelVersionByIdRequest(model_version_id=version_id)
    try:
        answer = yield from call_steps(get_model_version_by_id, body=body)
    except AuthenticationError:
        raise
    except AnswerError:
        return None
    details = answer.model_version.model_version
    return details if details.id == version_id else None


def _update(version: ModelVersion, details: ModelVersionDetails) -> None:
    """Take over into a listed version what changes while it is converted."""
    version.status = details.status
    version.image_path = details.image_path
    version.error_summary = details.error_summary


def _not_converted_steps(name: str, version: ModelVersion, *, ask: bool) -> Steps[ConversionError]:
    """Return the error for a version that was not converted, with the reason and the log where the instance has them.

    Args:
        name: The model's name.
        version: The version.
        ask: Whether to ask for it by its id, which may tell a reason that the list leaves out.
    """
    logs: list[str] = []

    def asked_steps() -> Steps[list[str]]:
        if ask and not _reason(version):
            details = yield from _details_steps(version.id)
            version.error_summary = None if details is None else details.error_summary
        return (yield from _log_steps(version.id))

    with suppress(AnswerError, ConnectionFailedError):  # that it was not converted is what matters
        logs = yield from within(_LOG_SECONDS, asked_steps())
    reason = f"{_reason(version) or 'the instance gives no reason'}."
    if logs:
        reason += f" Its log ends: {'; '.join(logs[-_LINES:])}"
    return ConversionError(f"The model {name} was not converted: {reason}", version_id=version.id, logs=logs)


def _reason(version: ModelVersion) -> str:
    """Return why a version was not converted, without secrets; empty where that is unknown.

    Recorded releases write `null` as a text.
    """
    reason = version.error_summary
    return redact(reason.strip().rstrip(".")) if isinstance(reason, str) and reason.strip() != "null" else ""


def _log_steps(version_id: int) -> Steps[list[str]]:
    """Return the lines that were logged while a version was converted, without secrets."""
    from wallaroo_mlops_client.api.models import get_model_upload_logs
    from wallaroo_mlops_client.models import GetModelUploadLogsRequest

    body = GetModelUploadLogsRequest(model_version_id=version_id)
    answer = yield from call_steps(get_model_upload_logs, body=body)
    return [redact(str(line)) for line in answer.logs]
