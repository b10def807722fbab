"""Does the contract suite touch only what it made, by what the contract says, on an instance that others use?"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import httpx
import pytest

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance import plugin
from wallaroo_ext.conformance.guard.effects import ABOUT_PEOPLE, Effects, effects_of
from wallaroo_ext.conformance.guard.interceptor import Incoming, Interceptor, RateLimit, origin_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS, OwnedResources, Resource
from wallaroo_ext.conformance.guard.request_fields import RequestFields, canonical_path, fields_of, from_json
from wallaroo_ext.conformance.guard.write_guard import WithheldError, WriteGuard
from wallaroo_ext.conformance.resources.fixtures import Fixtures, Forms, assay_request
from wallaroo_ext.conformance.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "conformance-abc"
DOCUMENT = contract.load()
EFFECTS = effects_of(DOCUMENT)
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data"


@pytest.fixture
def owned() -> OwnedResources:
    found = OwnedResources(PREFIX)
    known = {
        "workspace id": 7,
        "pipeline id": 8,
        "pipeline version id": 9,
        "deployment id": 10,
        "model version id": 11,
        "assay id": 12,
        "deployment name": f"{PREFIX}-p-10",
        "user email": f"{PREFIX}-u@example.com",
        "user id": "5abe33ef-90d2-49bd-8f6a-21ef20c383e8",
    }
    for thing, value in known.items():
        found.add(thing, value)
    return found


@cache
def effects_in(release: str | None) -> dict[str, Effects]:
    """Return the effects as a run has them: those of the release, and of what it does not have, the contract's."""
    return EFFECTS | effects_of(contract.load(release))


@pytest.fixture(params=[None, *contract.RELEASES])
def guard(request: pytest.FixtureRequest, owned: OwnedResources) -> WriteGuard:
    """Return a guard by the contract, and by that of each release."""
    return WriteGuard(effects_in(request.param), owned, user_changes=True)


def asks(**body: Any) -> RequestFields:
    return from_json(body)


GOOD: dict[str, dict[str, Any]] = {
    "create_workspace": {"workspace_name": f"{PREFIX}-w"},
    "create_pipeline": {"workspace_id": 7, "pipeline_id": f"{PREFIX}-p", "definition": {}},
    "deploy_pipeline": {
        "deploy_id": f"{PREFIX}-d",
        "pipeline_id": 8,
        "pipeline_version_pk_id": 9,
        "model_ids": [11, 11],
        "engine_config": {"engine": {"cpu": 1, "image": "anything"}},
    },
    "undeploy_pipeline": {"pipeline_id": 8, "deployment_id": 10},
    "deactivate_user": {"email": f"{PREFIX}-u@example.com"},
    "add_workspace_user": {"workspace_id": 7, "email": f"{PREFIX}-u@example.com", "user_type": "OWNER"},
    "invite_user": {"email": f"{PREFIX}-new@example.com", "password": "anything"},
    "set_assay_active": {"id": 12, "active": True},
    "insert_model_config": {"model_version_id": 11, "tensor_fields": ["tensor"], "filter_threshold": 0.5},
}


@pytest.mark.parametrize(("operation", "body"), list(GOOD.items()), ids=list(GOOD))
def test_what_is_the_runs_own_is_sent(operation: str, body: dict[str, Any], guard: WriteGuard) -> None:
    guard.check(operation, asks(**body))


