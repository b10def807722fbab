"""Listing models with their versions, and finding a version by its name, its UUID or its SHA-256."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.errors import ContractViolationError, InvalidDataError
from wallaroo_ext.operations import Steps, call_steps, synchronous
from wallaroo_ext.resources.lookup import ambiguous_error, not_found_error
from wallaroo_ext.resources.workspaces import InWorkspace, by_workspace, searched_steps, workspace_id_steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

_MODELS, _VERSIONS = "list_models", "list_model_versions"
_SHA = re.compile(r"[0-9a-fA-F]{1,64}")
_OF_DETAILS = ("image_path", "status", "error_summary", "created_at")
"""What a version has in both of its forms, under the same names."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of a workspace.

    Attributes:
        id: The model's id.
        name: Its name.
        version_ids: The ids of its versions, where the release lists them with the model.
    """

    id: int
    name: str
    version_ids: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelInfo(InWorkspace):
    """A model of an instance, as `list_models` returns it.

    Attributes:
        id: The model's id.
        name: Its name.
        workspace_id: The id of the workspace that it is in.
        workspace: That workspace's name.
        versions: Its versions, the newest first, each of which `deploy_pipeline` takes. Their `status` is unset where
            the release has none.
    """

    versions: tuple[ModelVersion, ...] = field(hash=False)  # what the contract generates has no hash


@synchronous
def list_models(
    client: Client,  # noqa: ARG001 - the steps run with it
    workspace: int | str | None = None,
) -> Steps[list[ModelInfo]]:
    """List models with their versions, by the names of their workspaces and their own.

    Releases before 2024 list no versions with a model; there it takes one more request for each model.

    Source: mlops-api-tutorial, "List Models in Workspace" and "Get Model Versions".

    Args:
        client: What `connect` gave.
        workspace: The name or the id of a workspace; without one, the models of all workspaces that the user sees.

    Raises:
        NotFoundError: There is no such workspace; the message has similar names.
        InvalidDataError: It is neither a name nor an id.
    """
    listed: list[ModelInfo] = []
    for searched in (yield from searched_steps(workspace)):
        if searched.models == []:  # it says that it has none
            continue
        for model, row in (yield from _rows_steps(searched.id)):
            versions = _versions_in(model, row)
            if versions is None:
                versions = yield from versions_steps(model)
            listed.append(
                ModelInfo(
                    id=model.id,
                    name=model.name,
                    workspace_id=searched.id,
                    workspace=searched.name,
                    versions=tuple(newest_first(versions)),
                )
            )
    return sorted(listed, key=by_workspace)


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
        InvalidDataError: The name or the version is no text, the sha not hexadecimal, or the workspace neither a name
            nor an id.
    """
    given: Any = name
    if not isinstance(given, str):
        raise InvalidDataError(f"A model is found by its name, not {given!r}.")
    given = version
    if given is not None and not isinstance(given, str):
        raise InvalidDataError(f"A version is found by its UUID, as a text, not {given!r}.")
    given = sha
    if given is not None and not (isinstance(given, str) and _SHA.fullmatch(given)):
        raise InvalidDataError(f"A sha is up to 64 hexadecimal digits, not {sha!r}.")
    workspace_id = yield from workspace_id_steps(workspace)
    model = yield from _model(name, workspace_id)
    versions = yield from versions_steps(model)
    found = [each for each in versions if _fits(each, version, sha)]
    if not found:
        wanted = " and ".join(_wanted(version, sha)) or "at all"
        what = f"The model {name!r} has no version {wanted}."
        known = dict(zip((each.model_version for each in versions), described(versions), strict=True))
        raise not_found_error(_VERSIONS, what, known=known, wanted=version or "")
    if len({each.sha for each in found}) > 1 and sha is not None:
        raise ambiguous_error(f"Several versions of {name!r} fit {sha!r}", described(found), "Give more of the sha.")
    return newest(found)


def versions_steps(model: ListedModel) -> Steps[list[ModelVersion]]:
    """Return all versions of a model.

    Its name and its id are both sent, as every recorded client does. Releases differ in what they answer where another
    workspace has a model of the name, so that other models' versions are left out here.
    """
    from wallaroo_mlops_client.api.models import list_model_versions
    from wallaroo_mlops_client.models import ListModelVersionsRequest

    body = ListModelVersionsRequest(model_id=model.name, models_pk_id=model.id)
    listed = yield from call_steps(list_model_versions, body=body)
    return [version for version in listed if version.models_pk_id == model.id]


