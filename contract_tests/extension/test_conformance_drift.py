"""Is every difference between the contract and another OpenAPI document found, and no other?"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import rewriting

from wallaroo_ext.conformance.drift.documents import against_document
from wallaroo_ext.conformance.drift.errors import DriftError
from wallaroo_ext.conformance.drift.table import as_json, as_table, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.drift.changes import Change

Edit = tuple[str, str, str, str, bool]
"""An operation, and where a change of it is, its kind, what to do, and whether that breaks clients."""


@pytest.fixture(scope="module")
def contract_(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The contract, once for all edits."""
    return request.getfixturevalue("document")


@pytest.fixture(scope="module")
def spelt_out(contract_: dict[str, Any]) -> str:
    """The contract without references, as JSON: an edit of it is one of a single operation."""
    return json.dumps(rewriting.inlined(contract_), default=str)


class Document:
    """A document to edit.

    Args:
        text: The contract without references, as JSON.
    """

    def __init__(self, text: str) -> None:
        self.value: dict[str, Any] = json.loads(text)

    def operation(self, name: str) -> dict[str, Any]:
        items = self.value["paths"].values()
        return next(item["post"] for item in items if item["post"]["operationId"] == name)

    def path_of(self, name: str) -> str:
        paths = self.value["paths"].items()
        return next(path for path, item in paths if item["post"]["operationId"] == name)

    def body(self, name: str) -> dict[str, Any]:
        return next(iter(self.operation(name)["requestBody"]["content"].values()))["schema"]

    def sent(self, name: str) -> dict[str, Any]:
        return self.body(name)["properties"]

    def answer(self, name: str, status: str = "200") -> dict[str, Any]:
        return self.operation(name)["responses"][status]["content"]["application/json"]["schema"]

    def came(self, name: str, *path: str) -> dict[str, Any]:
        """The fields of an answer, below fields and `items`."""
        schema = self.answer(name)
        for key in path:
            schema = schema["items"] if key == "items" else schema["properties"][key]
        return schema["properties"]

    def parameter(self, operation: str, name: str) -> dict[str, Any]:
        item = self.value["paths"][self.path_of(operation)]
        every = [*item.get("parameters", []), *self.operation(operation).get("parameters", [])]
        return next(each for each in every if each["name"] == name)


def doing(*actions: Callable[[Document], object]) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        for action in actions:
            action(document)

    return edit