def test_the_rows_of_an_inference_are_not_looked_at_one_by_one(
    guard: WriteGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Mock()
    monkeypatch.setattr(WriteGuard, "_check_value", looked)
    headers, body = [("Content-Type", "application/json")], json.dumps({"tensor": [[1.5] * 100] * 10}).encode()
    url = f"http://instance/v1/api/pipelines/infer/{PREFIX}-p-10?dataset.separator=."
    template = "/v1/api/pipelines/infer/{deployment}"
    fields = fields_of(template, url, headers, body, guard.effects["infer_deployment"])
    guard.check("infer_deployment", fields)
    for operation, is_withheld in (("infer_deployment", False), ("create_workspace", True)):
        cut = fields_of(template, url, headers, body[:-1], guard.effects[operation])
        assert bool(cut.unreadable) is is_withheld, "only where nothing in a body names anything, it may be no JSON"
    assert {call.args[1].location[0] for call in looked.call_args_list} == {"path", "query"}
    assert not guard.effects["create_pipeline"].has_nameless_body


def foreign() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each good request with one name of somebody else's, in every form in which an instance could read it."""
    for operation, body in GOOD.items():
        for name in EFFECTS[operation].names:
            key = name.location[1]
            if name.location[0] != "body" or key not in body or name.location[2:] not in {(), ("*",)}:
                continue
            texts: list[Any] = [
                "others",
                "production",
                "",
                f"{PREFIX}x",
                PREFIX.upper() + "-p",
                f"{PREFIX}-p/../x",
                "\u0131",
            ]
            numbers: list[Any] = [
                1,
                "1",
                1.0,
                "1.0",
                " 7",
                "07",
                "\u0667",
                "0x7",
                True,
                1.5,
                -8,
                10**30,
                "8,1",
                [8, 1],
                [[1]],
            ]
            others = texts if isinstance(body[key], str) else numbers
            nested: list[Any] = [{"id": other} for other in others[:2]] + [[{"a": [others[0]]}]]
            yield from ((operation, body | {key: other}) for other in [*others, *nested])


@pytest.mark.parametrize(("operation", "body"), list(foreign()))
def test_what_is_somebody_elses_is_withheld(operation: str, body: dict[str, Any], guard: WriteGuard) -> None:
    with pytest.raises(WithheldError, match=r"names no .* of this run|does not say what"):
        guard.check(operation, asks(**body))


@pytest.mark.parametrize("release", contract.RELEASES)
def test_every_operation_of_a_release_is_described(release: str) -> None:
    assert {name: found.problem for name, found in effects_in(release).items() if found.problem} == {}


@pytest.mark.parametrize("release", contract.RELEASES)
def test_an_assay_in_the_form_of_a_release_is_of_the_runs_own_things(release: str, owned: OwnedResources) -> None:
    """Each name in it by itself, at any depth, replaced by somebody else's."""
    guard = WriteGuard(effects_in(release), owned)
    fixtures = Fixtures(
        workspace_id=7,
        name=f"{PREFIX}-p",
        pipeline_id=8,
        model={"name": f"{PREFIX}-m"},
        scored_at=datetime.now(UTC),
        forms=Forms.of(contract.load(release)),
    )
    good = assay_request(fixtures)
    guard.check("create_assay", asks(**good))
    own: dict[Any, Any] = {f"{PREFIX}-p": "others", f"{PREFIX}-m": "others", 7: 1, 8: 1}
    bad = list(replaced_once(good, own))
    assert len(bad) >= 7
    for body in bad:
        with pytest.raises(WithheldError, match=r"names no .* of this run"):
            guard.check("create_assay", asks(**body))


def replaced_once(value: Any, replacements: dict[Any, Any]) -> Iterator[Any]:
    """Yield copies of a value with one value in it replaced."""
    if isinstance(value, dict):
        fields = object_of(value)
        for key, inner in fields.items():
            yield from (fields | {key: changed} for changed in replaced_once(inner, replacements))
    elif isinstance(value, str | int) and not isinstance(value, bool) and value in replacements:
        yield replacements[value]


@pytest.mark.parametrize(
    "more",
    [
        {"more": 1},
        {"wrapped": {"pipeline_id": 1}},
        {"Pipeline_Id": 1},
        {"pipelineId": "1"},
        {"PIPELINE_ID": 1},
        {"pipeline\u005fid ": 1},
        {"ids": [1, 2]},
        {"filter": {"name": "production"}},
        {"all": True},
        {"names": {"production": "production"}},
    ],
)
def test_a_field_that_the_contract_does_not_describe_names_nothing_of_others(more: Any, guard: WriteGuard) -> None:
    with pytest.raises(WithheldError, match="does not say what"):
        guard.check("undeploy_pipeline", asks(pipeline_id=8, **more))


@pytest.mark.parametrize("nothing", [None, f"{PREFIX}-anything", NOBODYS, {}, []])
def test_an_unknown_field_that_can_name_nothing_of_others_is_sent(nothing: Any, guard: WriteGuard) -> None:
    guard.check("undeploy_pipeline", asks(pipeline_id=8, more=nothing))


def test_it_is_withheld_also_where_the_rest_is_wrong(guard: WriteGuard) -> None:
    with pytest.raises(WithheldError):
        guard.check("undeploy_pipeline", asks(pipeline_id=1, deployment_id={}, more=None))
    with pytest.raises(WithheldError):
        guard.check("undeploy_pipeline", asks(wrapped={"pipeline_id": 1}))
    with pytest.raises(WithheldError):
        guard.check("undeploy_pipeline", from_json([{"pipeline_id": 1}]))
    with pytest.raises(WithheldError):
        guard.check("undeploy_pipeline", from_json(1))


@pytest.mark.parametrize("nothing", [NOBODYS, str(NOBODYS)])
def test_what_names_nothing_is_sent(nothing: Any, guard: WriteGuard) -> None:
    guard.check("undeploy_pipeline", asks(pipeline_id=nothing))


LACKING: dict[str, tuple[str, dict[str, Any]]] = {
    "all of several": ("undeploy_pipeline", {}),
    "as null": ("undeploy_pipeline", {"pipeline_id": None}),
    "as an empty object": ("undeploy_pipeline", {"pipeline_id": {}}),
    "as an empty list": ("undeploy_pipeline", {"pipeline_id": []}),
    "as a list of null": ("undeploy_pipeline", {"pipeline_id": [None]}),
    "the user": ("deactivate_user", {}),
    "the workspace, and not the user": ("remove_workspace_user", {"email": f"{PREFIX}-u@example.com"}),
    "the user, and not the workspace": ("remove_workspace_user", {"workspace_id": None}),
    "the assay": ("set_assay_active", {"active": False}),
    "the pipeline that is copied": ("copy_pipeline", {"name": f"{PREFIX}-c", "workspace_id": 7}),
}


@pytest.mark.parametrize("what", LACKING)
def test_a_request_without_what_decides_what_it_touches_is_not_sent_where_others_have_things(
    what: str, guard: WriteGuard, owned: OwnedResources
) -> None:
    operation, body = LACKING[what]
    with pytest.raises(WithheldError, match="could be taken for one about what others have"):
        guard.check(operation, asks(**body))
    WriteGuard(guard.effects, owned, user_changes=True, alone=True).check(operation, asks(**body))


MAKING: dict[str, dict[str, Any]] = {
    "create_workspace": {},
    "invite_user": {"password": "anything"},
    "create_pipeline": {"definition": {}},
    "upload_model_stream": {},
    "deploy_pipeline": {"pipeline_id": 8},
    "create_assay": {"pipeline_id": 8},
}


@pytest.mark.parametrize("operation", MAKING)
def test_a_request_without_what_can_only_be_made_new_is_sent(operation: str, guard: WriteGuard) -> None:
    guard.check(operation, asks(**MAKING[operation]))


def test_reading_may_name_anything(guard: WriteGuard) -> None:
    guard.check("list_models", asks(workspace_id=1))
    guard.check("get_deployment_status", asks(name="production-1"))


def test_only_a_run_that_may_changes_something_for_people(owned: OwnedResources) -> None:
    guard = WriteGuard(EFFECTS, owned)
    about_people = [name for name, found in EFFECTS.items() if ABOUT_PEOPLE.intersection(found.writes)]
    assert set(about_people) == {
        "invite_user",
        "activate_user",
        "deactivate_user",
        "add_workspace_user",
        "remove_workspace_user",
    }
    for operation in about_people:
        assert "--allow-user-changes" in guard.forbids(operation)
        with pytest.raises(WithheldError):
            guard.check(operation, asks(email=f"{PREFIX}-u@example.com"))


def test_a_run_that_only_reads_writes_nothing(owned: OwnedResources) -> None:
    guard = WriteGuard(EFFECTS, owned, read_only=True, user_changes=True)
    writing = [name for name, found in EFFECTS.items() if found.writes]
    assert len(writing) > 15
    for operation in writing:
        assert "--read-only" in guard.forbids(operation)
    assert not guard.forbids("list_models")


def send(
    guard: WriteGuard, operation: str, content: bytes, kind: str, *, query: str = "", path: str = "", **headers: str
) -> None:
    """Let the guard check a request in the form in which it is sent."""
    template = path or next(
        path for path, _, found in contract.operations(DOCUMENT) if found["operationId"] == operation
    )
    url = f"http://127.0.0.1:9{template}{query}"
    fields = fields_of(template, url, [("Content-Type", kind), *headers.items()], content, EFFECTS[operation])
    guard.check(operation, fields)


OWN = b'{"pipeline_id": 8}'
HIDDEN: dict[str, tuple[bytes, str, str, dict[str, str]]] = {
    "twice in JSON, first": (b'{"pipeline_id": 1, "pipeline_id": 8}', JSON, "", {}),
    "twice in JSON, last": (b'{"pipeline_id": 8, "pipeline_id": 1}', JSON, "", {}),
    "an escaped key": (b'{"pipeline\\u005fid": 1}', JSON, "", {}),
    "in the query, too": (OWN, JSON, "?pipeline_id=1", {}),
    "twice in the query": (OWN, JSON, "?pipeline_id=8&pipeline_id=1", {}),
    "in the query, with brackets": (OWN, JSON, "?pipeline_id[]=1", {}),
    "in the query, escaped": (OWN, JSON, "?%70ipeline_id=%31", {}),
    "in the query, after a semicolon": (OWN, JSON, "?x;pipeline_id=1", {}),
    "in a header": (OWN, JSON, "", {"X-Pipeline-Id": "1"}),
    "in a cookie": (OWN, JSON, "", {"Cookie": "pipeline_id=1"}),
    "as a form": (b"pipeline_id=1", FORM, "", {}),
    "as a form twice": (b"pipeline_id=8&pipeline_id=1", FORM, "", {}),
    "as a form that is said to be JSON": (b"pipeline_id=1", JSON, "", {}),
    "as JSON that is said to be a form": (b'{"pipeline_id": 1}', FORM, "", {}),
    "as JSON that is said to be text": (b'{"pipeline_id": 1}', "text/plain", "", {}),
    "as JSON of another encoding": ('{"pipeline_id": 1}'.encode("utf-16"), JSON, "", {}),
    "in an encoding of its own": (b'{"pipeline_id": 1}', "application/json; charset=utf-7", "", {}),
    "compressed": (b"\x1f\x8b\x08", JSON, "", {"Content-Encoding": "gzip"}),
    "unreadable": (b'{"pipeline_id": 1', JSON, "", {}),
    "with a comment": (b'{"pipeline_id": 1 /* */}', JSON, "", {}),
    "as XML": (b"<pipeline_id>1</pipeline_id>", "application/xml", "", {}),
    "nested deep": (b"[" * 100_000, JSON, "", {}),
    "a number too long": (b'{"pipeline_id": ' + b"1" * 5000 + b"}", JSON, "", {}),
    "infinite": (b'{"pipeline_id": Infinity}', JSON, "", {}),
    "in two parts": (
        (
            b'--b\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\n8\r\n'
            b'--b\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\n1\r\n--b--\r\n'
        ),
        "multipart/form-data; boundary=b",
        "",
        {},
    ),
    "in a part that is a file": (
        b'--b\r\nContent-Disposition: form-data; name="pipeline_id"; filename="a"\r\n\r\n1\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
        "",
        {},
    ),
    "in parts that are said to be text": (
        b'--b\r\nContent-Disposition: form-data; name="pipeline_id"\r\n\r\n1\r\n--b--\r\n',
        "text/plain",
        "",
        {},
    ),
    "in a part of another encoding": (
        (
            b'--b\r\nContent-Disposition: form-data; name="pipeline_id"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--\r\n"
        ),
        "multipart/form-data; boundary=b",
        "",
        {},
    ),
    "without a name": (b"--b\r\n\r\n1\r\n--b--\r\n", "multipart/form-data; boundary=b", "", {}),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_what_is_hidden_in_a_request_is_found_or_the_request_withheld(where: str, guard: WriteGuard) -> None:
    content, kind, query, headers = HIDDEN[where]
    send(guard, "undeploy_pipeline", OWN, JSON)
    with pytest.raises(WithheldError):
        send(guard, "undeploy_pipeline", content, kind, query=query, **headers)


@pytest.mark.parametrize("segment", ["", "..", "%2e%2e", "a%2Fb", "%252e%252e", "a%5Cb", "%00", "a%0d", ".", "a%252Fb"])
def test_a_path_that_could_lead_to_another_operation_is_not_sent(segment: str, owned: OwnedResources) -> None:
    effects = {"see": Effects("see"), "end": Effects("end", ("model",), EFFECTS["infer_deployment"].request)}
    guard = WriteGuard(effects, owned)
    template = "/things/{deployment}/state"
    fields = fields_of(template, f"http://127.0.0.1:9/things/{segment}/state", [], b"")
    for operation in effects:
        with pytest.raises(WithheldError, match="another operation"):
            guard.check(operation, fields)


class TestMethods:
    """Methods that the contract does not have."""

    def test_one_that_changes_nothing_is_sent(self, guard: WriteGuard) -> None:
        guard.check_undeclared("GET", "undeploy_pipeline", RequestFields(), has_body=False)
        with pytest.raises(WithheldError):
            guard.check_undeclared("GET", "undeploy_pipeline", asks(pipeline_id=1), has_body=False)
        with pytest.raises(WithheldError):
            guard.check_undeclared("GET", "undeploy_pipeline", RequestFields(), has_body=True)

    @pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "POST", "QUERY", "PURGE", "delete"])
    def test_any_other_is_withheld(self, method: str, guard: WriteGuard) -> None:
        with pytest.raises(WithheldError, match="does not say what"):
            guard.check_undeclared(method, "list_models", RequestFields(), has_body=False)

    def test_a_run_that_only_reads_sends_none(self, owned: OwnedResources) -> None:
        guard = WriteGuard(EFFECTS, owned, read_only=True)
        with pytest.raises(WithheldError):
            guard.check_undeclared("GET", "list_models", RequestFields(), has_body=False)

    @pytest.mark.parametrize(
        "url", ["/V1/API/Models/LIST", "/v1/api//models/list/", "/v1/api/models/%6cist", "/v1/./api/models/list;x"]
    )
    def test_a_path_that_may_be_taken_for_an_operations_is_known(self, url: str) -> None:
        assert canonical_path(f"http://127.0.0.1{url}") == "/v1/api/models/list"


