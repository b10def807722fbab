"""Edits of the contract, one at a time, and the change that each of them is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext.contract import operations

if TYPE_CHECKING:
    from collections.abc import Callable


class Document:
    """A document to edit.

    Args:
        text: The contract without references, as JSON.
    """

    def __init__(self, text: str) -> None:
        self.value: dict[str, Any] = json.loads(text)

    def leave_only(self, name: str, paths: dict[str, Any]) -> dict[str, Any]:
        """Remove all paths but that of an operation, if it has one. Returns those of `paths` that are left."""
        kept = [path for path, _, found in operations({"paths": paths}) if found["operationId"] == name] or list(paths)
        self.value["paths"] = {path: self.value["paths"][path] for path in kept}
        return {path: paths[path] for path in kept}

    def operation(self, name: str) -> dict[str, Any]:
        return next(found for _, _, found in operations(self.value) if found["operationId"] == name)

    def path_of(self, name: str) -> str:
        return next(path for path, _, found in operations(self.value) if found["operationId"] == name)

    def body(self, name: str) -> dict[str, Any]:
        return next(iter(self.operation(name)["requestBody"]["content"].values()))["schema"]

    def sent(self, name: str) -> dict[str, Any]:
        return self.body(name)["properties"]

    def answer(self, name: str, status: str = "200") -> dict[str, Any]:
        return self.operation(name)["responses"][status]["content"]["application/json"]["schema"]

    def came(self, name: str, *path: str) -> dict[str, Any]:
        """Return the fields of an answer, below fields and `items`."""
        schema = self.answer(name)
        for key in path:
            schema = schema["items"] if key == "items" else schema["properties"][key]
        return schema["properties"]

    def parameter(self, operation: str, name: str) -> dict[str, Any]:
        item = self.value["paths"][self.path_of(operation)]
        every = [*item.get("parameters", []), *self.operation(operation).get("parameters", [])]
        return next(each for each in every if each["name"] == name)


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of the contract.

    Attributes:
        name: A description.
        make: Makes the edit.
        operation: The operation that differs afterwards.
        where: The location of the change.
        kind: The kind of the change.
        breaks: Whether the change breaks clients that keep the contract.
    """

    name: str
    make: Callable[[Document], object]
    operation: str
    where: str
    kind: str
    breaks: bool


