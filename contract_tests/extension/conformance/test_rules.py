"""What do the rules of a contract say of requests?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from wallaroo_ext import contract
from wallaroo_ext.conformance.guard.interceptor import Incoming
from wallaroo_ext.conformance.rules import CONTENT_TYPE, SCHEMA, STATUS, Rules

if TYPE_CHECKING:
    from pathlib import Path

_EXAMPLES = Rules(contract.load()).request_content("preview_assay_v2")["application/json"]["examples"]
WINDOWED = next(iter(_EXAMPLES.values()))["value"]


@pytest.fixture(scope="module")
def rules() -> Rules:
    """Return the rules of the contract."""
    return Rules(contract.load())


def reading(parameter: dict[str, Any] | None, **more: Any) -> Rules:
    """Return the rules of a contract whose one operation is a GET with one parameter of its path, or with none."""
    operation = {"operationId": "read", "responses": {"200": {"description": "Read."}}} | more
    parameters = [] if parameter is None else [{"name": "which", "in": "path", "required": True} | parameter]
    return Rules({"paths": {"/read/{which}": {"parameters": parameters, "get": operation}}, "components": {}})


def test_the_bodies_of_an_operation_are_found_through_references(rules: Rules) -> None:
    assert list(rules.request_content("list_workspaces")) == ["application/json"]
    assert "application/vnd.apache.arrow.file" in rules.request_content("infer_pipeline")
    assert rules.request_content("get_topic_partitions") == {}


def test_a_request_with_any_text_in_its_path_and_nothing_else_cannot_be_invalid(rules: Rules) -> None:
    assert [name for name in rules.operations if not rules.can_be_invalid(name)] == ["get_topic_partitions"]
    assert not reading(None).can_be_invalid("read")
    assert not reading({"schema": {"type": "string", "minLength": 1}}).can_be_invalid("read")


@pytest.mark.parametrize(
    "parameter",
    [
        {"schema": {"type": "integer"}},
        {"schema": {"type": "string", "enum": ["a"]}},
        {"schema": {"type": "string", "pattern": "^a"}},
        {"schema": {"type": "string", "format": "uuid"}},
        {"in": "query", "schema": {"type": "string"}},
    ],
    ids=str,
)
def test_other_parameters_can_be_invalid(parameter: dict[str, Any]) -> None:
    assert reading(parameter).can_be_invalid("read")
    own = {"name": "which", "in": "path", "required": True} | parameter
    assert reading(None, parameters=[own]).can_be_invalid("read")


@pytest.mark.parametrize(
    ("operation", "kind", "body", "is_allowed"),
    [
        ("set_assay_active", "application/json", {"id": 5, "active": True}, True),
        ("set_assay_active", "application/json", {"id": 5, "active": True, "note": "x"}, True),
        ("set_assay_active", "application/json", {"id": "5", "active": True}, False),
        ("set_assay_active", "application/json", {"id": 5}, False),
        ("preview_assay_v2", "application/json", WINDOWED | {"window": {"width": {"seconds": 2**63 - 1}}}, True),
        ("preview_assay_v2", "application/json", WINDOWED | {"window": {"width": {"seconds": 2**63}}}, False),
        ("set_assay_active", "application/json", {"id": 10**5000, "active": True}, False),
        ("set_assay_active", "application/json", {"id": 5, "active": True, b"note": "x"}, False),
        ("set_assay_active", "text/plain", {"id": 5, "active": True}, False),
        ("set_assay_active", "", {"id": 5, "active": True}, False),
        ("set_assay_active", "application/json", b"{", False),
        ("get_topic_partitions", "application/json", {}, False),
        ("upload_model_stream", "application/octet-stream", b"\x08", True),
    ],
)
def test_a_body_is_allowed_if_the_contract_has_its_like(
    rules: Rules, operation: str, kind: str, body: Any, *, is_allowed: bool
) -> None:
    assert rules.allows_body(operation, kind, body) is is_allowed


@pytest.mark.parametrize(
    ("location", "values", "is_allowed"),
    [
        ("query", {"name": "m", "filename": "m.onnx", "workspace_id": 1}, True),
        ("query", {"name": "m", "filename": "m.onnx", "workspace_id": "1", "more": ""}, True),
        ("query", {"name": "m", "filename": "m.onnx", "workspace_id": "one"}, False),
        ("query", {"name": ["m", "n"], "filename": "m.onnx", "workspace_id": "1"}, False),
        ("query", {"filename": "m.onnx", "workspace_id": "1"}, False),
        ("path", {}, True),
    ],
)
def test_parameters_are_allowed_as_the_text_of_a_url(
    rules: Rules, location: str, values: dict[str, Any], *, is_allowed: bool
) -> None:
    assert rules.allows_parameters("upload_model_stream", location, values) is is_allowed


def test_a_body_can_be_invalid() -> None:
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    assert reading(None, requestBody=body).can_be_invalid("read")


@pytest.mark.parametrize("keyword", ["x-always", "x-extensible-enum", ""])
def test_of_many_rows_only_what_a_keyword_is_about_is_read(keyword: str, rules: Rules) -> None:
    schema = rules.schemas.resolve(rules.answer_schema("infer_pipeline")["items"])
    row = {"time": 1, "in": {"a": [1]}, "out": {"b": [2]}, "metadata": {"last_model": "{}"}}
    found = {where for _, _, _, where in rules.parts(schema, row, (), "$", keyword)}
    assert (
        found
        == {
            "x-always": {"$.metadata"},
            "x-extensible-enum": set[str](),
            "": {"$.time", "$.in", "$.out", "$.metadata"},
        }[keyword]
    )


def test_what_is_always_there_is_missed_in_each_row(rules: Rules) -> None:
    rows: list[dict[str, Any]] = [{"metadata": {"last_model": "{}"}}, {"metadata": {}}]
    missing = list(rules.missing_always(rules.answer_schema("infer_pipeline"), rows, ()))
    assert [(where, name) for where, name, _ in missing] == [("$[1].metadata", "last_model")]


def answering(responses: dict[str, Any]) -> Rules:
    """Return the rules of a contract whose one operation has these answers."""
    return Rules({"paths": {"/read": {"get": {"operationId": "read", "responses": responses}}}, "components": {}})


OBJECT: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "object"}}}}
LIST: dict[str, Any] = {"content": {"application/json": {"schema": {"type": "array"}}}}


@pytest.mark.parametrize(
    ("responses", "successes", "others"),
    [
        ({"200": OBJECT, "400": LIST}, {200}, {201, 404}),
        ({"2XX": OBJECT, "4XX": LIST}, {200, 202}, {500}),
        ({"2xx": OBJECT, "default": LIST}, {200, 204}, set[int]()),
        ({"default": OBJECT}, {200, 201}, set[int]()),
        ({"201": OBJECT, "2XX": LIST}, {201, 200}, {300}),
    ],
    ids=str,
)
def test_statuses_are_written_in_every_legal_way(
    responses: dict[str, Any], successes: set[int], others: set[int]
) -> None:
    found = answering(responses)
    for status in successes:
        assert found.is_success("read", status)
        body = b"[]" if responses.get(str(status), responses.get("2XX")) is LIST else b"{}"
        assert list(found.violations("read", status, "application/json", body)) == []
        wrong = b"{}" if body == b"[]" else b"[]"
        assert [each.check for each in found.violations("read", status, "application/json", wrong)] == [SCHEMA]
    for status in others:
        assert not found.is_success("read", status)
        assert [each.check for each in found.violations("read", status, "application/json", b"{}")] == [STATUS]
    assert found.success("read") == (201 if "201" in responses else 200)
    assert not found.is_success("read", 404)


@pytest.mark.parametrize(
    ("declared", "actual", "is_right"),
    [
        ("application/json", "application/json; charset=utf-8", True),
        ("application/json; charset=utf-8", "Application/JSON", True),
        ("application/*", "application/json", True),
        ("*/*", "text/html", True),
        ("application/json", "text/html", False),
        ("text/*", "application/json", False),
    ],
)
def test_media_types_are_written_in_every_legal_way(declared: str, actual: str, *, is_right: bool) -> None:
    rules = answering({"200": {"content": {declared: {}}}})
    checks = [each.check for each in rules.violations("read", 200, actual, b"{}")]
    assert checks == ([] if is_right else [CONTENT_TYPE])


@pytest.mark.parametrize(
    ("charset", "body", "is_right"),
    [
        ("UTF8", '"Größe"', True),
        ("latin-1", '"Groesse"', True),
        ("iso-8859-1", '"Größe"', False),
        ('"utf-16"', "{}", False),
        ("of-nobody", '"Größe"', True),
    ],
)
def test_a_charset_is_that_of_the_text(charset: str, body: str, *, is_right: bool) -> None:
    rules = answering({"200": {"content": {"application/json": {}}}})
    found = rules.violations("read", 200, f"application/json; charset={charset}", body.encode())
    assert [each.check for each in found] == ([] if is_right else [CONTENT_TYPE])


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 2}', b'[{"b": {"a": 1, "a": 2}}]', b"[NaN]", b"-Infinity", b"\xef\xbb\xbf{}"]
)
def test_what_readers_would_read_otherwise_is_no_json(body: bytes) -> None:
    rules = answering({"200": {"content": {"application/json": {}}}})
    assert [each.check for each in rules.violations("read", 200, "application/json", body)] == [SCHEMA]
    assert not list(rules.violations("read", 200, "application/json", b'{"a": 1, "a": 1.0}'))


def test_of_two_media_types_each_has_to_be_right() -> None:
    types = [("Content-Type", "application/json"), ("content-type", "text/html")]
    assert Incoming(200, types, b"{}").content_type == "application/json, text/html"
    assert Incoming(200, types[:1] * 2, b"{}").content_type == "application/json"
    rules = answering({"200": {"content": {"application/json": {}}}})
    found = rules.violations("read", 200, Incoming(200, types, b"{}").content_type, b"{}")
    assert [each.check for each in found] == [CONTENT_TYPE]


def test_an_answer_of_which_the_contract_says_nothing_breaks_nothing() -> None:
    assert list(answering({"200": {"description": "Read."}}).violations("read", 200, "text/html", b"<html>")) == []


def test_numbers_of_statuses_and_references_to_paths_are_read(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        """
openapi: 3.1.0
paths:
  /v1/api/read: {$ref: '#/components/pathItems/Read'}
  /v1/api/again: {$ref: '#/webhooks/~1v1~1api~1other', summary: Its own.}