DELETING = {
    "operationId": "forget_all",
    "x-writes": ["model"],
    "x-names": {"$request.query.model": "model id"},
    "parameters": [{"in": "query", "name": "model", "required": True, "schema": {"type": "integer"}}],
    "responses": {"200": {"description": "It is gone."}},
}
SHOWING: dict[str, Any] = {
    "operationId": "show_any",
    "x-writes": [],
    "x-names": {"$request.path.which": "model name"},
    "parameters": [{"in": "path", "name": "which", "required": True, "schema": {"type": "string"}}],
    "responses": {"200": {"description": "It is shown."}},
}


class TestInterceptor:
    """What is sent at which URL."""

    @staticmethod
    def interceptor(paths: dict[str, Any]) -> Interceptor:
        rules = Rules({"paths": paths})
        guard = WriteGuard(effects_of(rules.document), OwnedResources(PREFIX))
        return Interceptor(cast("Any", Mock()), rules, guard, RateLimit(None))

    def test_a_request_that_leads_elsewhere_is_not_sent(self) -> None:
        found = self.interceptor({"/shown/{which}": {"get": SHOWING}})
        found.origins = frozenset({origin_of("https://instance"), origin_of("http://instance:8080")})
        for url in ("https://instance/shown/a", "https://INSTANCE:443/shown/a", "http://instance:8080/anything"):
            found.admit("GET", url, [], b"")
        for url in ("http://instance/shown/a", "https://instance:8080/a", "https://instance.evil/a", "http://[::1]/"):
            with pytest.raises(WithheldError, match="is not the instance"):
                found.admit("GET", url, [], b"")

    def test_the_head_of_what_writes_by_get_is_not_asked_for(self) -> None:
        found = self.interceptor({"/forget": {"get": DELETING}})
        with pytest.raises(WithheldError, match="Without "):
            found.admit("HEAD", "http://instance/forget", [], b"")
        found.admit("OPTIONS", "http://instance/forget", [], b"")

    def test_a_request_that_fits_two_paths_is_allowed_at_both(self) -> None:
        writing = SHOWING | {"operationId": "forget_any", "x-writes": ["model"]}
        reading: dict[str, Any] = {"operationId": "see", "x-writes": [], "x-names": {}, "responses": {"200": {}}}
        found = self.interceptor({"/models/{which}": {"get": writing}, "/models/current": {"get": reading}})
        with pytest.raises(WithheldError, match="names no model name"):
            found.admit("GET", "http://instance/models/current", [], b"")
        sent = found.admit("GET", f"http://instance/models/{PREFIX}-m", [], b"")
        assert (sent.operation, sent.fields.values[0].value) == ("forget_any", f"{PREFIX}-m")

    def test_what_an_answer_does_not_tell_of_is_looked_for_in_the_end(self) -> None:
        guard = WriteGuard(EFFECTS, OwnedResources(PREFIX))
        found = Interceptor(cast("Any", Mock(exchanges=[])), Rules(DOCUMENT), guard, RateLimit(None))
        url = "http://instance/v1/api/workspaces/create"
        body = json.dumps({"workspace_name": f"{PREFIX}-w"}).encode()
        for answer, unanswered in ((b"{}", 1), (b"no JSON", 2), (b'{"workspace_id": 7}', 2)):
            sent = found.admit("POST", url, [("content-type", JSON)], body)
            found.keep(sent, Incoming(200, [("content-type", JSON)], answer))
            assert len(found.guard.owned.unsettled_requests()) == unanswered