_OF_REQUESTS: list[Edit] = [
    Edit(
        "an optional request field more",
        lambda d: d.sent("list_workspaces").update(page={"type": "integer"}),
        "list_workspaces",
        "request.page",
        "added",
        False,
    ),
    Edit(
        "a required request field more",
        lambda d: (
            d.sent("create_workspace").update(owner={"type": "string"}),
            d.body("create_workspace")["required"].append("owner"),
        ),
        "create_workspace",
        "request.owner",
        "added",
        True,
    ),
    Edit(
        "an optional request field less",
        lambda d: d.sent("list_workspaces").pop("user_id"),
        "list_workspaces",
        "request.user_id",
        "removed",
        False,
    ),
    Edit(
        "a required request field less",
        lambda d: (d.sent("create_workspace").pop("workspace_name"), d.body("create_workspace").pop("required")),
        "create_workspace",
        "request.workspace_name",
        "removed",
        False,
    ),
    Edit(
        "a request field less where others are refused",
        lambda d: (
            d.sent("get_assay_results").pop("limit"),
            d.body("get_assay_results").update(additionalProperties=False),
        ),
        "get_assay_results",
        "request.limit",
        "removed",
        True,
    ),
    Edit(
        "unknown request fields refused",
        lambda d: d.body("list_models").update(additionalProperties=False),
        "list_models",
        "request",
        "changed",
        False,
    ),
    Edit(
        "a request field newly required",
        lambda d: d.body("invite_user")["required"].append("password"),
        "invite_user",
        "request.password",
        "changed",
        True,
    ),
    Edit(
        "a request field newly optional",
        lambda d: d.body("list_models").pop("required"),
        "list_models",
        "request.workspace_id",
        "changed",
        False,
    ),
    Edit(
        "a request type narrowed",
        lambda d: d.sent("create_assay")["alert_threshold"].update(type="integer"),
        "create_assay",
        "request.alert_threshold",
        "changed",
        True,
    ),
    Edit(
        "a request type widened",
        lambda d: d.sent("get_model")["id"].update(type="number"),
        "get_model",
        "request.id",
        "changed",
        False,
    ),
    Edit(
        "a request type replaced",
        lambda d: d.sent("list_assays").update(pipeline_id={"type": "string"}),
        "list_assays",
        "request.pipeline_id",
        "changed",
        True,
    ),
    Edit(
        "a request type left open",
        lambda d: d.sent("create_pipeline").update(definition={}),
        "create_pipeline",
        "request.definition",
        "changed",
        False,
    ),
    Edit(
        "a request field newly nullable",
        lambda d: d.sent("get_deployment_status")["name"].update(nullable=True),
        "get_deployment_status",
        "request.name",
        "changed",
        False,
    ),
    Edit(
        "a request field no longer nullable",
        lambda d: d.sent("create_assay")["warning_threshold"].update(type="number"),
        "create_assay",
        "request.warning_threshold",
        "changed",
        True,
    ),
    Edit(
        "a value less in a request",
        lambda d: d.sent("upload_model")["visibility"].update(enum=["private"]),
        "upload_model",
        "request.visibility",
        "changed",
        True,
    ),
    Edit(
        "a value more in a request",
        lambda d: d.sent("upload_model")["visibility"]["enum"].append("team"),
        "upload_model",
        "request.visibility",
        "changed",
        False,
    ),
    Edit(
        "another value in a request",
        lambda d: d.sent("upload_model")["visibility"].update(enum=["public", "team"]),
        "upload_model",
        "request.visibility",
        "changed",
        True,
    ),
    Edit(
        "any value in a request",
        lambda d: d.sent("upload_model")["visibility"].pop("enum"),
        "upload_model",
        "request.visibility",
        "changed",
        False,
    ),
    Edit(
        "only some values in a request",
        lambda d: d.sent("copy_pipeline")["pipeline_version"].update(enum=["a"]),
        "copy_pipeline",
        "request.pipeline_version",
        "changed",
        True,
    ),
    Edit(
        "an open set closed in a request",
        lambda d: d.sent("add_workspace_user")["user_type"].update(enum=["OWNER", "COLLABORATOR", "GUEST", None]),
        "add_workspace_user",
        "request.user_type",
        "changed",
        False,
    ),
    Edit(
        "an open set closed without a listed value",
        lambda d: d.sent("add_workspace_user")["user_type"].update(enum=["OWNER"]),
        "add_workspace_user",
        "request.user_type",
        "changed",
        True,
    ),
    Edit(
        "a listed value less in a request",
        lambda d: d.sent("add_workspace_user")["user_type"].update({"x-extensible-enum": ["OWNER"]}),
        "add_workspace_user",
        "request.user_type",
        "changed",
        True,
    ),
    Edit(
        "a lower limit raised",
        lambda d: d.sent("get_model")["id"].update(minimum=2),
        "get_model",
        "request.id",
        "changed",
        True,
    ),
    Edit(
        "a lower limit given up",
        lambda d: d.sent("get_model")["id"].pop("minimum"),
        "get_model",
        "request.id",
        "changed",
        False,
    ),
    Edit(
        "an upper limit lowered",
        lambda d: d.sent("create_assay")["summarizer"]["properties"]["num_bins"].update(maximum=10),
        "create_assay",
        "request.summarizer.num_bins",
        "changed",
        True,
    ),
    Edit(
        "a limit as a format",
        lambda d: d.sent("get_model").update(id={"type": "integer", "format": "int16", "minimum": 1}),
        "get_model",
        "request.id",
        "changed",
        True,
    ),
    Edit(
        "a text made shorter",
        lambda d: d.sent("invite_user")["email"].update(maxLength=64),
        "invite_user",
        "request.email",
        "changed",
        True,
    ),
    Edit(
        "a text made longer",
        lambda d: d.sent("invite_user")["email"].update(maxLength=320),
        "invite_user",
        "request.email",
        "changed",
        False,
    ),
    Edit(
        "a pattern more",
        lambda d: d.sent("copy_pipeline")["pipeline_version"].update(pattern="^a"),
        "copy_pipeline",
        "request.pipeline_version",
        "changed",
        True,
    ),
    Edit(
        "a pattern less",
        lambda d: d.sent("create_workspace")["workspace_name"].pop("pattern"),
        "create_workspace",
        "request.workspace_name",
        "changed",
        False,
    ),
    Edit(
        "another pattern",
        lambda d: d.sent("create_workspace")["workspace_name"].update(pattern="^b"),
        "create_workspace",
        "request.workspace_name",
        "changed",
        True,
    ),
    Edit(
        "a format more in a request",
        lambda d: d.sent("list_workspaces")["user_id"].update(format="uuid"),
        "list_workspaces",
        "request.user_id",
        "changed",
        True,
    ),
    Edit(
        "the items of a request",
        lambda d: d.sent("deploy_pipeline")["model_ids"].update(items={"type": "string"}),
        "deploy_pipeline",
        "request.model_ids[]",
        "changed",
        True,
    ),
    Edit(
        "a map's values in a request",
        lambda d: d.sent("deploy_pipeline")["engine_config"]["anyOf"][0].update(
            additionalProperties={"type": "string"}
        ),
        "deploy_pipeline",
        "request.engine_config.*",
        "changed",
        True,
    ),
    Edit(
        "deep in a request",
        lambda d: d.sent("deploy_pipeline")["models"]["items"]["required"].remove("sha"),
        "deploy_pipeline",
        "request.models[].sha",
        "changed",
        False,
    ),
    Edit(
        "a choice of fields",
        lambda d: (
            d.body("undeploy_pipeline").pop("x-one-of-required")
            and d.body("undeploy_pipeline").update(
                anyOf=[{"required": ["pipeline_id"]}, {"required": ["name"]}],
                properties=d.sent("undeploy_pipeline") | {"name": {}},
            )
        ),
        "undeploy_pipeline",
        "request",
        "changed",
        True,
    ),
]
_OF_ANSWERS: list[Edit] = [
    Edit(
        "an answer field more",
        lambda d: d.came("list_workspaces", "workspaces", "items").update(owner={"type": "string"}),
        "list_workspaces",
        "answer 200 $.workspaces[].owner",
        "added",
        False,
    ),
    Edit(
        "a required answer field less",
        lambda d: (d.came("create_workspace").pop("workspace_id"), d.answer("create_workspace").pop("required")),
        "create_workspace",
        "answer 200 $.workspace_id",
        "removed",
        True,
    ),
    Edit(
        "an answer field less that always comes",
        lambda d: d.came("list_workspaces", "workspaces", "items").pop("created_by"),
        "list_workspaces",
        "answer 200 $.workspaces[].created_by",
        "removed",
        True,
    ),
    Edit(
        "an optional answer field less",
        lambda d: d.came("list_model_versions", "items").pop("status"),
        "list_model_versions",
        "answer 200 $[].status",
        "removed",
        False,
    ),
    Edit(
        "an answer field newly optional",
        lambda d: d.answer("create_workspace").pop("required"),
        "create_workspace",
        "answer 200 $.workspace_id",
        "changed",
        True,
    ),
    Edit(
        "an answer field newly required",
        lambda d: d.answer("list_model_versions")["items"]["required"].append("status"),
        "list_model_versions",
        "answer 200 $[].status",
        "changed",
        False,
    ),
    Edit(
        "an answer type widened",
        lambda d: d.came("create_workspace")["workspace_id"].update(type="number"),
        "create_workspace",
        "answer 200 $.workspace_id",
        "changed",
        True,
    ),
    Edit(
        "an answer type narrowed",
        lambda d: d.came("list_assays", "items")["alert_threshold"].update(type="integer"),
        "list_assays",
        "answer 200 $[].alert_threshold",
        "changed",
        False,
    ),
    Edit(
        "an answer type replaced",
        lambda d: d.came("create_workspace").update(workspace_id={"type": "string"}),
        "create_workspace",
        "answer 200 $.workspace_id",
        "changed",
        True,
    ),
    Edit(
        "an answer type left open",
        lambda d: d.came("list_models").update(models={}),
        "list_models",
        "answer 200 $.models",
        "changed",
        True,
    ),
    Edit(
        "an answer field newly nullable",
        lambda d: d.came("list_workspaces", "workspaces", "items")["name"].update(type=["string", "null"]),
        "list_workspaces",
        "answer 200 $.workspaces[].name",
        "changed",
        True,
    ),
    Edit(
        "an answer field no longer nullable",
        lambda d: d.came("list_model_versions", "items")["image_path"].update(type="string"),
        "list_model_versions",
        "answer 200 $[].image_path",
        "changed",
        False,
    ),
    Edit(
        "an answer no longer null",
        lambda d: d.answer("undeploy_pipeline").pop("anyOf") and d.answer("undeploy_pipeline").update(type="object"),
        "undeploy_pipeline",
        "answer 200 $",
        "changed",
        False,
    ),
    Edit(
        "an open set closed in an answer",
        lambda d: d.came("get_deployment_status")["status"].update(enum=["Starting", "Running", "Error"]),
        "get_deployment_status",
        "answer 200 $.status",
        "changed",
        False,
    ),
    Edit(
        "a listed value more in an answer",
        lambda d: d.came("get_deployment_status")["status"]["x-extensible-enum"].append("Stopping"),
        "get_deployment_status",
        "answer 200 $.status",
        "changed",
        False,
    ),
    Edit(
        "only some values in an answer",
        lambda d: d.came("get_pipeline_external_url")["url"].update(enum=["a"]),
        "get_pipeline_external_url",
        "answer 200 $.url",
        "changed",
        False,
    ),
    Edit(
        "a pattern less in an answer",
        lambda d: d.came("list_workspaces", "workspaces", "items")["created_at"].pop("pattern"),
        "list_workspaces",
        "answer 200 $.workspaces[].created_at",
        "changed",
        True,
    ),
    Edit(
        "a format more in an answer",
        lambda d: d.came("get_pipeline_external_url")["url"].update(format="uri"),
        "get_pipeline_external_url",
        "answer 200 $.url",
        "changed",
        False,
    ),
    Edit(
        "the items of an answer",
        lambda d: d.came("list_workspaces", "workspaces", "items")["models"].update(items={"type": "string"}),
        "list_workspaces",
        "answer 200 $.workspaces[].models[]",
        "changed",
        True,
    ),
    Edit(
        "a map's values in an answer",
        lambda d: d.came("list_features")["features"].update(additionalProperties={"type": "boolean"}),
        "list_features",
        "answer 200 $.features.*",
        "changed",
        True,
    ),
    Edit(
        "the users of a map",
        lambda d: d.came("query_users")["users"]["additionalProperties"]["anyOf"][0]["properties"].update(
            email={"type": ["string", "null"]}
        ),
        "query_users",
        "answer 200 $.users.*.email",
        "changed",
        True,
    ),
    Edit(
        "an alternative more in an answer",
        lambda d: d.answer("infer_pipeline", "400")["anyOf"].append(
            {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
        ),
        "infer_pipeline",
        "answer 400 $",
        "added",
        True,
    ),
    Edit(
        "an alternative less in an answer",
        lambda d: d.answer("infer_pipeline", "400")["anyOf"].pop(),
        "infer_pipeline",
        "answer 400 $",
        "removed",
        False,
    ),
    Edit(
        "a part of an allOf",
        lambda d: d.answer("get_model_by_id")["allOf"][1]["properties"].pop("model_config"),
        "get_model_by_id",
        "answer 200 $.model_config",
        "removed",
        True,
    ),
    Edit(
        "an error's field",
        lambda d: d.answer("infer_pipeline", "404")["properties"].update(msg={"type": "integer"}),
        "infer_pipeline",
        "answer 404 $.msg",
        "changed",
        True,
    ),
]
_OF_OPERATIONS: list[Edit] = [
    Edit(
        "an operation less",
        lambda d: d.value["paths"].pop(d.path_of("copy_pipeline")),
        "copy_pipeline",
        "",
        "removed",
        True,
    ),
    Edit(
        "Keycloak's operation less",
        lambda d: d.value["paths"].pop(d.path_of("request_token")),
        "request_token",
        "",
        "removed",
        False,
    ),
    Edit(
        "an operation more",
        lambda d: d.value["paths"].update({"/v1/api/models/delete": {"post": {"responses": {}}}}),
        "/v1/api/models/delete",
        "",
        "added",
        False,
    ),
    Edit(
        "an optional parameter more",
        lambda d: (
            d.operation("infer_pipeline")
            .setdefault("parameters", [])
            .append({"name": "trace", "in": "query", "schema": {"type": "string"}})
        ),
        "infer_pipeline",
        "query trace",
        "added",
        False,
    ),
    Edit(
        "a required parameter more",
        lambda d: (
            d.operation("infer_pipeline")
            .setdefault("parameters", [])
            .append({"name": "X-Tenant", "in": "header", "required": True})
        ),
        "infer_pipeline",
        "header x-tenant",
        "added",
        True,
    ),
    Edit(
        "a parameter less",
        lambda d: d.operation("upload_model_stream")["parameters"].pop(2),
        "upload_model_stream",
        "query visibility",
        "removed",
        False,
    ),
    Edit(
        "a parameter newly required",
        lambda d: d.parameter("upload_model_stream", "visibility").update(required=True),
        "upload_model_stream",
        "query visibility",
        "changed",
        True,
    ),
    Edit(
        "a parameter newly optional",
        lambda d: d.parameter("upload_model_stream", "workspace_id").pop("required"),
        "upload_model_stream",
        "query workspace_id",
        "changed",
        False,
    ),
    Edit(
        "a parameter's type",
        lambda d: d.parameter("upload_model_stream", "workspace_id").update(schema={"type": "string"}),
        "upload_model_stream",
        "query workspace_id",
        "changed",
        True,
    ),
    Edit(
        "a parameter written otherwise",
        lambda d: d.parameter("infer_deployment", "dataset[]").update(explode=False),
        "infer_deployment",
        "query dataset[]",
        "changed",
        True,
    ),
    Edit(
        "a path's parameter",
        lambda d: d.parameter("infer_deployment", "deployment").update(schema={"type": "integer"}),
        "infer_deployment",
        "path deployment",
        "changed",
        True,
    ),
    Edit(
        "a request's media type less",
        lambda d: d.operation("infer_pipeline")["requestBody"]["content"].pop("application/vnd.apache.arrow.file"),
        "infer_pipeline",
        "request",
        "removed",
        True,
    ),
    Edit(
        "a request's media type more",
        lambda d: d.operation("infer_pipeline")["requestBody"]["content"].update(
            {"application/vnd.apache.parquet": {}}
        ),
        "infer_pipeline",
        "request",
        "added",
        False,
    ),
    Edit(
        "one of several bodies",
        lambda d: d.operation("infer_deployment")["requestBody"]["content"]["application/json"]["schema"].update(
            minProperties=2
        ),
        "infer_deployment",
        "request (application/json)",
        "changed",
        True,
    ),
    Edit(
        "a request without a body",
        lambda d: d.operation("get_model").pop("requestBody"),
        "get_model",
        "request",
        "removed",
        True,
    ),
    Edit(
        "a body that may be left out",
        lambda d: d.operation("get_model")["requestBody"].pop("required"),
        "get_model",
        "request",
        "changed",
        False,
    ),
    Edit(
        "an answer's media type less",
        lambda d: d.operation("infer_pipeline")["responses"]["200"]["content"].pop("application/vnd.apache.arrow.file"),
        "infer_pipeline",
        "answer 200",
        "removed",
        True,
    ),
    Edit(
        "an answer's media type more",
        lambda d: d.operation("list_models")["responses"]["200"]["content"].update({"text/csv": {}}),
        "list_models",
        "answer 200",
        "added",
        False,
    ),
    Edit(
        "an error's media type less",
        lambda d: d.operation("list_models")["responses"]["503"]["content"].pop("text/html"),
        "list_models",
        "answer 503",
        "removed",
        False,
    ),
    Edit(
        "an error without JSON",
        lambda d: d.operation("list_models")["responses"]["400"].update(content={"text/plain": {}}),
        "list_models",
        "answer 400",
        "removed",
        True,
    ),
    Edit(
        "another success",
        lambda d: d.operation("deploy_pipeline")["responses"].update(
            {"202": d.operation("deploy_pipeline")["responses"].pop("200")}
        ),
        "deploy_pipeline",
        "answer 200",
        "changed",
        True,
    ),
    Edit(
        "a success more",
        lambda d: d.operation("deploy_pipeline")["responses"].update({"202": {}}),
        "deploy_pipeline",
        "answer 202",
        "added",
        True,
    ),
    Edit(
        "no success",
        lambda d: d.operation("deploy_pipeline")["responses"].pop("200"),
        "deploy_pipeline",
        "answer 200",
        "removed",
        True,
    ),
    Edit(
        "a redirect more",
        lambda d: d.operation("get_model")["responses"].update({"307": {}}),
        "get_model",
        "answer 307",
        "added",
        True,
    ),
    Edit(
        "an error more",
        lambda d: d.operation("get_model")["responses"].update({"422": {}}),
        "get_model",
        "answer 422",
        "added",
        False,
    ),
    Edit(
        "an error less",
        lambda d: d.operation("get_model")["responses"].pop("405"),
        "get_model",
        "answers",
        "removed",
        False,
    ),
]
EDITS = [*_OF_REQUESTS, *_OF_ANSWERS, *_OF_OPERATIONS]

ALONG: dict[str, tuple[tuple[str, str, str, bool], ...]] = {
    "a request field less where others are refused": (("get_assay_results", "request", "changed", False),),
    "an error without JSON": (("list_models", "answer 400", "added", False),),
    "a choice of fields": (("undeploy_pipeline", "request.name", "added", False),),
}
"""Further changes that an edit makes, where it cannot be a single change."""