webhooks:
  /v1/api/other: {get: {operationId: other, responses: {200: {description: Read.}}}}
components:
  pathItems:
    Read: {post: {operationId: read, responses: {200: {description: Read.}, 4XX: {description: Refused.}}}}
""",
        encoding="utf-8",
    )
    document = contract.load(file=file)
    assert [(path, method) for path, method, _ in contract.operations(document)] == [
        ("/v1/api/read", "post"),
        ("/v1/api/again", "get"),
    ]
    rules = Rules(document)
    assert rules.is_success("read", 200)
    assert list(rules.violations("read", 404, "", b"")) == []
    assert rules.rule(rules.locations["read"]).text


@pytest.mark.parametrize(("keyword", "limit"), [("enum", ["a", "b"]), ("pattern", "^a"), ("maxLength", 3)])
def test_a_limit_of_a_value_is_shown_with_what_the_value_is(keyword: str, limit: Any) -> None:
    schema = {"description": "The kind of a thing.", "type": "string", keyword: limit}
    rules = Rules({"paths": {}, "components": {"schemas": {"Kind": schema}}})
    rule = rules.rule(("components", "schemas", "Kind", keyword))
    assert rule.pointer == f"#/components/schemas/Kind/{keyword}"
    assert yaml.safe_load(rule.text) == {"Kind": {"description": "The kind of a thing.", keyword: limit}}


IN_JSON: dict[str, Any] = {
    "name": "filter",
    "in": "query",
    "content": {"application/json": {"schema": {"type": "object"}}},
}


def taking(*parameters: dict[str, Any], shared: tuple[dict[str, Any], ...] = ()) -> Rules:
    """Return the rules of an operation with these parameters, at a path that has others."""
    operation: dict[str, Any] = {
        "operationId": "find",
        "parameters": list(parameters),
        "responses": {"200": {}},
    }
    return Rules({"paths": {"/find/{name}": {"parameters": list(shared), "get": operation}}})


def test_a_parameter_may_have_a_media_type_in_place_of_a_schema() -> None:
    rules = taking(IN_JSON)
    assert rules.can_be_invalid("find")
    assert rules.allows_parameters("find", "query", {"filter": '{"a": 1}'})
    assert not rules.allows_parameters("find", "query", {"filter": "[1]"})
    assert taking(IN_JSON | {"content": {"text/plain": {}}}).allows_parameters("find", "query", {"filter": "[1]"})


def test_an_operations_own_parameter_replaces_that_of_its_path() -> None:
    shared: dict[str, Any] = {"name": "name", "in": "path", "required": True, "schema": {"type": "integer"}}
    rules = taking(shared | {"schema": {"type": "string"}}, shared=(shared,))
    assert not rules.can_be_invalid("find")
    assert rules.allows_parameters("find", "path", {"name": "a"})
    assert taking(shared=(shared,)).can_be_invalid("find")


@pytest.mark.parametrize(
    ("evidence", "sources"),
    [
        (["the wiki"], [("the wiki", "", "")]),
        ("the wiki", [("the wiki", "", "")]),
        ([{"document": "a", "section": "b", "kind": "prose", "page": 7}], [("a", "b", "prose")]),
        ([{"document": "a"}], [("a", "", "")]),
        ([{"url": "https://example.com/", "page": 7}], [("https://example.com/; 7", "", "")]),
    ],
)
def test_evidence_may_be_written_in_any_way(evidence: Any, sources: list[tuple[str, str, str]]) -> None:
    rules = Rules({"paths": {}, "components": {"schemas": {"Kind": {"type": "string", "x-evidence": evidence}}}})
    found = rules.rule(("components", "schemas", "Kind", "type")).sources
    assert [(each.document, each.section, each.kind) for each in found] == sources
