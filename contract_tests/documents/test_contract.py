"""Does the contract keep its own rules?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.recorded import FOLDER
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import effects_of, split_thing
from wallaroo_ext.conformance.guard.expressions import expression_of
from wallaroo_ext.conformance.guard.request_schema import RequestSchema
from wallaroo_ext.sandbox.http.validation import ContractSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = {
    "api-essentials-guide",
    "external-inference-url-tutorial",
    "field-notes",
    "mlops-api-tutorial",
    "pipeline-management-guide",
    "pipeline-management-tutorial",
    "recordings",
    "vendor-pages",
    "vendor-sdk",
}
KINDS = {"recorded", "example", "prose", "observed", "convention"}
LOOKS_LIKE_A_NAME = re.compile(r"(^|_)(id|ids|name|email|username)$|Id$|^(pipeline|model|deployment|workspace|user)s?$")
CLOSED_ENUMS = {"Aggregation", "Architecture", "BinMode", "Metric", "Visibility"}
FOLLOWS = {
    "invite_user": {"activate_user", "deactivate_user"},
    "create_workspace": {"create_pipeline", "list_models"},
    "add_workspace_user": {"list_workspace_users", "remove_workspace_user"},
    "upload_and_convert_model": {"get_model_version_by_id", "list_model_versions"},
    "upload_model": {"get_model_version_by_id", "list_model_versions"},
    "upload_model_stream": {"list_model_versions"},
    "list_models": {"list_model_versions"},
    "create_pipeline": {"deploy_pipeline"},
    "deploy_pipeline": {"get_deployment_status", "infer_deployment", "infer_pipeline", "undeploy_pipeline"},
    "copy_pipeline": {"deploy_pipeline"},
    "get_topic_name": {"get_topic_partitions", "get_topic_records"},
    "create_assay": {"get_assay_results", "list_assays", "set_assay_active"},
}
"""The operations that can be called with what another one's answer gives, by the links."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((path, operation) for path, _, operation in contract.operations(document))


