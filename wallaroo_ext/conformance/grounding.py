"""The contract with a run's own things in its requests, so that data made from it is data that an instance accepts.

The contract says that `pipeline_id` is a number; that there is a pipeline of that number it cannot say. Random numbers
would only ever be refused, and every check of a success would hold because there was none.
"""

from __future__ import annotations

import base64
import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wallaroo_ext import contract
from wallaroo_ext.conformance.ground import assay_request
from wallaroo_ext.conformance.samples import INPUT, LARGEST, OUTPUT, WIDTH
from wallaroo_ext.conformance.subjects import SUBJECTS
from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wallaroo_ext.conformance.ground import Ground
    from wallaroo_ext.deployments.deployment import Deployment

_NUMBER = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
_VECTOR = {"type": "array", "items": _NUMBER, "minItems": WIDTH, "maxItems": WIDTH}
_TIME_NAMES = ("start", "end")
_OTHER_CREDENTIALS = ("username", "password", "refresh_token", "scope", "client_id", "client_secret")

_NOTHING: dict[str, Any] = {"not": {}}
"""The schema of what there is nothing of."""

Replacement = dict[str, Any] | None
"""A schema in place of the contract's; None for a field that is left out."""


def grounded(document: dict[str, Any], ground: Ground, prefix: str) -> dict[str, Any]:
    """A copy of a contract from which data is made that the instance has to accept.

    Args:
        document: The contract.
        ground: What the run stands on.
        prefix: What the names of everything that the run makes begin with.
    """
    changed = copy.deepcopy(document)
    schemas = object_of(changed["components"]["schemas"])
    for name, fields in _fields(ground, prefix).items():
        _replace(object_of(schemas.get(name)), fields)
    for schema in schemas.values():
        _either(object_of(schema))
    schemas.update(_rows())
    _by_fields(object_of(schemas.get("UploadModelRequest")))
    _once_each(object_of(schemas.get("TokenRequest")))
    _replace_parameters(changed, _parameters(ground))
    _fit_examples(changed)
    return changed


def named(document: dict[str, Any], ground: Ground, prefix: str) -> dict[str, Any]:
    """A copy of a contract in which what names a thing names one of the run's, and everything else is as it was.

    Bad data that is made from it is bad elsewhere, or names nothing, so that it touches nothing of others.
    """
    changed = copy.deepcopy(document)
    schemas = object_of(changed["components"]["schemas"])
    names = {field for fields in SUBJECTS.values() for field in fields}
    for name, fields in _fields(ground, prefix).items():
        kept = {field: _of_any_length(schema) for field, schema in fields.items() if schema and field in names}
        _replace(object_of(schemas.get(name)), kept)
    _replace_parameters(changed, {name: schema for name, schema in _parameters(ground).items() if name in names})
    return changed


def _fields(ground: Ground, prefix: str) -> dict[str, dict[str, Replacement]]:
    """What stands in place of fields of requests, by the names of their schemas and their own."""
    workspace, pipeline = _only(ground.workspace_id), _only(ground.pipeline_id)
    spare, spare_version, spare_id = map(_only, _ids(ground.spare))
    model, version = _only(ground.model_id), _only(ground.version_id)
    model_name = _only((ground.model or {}).get("name"))
    person: dict[str, Replacement] = {"email": _only(ground.email), "user_id": None}
    names = {"workspace_id": workspace, "pipeline_name": _only(ground.name)}
    times: dict[str, Replacement] = dict.fromkeys(_TIME_NAMES, _times(ground))
    deploy_ids = {"enum": [f"{prefix}-d{number}" for number in range(3)]}
    own_name = {"type": "string", "pattern": f"^{prefix}-[a-z0-9]{{1,9}}$"}
    return {
        "TokenRequest": {"grant_type": _only("client_credentials")} | dict.fromkeys(_OTHER_CREDENTIALS),
        "InviteUserRequest": {
            "email": {"type": "string", "pattern": own_name["pattern"].replace("$", r"@example\.com$")}
        },
        "CreateWorkspaceRequest": {"workspace_name": own_name},
        "ActivateUserRequest": {"email": _only(ground.email)},
        "DeactivateUserRequest": {"email": _only(ground.email)},
        "ListWorkspacesRequest": {"user_id": None},
        "AddWorkspaceUserRequest": {"workspace_id": workspace, "user_type": _only("COLLABORATOR")} | person,
        "ListWorkspaceUsersRequest": {"workspace_id": workspace},
        "RemoveWorkspaceUserRequest": {"workspace_id": workspace} | person,
        "ModelMetadata": {"workspace_id": workspace, "input_schema": _arrow_schema(), "output_schema": _arrow_schema()},
        "Conversion": {"framework": _only("onnx")},
        "UploadModelRequest": {"workspace_id": workspace},
        "ListModelsRequest": {"workspace_id": workspace},
        "ListModelVersionsRequest": {"model_id": model_name, "models_pk_id": model},
        "GetModelByIdRequest": {"id": model},
        "GetModelRequest": {"id": model},
        "GetModelConfigByIdRequest": {"model_id": version},
        "CreatePipelineRequest": {
            "pipeline_id": own_name,
            "workspace_id": workspace,
            "definition": _definition(ground),
        },
        "DeployPipelineRequest": {
            "deploy_id": deploy_ids,
            "pipeline_id": spare,
            "pipeline_version_pk_id": spare_version,
            "model_configs": _some(ground.version_id),
            "model_ids": _some(ground.version_id),
            "models": _some(ground.model),
        },
        "CopyPipelineRequest": {
            "name": own_name,
            "workspace_id": workspace,
            "source_pipeline": spare,
            "deploy": deploy_ids,
            "pipeline_version": None,
        },
        "UndeployPipelineRequest": {"pipeline_id": spare, "deployment_id": spare_id},
        "GetDeploymentStatusRequest": {"name": _only(_name(ground.deployment))},
        "GetPipelineExternalUrlRequest": dict(names),
        "AssayRequest": _assay(ground),
        "ListAssaysRequest": {"pipeline_id": pipeline},
        "SetAssayActiveRequest": {"id": _only(ground.assay_id)},
        "GetAssayBaselineRequest": names | times | {"model_name": model_name},
        "GetAssayResultsRequest": {"assay_id": _only(ground.assay_id), "pipeline_id": pipeline} | times,
        "GetAssayResultsBetweenRequest": {"assay_id": _only(ground.assay_id)} | times,
    }