def models_steps(workspace_id: int) -> Steps[list[ListedModel]]:
    """Return all models of a workspace.

    Raises:
        ContractViolationError: The instance lists them in a form of no known release.
    """
    return [model for model, _ in (yield from _rows_steps(workspace_id))]


def _rows_steps(workspace_id: int) -> Steps[list[tuple[ListedModel, dict[str, Any]]]]:
    """Return all models of a workspace, each once, with the rows that list them; see `models_steps`."""
    from wallaroo_mlops_client.api.models import list_models as operation
    from wallaroo_mlops_client.models import ListModelsRequest

    answer = yield from call_steps(operation, body=ListModelsRequest(workspace_id=workspace_id))
    rows = [object_of(row) for row in list_of(answer.to_dict().get("models"))]
    return list({_listed(row): row for row in reversed(rows)}.items())[::-1]


def _versions_in(model: ListedModel, row: dict[str, Any]) -> list[ModelVersion] | None:
    """Return the versions that a model is listed with, in the form of `list_model_versions`; None where it has none."""
    from wallaroo_mlops_client.models import ModelVersion

    if not isinstance(row.get("model_versions"), list):
        return None
    versions: list[ModelVersion] = []
    for each in list_of(row["model_versions"]):
        details = object_of(object_of(each).get("model_version"))
        file = object_of(details.get("file_info"))
        if not isinstance(details.get("id"), int) or not file.get("version") or not file.get("sha"):
            return None
        fields: dict[str, Any] = {
            "id": details["id"],
            "models_pk_id": model.id,
            "model_version": file["version"],
            "sha": file["sha"],
            "model_id": model.name,
        }
        fields |= {name: details[name] for name in _OF_DETAILS if name in details}
        fields |= {"file_name": file["file_name"]} if "file_name" in file else {}
        versions.append(ModelVersion.from_dict(fields))
    return versions


def listed_model(row: dict[str, Any]) -> dict[str, Any]:
    """Return the model of a listed row: on its own, since 2024 beside its versions, or, in 2022, named by a version."""
    if version := object_of(row.get("models")):
        return {"id": version.get("models_pk_id"), "name": version.get("model_id")}
    return object_of(row.get("model")) or row


def _listed(row: dict[str, Any]) -> ListedModel:
    model = listed_model(row)
    number, name = model.get("id"), model.get("name")
    if not isinstance(number, int) or not isinstance(name, str):
        raise ContractViolationError(
            f"{_MODELS}: a model is listed without its id or its name: {str(row)[:500]}.",
            operation=_MODELS,
            status=HTTPStatus.OK,
        )
    details = [object_of(object_of(each).get("model_version")) for each in list_of(row.get("model_versions"))]
    return ListedModel(number, name, tuple(each["id"] for each in details if isinstance(each.get("id"), int)))


def _model(name: str, workspace_id: int) -> Steps[ListedModel]:
    models = yield from models_steps(workspace_id)
    for model in models:
        if model.name == name:
            return model
    what = f"The workspace {workspace_id} has no model {name!r}."
    raise not_found_error(_MODELS, what, known={model.name: repr(model.name) for model in models}, wanted=name)


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
    return newest_first(versions)[0]


def newest_first(versions: list[ModelVersion]) -> list[ModelVersion]:
    """Return versions in the order in which they were uploaded, the last one first."""
    created = {found.id: _created_at(found) for found in versions}
    are_known = all(created.values())
    return sorted(versions, key=lambda found: (created[found.id] if are_known else "", found.id), reverse=True)


def _created_at(found: ModelVersion) -> str:
    """Return when a version was made, for comparison; empty where the release, like all recorded ones, omits it."""
    text = str(cast("Any", found.additional_properties).get("created_at") or "")
    whole, _, fraction = text.removesuffix("Z").removesuffix("+00:00").partition(".")
    return f"{whole}.{fraction:<09s}" if text else ""


def described(versions: list[ModelVersion]) -> list[str]:
    """Return versions as an error lists them."""
    return [f"{found.model_version} (id {found.id}, sha {found.sha[:12]})" for found in versions]
