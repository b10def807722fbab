"""Are workspaces, models, pipelines and deployments listed with what tells them apart, on releases that list them?"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client import Client

from contract_tests.support.command_line import in_process
from contract_tests.support.servers.forks import fork_server
from wallaroo_ext import (
    Deployment,
    ModelInfo,
    NotFoundError,
    PipelineInfo,
    aio,
    connect,
    deploy_pipeline,
    find_workspace,
    list_deployments,
    list_models,
    list_pipelines,
    list_workspaces,
    undeploy,
    upload_model,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from contract_tests.support.command_line import Done

Answers = dict[str, Any]


@pytest.fixture(scope="module")
def used(model_file: Path) -> Generator[dict[str, str]]:
    """Return the environment of an instance with two workspaces, two models, and a pipeline that is deployed."""
    with fork_server.running() as environment, connect(environment=environment) as client:
        workspace = find_workspace(client, "fraud", create=True)
        upload_model(client, model_file, name="cards", workspace=workspace.id)
        newest = upload_model(client, model_file, name="cards", workspace=workspace.id)
        upload_model(client, model_file, name="accounts", workspace=workspace.id)
        deploy_pipeline(client, "screening", newest, workspace=workspace.id)
        deploy_pipeline(client, "paused", newest, workspace=workspace.id)
        undeploy(client, "paused")
        yield environment


@pytest.fixture
def wallaroo(
    used: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    return in_process(used, monkeypatch, capsys)


def answering(answers: Answers, asked: list[tuple[str, Any]] | None = None) -> Client:
    """Return a client of an instance with an answer for each path's end; others are 404."""

    def answer(request: httpx.Request) -> httpx.Response:
        path, body = request.url.path.removeprefix("/v1/api/"), json.loads(request.content)
        if asked is not None:
            asked.append((path, body))
        found = answers.get(path)
        found = found(body) if callable(found) else found
        return (
            httpx.Response(404, json={"msg": "none", "code": 404}) if found is None else httpx.Response(200, json=found)
        )

    transport = httpx.MockTransport(answer)
    base = "https://api.example.com"
    return Client(base_url=base).set_httpx_client(httpx.Client(transport=transport, base_url=base))


