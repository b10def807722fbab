"""Does the contract say what real servers of each release answered and took, and does the generated client read it?

The recordings are other people's data and lie outside of the repository; without them these tests are skipped.
"""

from __future__ import annotations

import json
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pytest

from contract_tests.support.recorded import rules_of
from scripts.lib.evidence.recordings import (
    NOT_HELD,
    NOTHING,
    VARIABLE,
    VARIABLES,
    Recording,
    answer_of,
    inference_files,
    recordings,
    recordings_directory,
    release_of,
    steps_files,
)
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_schemas import ContractSchemas
from wallaroo_ext.operations import parse

if TYPE_CHECKING:
    from pathlib import Path

    import jsonschema_rs

HERE = recordings_directory() is not None
NOT_HERE = f"There are no recordings of real servers here: name their directory by {VARIABLE}."
BASE = None
"""Stands for the contract without an overlay."""

ARROW = "application/vnd.apache.arrow.file"
_BELOW = {"properties": dict, "items": None, "additionalProperties": None, "anyOf": list, "allOf": list}


@cache
def operation_at(path: str, release: str | None) -> str:
    """Return the id of the operation that a release has at a path."""
    found = [
        operation["operationId"] for at, _, operation in contract.operations(rules_of(release).document) if at == path
    ]
    assert found, f"{release or 'The contract'} has no {path}."
    return found[0]


def by_path(found: list[Recording]) -> list[Any]:
    """Return recordings as parameters of a test, those of a path together."""
    paths = sorted({recording.path for recording in found})
    return or_skipped([pytest.param([each for each in found if each.path == path], id=path) for path in paths])


def or_skipped(params: list[Any]) -> list[Any]:
    """Return parameters of a test; one, which is skipped, where there are none."""
    reason = "No recording is of this kind." if HERE else NOT_HERE
    return params or [pytest.param(None, marks=pytest.mark.skip(reason))]


ALL = recordings()
ANSWERED = by_path([found for found in ALL if answer_of(found) is not NOTHING])
REQUESTED = by_path([found for found in ALL if found.request is not NOTHING])
LOGS = by_path([found for found in ALL if found.path.endswith("/get_logs")])
NOT_AS_RECORDED = by_path([found for found in ALL if any(each.applies(found) for each in NOT_HELD)])
INFERENCES = or_skipped([pytest.param(file, id=file.stem) for file in inference_files(".json")])
ARROW_FILES = or_skipped([pytest.param(file, id=file.stem) for file in inference_files(".arrow")])

STEPS = or_skipped([pytest.param(file, id=file.stem) for file in steps_files()])


@pytest.mark.parametrize("recorded", ANSWERED)
def test_answers_fit_the_contract_and_that_of_their_release(recorded: list[Recording]) -> None:
    for recording in recorded:
        for release in (BASE, recording.release):
            assert answer_problems(recording, release) == [], f"{recording.name} by {release or 'the contract'}"


def answer_problems(recording: Recording, release: str | None) -> list[str]:
    rules = rules_of(release)
    operation = operation_at(recording.path, release)
    if str(recording.status) not in rules.operations[operation]["responses"]:
        return [f"{operation} has no answer of status {recording.status}"]
    return rules.problems(rules.answer_schema(operation, recording.status), answer_of(recording))


@pytest.mark.parametrize("recorded", REQUESTED)
def test_requests_fit_the_contract_and_that_of_their_release(recorded: list[Recording]) -> None:
    for recording in recorded:
        for release in (BASE, recording.release):
            assert request_problems(recording, release) == [], f"{recording.name} by {release or 'the contract'}"


def request_problems(recording: Recording, release: str | None) -> list[str]:
    rules = rules_of(release)
    schema = rules.request_content(operation_at(recording.path, release))["application/json"]["schema"]
    one_of = rules.schemas.resolve(schema).get("x-one-of-required", ())
    found = [error.message for error in open_validator(release, json.dumps(schema)).iter_errors(recording.request)]
    if one_of and not any(recording.request.get(name) is not None for name in one_of):
        found.append(f"none of {one_of} is there")
    return found


