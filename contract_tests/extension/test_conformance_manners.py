"""Does the contract suite behave on an instance that others use? It touches only what it made."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.conformance.belongings import NOBODYS, Belongings
from wallaroo_ext.conformance.manners import Manners, Rate, WithheldError
from wallaroo_ext.conformance.requests import Said, said
from wallaroo_ext.conformance.rules import Rules
from wallaroo_ext.conformance.subjects import GIVEN, SUBJECTS, USER_CHANGES, WRITES

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "conformance-abc"


@pytest.fixture
def belongings() -> Belongings:
    found = Belongings(PREFIX)
    for kind, value in {"workspace": 7, "pipeline": 8, "variant": 9, "deployment": 10, "version": 11}.items():
        found.add(kind, value)  # pyright: ignore[reportArgumentType] - they are kinds
    found.add("deployment name", f"{PREFIX}-p-10")
    found.add("email", f"{PREFIX}@example.com")
    return found


@pytest.fixture
def manners(belongings: Belongings) -> Manners:
    return Manners(belongings, user_changes=True)


def asks(**body: Any) -> Said:
    return Said(body=body)


GOOD: dict[str, dict[str, Any]] = {
    "create_workspace": {"workspace_name": f"{PREFIX}-w"},
    "create_pipeline": {"workspace_id": 7, "pipeline_id": "anything", "definition": {}},
    "deploy_pipeline": {
        "deploy_id": f"{PREFIX}-d",
        "pipeline_id": 8,
        "pipeline_version_pk_id": 9,
        "model_ids": [11, 11],
    },
    "undeploy_pipeline": {"pipeline_id": 8, "deployment_id": 10},
    "deactivate_user": {"email": f"{PREFIX}@example.com"},
    "add_workspace_user": {"workspace_id": 7, "email": f"{PREFIX}@example.com"},
    "invite_user": {"email": "anybody@example.com"},
}


@pytest.mark.parametrize(("operation", "body"), list(GOOD.items()), ids=list(GOOD))
def test_what_is_the_runs_own_is_sent(operation: str, body: dict[str, Any], manners: Manners) -> None:
    manners.check(operation, asks(**body))


def foreign() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each good request with one name of somebody else's in it, as numbers and as texts, alone and in lists."""
    for operation, body in GOOD.items():
        for name in SUBJECTS[operation].keys() & body.keys():
            others: list[Any] = (
                ["others", "production"] if isinstance(body[name], str) else [1, "1", 1.0, [8, 1], [[1]]]
            )
            yield from ((operation, body | {name: other}) for other in others)


@pytest.mark.parametrize(("operation", "body"), list(foreign()))
def test_what_is_somebody_elses_is_withheld(operation: str, body: dict[str, Any], manners: Manners) -> None:
    with pytest.raises(WithheldError, match="of this run"):
        manners.check(operation, asks(**body))


def test_it_is_withheld_also_where_the_rest_is_wrong(manners: Manners) -> None:
    with pytest.raises(WithheldError):
        manners.check("undeploy_pipeline", asks(pipeline_id=1, deployment_id={}, more=None))
    with pytest.raises(WithheldError):
        manners.check("undeploy_pipeline", asks(wrapped={"pipeline_id": 1}))


@pytest.mark.parametrize("nothing", [None, {}, True, 1.5, NOBODYS, []])
def test_what_names_nothing_is_sent(nothing: Any, manners: Manners) -> None:
    manners.check("undeploy_pipeline", asks(pipeline_id=nothing))


def test_reading_may_name_anything(manners: Manners) -> None:
    manners.check("list_models", asks(workspace_id=1))
    manners.check("get_deployment_status", asks(name="production-1"))


def test_only_a_run_that_may_changes_something_for_people(belongings: Belongings) -> None:
    manners = Manners(belongings)
    for operation in USER_CHANGES:
        assert "--allow-user-changes" in manners.forbids(operation)
        with pytest.raises(WithheldError):
            manners.check(operation, asks(email=f"{PREFIX}@example.com"))


