"""Is every difference between the contract and another OpenAPI document found, and no other?"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.conformance import rewriting
from contract_tests.support.conformance.drift_edits import ALONG, EDITS, Document, Edit
from wallaroo_ext import contract
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.conformance.drift.documents import compare_document
from wallaroo_ext.conformance.drift.table import as_json, as_table, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.conformance.drift.changes import Drift


@pytest.fixture(scope="module")
def contract_(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the contract, once for all edits."""
    return request.getfixturevalue("document")


@pytest.fixture(scope="module")
def spelt_out(contract_: dict[str, Any]) -> str:
    """Return the contract without references, as JSON: an edit of it is one of a single operation."""
    return json.dumps(rewriting.inlined(contract_), default=str)


@pytest.mark.parametrize("edit", EDITS, ids=[edit.name for edit in EDITS])
def test_each_edit_is_found_as_what_it_is(contract_: dict[str, Any], spelt_out: str, edit: Edit) -> None:
    other = Document(spelt_out)
    contract = contract_ | {"paths": other.leave_only(edit.operation, contract_["paths"])}
    edit.make(other)
    changes = compare_document(contract, other.value, "another").changes
    found = {(change.operation, change.where, change.kind, change.breaks) for change in changes}
    expected = (edit.operation, edit.where, edit.kind, edit.breaks)
    assert found == {expected, *ALONG.get(edit.name, ())}, changes
    assert all(change.reason.endswith(".") for change in changes)


def test_there_are_many_edits_and_each_is_another_one() -> None:
    assert len(EDITS) >= 60
    assert len({edit.name for edit in EDITS}) == len(EDITS)


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
    assert compare_document(document, other, name).changes == ()
    assert (json.dumps(other, default=str) == json.dumps(document, default=str)) is (name == "itself")