class TestReadingRequests:
    def test_the_path_the_query_and_json(self) -> None:
        url = "http://a/infer/x-1/y%20z?a=1&b=2"
        found = fields_of("/infer/{deployment}/{pipeline}", url, [("content-type", JSON)], b'{"c": [3]}')
        values = {value.location: value.value for value in found.values}
        assert values == {
            ("path", "deployment"): "x-1",
            ("path", "pipeline"): "y z",
            ("query", "a"): "1",
            ("query", "b"): "2",
            ("body", "c", "0"): 3,
        }

    def test_the_parts_of_an_upload(self) -> None:
        files: Any = [
            ("metadata", (None, '{"workspace_id": 3}', "application/json")),
            ("file", ("a.onnx", b"\0\1\r\n--x", "application/octet-stream")),
            ("workspace_id", (None, "4")),
        ]
        request = httpx.Request("POST", "http://a/a", files=files)
        found = fields_of("/a", "http://a/a", request.headers.multi_items(), request.read(), EFFECTS["upload_model"])
        values = {value.location: value.value for value in found.values}
        assert values == {("body", "metadata", "workspace_id"): 3, ("body", "workspace_id"): 4}
        assert not found.unreadable

    def test_a_file_where_the_contract_has_one_is_not_looked_at(self) -> None:
        kind = [("Content-Type", "application/octet-stream")]
        content = b"\xff\x00"
        assert not fields_of("/a", "http://a/a", kind, content, EFFECTS["upload_model_stream"]).unreadable
        assert fields_of("/a", "http://a/a", kind, content, EFFECTS["undeploy_pipeline"]).unreadable

    def test_a_form(self) -> None:
        found = fields_of("/a", "http://a/a", [("Content-Type", FORM)], b"workspace_id=4&name=a&name=b")
        assert [(value.location[1], value.value) for value in found.values] == [
            ("workspace_id", "4"),
            ("name", "a"),
            ("name", "b"),
        ]

    def test_a_form_or_query_that_is_no_utf_8_cannot_be_read(self) -> None:
        assert fields_of("/a", "http://a/a", [("Content-Type", FORM)], b"name=%FF").unreadable
        assert fields_of("/a", "http://a/a?name=%FF", [], b"").unreadable