@cache
def open_validator(release: str | None, schema: str) -> jsonschema_rs.Validator:
    """Return the validator of a schema in which a variable may stand for any value."""
    return opened(release).validator(open_to_variables(json.loads(schema)))


@cache
def opened(release: str | None) -> ContractSchemas:
    schemas = rules_of(release).document["components"]["schemas"]
    return ContractSchemas(
        {"components": {"schemas": {name: open_to_variables(found) for name, found in schemas.items()}}}
    )


def open_to_variables(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    inner = dict(object_of(schema))
    for keyword, kind in _BELOW.items():
        if keyword not in inner:
            continue
        below = inner[keyword]
        if kind is dict:
            inner[keyword] = {name: open_to_variables(each) for name, each in object_of(below).items()}
        elif kind is list:
            inner[keyword] = [open_to_variables(each) for each in list_of(below)]
        else:
            inner[keyword] = open_to_variables(below)
    return {"anyOf": [{"enum": list(VARIABLES)}, inner]}


@pytest.mark.parametrize("recorded", ANSWERED)
def test_the_client_reads_answers_and_gives_the_same_json_back(recorded: list[Recording]) -> None:
    for recording in recorded:
        answer = answer_of(recording)
        assert as_json(parsed(operation_at(recording.path, BASE), recording.status, answer)) == answer, recording.name


def parsed(operation: str, status: int, answer: Any) -> Any:
    """Return what the generated client makes of an answer."""
    tag = rules_of(BASE).operations[operation]["tags"][0]
    module: Any = import_module(f"wallaroo_mlops_client.api.{tag}.{operation}")
    return parse(module, httpx.Response(status, content=json.dumps(answer)))


def as_json(value: Any) -> Any:
    if isinstance(value, list):
        return [as_json(item) for item in list_of(value)]
    return value.to_dict() if hasattr(value, "to_dict") else value


@pytest.mark.parametrize("recorded", LOGS)
def test_the_headers_of_logs_are_in_the_contract(recorded: list[Recording]) -> None:
    for recording in recorded:
        for release in (BASE, recording.release):
            operation = operation_at(recording.path, release)
            answer = rules_of(release).operations[operation]["responses"][str(recording.status)]
            assert recording.response["content-type"].partition(";")[0] in answer["content"], recording.name
            shown = {name for name in recording.response if name.startswith("x-iteration-")}
            assert shown <= set(answer["headers"]), recording.name


@pytest.mark.parametrize("file", INFERENCES)
def test_an_inferences_answer_fits_the_contract_and_comes_back_the_same(file: Path) -> None:
    answer = json.loads(file.read_text(encoding="utf-8"))
    for release in (BASE, release_of(file.stem)):
        rules = rules_of(release)
        assert rules.problems(rules.answer_schema("infer_pipeline"), answer) == [], release or "the contract"
    assert as_json(parsed("infer_pipeline", 200, answer)) == answer


@pytest.mark.parametrize("file", ARROW_FILES)
def test_the_columns_of_an_arrow_answer_are_in_the_contract(file: Path) -> None:
    with pa.ipc.open_file(str(file)) as reader:
        schema = reader.schema
    for release in (BASE, release_of(file.stem)):
        assert column_problems(schema, release) == [], release or "the contract"


def column_problems(schema: Any, release: str | None) -> list[str]:
    nested = arrow_columns("nested", release)
    found = [f"{name} is {kind}" for name, kind in kinds_of(schema).items() if kind_of(nested["columns"], name) != kind]
    for name, fields in nested["fields"].items():
        inner = kinds_of(schema.field(name).type) if name in schema.names else {}
        found += [f"{name}.{field} is {kind}" for field, kind in inner.items() if fields.get(field, kind) != kind]
    for name in ("in", "out"):
        found += [f"{name}.{field} has no shape" for field in lists_without_shape(schema.field(name).type)]
    return found


def arrow_columns(form: str, release: str | None) -> dict[str, Any]:
    """Return what the contract says of the columns of an answer in Arrow, `nested` or `flat`."""
    return rules_of(release).document["components"]["responses"]["Inference"]["content"][ARROW]["x-arrow-columns"][form]


def kind_of(columns: dict[str, str], name: str) -> str | None:
    """Return the kind of a column, whose name may be a pattern."""
    return next((kind for pattern, kind in columns.items() if fnmatchcase(name, pattern)), None)


@pytest.mark.parametrize("steps", STEPS)
def test_the_columns_of_steps_with_several_models_are_in_the_contract(steps: Path) -> None:
    for step in json.loads(steps.read_text(encoding="utf-8")):
        for release in (BASE, release_of(step["date"])):
            columns = arrow_columns("flat", release)["columns"]
            assert [name for name in step["columns"] if kind_of(columns, name) is None] == [], step["step"]


def kinds_of(fields: Any) -> dict[str, str]:
    """Return the kinds of a schema's or a struct's fields, by their names, as `x-arrow-columns` has them."""
    return {field.name: _kind(field.type) for field in fields}


def _kind(type_: Any) -> str:
    if pa.types.is_list(type_):
        return "list"
    return "struct" if pa.types.is_struct(type_) else str(type_)


def lists_without_shape(fields: Any) -> list[str]:
    """Return the lists of a struct whose metadata has no `tensor_type` with a shape."""
    lists: dict[str, dict[bytes, bytes]] = {
        field.name: field.metadata or {} for field in fields if _kind(field.type) == "list"
    }
    return [name for name, metadata in lists.items() if "shape" not in json.loads(metadata.get(b"tensor_type", b"{}"))]


@pytest.mark.parametrize("recorded", NOT_AS_RECORDED)
def test_an_exception_is_needed(recorded: list[Recording]) -> None:
    for recording in recorded:
        schema = rules_of(BASE).answer_schema(operation_at(recording.path, BASE), recording.status)
        assert rules_of(BASE).problems(schema, recording.response), recording.name


@pytest.mark.parametrize(
    ("date", "release"),
    [
        ("2022-09-20", "2022.4"),
        ("2023-04-13", "2023.2"),
        ("2023-10-30", "2023.4"),
        ("2024-04", "2024.2"),
        ("2024-07-12", "2024.2"),
        ("2025-04-11", "2025.2"),
    ],
)
def test_a_server_between_two_releases_is_held_to_the_later_one(date: str, release: str) -> None:
    assert release_of(date) == release


def test_a_variable_may_stand_for_any_value_and_another_text_may_not() -> None:
    recording = Recording("", "/v1/api/pipelines/undeploy", "2023.4", 200, {"pipeline_id": "x"}, None)
    assert request_problems(recording, BASE) == []
    assert request_problems(replace(recording, request={"pipeline_id": "y"}), BASE)
    assert request_problems(replace(recording, request={"pipeline_id": None}), BASE)


@pytest.mark.parametrize(
    ("path", "release", "answer", "fits"),
    [
        ("/v1/api/workspaces/create", "2023.4", {"workspace_id": 7}, True),
        ("/v1/api/workspaces/create", "2023.4", {"workspace_id": "7"}, False),
        ("/v1/api/pipelines/undeploy", "2023.4", None, True),
        ("/v1/api/pipelines/undeploy", "2025.2", None, False),
    ],
)
def test_an_answer_that_does_not_fit_is_noticed(path: str, release: str, answer: Any, fits: bool) -> None:  # noqa: FBT001
    assert (not answer_problems(Recording("", path, release, 200, NOTHING, answer), release)) == fits