@pytest.mark.parametrize(
    ("place", "style", "explode"),
    [("query", "form", True), ("cookie", "form", True), ("header", "simple", False)],
)
def test_a_style_that_is_the_default_is_no_change(place: str, style: str, *, explode: bool) -> None:
    def with_parameter(**more: Any) -> dict[str, Any]:
        document = small({"type": "object"})
        parameter = {"name": "a", "in": place, "schema": {"type": "array", "items": {"type": "string"}}} | more
        document["paths"]["/do"]["post"]["parameters"] = [parameter]
        return document

    assert changes_of(with_parameter(), with_parameter(style=style, explode=explode)) == []
    assert changes_of(with_parameter(), with_parameter(explode=not explode)) != []


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Authorization"])
def test_a_header_that_openapi_says_by_other_means_is_no_parameter(name: str) -> None:
    document = small({"type": "object"})
    parameter = {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
    document["paths"]["/do"]["post"]["parameters"] = [parameter]
    assert changes_of(small({"type": "object"}), document) == []


def test_null_is_said_as_each_version_of_openapi_says_it() -> None:
    assert changes_of(small({"type": ["string", "null"]}), small({"type": "string", "nullable": True})) == []
    assert changes_of(small({"type": "string"}), small({"type": "string", "nullable": True})) != []
    of_parts = small({"allOf": [{"type": "string"}], "nullable": True})
    assert changes_of(small({"type": ["string", "null"]}), of_parts) == []
    assert changes_of(small({"type": "string"}), of_parts) != []


def test_null_of_openapi_3_0_is_read_beside_a_reference_to_nothing() -> None:
    unused = {"schemas": {"Unused": {"$ref": "#/components/schemas/Nothing"}}}
    for schema in ({"type": "string", "nullable": True}, {"allOf": [{"type": "string"}], "nullable": True}):
        assert changes_of(small({"type": ["string", "null"]}), small(schema, components=unused)) == []


def test_paths_may_begin_after_what_the_servers_have(document: dict[str, Any]) -> None:
    changes = compare_document(document, rewriting.relative(document), "relative").changes
    operations = [(path, operation["operationId"]) for path, _, operation in contract.operations(document)]
    elsewhere = {name for path, name in operations if not path.startswith("/v1/api/")}
    assert {"get_assay_v2", "get_topic_records", "request_token"} <= elsewhere
    assert {change.operation for change in changes} == elsewhere
    assert {change.kind for change in changes} == {"removed"}


def small(answer: Any, request: Any = None, **more: Any) -> dict[str, Any]:
    """Return a document of one operation."""
    body = {"requestBody": {"content": {"application/json": {"schema": request}}}} if request is not None else {}
    operation = body | {
        "operationId": "do",
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }
    return {"openapi": "3.1.0", "paths": {"/do": {"post": operation}}} | more


def changes_of(contract: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(each.where, each.kind, each.breaks) for each in compare_document(contract, other, "another").changes]


def of_statuses(**answers: Any) -> dict[str, Any]:
    """Return a document of one operation that has these answers, by status after an underscore."""
    document = small({})
    document["paths"]["/do"]["post"]["responses"] = {
        status.removeprefix("_"): {"content": {"application/json": {"schema": schema}}}
        for status, schema in answers.items()
    }
    return document


OF_A, OF_B = ({"type": "object", "properties": {name: {"type": "string"}}} for name in "ab")


@pytest.mark.parametrize("ranged", [{"_2XX": OF_A, "_4XX": OF_B}, {"_2XX": OF_A, "default": OF_B}, {"default": OF_A}])
def test_a_status_in_a_range_of_the_contract_is_none_that_was_added(ranged: dict[str, Any]) -> None:
    of_errors = OF_A if len(ranged) == 1 else OF_B
    assert changes_of(of_statuses(**ranged), of_statuses(_200=OF_A, _201=OF_A, _404=of_errors)) == []
    assert changes_of(of_statuses(**ranged), of_statuses(**ranged)) == []


def test_what_differs_at_one_status_of_a_range_is_found() -> None:
    found = changes_of(of_statuses(_2XX=OF_A), of_statuses(_200=OF_A, _201=OF_B))
    assert found == [("answer 2XX $.a", "removed", False), ("answer 2XX $.b", "added", False)]
    assert changes_of(of_statuses(_2XX=OF_A), of_statuses(_2XX=OF_A, _404=OF_B)) == [("answer 404", "added", False)]


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
        (
            {"type": ["number", "array"], "items": {"type": "number"}},
            {"oneOf": [{"items": {"type": "number"}}, {"type": "number"}]},
        ),
        ({"type": "string", "format": "binary"}, {"type": "string", "contentMediaType": "application/octet-stream"}),
        ({"type": "string", "format": "byte"}, {"type": "string", "contentEncoding": "base64"}),
        ({"type": "string", "format": "password"}, {"type": "string"}),
        ({"type": "object"}, {"type": "object", "additionalProperties": True}),
        ({"type": "object", "properties": {"a": {}}}, {"properties": {"a": True}}),
        ({"type": "boolean"}, {"type": "boolean", "enum": [True, False]}),
        ({}, True),
        (
            {"type": "object", "x-one-of-required": ["a", "b"], "properties": {"a": {}, "b": {}}},
            {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        ),
        ({"type": "string", "pattern": r"^\d{4}-"}, {"type": "string", "format": "date-time"}),
    ],
)
def test_what_means_the_same_is_no_change(one: Any, other: Any) -> None:
    assert changes_of(small(one, one), small(other, other)) == []


FIELDS = {"a": {"type": "string"}, "b": {"type": "string"}}
ONE = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
OTHER = {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}}
NEEDS_A = {"type": "object", "properties": FIELDS, "x-one-of-required": ["a"]}
NEEDS_ONE = {"type": "object", "properties": FIELDS, "x-one-of-required": ["a", "b"]}
CLOSED = {"type": "object", "additionalProperties": False}
LISTED = {"type": "string", "x-extensible-enum": ["a", "b"]}


@pytest.mark.parametrize(
    ("one", "other", "where", "kind", "breaks_requests", "breaks_answers"),
    [
        (ONE, {"anyOf": [OTHER, ONE]}, "", "added", False, True),
        ({"anyOf": [ONE, OTHER]}, ONE, "", "removed", True, False),
        (CLOSED, {"type": "object"}, "", "changed", False, False),
        ({"type": "object"}, CLOSED, "", "changed", False, False),
        (NEEDS_A, NEEDS_ONE, "", "changed", False, False),
        (NEEDS_ONE, NEEDS_A, "", "changed", True, False),
        (LISTED, {"enum": ["a"]}, "", "changed", True, False),
        (LISTED, {"enum": ["a", "b", "c"]}, "", "changed", False, False),
        ({"properties": FIELDS, "x-always": ["b"]}, {"properties": {"a": FIELDS["a"]}}, ".b", "removed", False, True),
        ({"items": {"type": "string"}}, {"items": False}, "[]", "changed", True, False),
    ],
)
def test_what_breaks_one_side_need_not_break_the_other(
    one: Any, other: Any, where: str, kind: str, *, breaks_requests: bool, breaks_answers: bool
) -> None:
    assert changes_of(small({}, one), small({}, other)) == [(f"request{where}", kind, breaks_requests)]
    assert changes_of(small(one), small(other)) == [(f"answer 200 ${where}", kind, breaks_answers)]