def test_a_run_that_only_reads_writes_nothing(belongings: Belongings) -> None:
    manners = Manners(belongings, read_only=True, user_changes=True)
    for operation in WRITES:
        assert "--read-only" in manners.forbids(operation)
    assert not manners.forbids("list_models")


def test_every_field_that_names_something_is_in_the_contract(document: dict[str, Any]) -> None:
    rules = Rules(document)
    for operation, fields in SUBJECTS.items():
        text = json.dumps(_whole(rules, rules.operations[operation]))
        for name in fields:
            assert f'"{name}"' in text, f"{operation} has no field {name}"
    assert GIVEN.keys() <= rules.operations.keys() >= WRITES


def _whole(rules: Rules, operation: dict[str, Any]) -> Any:
    """An operation's request with the schemas that it refers to."""
    found: list[Any] = []
    waiting: list[Any] = [operation.get("requestBody", {}), operation.get("parameters", []), _path(rules, operation)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict) and "$ref" in value:
            value = rules.schemas.resolve(value)  # pyright: ignore[reportUnknownArgumentType] - it is JSON
        if value not in found:
            found.append(value)
            waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return found


def _path(rules: Rules, operation: dict[str, Any]) -> Any:
    path = rules.places[operation["operationId"]][1]
    return rules.document["paths"][path].get("parameters", [])


def test_every_operation_that_is_no_reading_is_known_to_write(document: dict[str, Any]) -> None:
    """What may not be sent twice writes; of the rest, those that do are named by hand."""
    rules = Rules(document)
    once = {name for name, operation in rules.operations.items() if not operation["x-idempotent"]}
    assert once - WRITES == {"request_token"}


class TestReadingRequests:
    def test_the_path_the_query_and_json(self) -> None:
        found = said(
            "/infer/{deployment}/{pipeline}", "http://a/infer/x-1/y%20z?a=1&b=2", "application/json", b'{"c": 3}'
        )
        assert found == Said({"deployment": "x-1", "pipeline": "y z"}, {"a": "1", "b": "2"}, {"c": 3})

    def test_json_is_read_whatever_it_says_it_is(self) -> None:
        assert said("/a", "http://a/a", "text/plain", b'{"pipeline_id": 3}').body == {"pipeline_id": 3}
        assert said("/a", "http://a/a", "", b'{"pipeline_id": 3}').body == {"pipeline_id": 3}

    def test_the_parts_of_an_upload(self) -> None:
        import httpx

        files: Any = [
            ("metadata", (None, '{"workspace_id": 3}', "application/json")),
            ("file", ("a.onnx", b"\0\1\r\n--x", "application/octet-stream")),
            ("workspace_id", (None, "4")),
        ]
        request = httpx.Request("POST", "http://a/a", files=files)
        found = said("/a", "http://a/a", request.headers["Content-Type"], request.read())
        assert found.body == {"metadata": {"workspace_id": 3}, "workspace_id": 4}
        assert sorted(found.values("workspace_id")) == [3, 4]

    def test_a_form(self) -> None:
        kind = "application/x-www-form-urlencoded"
        assert said("/a", "http://a/a", kind, b"workspace_id=4&name=a").body == {"workspace_id": "4", "name": "a"}

    def test_what_cannot_be_read_says_nothing(self) -> None:
        assert said("/a", "http://a/a", "application/json", b"\xff{").body is None


def test_belongings_are_learned_from_answers(belongings: Belongings) -> None:
    request = asks(deploy_id=f"{PREFIX}-new")
    belongings.learn("deploy_pipeline", request, {"id": 77})
    assert belongings.has("deployment", 77)
    assert belongings.has("deployment name", f"{PREFIX}-new-77")
    belongings.learn("upload_model", asks(), {"insert_models": {"returning": [{"models": [{"id": 5}]}]}})
    assert belongings.has("version", 5)
    belongings.learn("create_workspace", asks(), {"nothing": "useful"})
    belongings.learn("create_workspace", asks(), None)


def test_a_rate_is_kept() -> None:
    rate = Rate(50)
    begin = time.monotonic()
    for _ in range(6):
        rate.wait()
    assert time.monotonic() - begin >= 5 / 50