class TestOwnedResources:
    def test_they_are_learned_from_answers(self, owned: OwnedResources) -> None:
        owned.learn(EFFECTS["deploy_pipeline"], asks(deploy_id=f"{PREFIX}-new"), {"id": 77})
        assert owned.has("deployment id", 77)
        assert owned.values_of("deployment name")[-1] == f"{PREFIX}-new-77"
        answer = {"insert_models": {"returning": [{"models": [{"id": 5}]}]}}
        owned.learn(EFFECTS["upload_model"], asks(name=f"{PREFIX}-m", workspace_id="7"), answer)
        assert owned.has("model version id", 5)
        assert owned.resources("model version") == [Resource("model version", 5, f"{PREFIX}-m", 7)]
        assert owned.resources("model") == [Resource("model", None, f"{PREFIX}-m", 7)]
        nothings: list[Any] = [{"nothing": "useful"}, None, [], {"workspace_id": {}}, {"workspace_id": True}]
        for useless in nothings:
            owned.learn(EFFECTS["create_workspace"], asks(workspace_name=f"{PREFIX}-w"), useless)
        assert owned.values_of("workspace id") == [7]

    def test_what_belongs_to_the_runs_own_is_learned_from_reading(self, owned: OwnedResources) -> None:
        versions = [{"id": 21, "models_pk_id": 3, "model_version": "v", "sha": "s"}]
        for others in (asks(model_id="production"), asks(models_pk_id=NOBODYS), asks(), asks(model_id=None)):
            owned.learn(EFFECTS["list_model_versions"], others, versions)
            assert not owned.has("model version id", 21)
        own = asks(model_id=f"{PREFIX}-m")
        unnamed = {"id": 22, "models_pk_id": 1}
        for unconfirmed in (versions, [versions[0] | {"model_id": f"{PREFIX}-m"}, unnamed]):
            owned.learn(EFFECTS["list_model_versions"], own, unconfirmed)
            assert not owned.has("model version id", 21)
        owned.learn(EFFECTS["list_model_versions"], own, [versions[0] | {"model_id": f"{PREFIX}-m"}])
        assert owned.has("model version id", 21)
        assert owned.has("model version uuid", "v")

    def test_an_answer_of_what_was_not_asked_for_is_not_learned_from(self, owned: OwnedResources) -> None:
        owned.add("model id", 3)
        own = {"id": 21, "models_pk_id": 3, "model_id": f"{PREFIX}-m"}
        others = {"id": 22, "models_pk_id": 1, "model_id": "production"}
        for request in (asks(model_id=f"{PREFIX}-m"), asks(models_pk_id=3)):
            owned.learn(EFFECTS["list_model_versions"], request, [own, others])
            assert owned.values_of("model version id") == [11]
            assert not owned.has("model id", 1)
        owned.learn(EFFECTS["list_model_versions"], asks(models_pk_id=3), [own])
        assert owned.values_of("model version id") == [11, 21]

    def test_what_was_there_before_is_not_learned_whatever_an_answer_says(self, owned: OwnedResources) -> None:
        owned.note_existing("workspace id", 1)
        owned.note_existing("pipeline id", 2)
        for claimed in (1, "1"):
            owned.learn(EFFECTS["create_workspace"], asks(workspace_name=f"{PREFIX}-w"), {"workspace_id": claimed})
            assert not owned.has("workspace id", 1)
        owned.add_resource(Resource("pipeline", 2, None, 7))
        owned.add("pipeline id", 2)
        assert not owned.has("pipeline id", 2)
        assert not owned.resources("pipeline")
        owned.learn(EFFECTS["create_workspace"], asks(workspace_name=f"{PREFIX}-w"), {"workspace_id": 5})
        assert owned.has("workspace id", 5)

    def test_the_id_of_what_was_removed_is_the_runs_no_more(self, owned: OwnedResources) -> None:
        parameters = (parameter("query", "workspace_id"), parameter("query", "model"))
        effects = added(QUERY | {"$request.query.model": "model id"}, *parameters)
        owned.add("model id", 5)
        request = fields_of("/added", "http://instance/added?model=5&workspace_id=7", [], b"", effects)
        owned.forget(effects, request)
        assert not owned.has("model id", 5), "which another's may have by now"
        assert owned.has("workspace id", 7), "which was not removed"

    def test_an_answer_without_the_id_of_what_was_made_does_not_tell_all(self, owned: OwnedResources) -> None:
        request = asks(deploy_id=f"{PREFIX}-lost")
        assert not owned.learn(EFFECTS["deploy_pipeline"], request, {})
        assert owned.learn(EFFECTS["deploy_pipeline"], request, {"id": 3})
        assert not owned.learn(EFFECTS["create_workspace"], asks(workspace_name=f"{PREFIX}-w"), {})
        assert owned.resources("workspace") == [Resource("workspace", None, f"{PREFIX}-w")]

    def test_what_is_listed_is_one_thing_however_it_was_found(self, owned: OwnedResources) -> None:
        owned.add_resource(Resource("model", None, "m", 7))
        owned.add_resource(Resource("model", 3, "m", 7))
        owned.add_resource(Resource("model", 4, "m", 8))
        owned.add_resource(Resource("model", 3, None, None))
        assert owned.resources("model") == [Resource("model", 4, "m", 8), Resource("model", 3, "m", 7)]

    def test_a_request_without_an_answer_is_remembered(self, owned: OwnedResources) -> None:
        sent = asks(deploy_id=f"{PREFIX}-lost")
        owned.note_request(EFFECTS["deploy_pipeline"], sent)
        owned.note_request(EFFECTS["list_models"], asks(workspace_id=1))
        assert [effects.operation for effects, _ in owned.unsettled_requests()] == ["deploy_pipeline"]
        owned.settle(sent)
        assert not owned.unsettled_requests()


def purge(**changes: Any) -> dict[str, Any]:
    """Return a contract with one more operation, which deletes; a change to None leaves a part out."""
    properties = {"model_id": {"type": "integer"}, "why": {"type": "string"}, "force": {"type": "boolean"}}
    operation: dict[str, Any] = {
        "operationId": "purge_model",
        "x-writes": ["model"],
        "x-names": {"$request.body#/model_id": "model id", "$request.body#/why": "nothing"},
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"type": "object", "required": ["model_id"], "properties": properties}}},
        },
        "responses": {"200": {"description": "It is gone."}},
    }
    operation |= changes
    item = {"post": {name: value for name, value in operation.items() if value is not None}}
    return DOCUMENT | {"paths": DOCUMENT["paths"] | {"/v1/api/models/purge": item}}


def effects_with(document: dict[str, Any]) -> dict[str, Effects]:
    """Return the effects of a contract of `purge`: those of its further operation, beside the contract's own."""
    return EFFECTS | effects_of(document, without=EFFECTS)