def _assay(ground: Ground) -> dict[str, Replacement]:
    """An assay's fields: what it watches and compares is the ground's, how it does so is from a few ways."""
    if ground.scored_at is None:
        return {"pipeline_name": _NOTHING}
    fixed = assay_request(ground)
    free = {"name", "active", "status", "warning_threshold", "alert_threshold", "summarizer"}
    summarizer = fixed["summarizer"]
    ways = [
        summarizer | {"bin_mode": mode, "metric": metric, "aggregation": aggregation, "add_outlier_edges": outliers}
        for mode in ("Quantile", "Equal")
        for metric in ("PSI", "MaxDiff", "SumDiff")
        for aggregation in ("Density", "Cumulative")
        for outliers in (True, False)
    ]
    paths = [f"output {OUTPUT} 0", f"input {INPUT} {WIDTH - 1}"]
    others: dict[str, Replacement] = {"id": None, "summarizer": {"enum": ways}, "iopath": {"enum": paths}}
    return {name: _only(value) for name, value in fixed.items() if name not in free} | others


def _rows() -> dict[str, Any]:
    """The schemas of rows, as the ground's model takes them."""
    row = {"type": "object", "properties": {INPUT: _VECTOR}, "required": [INPUT], "additionalProperties": False}
    vectors = {"type": "array", "items": _VECTOR, "minItems": 1, "maxItems": 3}
    return {
        "PandasRecords": {"type": "array", "items": row, "minItems": 1, "maxItems": 3},
        "Tensors": row | {"properties": {"tensor": vectors}, "required": ["tensor"]},
    }


def _of_any_length(schema: dict[str, Any]) -> dict[str, Any]:
    """A list of names as the contract has it, which says nothing of how many there are."""
    return {keyword: value for keyword, value in schema.items() if keyword not in {"minItems", "maxItems"}}


def _parameters(ground: Ground) -> dict[str, dict[str, Any]]:
    """What stands in place of the parameters of paths and queries, by their names."""
    return {
        "deployment": _only(_name(ground.deployment)),
        "pipeline": _only(ground.name),
        "workspace_id": _only(ground.workspace_id),
        "dataset[]": {"type": "array", "items": {"enum": ["*", "time", "in", "out", f"out.{OUTPUT}", "metadata"]}},
        "dataset.exclude[]": {"type": "array", "items": {"enum": ["metadata", f"in.{INPUT}", "check_failures"]}},
        "dataset.separator": {"enum": [".", "/", "__"]},
    }


def _replace_parameters(document: dict[str, Any], replacements: dict[str, dict[str, Any]]) -> None:
    for parameter in _written_parameters(document):
        replacement = replacements.get(str(parameter.get("name")))
        if replacement is not None:
            parameter["schema"] = replacement
            parameter.pop("example", None)