def workspace(number: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": name, "archived": False, "models": [number], "pipelines": [number]} | more


class TestWorkspaces:
    def test_they_come_by_their_names_and_the_archived_ones_on_demand(self) -> None:
        rows = [workspace(3, "c"), workspace(1, "b", archived=True), workspace(2, "a")]
        client = answering({"workspaces/list": {"workspaces": rows}})
        assert [found.name for found in list_workspaces(client)] == ["a", "c"]
        assert [found.name for found in list_workspaces(client, archived=True)] == ["a", "b", "c"]

    def test_on_the_command_line(self, wallaroo: Callable[..., Done]) -> None:
        title, *lines = wallaroo("list", "workspaces").out.splitlines()
        assert title.split() == ["workspace", "id", "models", "pipelines", "created"]
        assert [line.split()[:4] for line in lines if line.startswith("fraud")] == [["fraud", "2", "2", "2"]]
        rows = json.loads(wallaroo("list", "workspaces", "FRAU", "--json").out)
        assert [(row["id"], row["name"], row["models"]) for row in rows] == [(2, "fraud", [1, 3])]


class TestModels:
    def test_they_come_with_their_versions_the_newest_first(self, used: dict[str, str]) -> None:
        with connect(environment=used) as client:
            accounts, cards = list_models(client)
            assert isinstance(accounts, ModelInfo)
            assert (accounts.name, accounts.workspace, accounts.workspace_id) == ("accounts", "fraud", 2)
            assert [version.id for version in cards.versions] == [2, 1]
            assert {version.status for version in cards.versions} == {"ready"}
            assert list_models(client, "fraud") == list_models(client, 2) == [accounts, cards]
            with deploy_pipeline(client, "listed", cards.versions[0], workspace=2) as deployment:
                assert deployment.status == "Running"

    def test_each_form_of_the_list_gives_the_same(self) -> None:
        version = {"id": 5, "models_pk_id": 1, "model_id": "m", "model_version": "v5", "sha": "ab" * 32}
        info = {"version": "v5", "sha": "ab" * 32, "file_name": "m.onnx", "size": 5}
        details = {"id": 5, "name": "m", "status": "ready", "file_info": info}
        rows: list[dict[str, Any]] = [
            {"id": 1, "name": "m"},
            {"id": 5, "models": version},
            {"model": {"id": 1, "name": "m"}, "model_versions": [{"model_version": details, "config": None}]},
        ]
        for row in rows:
            asked: list[tuple[str, Any]] = []
            answers: Answers = {
                "workspaces/list": {"workspaces": [workspace(7, "w"), workspace(8, "empty", models=[])]},
                "models/list": {"models": [row]},
                "models/list_versions": [version],
            }
            [model] = list_models(answering(answers, asked))
            [found] = model.versions
            assert (model.id, model.name, model.workspace) == (1, "m", "w")
            assert (found.id, found.models_pk_id, found.model_version, found.sha) == (5, 1, "v5", "ab" * 32)
            paths = [path for path, _ in asked]
            assert paths.count("models/list") == 1  # a workspace that says that it has none is not asked
            assert ("models/list_versions" in paths) == ("model_versions" not in row)

    def test_a_workspace_that_is_not_there_names_its_neighbours(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("list", "models", "--workspace", "freud")
        assert (done.code, "'fraud'" in done.sentence) == (1, True)

    def test_on_the_command_line(self, wallaroo: Callable[..., Done]) -> None:
        title, accounts, cards = wallaroo("list", "models").out.splitlines()
        assert title.split() == ["model", "id", "workspace", "versions", "newest", "version", "sha256", "status"]
        assert accounts.split()[:4] == ["accounts", "3", "fraud", "1"]
        assert cards.split()[3] == "2"
        [row] = json.loads(wallaroo("list", "models", "card", "--json").out)
        assert cards.split()[4] == row["versions"][0]["model_version"]
        assert [version["id"] for version in row["versions"]] == [2, 1]

    def test_a_name_that_is_not_there_names_its_neighbours(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("list", "models", "crads")
        assert done.code == 2
        assert done.sentence == "No model has 'crads' in its name. Near names: cards."


class TestPipelines:
    def test_they_say_whether_they_are_deployed(self, used: dict[str, str]) -> None:
        with connect(environment=used) as client:
            listed = {found.name: found for found in list_pipelines(client, "fraud")}
            assert list_pipelines(client, "user@example.com - Default Workspace") == []
        found = listed["screening"]
        assert isinstance(found, PipelineInfo)
        assert (found.workspace, found.workspace_id, found.deployed) == ("fraud", 2, True)
        assert len(found.version or "") == 36
        assert listed["paused"].deployed is False

    def test_what_a_release_leaves_out_is_none(self) -> None:
        row = {"pipeline": {"id": 4, "name": "p"}}
        client = answering(
            {"workspaces/list": {"workspaces": [workspace(7, "w")]}, "pipelines/list_pipelines": {"pipelines": [row]}}
        )
        assert list_pipelines(client, "w") == [PipelineInfo(id=4, name="p", workspace_id=7, workspace="w")]

    def test_a_release_that_does_not_list_them_says_what_it_shows(self) -> None:
        client = answering({"workspaces/list": {"workspaces": [workspace(7, "w", pipelines=[3, 4])]}})
        for call in (list_pipelines, list_deployments):
            with pytest.raises(NotFoundError, match=r"releases before 2025 .*'w': 3, 4.*find_deployment"):
                call(client)

    def test_on_the_command_line(self, wallaroo: Callable[..., Done]) -> None:
        lines = wallaroo("list", "pipelines").out.splitlines()
        deployed = {line.split()[0]: line.split()[-1] for line in lines}
        assert (deployed["screening"], deployed["paused"]) == ("yes", "no")


class TestDeployments:
    def test_those_that_are_deployed_come_with_url_and_status(self, used: dict[str, str]) -> None:
        with connect(environment=used) as client:
            [found] = list_deployments(client)
            assert isinstance(found, Deployment)
            assert (found.pipeline, found.name, found.status, found.started) == (
                "screening",
                "screening-1",
                "Running",
                False,
            )
            assert found.url.endswith("/infer/screening-1/screening")
            assert found.workspace_id == 2

    def test_a_pipeline_whose_list_does_not_say_it_is_asked(self) -> None:
        def url_of(body: dict[str, Any]) -> dict[str, str] | None:
            url = "https://api.example.com/v1/api/pipelines/infer/p-9/p"
            return {"url": url} if body["pipeline_name"] == "p" else None

        answers: Answers = {
            "workspaces/list": {"workspaces": [workspace(7, "w")]},
            "pipelines/list_pipelines": {
                "pipelines": [
                    {"pipeline": {"id": 4, "name": "p"}},
                    {"pipeline": {"id": 5, "name": "q"}, "deployment": None},
                    {"pipeline": {"id": 6, "name": "r"}, "deployment": {"id": 1}},
                ]
            },
            "admin/get_pipeline_external_url": url_of,
            "status/get_deployment": {"status": "Starting", "details": [], "engines": [], "engine_lbs": []},
        }
        asked: list[tuple[str, Any]] = []
        [found] = list_deployments(answering(answers, asked), 7)
        assert (found.name, found.status, found.pipeline_id) == ("p-9", "Starting", 4)
        assert [body["pipeline_name"] for path, body in asked if path.startswith("admin")] == ["p", "r"]

    def test_on_the_command_line(self, wallaroo: Callable[..., Done]) -> None:
        title, line = wallaroo("list", "deployments").out.splitlines()
        assert title.split() == ["pipeline", "deployment", "id", "workspace", "status", "url"]
        assert line.split()[:5] == ["screening", "screening-1", "1", "2", "Running"]
        [row] = json.loads(wallaroo("list", "deployments", "--json").out)
        assert row["url"] == line.split()[5]
        assert "list deployments" in wallaroo("status").sentence


def test_an_empty_list_says_what_to_do_next_and_is_no_error(
    sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wallaroo = in_process(sandbox, monkeypatch, capsys)
    with connect(environment=sandbox) as client:
        find_workspace(client, "lists-nothing", create=True)
    for what in ("models", "pipelines", "deployments"):
        done = wallaroo("list", what, "--workspace", "lists-nothing")
        assert done.code == 0
        assert done.sentence.startswith(f"No {what}: `wallaroo-ext ")
        assert wallaroo("list", what, "--workspace", "lists-nothing", "--json").out == "[]\n"


def test_asyncio_lists_the_same(used: dict[str, str]) -> None:
    async def listed() -> list[Any]:
        async with connect(environment=used) as client:
            return [
                await aio.list_workspaces(client),
                await aio.list_models(client),
                await aio.list_pipelines(client),
                await aio.list_deployments(client),
            ]

    with connect(environment=used) as client:
        listed_here = [list_workspaces(client), list_models(client), list_pipelines(client), list_deployments(client)]
    assert asyncio.run(listed()) == listed_here