@pytest.mark.parametrize("required", [True, False])
def test_a_body_that_is_new(*, required: bool) -> None:
    other = small({}, {})
    other["paths"]["/do"]["post"]["requestBody"]["required"] = required
    assert changes_of(small({}), other) == [("request", "added", required)]


def test_a_body_that_is_newly_required() -> None:
    other = small({}, {})
    other["paths"]["/do"]["post"]["requestBody"]["required"] = True
    assert changes_of(small({}, {}), other) == [("request", "changed", True)]


def test_fields_are_read_by_their_side() -> None:
    marked = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"readOnly": True}, "b": {"writeOnly": True}},
    }
    request: dict[str, Any] = {"type": "object", "required": ["b"], "properties": {"b": {}}}
    answer: dict[str, Any] = {"type": "object", "required": ["a"], "properties": {"a": {}}}
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
        (
            small(
                {"$ref": "#/components/schemas/A"}, components={"schemas": {"A": {"$ref": "#/components/schemas/A"}}}
            ),
            "itself",
        ),
        (small({"$ref": "#/a"}, a={"allOf": [{"$ref": "#/a"}]}), "consists of itself"),
        (small("text"), "schema is expected"),
        (small({"type": "string", "minLength": "many"}), "can be read"),
        (
            small(
                {
                    "allOf": [
                        {"anyOf": [{"type": "string", "minLength": n} for n in range(1, 30)]},
                        {"anyOf": [{"type": "string", "maxLength": n} for n in range(1, 30)]},
                    ]
                }
            ),
            "alternatives",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(other: dict[str, Any], reason: str) -> None:
    contract = small({"type": "string", "minLength": 1})
    with pytest.raises(DriftError, match=reason) as caught:
        compare_document(contract, other, "https://api.example.com/openapi.json")
    assert "https://api.example.com/openapi.json" in str(caught.value)


def shown(changes: Drift, width: int = 200) -> str:
    from rich.console import Console

    console = Console(width=width)
    with console.capture() as captured:
        console.print(as_table(changes))
    return captured.get()


def test_the_table_has_what_breaks_first_and_says_how_much(document: dict[str, Any]) -> None:
    other = copy.deepcopy(document)
    other["components"]["schemas"]["Error"]["properties"]["hint"] = {"type": "string"}
    other["components"]["schemas"]["Timestamp"]["pattern"] = "^[0-9]"
    drift = compare_document(document, other, "[red]a document[/red]")
    text = shown(drift)
    assert "from [red]a document[/red], of which" in text
    assert text.index("breaks") < text.index("harmless")
    assert "and 2" in text  # operations that have the same change stand there once


def test_the_table_shows_what_each_side_says() -> None:
    before, after = small({"properties": {"a": {"maxLength": 1234}}}), small({"properties": {"a": {"maxLength": 5678}}})
    text = shown(compare_document(before, after, "another"))
    assert text.index("1234") < text.index("5678")
    added = small({"properties": {"a": {"maxLength": 1234}, "b": {"type": "string"}}})
    assert "null" not in shown(compare_document(before, added, "another"))  # the contract says nothing of `b`


def test_nothing_is_said_in_a_sentence(document: dict[str, Any]) -> None:
    drift = compare_document(document, document, "itself")
    assert shown(drift).strip() == summary(drift) == "The contract and itself say the same."


def test_as_json_has_every_change_with_its_reason(document: dict[str, Any], spelt_out: str) -> None:
    other = Document(spelt_out)
    other.came("create_workspace")["workspace_id"].update(type=["integer", "null"])
    value = json.loads(json.dumps(as_json(compare_document(document, other.value, "another"))))
    assert (value["against"], value["changed"], value["breaking"]) == ("another", 1, 1)
    change = value["changes"][0]
    assert (change["contract"], change["other"]) == ("integer", "integer or null")
    assert change["reason"].endswith("readers do not expect it.")
