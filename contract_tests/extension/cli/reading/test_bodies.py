"""Does `call` print bodies that the contract takes, and name all that is missing in one that it does not take?"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from wallaroo_ext import InvalidDataError, aio, call, connect, contract, list_workspaces
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.reading.bodies import check_fields, example_body
from wallaroo_ext.contract_schemas import ContractSchemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.support.command_line import Done

DOCUMENT = contract.load()
OPERATIONS = {found["operationId"]: found for _, _, found in contract.operations(DOCUMENT)}
WITH_BODY = [name for name in OPERATIONS if example_body(name) is not None and name != "request_token"]


def schema_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return the media type and the schema of the body that is printed."""
    body = contract.resolve(DOCUMENT, OPERATIONS[name]["requestBody"])
    kind = next(kind for kind in body["content"] if "json" in kind or "multipart" in kind)
    return kind, object_of(body["content"][kind]["schema"])


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_example_is_what_the_contract_takes(name: str) -> None:
    kind, schema = schema_of(name)
    body = example_body(name)
    if "multipart" in kind:
        body["file"] = "bytes"
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    validator.validate(body)
    assert check_fields(name, kind, body) == []


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_example_is_what_the_newest_release_takes(name: str) -> None:
    newest = contract.load(contract.RELEASES[-1])
    operation = next((found for _, _, found in contract.operations(newest) if found["operationId"] == name), None)
    if operation is None:
        pytest.skip("It is an operation of older releases.")
    content = contract.resolve(newest, operation["requestBody"])["content"]
    kind, _ = schema_of(name)
    body = example_body(name)
    if "multipart" in kind:
        body["file"] = "bytes"
    ContractSchemas(newest).validator(content[kind]["schema"]).validate(body)


def test_they_are_many() -> None:
    assert len(WITH_BODY) > 45


def test_an_example_is_printed_with_the_command_that_sends_it(wallaroo: Callable[..., Done]) -> None:
    done = wallaroo("call", "list_models", "--example", environment={})
    assert json.loads(done.out) == {"workspace_id": 7}
    assert "wallaroo-ext call list_models --data @body.json" in done.err
    assert wallaroo("call", "list_models", "--example", "--json", environment={}).out == '{"workspace_id": 7}\n'


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("upload_model_stream", ["--query name=", "--query filename=", "--query workspace_id=", "--data @FILE"]),
        ("upload_and_convert_model", ["--part metadata='{", "--part file=@model.onnx"]),
        ("infer_pipeline", ["--path deployment=…", "--path pipeline=…", "--data @body.json"]),
        ("get_topic_partitions", ["takes no body", "--path topic=…"]),
    ],
)
def test_the_command_has_what_else_the_operation_takes(
    name: str, words: list[str], wallaroo: Callable[..., Done]
) -> None:
    done = wallaroo("call", name, "--example", environment={})
    assert done.code == 0
    assert [word for word in words if word not in done.err] == []


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("create_pipeline", ("--data", "{}"), "the fields pipeline_id, workspace_id and definition are missing"),
        ("list_models", (), "the field workspace_id is missing"),
        ("list_models", ("--data", '{"workspaceid": 1}'), "'workspaceid' is no field; near: workspace_id."),
        ("create_workspace", (), "`wallaroo-ext call create_workspace --example` prints a body."),
        ("insert_model_config", ("--data", "{}"), "the field model_version_id is missing"),
        (
            "deploy_pipeline",
            ("--data", '{"deploy_id": "a", "pipeline_version_pk_id": 1, "models": [{"name": "a"}]}'),
            "the fields models[0].version and models[0].sha are missing",
        ),
        ("upload_model_stream", ("--data", "x", "--query", "name=a"), "--query filename=… and --query workspace_id=…"),
        (
            "upload_model_stream",
            (),
            "--query name=… and --query filename=… and --query workspace_id=… and --data @FILE",
        ),
        ("upload_and_convert_model", ("--part", "metadata={}"), "the fields file, metadata.name, metadata.visibility"),
    ],
)
def test_all_that_is_missing_is_named_at_once_before_anything_is_sent(
    name: str, arguments: tuple[str, ...], message: str, wallaroo: Callable[..., Done]
) -> None:
    done = wallaroo("call", name, *arguments, environment={})
    assert message in done.sentence
    assert done.code == 2


def test_a_field_that_is_written_wrong_is_noted_and_sent(wallaroo: Callable[..., Done]) -> None:
    done = wallaroo("call", "list_workspaces", "--data", '{"user_ids": null, "of-a-newer-release": 1}')
    assert done.err == "'user_ids' is no field of list_workspaces; near: user_id.\n"
    assert json.loads(done.out)["workspaces"]


def test_one_of_several_fields_is_enough() -> None:
    choices = {name: contract.resolve(DOCUMENT, schema_of(name)[1]).get("x-one-of-required") for name in WITH_BODY}
    assert [name for name, found in choices.items() if found]
    for name, found in choices.items():
        if found:
            with pytest.raises(UsageError, match=" or ".join(found)):
                check_fields(name, schema_of(name)[0], {})


def test_a_function_of_this_package_is_no_operation() -> None:
    with connect("http://127.0.0.1:9", token="t", environment={}) as client:
        function: Any = list_workspaces
        with pytest.raises(InvalidDataError, match=r"list_workspaces is a function .*wallaroo_mlops_client\.api"):
            call(function, client=client)
        with pytest.raises(InvalidDataError, match=r"wallaroo_mlops_client\.api"):
            asyncio.run(aio.call(function, client=client))