NAMES = {"$request.body#/model_id": "model id", "$request.body#/why": "nothing"}
UNDESCRIBED: dict[str, tuple[dict[str, Any], str]] = {
    "no x-writes": ({"x-writes": None}, "x-writes is missing"),
    "no x-names": ({"x-names": None}, "x-names is missing"),
    "x-writes is a text": ({"x-writes": "model"}, "has to be a list"),
    "x-writes is true": ({"x-writes": True}, "has to be a list"),
    "x-writes has an unknown kind": ({"x-writes": ["modle"]}, "the kinds of things are workspace"),
    "x-writes has a list": ({"x-writes": [["model"]]}, "the kinds of things are"),
    "x-names is a list": ({"x-names": ["model_id"]}, "has to map"),
    "x-names has an unknown thing": ({"x-names": NAMES | {"$request.body#/model_id": "modle id"}}, "what can be named"),
    "x-names has no key": ({"x-names": NAMES | {"$request.body#/model_id": "model"}}, "what can be named"),
    "x-names has a number": ({"x-names": NAMES | {"$request.body#/model_id": 5}}, "what can be named"),
    "x-names has no expression": ({"x-names": NAMES | {"model_id": "model id"}}, "no field of a request"),
    "x-names has a field that is not there": (
        {"x-names": NAMES | {"$request.body#/nope": "model id"}},
        "no such field",
    ),
    "x-names has an answer that is not there": (
        {"x-names": NAMES | {"$response.body#/nope": "model id"}},
        "no such field",
    ),
    "a field is left out": ({"x-names": {"$request.body#/model_id": "model id"}}, "$request.body#/why"),
    "the naming field is left out": ({"x-names": {"$request.body#/why": "nothing"}}, "$request.body#/model_id"),
    "nothing is named": ({"x-names": NAMES | {"$request.body#/model_id": "nothing"}}, "anybody's"),
}


@pytest.mark.parametrize("how", UNDESCRIBED)
@pytest.mark.parametrize("options", [{}, {"read_only": True}])
def test_what_the_contract_does_not_describe_is_withheld(
    how: str, options: dict[str, bool], owned: OwnedResources
) -> None:
    changes, reason = UNDESCRIBED[how]
    guard = WriteGuard(effects_with(purge(**changes)), owned, **options)
    assert reason in guard.forbids("purge_model")
    assert guard.writes("purge_model")
    with pytest.raises(WithheldError):
        guard.check("purge_model", asks(model_id=NOBODYS))
    with pytest.raises(WithheldError):
        guard.check_undeclared("GET", "purge_model", RequestFields(), has_body=False)


@pytest.mark.parametrize("method", ["delete", "put", "patch"])
def test_a_method_that_changes_something_does_not_only_read(method: str) -> None:
    document = purge(**{"x-writes": []})
    document["paths"]["/v1/api/models/purge"] = {method: document["paths"]["/v1/api/models/purge"]["post"]}
    assert "by HTTP" in effects_with(document)["purge_model"].problem