EDITS: list[tuple[str, Callable[[Document], object], str, str, str, bool]] = [
    # Requests: what clients send has to be taken.
    ("an optional request field more", lambda d: d.sent("list_workspaces").update(page={"type": "integer"}), "list_workspaces", "request.page", "added", False),
    ("a required request field more", lambda d: (d.sent("create_workspace").update(owner={"type": "string"}), d.body("create_workspace")["required"].append("owner")), "create_workspace", "request.owner", "added", True),
    ("an optional request field less", lambda d: d.sent("list_workspaces").pop("user_id"), "list_workspaces", "request.user_id", "removed", False),
    ("a required request field less", lambda d: (d.sent("create_workspace").pop("workspace_name"), d.body("create_workspace").pop("required")), "create_workspace", "request.workspace_name", "removed", False),
    ("a request field less where others are refused", lambda d: (d.sent("get_assay_results").pop("limit"), d.body("get_assay_results").update(additionalProperties=False)), "get_assay_results", "request.limit", "removed", True),
    ("unknown request fields refused", lambda d: d.body("list_models").update(additionalProperties=False), "list_models", "request", "changed", False),
    ("a request field newly required", lambda d: d.body("invite_user")["required"].append("password"), "invite_user", "request.password", "changed", True),
    ("a request field newly optional", lambda d: d.body("list_models").pop("required"), "list_models", "request.workspace_id", "changed", False),
    ("a request type narrowed", lambda d: d.sent("create_assay")["alert_threshold"].update(type="integer"), "create_assay", "request.alert_threshold", "changed", True),
    ("a request type widened", lambda d: d.sent("get_model")["id"].update(type="number"), "get_model", "request.id", "changed", False),
    ("a request type replaced", lambda d: d.sent("list_assays").update(pipeline_id={"type": "string"}), "list_assays", "request.pipeline_id", "changed", True),
    ("a request type left open", lambda d: d.sent("create_pipeline").update(definition={}), "create_pipeline", "request.definition", "changed", False),
    ("a request field newly nullable", lambda d: d.sent("list_workspaces")["user_id"].update(nullable=True), "list_workspaces", "request.user_id", "changed", False),
    ("a request field no longer nullable", lambda d: d.sent("create_assay")["warning_threshold"].update(type="number"), "create_assay", "request.warning_threshold", "changed", True),
    ("a value less in a request", lambda d: d.sent("upload_model")["visibility"].update(enum=["private"]), "upload_model", "request.visibility", "changed", True),
    ("a value more in a request", lambda d: d.sent("upload_model")["visibility"]["enum"].append("team"), "upload_model", "request.visibility", "changed", False),
    ("another value in a request", lambda d: d.sent("upload_model")["visibility"].update(enum=["public", "team"]), "upload_model", "request.visibility", "changed", True),
    ("any value in a request", lambda d: d.sent("upload_model")["visibility"].pop("enum"), "upload_model", "request.visibility", "changed", False),
    ("only some values in a request", lambda d: d.sent("copy_pipeline")["pipeline_version"].update(enum=["a"]), "copy_pipeline", "request.pipeline_version", "changed", True),
    ("an open set closed in a request", lambda d: d.sent("add_workspace_user")["user_type"].update(enum=["OWNER", "COLLABORATOR", "GUEST"]), "add_workspace_user", "request.user_type", "changed", False),
    ("an open set closed without a listed value", lambda d: d.sent("add_workspace_user")["user_type"].update(enum=["OWNER"]), "add_workspace_user", "request.user_type", "changed", True),
    ("a listed value less in a request", lambda d: d.sent("add_workspace_user")["user_type"].update({"x-extensible-enum": ["OWNER"]}), "add_workspace_user", "request.user_type", "changed", True),
    ("a lower limit raised", lambda d: d.sent("get_model")["id"].update(minimum=2), "get_model", "request.id", "changed", True),
    ("a lower limit given up", lambda d: d.sent("get_model")["id"].pop("minimum"), "get_model", "request.id", "changed", False),
    ("an upper limit lowered", lambda d: d.sent("create_assay")["summarizer"]["properties"]["num_bins"].update(maximum=10), "create_assay", "request.summarizer.num_bins", "changed", True),
    ("a limit as a format", lambda d: d.sent("get_model").update(id={"type": "integer", "format": "int16", "minimum": 1}), "get_model", "request.id", "changed", True),
    ("a text made shorter", lambda d: d.sent("invite_user")["email"].update(maxLength=64), "invite_user", "request.email", "changed", True),
    ("a text made longer", lambda d: d.sent("invite_user")["email"].update(maxLength=320), "invite_user", "request.email", "changed", False),
    ("a pattern more", lambda d: d.sent("copy_pipeline")["pipeline_version"].update(pattern="^a"), "copy_pipeline", "request.pipeline_version", "changed", True),
    ("a pattern less", lambda d: d.sent("create_workspace")["workspace_name"].pop("pattern"), "create_workspace", "request.workspace_name", "changed", False),
    ("another pattern", lambda d: d.sent("create_workspace")["workspace_name"].update(pattern="^b"), "create_workspace", "request.workspace_name", "changed", True),
    ("a format more in a request", lambda d: d.sent("list_workspaces")["user_id"].update(format="uuid"), "list_workspaces", "request.user_id", "changed", True),
    ("the items of a request", lambda d: d.sent("deploy_pipeline")["model_ids"].update(items={"type": "string"}), "deploy_pipeline", "request.model_ids[]", "changed", True),
    ("a map's values in a request", lambda d: d.sent("deploy_pipeline")["engine_config"].update(additionalProperties={"type": "string"}), "deploy_pipeline", "request.engine_config.*", "changed", True),
    ("deep in a request", lambda d: d.sent("create_assay")["baseline"]["properties"]["Fixed"]["required"].remove("model"), "create_assay", "request.baseline.Fixed.model", "changed", False),
    ("a choice of fields", lambda d: d.body("undeploy_pipeline").pop("x-one-of-required") and d.body("undeploy_pipeline").update(anyOf=[{"required": ["pipeline_id"]}, {"required": ["name"]}], properties=d.sent("undeploy_pipeline") | {"name": {}}), "undeploy_pipeline", "request", "changed", True),
    # Answers: what comes has to be what readers expect.
    ("an answer field more", lambda d: d.came("list_workspaces", "workspaces", "items").update(owner={"type": "string"}), "list_workspaces", "answer 200 $.workspaces[].owner", "added", False),
    ("a required answer field less", lambda d: (d.came("create_workspace").pop("workspace_id"), d.answer("create_workspace").pop("required")), "create_workspace", "answer 200 $.workspace_id", "removed", True),
    ("an answer field less that always comes", lambda d: d.came("list_workspaces", "workspaces", "items").pop("created_by"), "list_workspaces", "answer 200 $.workspaces[].created_by", "removed", True),
    ("an optional answer field less", lambda d: d.came("list_model_versions", "items").pop("status"), "list_model_versions", "answer 200 $[].status", "removed", False),
    ("an answer field newly optional", lambda d: d.answer("create_workspace").pop("required"), "create_workspace", "answer 200 $.workspace_id", "changed", True),
    ("an answer field newly required", lambda d: d.answer("list_model_versions")["items"]["required"].append("status"), "list_model_versions", "answer 200 $[].status", "changed", False),
    ("an answer type widened", lambda d: d.came("create_workspace")["workspace_id"].update(type="number"), "create_workspace", "answer 200 $.workspace_id", "changed", True),
    ("an answer type narrowed", lambda d: d.came("list_assays", "items")["alert_threshold"].update(type="integer"), "list_assays", "answer 200 $[].alert_threshold", "changed", False),
    ("an answer type replaced", lambda d: d.came("create_workspace").update(workspace_id={"type": "string"}), "create_workspace", "answer 200 $.workspace_id", "changed", True),
    ("an answer type left open", lambda d: d.came("list_models").update(models={}), "list_models", "answer 200 $.models", "changed", True),
    ("an answer field newly nullable", lambda d: d.came("list_models", "models", "items")["name"].update(type=["string", "null"]), "list_models", "answer 200 $.models[].name", "changed", True),
    ("an answer field no longer nullable", lambda d: d.came("list_model_versions", "items")["image_path"].update(type="string"), "list_model_versions", "answer 200 $[].image_path", "changed", False),
    ("an answer no longer null", lambda d: d.answer("undeploy_pipeline").pop("anyOf") and d.answer("undeploy_pipeline").update(type="object"), "undeploy_pipeline", "answer 200 $", "changed", False),
    ("an open set closed in an answer", lambda d: d.came("get_deployment_status")["status"].update(enum=["Starting", "Running", "Error"]), "get_deployment_status", "answer 200 $.status", "changed", False),
    ("a listed value more in an answer", lambda d: d.came("get_deployment_status")["status"]["x-extensible-enum"].append("Stopping"), "get_deployment_status", "answer 200 $.status", "changed", False),
    ("only some values in an answer", lambda d: d.came("get_pipeline_external_url")["url"].update(enum=["a"]), "get_pipeline_external_url", "answer 200 $.url", "changed", False),
    ("a pattern less in an answer", lambda d: d.came("list_models", "models", "items")["created_at"].pop("pattern"), "list_models", "answer 200 $.models[].created_at", "changed", True),
    ("a format more in an answer", lambda d: d.came("get_pipeline_external_url")["url"].update(format="uri"), "get_pipeline_external_url", "answer 200 $.url", "changed", False),
    ("the items of an answer", lambda d: d.came("list_workspaces", "workspaces", "items")["models"].update(items={"type": "string"}), "list_workspaces", "answer 200 $.workspaces[].models[]", "changed", True),
    ("a map's values in an answer", lambda d: d.came("list_features")["features"].update(additionalProperties={"type": "boolean"}), "list_features", "answer 200 $.features.*", "changed", True),
    ("the users of a map", lambda d: d.came("query_users")["users"]["additionalProperties"]["anyOf"][0]["properties"].update(email={"type": ["string", "null"]}), "query_users", "answer 200 $.users.*.email", "changed", True),
    ("an alternative more in an answer", lambda d: d.answer("infer_pipeline", "400")["anyOf"].append({"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}), "infer_pipeline", "answer 400 $", "added", True),
    ("an alternative less in an answer", lambda d: d.answer("infer_pipeline", "400")["anyOf"].pop(), "infer_pipeline", "answer 400 $", "removed", False),
    ("a part of an allOf", lambda d: d.answer("get_model_by_id")["allOf"][1]["properties"].pop("workspace_id"), "get_model_by_id", "answer 200 $.workspace_id", "removed", True),
    ("an error's field", lambda d: d.answer("infer_pipeline", "404")["properties"].update(msg={"type": "integer"}), "infer_pipeline", "answer 404 $.msg", "changed", True),
    # Operations, parameters, media types and statuses.
    ("an operation less", lambda d: d.value["paths"].pop(d.path_of("copy_pipeline")), "copy_pipeline", "", "removed", True),
    ("Keycloak's operation less", lambda d: d.value["paths"].pop(d.path_of("request_token")), "request_token", "", "removed", False),
    ("an operation more", lambda d: d.value["paths"].update({"/v1/api/models/delete": {"post": {"responses": {}}}}), "/v1/api/models/delete", "", "added", False),
    ("an optional parameter more", lambda d: d.operation("infer_pipeline").setdefault("parameters", []).append({"name": "trace", "in": "query", "schema": {"type": "string"}}), "infer_pipeline", "query trace", "added", False),
    ("a required parameter more", lambda d: d.operation("infer_pipeline").setdefault("parameters", []).append({"name": "X-Tenant", "in": "header", "required": True}), "infer_pipeline", "header x-tenant", "added", True),
    ("a parameter less", lambda d: d.operation("upload_model_stream")["parameters"].pop(2), "upload_model_stream", "query visibility", "removed", False),
    ("a parameter newly required", lambda d: d.parameter("upload_model_stream", "visibility").update(required=True), "upload_model_stream", "query visibility", "changed", True),
    ("a parameter newly optional", lambda d: d.parameter("upload_model_stream", "workspace_id").pop("required"), "upload_model_stream", "query workspace_id", "changed", False),
    ("a parameter's type", lambda d: d.parameter("upload_model_stream", "workspace_id").update(schema={"type": "string"}), "upload_model_stream", "query workspace_id", "changed", True),
    ("a parameter written otherwise", lambda d: d.parameter("infer_deployment", "dataset[]").update(explode=False), "infer_deployment", "query dataset[]", "changed", True),
    ("a path's parameter", lambda d: d.parameter("infer_deployment", "deployment").update(schema={"type": "integer"}), "infer_deployment", "path deployment", "changed", True),
    ("a request's media type less", lambda d: d.operation("infer_pipeline")["requestBody"]["content"].pop("application/vnd.apache.arrow.file"), "infer_pipeline", "request", "removed", True),
    ("a request's media type more", lambda d: d.operation("infer_pipeline")["requestBody"]["content"].update({"application/vnd.apache.parquet": {}}), "infer_pipeline", "request", "added", False),
    ("one of several bodies", lambda d: d.operation("infer_pipeline")["requestBody"]["content"]["application/json"]["schema"].update(minProperties=2), "infer_pipeline", "request (application/json)", "changed", True),
    ("a request without a body", lambda d: d.operation("get_model").pop("requestBody"), "get_model", "request", "removed", True),
    ("a body that may be left out", lambda d: d.operation("get_model")["requestBody"].pop("required"), "get_model", "request", "changed", False),
    ("an answer's media type less", lambda d: d.operation("infer_pipeline")["responses"]["200"]["content"].pop("application/vnd.apache.arrow.file"), "infer_pipeline", "answer 200", "removed", True),
    ("an answer's media type more", lambda d: d.operation("list_models")["responses"]["200"]["content"].update({"text/csv": {}}), "list_models", "answer 200", "added", False),
    ("an error's media type less", lambda d: d.operation("list_models")["responses"]["503"]["content"].pop("text/html"), "list_models", "answer 503", "removed", False),
    ("an error without JSON", lambda d: d.operation("list_models")["responses"]["400"].update(content={"text/plain": {}}), "list_models", "answer 400", "removed", True),
    ("another success", lambda d: d.operation("deploy_pipeline")["responses"].update({"202": d.operation("deploy_pipeline")["responses"].pop("200")}), "deploy_pipeline", "answer 200", "changed", True),
    ("a success more", lambda d: d.operation("deploy_pipeline")["responses"].update({"202": {}}), "deploy_pipeline", "answer 202", "added", True),
    ("no success", lambda d: d.operation("deploy_pipeline")["responses"].pop("200"), "deploy_pipeline", "answer 200", "removed", True),
    ("a redirect more", lambda d: d.operation("get_model")["responses"].update({"307": {}}), "get_model", "answer 307", "added", True),
    ("an error more", lambda d: d.operation("get_model")["responses"].update({"422": {}}), "get_model", "answer 422", "added", False),
    ("an error less", lambda d: d.operation("get_model")["responses"].pop("405"), "get_model", "answers", "removed", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "operation", "where", "kind", "breaks"), [pytest.param(*row[1:], id=row[0]) for row in EDITS]
)
def test_each_edit_is_found_as_what_it_is(
    contract_: dict[str, Any],
    spelt_out: str,
    edit: Callable[[Document], object],
    operation: str,
    where: str,
    kind: str,
    breaks: bool,
) -> None:
    other = Document(spelt_out)
    edit(other)
    changes = against_document(contract_, other.value, "another").changes
    found = {(change.operation, change.where, change.kind, change.breaks) for change in changes}
    assert (operation, where, kind, breaks) in found, changes
    assert len(changes) == 1 or found <= {(operation, where, kind, breaks), *ALONG.get((operation, where), ())}, changes


ALONG: dict[tuple[str, str], tuple[tuple[str, str, str, bool], ...]] = {
    ("get_assay_results", "request.limit"): (("get_assay_results", "request", "changed", False),),
    ("list_assays", "request.pipeline_id"): (),
    ("list_models", "answer 400"): (("list_models", "answer 400", "added", False),),
    ("undeploy_pipeline", "request"): (("undeploy_pipeline", "request.name", "added", False),),
}
"""What else an edit changes, where it cannot be one change."""


def test_there_are_many_edits_and_each_is_another_one() -> None:
    assert len(EDITS) >= 60
    assert len({row[0] for row in EDITS}) == len(EDITS)


REWRITINGS: dict[str, list[Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "itself": [],
    "inlined references": [rewriting.inlined],
    "OpenAPI 3.0": [rewriting.as_3_0],
    "other names": [rewriting.renamed],
    "another order": [rewriting.shuffled],
    "no extensions": [rewriting.bare],
    "allOf of one": [rewriting.wrapped],
    "another prefix, slashes": [rewriting.moved],
    "all but inlined": [
        rewriting.renamed,
        rewriting.as_3_0,
        rewriting.wrapped,
        rewriting.bare,
        rewriting.shuffled,
        rewriting.moved,
    ],
    "inlined and the rest": [rewriting.inlined, rewriting.bare, rewriting.as_3_0, rewriting.shuffled, rewriting.moved],
}


@pytest.mark.parametrize("name", REWRITINGS)
def test_the_same_by_other_means_is_no_change(document: dict[str, Any], name: str) -> None:
    other = copy.deepcopy(document)
    for rewrite in REWRITINGS[name]:
        other = rewrite(other)
    assert against_document(document, other, name).changes == ()
    assert (json.dumps(other, default=str) == json.dumps(document, default=str)) is (name == "itself")


def test_paths_may_begin_after_what_the_servers_have(document: dict[str, Any]) -> None:
    (change,) = against_document(document, rewriting.relative(document), "relative").changes
    assert (change.operation, change.kind, change.breaks) == ("request_token", "removed", False)


def small(answer: Any, request: Any = None, **more: Any) -> dict[str, Any]:
    """A document of one operation."""
    body = {"requestBody": {"content": {"application/json": {"schema": request}}}} if request is not None else {}
    operation = body | {
        "operationId": "do",
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }
    return {"openapi": "3.1.0", "paths": {"/do": {"post": operation}}} | more


def changes_of(contract: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(each.where, each.kind, each.breaks) for each in against_document(contract, other, "another").changes]


def tree(name: str, **fields: Any) -> dict[str, Any]:
    children = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    schema = {"type": "object", "properties": {"children": children, **fields}}
    return small({"$ref": f"#/components/schemas/{name}"}, components={"schemas": {name: schema}})


def test_schemas_may_be_inside_themselves() -> None:
    one = tree("Tree", label={"type": "string"})
    assert changes_of(one, tree("Node", label={"type": "string"})) == []
    assert changes_of(one, tree("Node", label={"type": "integer"})) == [("answer 200 $.label", "changed", True)]
    unrolled = tree("Node", label={"type": "string"})
    inner = {"type": "object", "properties": {"label": {"type": "string"}, "children": {"$ref": "#/paths/~1x"}}}
    unrolled["paths"]["/x"] = {"type": "array", "items": inner}
    assert changes_of(tree("Tree", label={"type": "string"}), unrolled) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": ["integer", "null"]}, {"anyOf": [{"type": "integer", "format": "int64"}, {"type": "null"}]}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "exclusiveMinimum": 0}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 0, "exclusiveMinimum": True}),
        ({"type": "string", "enum": ["a"]}, {"const": "a"}),
        ({"type": "string", "enum": ["a", "b"]}, {"oneOf": [{"enum": ["b"]}, {"enum": ["a"]}]}),
        ({"type": ["number", "array"], "items": {"type": "number"}}, {"oneOf": [{"items": {"type": "number"}}, {"type": "number"}]}),
        ({"type": "string", "format": "binary"}, {"type": "string", "contentMediaType": "application/octet-stream"}),
        ({"type": "string", "format": "byte"}, {"type": "string", "contentEncoding": "base64"}),
        ({"type": "string", "format": "password"}, {"type": "string"}),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "object", "properties": {"a": {}}}, {"properties": {"a": True}}),
        ({"type": "boolean"}, {"type": "boolean", "enum": [True, False]}),
        ({}, True),
        ({"type": "object", "x-one-of-required": ["a", "b"], "properties": {"a": {}, "b": {}}},
         {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        ({"type": "string", "pattern": r"^\d{4}-"}, {"type": "string", "format": "date-time"}),
    ],
)  # fmt: skip
def test_what_means_the_same_is_no_change(one: Any, other: Any) -> None:
    assert changes_of(small(one, one), small(other, other)) == []


def test_fields_are_read_by_their_side() -> None:
    marked = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"readOnly": True}, "b": {"writeOnly": True}},
    }
    request = {"type": "object", "required": ["b"], "properties": {"b": {}}}
    answer = {"type": "object", "required": ["a"], "properties": {"a": {}}}
    assert changes_of(small(answer, request), small(marked, marked)) == []