def _written_parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every parameter of a contract, where it is written."""
    yield from map(object_of, object_of(document["components"].get("parameters")).values())
    for path in document["paths"].values():
        for item in (path, *object_of(path).values()):
            yield from map(object_of, list_of(object_of(item).get("parameters")))


def _fit_examples(document: dict[str, Any]) -> None:
    """Put the run's own things into the examples of requests."""
    bodies = [operation.get("requestBody", {}) for _, _, operation in contract.operations(document)]
    for body in [*bodies, *object_of(document["components"].get("requestBodies")).values()]:
        for media in object_of(object_of(body).get("content")).values():
            for example in object_of(media.get("examples")).values():
                example["value"] = _fitted(document, media["schema"], example["value"])


def _fitted(document: dict[str, Any], schema: dict[str, Any], value: Any) -> Any:
    """A value with what a schema allows in place of what it does not, and without fields that it does not have."""
    schema = contract.resolve(document, schema)
    allowed = list_of(schema.get("enum"))
    if allowed:
        return value if value in allowed else allowed[0]
    if isinstance(value, dict):
        properties = object_of(schema.get("properties"))
        found = {name: _fitted(document, properties[name], value[name]) for name in properties if name in value}
        return {name: _allowed(document, properties[name]) for name in schema.get("required", ())} | found
    if isinstance(value, list):
        kept = list_of(value)[: schema.get("maxItems")]
        return [_fitted(document, object_of(schema.get("items")), item) for item in kept]
    return value


def _allowed(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value that a schema allows, for a field that an example does not have."""
    schema = contract.resolve(document, schema)
    allowed = list_of(schema.get("enum"))
    return allowed[0] if allowed else [0.5] * WIDTH


def _replace(schema: dict[str, Any], fields: Mapping[str, Replacement]) -> None:
    """Replace fields of a schema; of what there is nothing, only required ones are kept, for `unanswerable` to find."""
    properties = object_of(schema.get("properties"))
    for name, replacement in fields.items():
        if name not in properties:
            continue
        if replacement is None or (replacement == _NOTHING and name not in schema.get("required", ())):
            del properties[name]
        else:
            properties[name] = replacement


def unanswerable(document: dict[str, Any]) -> dict[str, str]:
    """The operations of a grounded contract that need something of which there is nothing: what they need, by id."""
    found: dict[str, str] = {}
    for _, _, operation in contract.operations(document):
        for name, schema in _required_fields(document, operation):
            if schema == _NOTHING:
                found[operation["operationId"]] = name
    return found


def _required_fields(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for parameter in operation.get("parameters", ()):
        resolved = contract.resolve(document, parameter)
        yield resolved["name"], resolved["schema"]
    body = contract.resolve(document, operation.get("requestBody", {}))
    for media in object_of(body.get("content")).values():
        schema = contract.resolve(document, media["schema"])
        properties = object_of(schema.get("properties"))
        for name in schema.get("required", ()):
            yield name, properties.get(name)
        either = schema.get("x-one-of-required", ())
        if either and not any(name in properties for name in either):
            yield " or ".join(either), _NOTHING


def _either(schema: dict[str, Any]) -> None:
    """Have data with one of the fields that `x-one-of-required` lists."""
    names = [name for name in schema.get("x-one-of-required", ()) if name in object_of(schema.get("properties"))]
    if names:
        schema["anyOf"] = [{"required": [name]} for name in names]


def _by_fields(schema: dict[str, Any]) -> None:
    """Have the oldest upload in its own way, by fields: its rule is in prose, because generators break on it."""
    schema["required"] = ["file", "name", "visibility", "workspace_id"]
    object_of(schema.get("properties")).pop("metadata", None)


def _once_each(schema: dict[str, Any]) -> None:
    """Have unknown fields of a form once: a list would be sent as a field many times, which RFC 6749 forbids."""
    schema["additionalProperties"] = {"type": "string"}


def _only(value: Any) -> dict[str, Any]:
    return _NOTHING if value is None else {"enum": [value]}


def _some(value: Any) -> dict[str, Any]:
    return _NOTHING if value is None else {"type": "array", "items": {"enum": [value]}, "minItems": 1, "maxItems": 1}


def _ids(deployment: Deployment | None) -> tuple[int | None, int | None, int | None]:
    """The ids of a deployment's pipeline, of its version, and its own."""
    if deployment is None:
        return None, None, None
    return deployment.pipeline_id, deployment.pipeline_version_id, deployment.id


def _name(deployment: Deployment | None) -> str | None:
    return None if deployment is None else deployment.name


def _definition(ground: Ground) -> dict[str, Any]:
    return {"enum": [{}, {"steps": [{"ModelInference": {"models": [ground.model]}}]}]}


def _times(ground: Ground) -> dict[str, Any]:
    """Times around the one when the ground's rows were scored, or today."""
    middle = ground.scored_at or datetime.now(UTC)
    return {"enum": [(middle + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]}


def _arrow_schema() -> dict[str, Any]:
    schema = pa.schema([(INPUT, pa.list_(pa.float32(), WIDTH))])
    return _only(base64.b64encode(schema.serialize().to_pybytes()).decode())