def test_a_schema_that_cannot_be_read_is_no_description() -> None:
    broken = {"required": True, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Nowhere"}}}}
    assert "cannot be read" in effects_with(purge(requestBody=broken))["purge_model"].problem


def test_what_the_contract_describes_is_sent_with_the_runs_own(owned: OwnedResources) -> None:
    guard = WriteGuard(effects_with(purge()), owned)
    owned.add("model id", 3)
    guard.check("purge_model", asks(model_id=3, why="because", force=True))
    with pytest.raises(WithheldError):
        guard.check("purge_model", asks(model_id=4, why="because"))


def test_a_request_that_the_contract_allows_without_a_name_has_to_have_one(owned: OwnedResources) -> None:
    document = purge()
    del document["paths"]["/v1/api/models/purge"]["post"]["requestBody"]["content"][JSON]["schema"]["required"]
    guard = WriteGuard(effects_with(document), owned)
    owned.add("model id", 3)
    guard.check("purge_model", asks(model_id=3))
    with pytest.raises(WithheldError, match="names nothing of this run"):
        guard.check("purge_model", asks(why="all of them"))


@pytest.mark.parametrize(("fixtures", "outcome"), [(["conformance_suite"], "skipped"), (["owned"], "failed")])
def test_only_a_test_of_the_suite_is_skipped_where_its_request_may_not_be_sent(
    fixtures: list[str], outcome: str
) -> None:
    config = SimpleNamespace(stash=pytest.Stash())
    item: Any = SimpleNamespace(fixturenames=fixtures, config=config, location=("test.py", 1, "test"))
    call: Any = SimpleNamespace(excinfo=SimpleNamespace(value=WithheldError("It is others'.")))
    report: Any = SimpleNamespace(outcome="failed", when="call")
    made = plugin.pytest_runtest_makereport(item, call)
    next(made)
    with pytest.raises(StopIteration):
        made.send(report)
    assert report.outcome == outcome


def test_a_rate_is_kept() -> None:
    rate = RateLimit(50)
    begin = time.monotonic()
    for _ in range(6):
        rate.wait()
    assert time.monotonic() - begin >= 5 / 50


def test_every_operation_that_is_no_reading_is_known_to_write(document: dict[str, Any]) -> None:
    """What may not be sent twice writes; of the rest, those that do say so."""
    once = {found["operationId"] for _, _, found in contract.operations(document) if not found["x-idempotent"]}
    assert once - {name for name, found in EFFECTS.items() if found.writes} == {"request_token"}


INTEGER: dict[str, Any] = {"type": "integer"}
BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
WORKSPACE = {"$request.body#/workspace_id": "workspace id"}
QUERY = {"$request.query.workspace_id": "workspace id"}


def added(
    names: dict[str, str],
    *parameters: dict[str, Any],
    path: str = "/added",
    writes: str = "model",
    schemas: dict[str, Any] | None = None,
    **bodies: dict[str, Any],
) -> Effects:
    """Return the effects of an added operation that writes, with bodies of media types (`json`, `form`, `file`)."""
    types = {"json": JSON, "form": FORM, "file": "application/octet-stream", "text": "text/plain", "parts": PARTS}
    content = {types[name]: {"schema": schema} for name, schema in bodies.items()}
    operation: dict[str, Any] = {
        "operationId": "added",
        "x-writes": [writes],
        "x-names": names,
        "parameters": list(parameters),
        "responses": {"200": {"description": "It is done."}},
    }
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    components = {"schemas": schemas or {}}
    item = {"post" if content else "delete": operation}
    return effects_of({"paths": {path: item}, "components": components})["added"]


def within(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object in a workspace, with further fields."""
    return {"type": "object", "required": ["workspace_id"], "properties": {"workspace_id": INTEGER} | properties}


def parameter(where: str, name: str, schema: dict[str, Any] = INTEGER) -> dict[str, Any]:
    return {"in": where, "name": name, "required": True, "schema": schema}


def see(
    effects: Effects, owned: OwnedResources, content: bytes, *, kind: str = JSON, query: str = "", header: str = ""
) -> None:
    """Let the guard check a request of the added operation."""
    headers = [("content-type", kind), *([("User-Agent", header)] if header else [])]
    fields = fields_of("/added", f"http://instance/added{query}", headers, content, effects)
    WriteGuard({"added": effects}, owned).check("added", fields)


MAPS: list[dict[str, Any]] = [
    {"type": "object", "additionalProperties": {"type": "boolean"}},
    {"type": "object", "patternProperties": {"^[0-9]+$": {"type": "boolean"}}},
    {"type": "object", "propertyNames": {"pattern": "^[0-9]+$"}},
    {"type": "object", "additionalProperties": {"type": "object"}},
    {"type": "object"},
]


@pytest.mark.parametrize("value", [b"true", b"null", b"{}", b"[]", b'"conformance-abc-x"'])
@pytest.mark.parametrize("schema", MAPS)
def test_a_key_that_the_contract_does_not_list_names_nothing_of_others(
    schema: dict[str, Any], value: bytes, owned: OwnedResources
) -> None:
    effects = added(WORKSPACE, json=within(models=schema))
    with pytest.raises(WithheldError, match="the key 'tumor'"):
        see(effects, owned, b'{"workspace_id": 7, "models": {"tumor": %s}}' % value)
    see(effects, owned, b'{"workspace_id": 7, "models": {"conformance-abc-x": null}}')


def test_a_body_that_is_a_map_itself_has_keys_that_name_nothing_of_others(owned: OwnedResources) -> None:
    effects = added(WORKSPACE, json=within() | {"additionalProperties": {"type": "boolean"}})
    with pytest.raises(WithheldError, match="the key 'tumor'"):
        see(effects, owned, b'{"workspace_id": 7, "tumor": true}')
    see(effects, owned, b'{"workspace_id": 7, "conformance-abc-x": true}')


def test_a_key_is_free_where_the_contract_says_that_nothing_below_names_anything(owned: OwnedResources) -> None:
    schema = within(labels={"type": "object", "additionalProperties": {"type": "string"}})
    content = b'{"workspace_id": 7, "labels": {"team": "red"}}'
    see(added(WORKSPACE | {"$request.body#/labels/**": "nothing"}, json=schema), owned, content)
    with pytest.raises(WithheldError, match="the key 'team'"):
        see(added(WORKSPACE | {"$request.body#/labels/*": "nothing"}, json=schema), owned, content)


def needs(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


ALL = {"all": {"type": "string"}}
EITHER = {"type": "object", "x-one-of-required": ["ids", "all"], "properties": {"ids": INTEGER} | ALL}
CHOICES = {"type": "object", "properties": {"ids": INTEGER} | ALL, "anyOf": [needs(ids=INTEGER), needs(**ALL)]}
NAMELESS: dict[str, tuple[dict[str, dict[str, Any]], str, bytes]] = {
    "an empty list": ({"json": needs(ids={"type": "array", "items": INTEGER})}, JSON, b'{"ids": []}'),
    "null": ({"json": needs(ids={"type": ["integer", "null"]})}, JSON, b'{"ids": null}'),
    "null as a choice": ({"json": needs(ids={"anyOf": [INTEGER, {"type": "null"}]})}, JSON, b'{"ids": null}'),
    "the other of two fields": ({"json": EITHER}, JSON, b'{"all": "yes"}'),
    "the other of two choices": ({"json": CHOICES}, JSON, b'{"all": "yes"}'),
    "another media type": ({"json": needs(ids=INTEGER), "form": {"properties": ALL}}, FORM, b"all=yes"),
}


@pytest.mark.parametrize(("bodies", "kind", "content"), list(NAMELESS.values()), ids=list(NAMELESS))
def test_a_request_that_the_contract_allows_to_name_nothing_is_sent_only_if_it_names_something(
    bodies: dict[str, dict[str, Any]], kind: str, content: bytes, owned: OwnedResources
) -> None:
    names = {"$request.body#/ids": "model id"} | ({"$request.body#/all": "nothing"} if b"all" in content else {})
    if content == b'{"ids": []}':
        names = {"$request.body#/ids/*": "model id"}
    with pytest.raises(WithheldError, match="names nothing of this run"):
        see(added(names, **cast("Any", bodies)), owned, content, kind=kind)


@pytest.mark.parametrize("schema", [needs(ids=INTEGER), CHOICES | {"anyOf": [needs(ids=INTEGER)]}])
def test_a_request_without_what_the_contract_requires_is_sent_only_where_nobody_else_has_anything(
    schema: dict[str, Any], owned: OwnedResources
) -> None:
    names = {"$request.body#/ids": "model id", "$request.body#/all": "nothing"}
    effects = added(names, json=schema | {"properties": {"ids": INTEGER} | ALL})
    with pytest.raises(WithheldError, match="Without "):
        see(effects, owned, b'{"all": "yes"}')
    WriteGuard({"added": effects}, owned, alone=True).check("added", asks(all="yes"))


def test_each_item_of_a_list_has_what_decides_what_it_touches(owned: OwnedResources) -> None:
    items = {"type": "array", "minItems": 1, "items": needs(pipeline=INTEGER) | {"additionalProperties": False}}
    effects = added({"$request.body#/*/pipeline": "pipeline id"}, writes="pipeline", json=items)
    see(effects, owned, b'[{"pipeline": 8}, {"pipeline": [8]}]')
    for content in (b'[{"pipeline": 8}, {}]', b'[{"pipeline": 8}, {"pipeline": null}]', b"[]", b"{}"):
        with pytest.raises(WithheldError, match="Without "):
            see(effects, owned, content)


def test_where_nothing_of_a_kind_that_is_changed_is_named_every_name_decides(owned: OwnedResources) -> None:
    """Such as the workspace whose models are removed."""
    effects = added(WORKSPACE | {"$request.body#/by": "user email"}, json=within(by={"type": "string"}))
    see(effects, owned, b'{"workspace_id": 7}')
    with pytest.raises(WithheldError, match=r"Without .*workspace_id"):
        see(effects, owned, b'{"by": "conformance-abc-u@example.com"}')


@pytest.mark.parametrize(
    ("kind", "content"),
    [("application/yaml", b"ids: 1"), ("application/xml", b"<ids>1</ids>"), ("text/plain", b"ids: 1")],
)
def test_a_body_is_a_file_only_of_the_media_type_that_has_one(kind: str, content: bytes, owned: OwnedResources) -> None:
    effects = added({"$request.body#/ids": "model id"}, json=needs(ids=INTEGER), file=BINARY)
    with pytest.raises(WithheldError, match="its body is no JSON"):
        see(effects, owned, content, kind=kind)


def test_a_text_of_bytes_that_is_no_file_has_to_be_described() -> None:
    assert "does not say what $request.body#/target names" in added(WORKSPACE, json=within(target=BINARY)).problem
    query = (parameter("query", "workspace_id"), parameter("query", "target", BINARY))
    assert "does not say what $request.query.target names" in added(QUERY, *query).problem


def test_a_field_that_names_a_thing_has_no_default_in_a_request_that_writes() -> None:
    schema = within(model_id=INTEGER | {"default": 1})
    effects = added(WORKSPACE | {"$request.body#/model_id": "model id"}, json=schema)
    assert effects.problem == "It writes, and without $request.body#/model_id it names 1, its default."


LIST: dict[str, Any] = {"type": "array", "items": INTEGER, "default": [1, 2]}
DEFAULTS: dict[str, dict[str, Any]] = {
    "of a list": {"ids": LIST},
    "of an object above": {"target": {"type": "object", "properties": {"id": INTEGER}, "default": {"id": 1}}},
    "of a part": {"ids": {"allOf": [LIST]}},
    "beside a reference": {"ids": {"$ref": "#/components/schemas/Ids", "default": [1]}},
    "of what is referred to": {"ids": {"$ref": "#/components/schemas/Defaulted"}},
}


@pytest.mark.parametrize("where", DEFAULTS)
def test_no_default_names_a_thing_wherever_it_stands(where: str) -> None:
    plain = {name: value for name, value in LIST.items() if name != "default"}
    key = next(iter(DEFAULTS[where]))
    names = WORKSPACE | {f"$request.body#/{key}/{'*' if key == 'ids' else 'id'}": "model id"}
    effects = added(names, json=within(**DEFAULTS[where]), schemas={"Ids": plain, "Defaulted": LIST})
    assert "its default" in effects.problem
    nothing: dict[str, Any] = {"ids": plain | {"default": []}}
    assert not added(WORKSPACE | {"$request.body#/ids/*": "model id"}, json=within(**nothing)).problem


def test_no_default_of_a_list_in_a_query_names_a_thing() -> None:
    query = (parameter("query", "workspace_id"), {"in": "query", "name": "ids", "schema": LIST})
    assert "its default" in added(QUERY | {"$request.query.ids": "model id"}, *query).problem


def test_a_file_that_names_a_thing_is_looked_at(owned: OwnedResources) -> None:
    owned.add("model name", f"{PREFIX}-m")
    effects = added({"$request.body#/which": "model name"}, parts=needs(which=BINARY))
    part = '--b\r\nContent-Disposition: form-data; name="which"; filename="a"\r\n\r\n%s\r\n--b--\r\n'
    kind = f"{PARTS}; boundary=b"
    see(effects, owned, (part % f"{PREFIX}-m").encode(), kind=kind)
    with pytest.raises(WithheldError, match="names no model name of this run"):
        see(effects, owned, (part % "tumor").encode(), kind=kind)
    effects = added({"$request.body": "model name"}, text=BINARY)
    with pytest.raises(WithheldError):
        see(effects, owned, b"tumor", kind="text/plain")


@pytest.mark.parametrize("path", ["/added?do=purge", "/added#purge", "/added/{workspace_id}-{what}"])
def test_a_path_by_which_requests_are_not_told_apart_is_no_description(path: str) -> None:
    parameters = [parameter("path", name) for name in ("workspace_id", "what") if f"{{{name}}}" in path]
    names = {f"$request.path.{found['name']}": "workspace id" for found in parameters}
    assert "told apart" in added(names, *parameters, path=path).problem


def test_operations_of_one_name_are_no_description() -> None:
    """The one that reads would have the one that writes be taken for reading."""
    document = purge()
    reading = purge(**{"x-writes": []})["paths"]["/v1/api/models/purge"]
    document["paths"]["/v1/api/models/see"] = reading
    assert (
        effects_with(document)["purge_model"].problem == "Another operation of the contract is called purge_model, too."
    )


def test_a_reference_that_leads_to_itself_is_no_description() -> None:
    schemas = {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}
    assert "leads to itself" in added(WORKSPACE, json={"$ref": "#/components/schemas/A"}, schemas=schemas).problem


def test_a_header_that_clients_send_themselves_is_looked_at_where_it_names_something(owned: OwnedResources) -> None:
    parameters = (parameter("query", "workspace_id"), parameter("header", "User-Agent"))
    effects = added(QUERY | {"$request.header.User-Agent": "pipeline id"}, *parameters)
    see(effects, owned, b"", query="?workspace_id=7", header="8")
    with pytest.raises(WithheldError, match="names no pipeline id"):
        see(effects, owned, b"", query="?workspace_id=7", header="1")


def test_json_in_a_query_or_a_form_is_looked_into(owned: OwnedResources) -> None:
    inner = {"content": {JSON: {"schema": needs(model_id=INTEGER)}}}
    parameters = (parameter("query", "workspace_id"), {"in": "query", "name": "filter"} | inner)
    effects = added(QUERY | {"$request.query.filter": "nothing"}, *parameters)
    with pytest.raises(WithheldError, match="does not say what"):
        see(effects, owned, b"", query="?workspace_id=7&filter=%7B%22model_id%22%3A1%7D")
    names = WORKSPACE | {"$request.body#/target": "nothing", "$request.body#/target/id": "pipeline id"}
    effects = added(names, form=within(target=needs(id=INTEGER)))
    see(effects, owned, b"workspace_id=7&target=%7B%22id%22%3A8%7D", kind=FORM)
    with pytest.raises(WithheldError, match="names no pipeline id"):
        see(effects, owned, b"workspace_id=7&target=%7B%22id%22%3A1%7D", kind=FORM)