def test_a_status_of_a_range_or_by_default_is_described() -> None:
    contract, other = small({"type": "object"}), small({"type": "object"})
    responses = other["paths"]["/do"]["post"]["responses"]
    contract["paths"]["/do"]["post"]["responses"]["400"] = {}
    responses["2XX"], responses["default"] = responses.pop("200"), {}
    assert changes_of(contract, other) == []


def test_methods_are_compared_too() -> None:
    other = small({})
    other["paths"]["/do"]["get"] = other["paths"]["/do"].pop("post")
    assert changes_of(small({}), other) == [("", "removed", True), ("", "added", False)]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({}, "of version 3"),
        ({"swagger": "2.0", "paths": {}}, "of version 3"),
        ({"openapi": "3.0.0"}, "no paths"),
        (small({"$ref": "#/components/schemas/None"}), "not in the document"),
        (small({"$ref": "other.json#/a"}), "not in the document"),
        (small({"$ref": "#/components/schemas/A"}, components={"schemas": {"A": {"$ref": "#/components/schemas/A"}}}), "itself"),
        (small({"$ref": "#/a"}, a={"allOf": [{"$ref": "#/a"}]}), "consists of itself"),
        (small("text"), "schema is expected"),
        (small({"type": "string", "minLength": "many"}), "can be read"),
        (small({"allOf": [{"anyOf": [{"type": "string", "minLength": n} for n in range(1, 30)]}, {"anyOf": [{"type": "string", "maxLength": n} for n in range(1, 30)]}]}), "alternatives"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_in_a_sentence(other: dict[str, Any], reason: str) -> None:
    contract = small({"type": "string", "minLength": 1})
    with pytest.raises(DriftError, match=reason) as caught:
        against_document(contract, other, "https://api.example.com/openapi.json")
    assert "https://api.example.com/openapi.json" in str(caught.value)


def shown(changes: list[Change] | Any, width: int = 200) -> str:
    from rich.console import Console

    console = Console(width=width)
    with console.capture() as captured:
        console.print(as_table(changes))
    return captured.get()


def test_the_table_has_what_breaks_first_and_says_how_much(document: dict[str, Any]) -> None:
    other = copy.deepcopy(document)
    other["components"]["schemas"]["Error"]["properties"]["hint"] = {"type": "string"}
    other["components"]["schemas"]["Timestamp"]["pattern"] = "^[0-9]"
    drift = against_document(document, other, "[red]a document[/red]")
    text = shown(drift)
    assert "from [red]a document[/red], of which" in text
    assert text.index("breaks") < text.index("harmless")
    assert "and 2" in text  # operations that have the same change stand there once


def test_nothing_is_said_in_a_sentence(document: dict[str, Any]) -> None:
    drift = against_document(document, document, "itself")
    assert shown(drift).strip() == summary(drift) == "The contract and itself say the same."


def test_as_json_has_every_change_with_its_reason(document: dict[str, Any], spelt_out: str) -> None:
    other = Document(spelt_out)
    other.came("create_workspace")["workspace_id"].update(type=["integer", "null"])
    value = json.loads(json.dumps(as_json(against_document(document, other.value, "another"))))
    assert (value["against"], value["changed"], value["breaking"]) == ("another", 1, 1)
    change = value["changes"][0]
    assert (change["contract"], change["other"]) == ("integer", "integer or null")
    assert change["reason"].endswith("readers do not expect it.")
