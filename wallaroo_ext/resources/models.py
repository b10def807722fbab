"""Finding a version of a model by its name, its UUID or its SHA-256."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.operations import Steps, call_steps, synchronous
from wallaroo_ext.resources.lookup import ambiguous_error, not_found_error
from wallaroo_ext.resources.workspaces import workspace_id_steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import Model, ModelVersion

_VERSIONS = "list_model_versions"
_SHA = re.compile(r"[0-9a-fA-F]{1,64}")


@synchronous
def model_version(
    client: Client,  # noqa: ARG001 - the steps run with it
    name: str,
    *,
    workspace: int | str | None = None,
    version: str | None = None,
    sha: str | None = None,
) -> Steps[ModelVersion]:
    """Find a version of a model.

    Without `version` and `sha` it is the newest one, whatever its `status`. The newest is the one with the latest
    `created_at`, where the instance returns it for every version, and else the one with the highest id, because ids
    are given in the order of the uploads.

    Source: mlops-api-tutorial, "List Models in Workspace" and "Get Model Versions".

    Args:
        client: What `connect` gave.
        name: The model's name.
        workspace: The name or the id of the workspace that the model is in; without one, the user's own, see
            `find_workspace`.
        version: The version's UUID.
        sha: The SHA-256 of its file, or the beginning of it. Of several versions of one file, the newest is returned.

    Raises:
        NotFoundError: There is no such model, or it has no such version; the message has similar names, or its
            versions.
        AmbiguousError: The beginning of a sha fits versions of different files.
        InvalidDataError: The sha is not hexadecimal, or the workspace neither a name nor an id.
    """
    if sha is not None and not _SHA.fullmatch(sha):
        raise InvalidDataError(f"A sha is up to 64 hexadecimal digits, not {sha!r}.")
    workspace_id = yield from workspace_id_steps(workspace)
    model = yield from _model(name, workspace_id)
    versions = yield from versions_steps(model.id)
    found = [each for each in versions if _fits(each, version, sha)]
    if not found:
        wanted = " and ".join(_wanted(version, sha)) or "at all"
        what = f"The model {name!r} has no version {wanted}."
        known = dict(zip((each.model_version for each in versions), described(versions), strict=True))
        raise not_found_error(_VERSIONS, what, known=known, wanted=version or "")
    if len({each.sha for each in found}) > 1 and sha is not None:
        raise ambiguous_error(f"Several versions of {name!r} fit {sha!r}", described(found), "Give more of the sha.")
    return newest(found)


def versions_steps(model_id: int) -> Steps[list[ModelVersion]]:
    """Return all versions of the model of an id."""
    from wallaroo_mlops_client.api.models import list_model_versions
    from wallaroo_mlops_client.models import ListModelVersionsRequest

    return (yield from call_steps(list_model_versions, body=ListModelVersionsRequest(models_pk_id=model_id)))


def models_steps(workspace_id: int) -> Steps[list[Model]]:
    """Return all models of a workspace."""
    from wallaroo_mlops_client.api.models import list_models
    from wallaroo_mlops_client.models import ListModelsRequest

    answer = yield from call_steps(list_models, body=ListModelsRequest(workspace_id=workspace_id))
    return answer.models


def _model(name: str, workspace_id: int) -> Steps[Model]:
    models = yield from models_steps(workspace_id)
    for model in models:
        if model.name == name:
            return model
    what = f"The workspace {workspace_id} has no model {name!r}."
    raise not_found_error("list_models", what, known={model.name: repr(model.name) for model in models}, wanted=name)


def _fits(found: ModelVersion, version: str | None, sha: str | None) -> bool:
    of_version = version is None or found.model_version.casefold() == version.casefold()
    return of_version and (sha is None or found.sha.casefold().startswith(sha.casefold()))


def _wanted(version: str | None, sha: str | None) -> Iterable[str]:
    if version is not None:
        yield repr(version)
    if sha is not None:
        yield f"of the sha {sha!r}"


def newest(versions: list[ModelVersion]) -> ModelVersion:
    """Return the version that was uploaded last."""
    created = {found.id: _created_at(found) for found in versions}
    are_known = all(created.values())
    return max(versions, key=lambda found: (created[found.id] if are_known else "", found.id))


def _created_at(found: ModelVersion) -> str:
    """Return when a version was made, for comparison; empty where the release, like all recorded ones, omits it."""
    text = str(cast("Any", found.additional_properties).get("created_at") or "")
    whole, _, fraction = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction:<09s}" if text else ""


def described(versions: list[ModelVersion]) -> list[str]:
    """Return versions as an error lists them."""
    return [f"{found.model_version} (id {found.id}, sha {found.sha[:12]})" for found in versions]