def evident(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what needs evidence of its own; everything below it inherits."""
    yield "info", document["info"]
    yield from ((operation["operationId"], operation) for _, operation in operations(document))
    components = document["components"]
    for kind in ("schemas", "responses", "parameters", "requestBodies"):
        yield from ((f"{kind}/{name}", value) for name, value in components[kind].items())


def schemas_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object below a value; schemas are among them."""
    if isinstance(value, dict):
        yield object_of(value)
    below = [inner for name, inner in object_of(value).items() if name not in {"example", "examples", "x-evidence"}]
    for inner in below + list_of(value):
        yield from schemas_in(inner)


def answer_schemas(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the named schemas that answers are made of, found by following references."""
    spec = ContractSpec(document)
    found: dict[str, dict[str, Any]] = {}
    waiting = [
        spec.resolve(answer) for _, operation in operations(document) for answer in operation["responses"].values()
    ]
    while waiting:
        for schema in schemas_in(waiting.pop()):
            reference = schema.get("$ref", "")
            if reference.startswith("#/components/schemas/") and reference not in found:
                found[reference] = spec.resolve(schema)
                waiting.append(found[reference])
    return found


def test_everything_has_evidence(document: dict[str, Any]) -> None:
    for name, value in evident(document):
        evidence = value.get("x-evidence")
        assert evidence, f"{name} has no evidence"


def test_evidence_names_a_document_a_section_and_a_kind(document: dict[str, Any]) -> None:
    entries = [entry for value in schemas_in(document) for entry in value.get("x-evidence", [])]
    assert len(entries) > 100
    for entry in entries:
        assert entry.keys() == {"document", "section", "kind"}
        assert entry["document"] in DOCUMENTS
        assert entry["kind"] in KINDS


def test_evidence_names_a_section_that_exists(document: dict[str, Any]) -> None:
    known = json.loads((FOLDER / "headings.json").read_text(encoding="utf-8"))
    for entry in [entry for value in schemas_in(document) for entry in value.get("x-evidence", [])]:
        sections = known["documents"].get(entry["document"]) or known[entry["document"]]
        assert entry["section"] in sections, entry


def test_every_operation_says_whether_it_may_be_sent_twice(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        assert isinstance(operation.get("x-idempotent"), bool), path


def test_every_operation_says_what_it_changes_and_what_its_fields_name(document: dict[str, Any]) -> None:
    """Each has `x-writes` and `x-names`, of known kinds and fields that are there, and where it writes of each text."""
    problems = {name: found.problem for name, found in effects_of(document).items() if found.problem}
    assert not problems


def test_what_looks_like_a_name_is_said_to_name_something_or_nothing(document: dict[str, Any]) -> None:
    """Of operations that read, too; of those that write, every text and number is."""
    effects = effects_of(document)
    count = 0
    for path, _, operation in contract.operations(document):
        for location in RequestSchema(document, path, operation).texts_and_numbers:
            if LOOKS_LIKE_A_NAME.search(location[-1]):
                count += 1
                assert effects[operation["operationId"]].covering(location), (
                    f"{operation['operationId']}: {expression_of(location)}"
                )
    assert count > 50


def test_what_makes_something_says_what_its_answer_names(document: dict[str, Any]) -> None:
    for name, found in effects_of(document).items():
        makes = {split_thing(each.thing)[0] for each in found.names if each.origin != "existing"}
        if makes:
            assert {each.kind.removesuffix(" version") for each in found.answer} & makes, name


def broken_effects(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the contract with one statement of one operation's effects left out or spoiled, for each of them."""
    for path, method, operation in contract.operations(document):
        for changes in _spoiled(operation):
            item = document["paths"][path] | {
                method: {key: value for key, value in changes.items() if value is not None}
            }
            yield operation["operationId"], document | {"paths": {path: item}}


def _spoiled(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    names = operation["x-names"]
    yield operation | {"x-writes": None}
    yield operation | {"x-names": None}
    yield operation | {"x-writes": [*operation["x-writes"], "everything"]}
    yield operation | {"x-names": names | {"$request.body#/nowhere": "model id"}}
    for expression in names:
        yield operation | {"x-names": names | {expression: "something"}}
        if operation["x-writes"] and expression.startswith("$request"):
            yield operation | {"x-names": {each: thing for each, thing in names.items() if each != expression}}


def test_a_missing_or_spoiled_effect_would_be_noticed(document: dict[str, Any]) -> None:
    count = 0
    for name, broken in broken_effects(document):
        count += 1
        assert effects_of(broken)[name].problem
    assert count > 300


def test_statuses_are_explicit(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        statuses = set(operation["responses"])
        assert "default" not in statuses, path
        assert statuses >= {"400", "401", "405", "429", "500", "503"}, path
        assert statuses >= {"413", "415"} or "requestBody" not in operation, path


def test_answers_have_no_closed_enumeration_and_no_date_time(document: dict[str, Any]) -> None:
    schemas = answer_schemas(document)
    assert len(schemas) > 20
    for name, schema in schemas.items():
        for inner in schemas_in(schema):
            assert "enum" not in inner, name
            assert inner.get("format") != "date-time", name
            assert inner.get("additionalProperties") is not False, name


def test_requests_have_closed_enumerations_only_where_the_set_is_known(document: dict[str, Any]) -> None:
    closed = {name for name, schema in document["components"]["schemas"].items() if "enum" in schema}
    assert closed == CLOSED_ENUMS


def test_a_field_of_several_types_has_a_choice_of_schemas(document: dict[str, Any]) -> None:
    """Few generators read a list of types, but for one that may be null."""
    for inner in schemas_in(document):
        assert len([kind for kind in list_of(inner.get("type")) if kind != "null"]) <= 1, inner


def test_examples_of_one_place_have_different_summaries(document: dict[str, Any]) -> None:
    for where, media in media_types(document):
        summaries = [each["summary"] for each in media.get("examples", {}).values() if "summary" in each]
        assert len(summaries) == len(set(summaries)), where


def test_times_and_lengths_have_64_bits(document: dict[str, Any]) -> None:
    """Whatever counts from 1970, or counts milliseconds or bytes, does not fit 32 bits, which generators assume."""
    counted = re.compile(r"milliseconds|since 1970|nanoseconds|in seconds|in bytes")
    count = 0
    for inner in schemas_in(document):
        items = inner["items"] if inner.get("type") == "array" else inner
        kinds = [each for each in [items, *list_of(inner.get("anyOf"))] if "integer" in str(each.get("type"))]
        if kinds and counted.search(str(inner.get("description"))):
            count += 1
            assert all(each.get("format") == "int64" for each in kinds), inner
    assert count >= 15


def test_always_present_fields_exist_and_are_not_required_too(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        for inner in schemas_in(schema):
            always = set(inner.get("x-always", ()))
            assert always <= inner.get("properties", {}).keys(), name
            assert not always & set(inner.get("required", ())), name


def media_types(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = ContractSpec(document)
    for path, operation in operations(document):
        for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for kind, media in spec.resolve(part).get("content", {}).items():
                yield f"{path} {kind}", media


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    spec = ContractSpec(document)
    count = 0
    for where, media in media_types(document):
        validator = spec.validator(media["schema"])
        for name, example in media.get("examples", {}).items():
            count += 1
            errors = [error.message for error in validator.iter_errors(example["value"])]
            assert not errors, f"{where}: {name}: {errors}"
    assert count > 50


def test_every_answer_has_an_example_or_a_reason(document: dict[str, Any]) -> None:
    spec = ContractSpec(document)
    for path, operation in operations(document):
        status = next(status for status in operation["responses"] if status.startswith("2"))
        answer = spec.resolve(operation["responses"][status])
        assert answer.get("x-no-example") or answer["content"]["application/json"].get("examples"), path


def test_examples_name_nobody(document: dict[str, Any]) -> None:
    text = str(document)
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+", text))
    assert all(address.endswith("@example.com") for address in addresses)
    assert "eyJ" not in text


def links(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, dict[str, Any]]]:
    for _, operation in operations(document):
        for status, answer in operation["responses"].items():
            for link in answer.get("links", {}).values():
                yield operation, status, link


def test_links_resolve(document: dict[str, Any]) -> None:
    spec = ContractSpec(document)
    count = 0
    for operation, status, link in links(document):
        count += 1
        target = spec.operations[link["operationId"]]
        for expression in [*link.get("parameters", {}).values(), *link.get("requestBody", {}).values()]:
            for source, pointer in re.findall(r"\$(request|response)\.body#([\w/]+)", expression):
                schema = body_schema(spec, operation, status, source)
                follow(spec, schema, pointer)
        for name in link.get("parameters", {}):
            assert f"{{{name}}}" in target.path
    assert count >= 8


def test_what_follows_from_what_is_linked(document: dict[str, Any]) -> None:
    found = {(operation["operationId"], link["operationId"]) for operation, _, link in links(document)}
    assert found == {(source, target) for source, targets in FOLLOWS.items() for target in targets}


def body_schema(spec: ContractSpec, operation: dict[str, Any], status: str, source: str) -> dict[str, Any]:
    body = operation["requestBody"] if source == "request" else operation["responses"][status]
    return next(iter(spec.resolve(body)["content"].values()))["schema"]


def follow(spec: ContractSpec, schema: dict[str, Any], pointer: str) -> None:
    """Fail unless the schema, or an alternative of it, describes what the JSON pointer points to."""
    schemas = [schema]
    for key in pointer.removeprefix("/").split("/"):
        found = [alternative for each in schemas for alternative in alternatives(spec, each)]
        below = [each.get("items") if key.isdigit() else each.get("properties", {}).get(key) for each in found]
        schemas = [each for each in below if each is not None]
        assert schemas, pointer


def alternatives(spec: ContractSpec, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a schema without its reference, and the schemas of its `anyOf`."""
    resolved = spec.resolve(schema)
    yield resolved
    for inner in resolved.get("anyOf", ()):
        yield from alternatives(spec, inner)


@pytest.mark.parametrize("breakage", ["x-evidence", "x-idempotent"])
def test_a_missing_statement_would_be_noticed(document: dict[str, Any], breakage: str) -> None:
    path, method, whole = next(contract.operations(document))
    operation = {name: value for name, value in whole.items() if name != breakage}
    broken = document | {"paths": {path: {method: operation}}}
    with pytest.raises(AssertionError):
        (
            test_everything_has_evidence
            if breakage == "x-evidence"
            else test_every_operation_says_whether_it_may_be_sent_twice
        )(broken)
