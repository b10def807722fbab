"""Is a version of a model found by what identifies it, whatever the order that an instance lists them in?"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from wallaroo_mlops_client import Client

from contract_tests.support.data.recordings import recording
from wallaroo_ext import (
    AmbiguousError,
    ContractViolationError,
    InvalidDataError,
    NotFoundError,
    aio,
    connect,
    find_workspace,
    model_version,
    upload_model,
)
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.operations import run
from wallaroo_ext.resources.models import ListedModel, models_steps, newest, versions_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHAS = ["ab" + "0" * 62, "ab" + "1" * 62, "cd" + "2" * 62, "cd" + "2" * 62]


def version(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "models_pk_id": 1,
        "model_id": "m",
        "model_version": f"v{number}",
        "sha": SHAS[number - 1],
    } | more


def instance(*versions: dict[str, Any]) -> Client:
    """Return a client of an instance with one model of these versions, in this order."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("models/list"):
            return httpx.Response(200, json={"models": [{"id": 9, "name": "n"}, {"id": 1, "name": "m"}]})
        assert json.loads(request.content) == {"model_id": "m", "models_pk_id": 1}
        return httpx.Response(200, json=list(versions))

    return answering(answer)


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    """Return a client of an instance in this process."""
    return Client(base_url="https://api.example.com").set_httpx_client(
        httpx.Client(transport=httpx.MockTransport(answer), base_url="https://api.example.com")
    )


def found(*versions: dict[str, Any], **wanted: Any) -> int:
    return model_version(instance(*versions), "m", workspace=1, **wanted).id


class TestChoosing:
    def test_the_newest_has_the_highest_id_at_any_place(self) -> None:
        assert found(version(2), version(3), version(1)) == 3

    def test_or_was_created_last_where_the_instance_tells_it(self) -> None:
        times = ["2023-05-17T20:51:53.5Z", "2023-05-17T20:51:53.45999999Z", "2023-05-17T20:51:53.077997+00:00"]
        assert found(*(version(number + 1, created_at=time) for number, time in enumerate(times))) == 1

    def test_but_not_where_it_tells_it_of_some_only(self) -> None:
        assert found(version(1, created_at="2023-05-17T20:51:53Z"), version(2)) == 2

    def test_by_its_uuid(self) -> None:
        assert found(version(2), version(1), version=("V1")) == 1

    @pytest.mark.parametrize("sha", [SHAS[1], "ab1", "AB1"])
    def test_by_its_sha_or_the_beginning_of_it(self, sha: str) -> None:
        assert found(version(1), version(2), version(3), sha=sha) == 2

    def test_of_one_file_it_is_the_newest(self) -> None:
        assert found(version(4), version(3), version(1), sha="cd") == 4

    def test_by_both(self) -> None:
        assert found(version(4), version(3), sha="cd", version="v3") == 3


def listing(*rows: dict[str, Any], versions: Any = ()) -> tuple[Client, list[Any]]:
    """Return a client of an instance that lists these models and versions, and what it was asked."""
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("models/list"):
            return httpx.Response(200, json={"models": list(rows)})
        asked.append(json.loads(request.content))
        return httpx.Response(200, json=list(versions))

    return answering(answer), asked


def details(number: int) -> dict[str, Any]:
    """Return a version as models are listed with from 2024 on."""
    file_info = {"version": f"v{number}", "sha": SHAS[0], "file_name": "m.onnx", "size": 5}
    found = {"id": number, "name": "m", "status": "ready", "file_info": file_info, "created_on_version": "2025.2.1"}
    return {"model_version": found, "config": {"id": number + 16, "model_version_id": number, "runtime": "onnx"}}


FORMS: dict[str, dict[str, Any]] = {
    "on its own": {"id": 1, "name": "m", "owner_id": '""', "created_at": "2023-05-17T20:51:53.077997+00:00"},
    "by a version, in 2022": {"id": 2, "models": version(2) | {"owner_id": '""', "file_name": "m.onnx"}},
    "with its versions, since 2024": {
        "model": {"id": 1, "name": "m", "workspace_id": 7},
        "model_versions": [details(2)],
    },
    "with its workspace, too": {
        "model": {"id": 1, "name": "m", "workspace_id": 7},
        "model_versions": [],
        "workspace": {"id": 7, "name": "w"},
    },
}


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    def test_a_model_is_found_in_the_form_of_any_release(self, form: str) -> None:
        client, asked = listing(FORMS[form], versions=[version(2)])
        assert model_version(client, "m", workspace=7).id == 2
        assert asked == [{"model_id": "m", "models_pk_id": 1}]

    def test_similar_names_are_shown_in_every_form(self) -> None:
        client, _ = listing(*FORMS.values())
        with pytest.raises(NotFoundError, match="Near names: 'm'"):
            model_version(client, "M", workspace=7)

    def test_a_model_without_a_name_breaks_the_contract(self) -> None:
        client, _ = listing({"id": 1, "name": None})
        with pytest.raises(ContractViolationError):
            model_version(client, "m", workspace=7)

    def test_versions_of_another_model_of_the_name_do_not_count(self) -> None:
        listed = [version(2), version(4, models_pk_id=8), version(1)]
        client, _ = listing(FORMS["on its own"], versions=listed)
        assert model_version(client, "m", workspace=7).id == 2
        with pytest.raises(NotFoundError, match="has no version 'v4'"):
            model_version(client, "m", workspace=7, version="v4")

    def test_versions_that_the_list_of_models_has_are_looked_for_there(self) -> None:
        rows = [{"model": {"id": 20 + n, "name": f"m{n}"}, "model_versions": [details(n)]} for n in (1, 2, 3)]
        client, asked = listing(*rows)
        models = run(client, models_steps(7))
        assert [model.version_ids for model in models] == [(1,), (2,), (3,)]
        assert asked == []

    def test_every_recorded_list_is_read(self) -> None:
        files = sorted(recording("").glob("*-models-list-*.json"))
        assert files
        for file in files:
            rows = json.loads(file.read_text(encoding="utf-8"))["response"]["models"]
            client, _ = listing(*rows)
            shown = json.dumps(rows)
            for model in run(client, models_steps(7)):
                assert f'"name": "{model.name}"' in shown or f'"model_id": "{model.name}"' in shown, file.name
                assert model.id in {object_of(row.get("model")).get("id", row.get("id")) for row in rows}

    def test_every_recorded_list_of_versions_is_one_models(self) -> None:
        files = sorted(recording("").glob("*-models-list_versions-*.json"))
        assert files
        for file in files:
            versions = json.loads(file.read_text(encoding="utf-8"))["response"]
            for number in {found["models_pk_id"] for found in versions}:
                client, _ = listing(FORMS["on its own"], versions=versions)
                own = run(client, versions_steps(ListedModel(number, "m")))
                assert {found.models_pk_id for found in own} == {number}
                assert len(own) == sum(found["models_pk_id"] == number for found in versions)
                assert newest(own).id == max(found.id for found in own)


class TestRefusing:
    def test_a_sha_that_fits_several_files_lists_them(self) -> None:
        with pytest.raises(AmbiguousError, match=r"fit 'ab'.*v1 \(id 1, sha ab0000000000\).*Give more") as raised:
            found(version(1), version(2), sha="ab")
        assert len(raised.value.candidates) == 2

    @pytest.mark.parametrize("wanted", [{"version": "v7"}, {"sha": "ff"}, {"sha": SHAS[0], "version": "v2"}])
    def test_a_version_that_is_not_there_lists_those_that_are(self, wanted: Any) -> None:
        with pytest.raises(NotFoundError, match=r"The model 'm' has no version .*v[12] \(id "):
            found(version(1), version(2), **wanted)

    def test_what_is_not_there_is_a_404_with_a_message(self) -> None:
        with pytest.raises(NotFoundError) as raised:
            found()
        assert (raised.value.status, raised.value.msg) == (404, "The model 'm' has no version at all.")

    def test_a_model_without_versions_has_none(self) -> None:
        with pytest.raises(NotFoundError, match="no version at all"):
            found()

    @pytest.mark.parametrize("wrong", [5, UUID(int=5), b"v", True])
    def test_so_is_a_version(self, wrong: Any) -> None:
        client = connect("https://api.example.com", token="t", environment={})
        with pytest.raises(InvalidDataError, match="A version is found by its UUID, as a text, not "):
            model_version(client, "m", version=wrong)

    @pytest.mark.parametrize("name", [None, 5, version(1)])
    def test_a_name_is_a_text(self, name: Any) -> None:
        client = connect("https://api.example.com", token="t", environment={})
        with pytest.raises(InvalidDataError, match="A model is found by its name, not "):
            model_version(client, name)

    @pytest.mark.parametrize("sha", ["", "xyz", "a" * 65, 5])
    def test_a_sha_is_hexadecimal(self, sha: Any) -> None:
        with pytest.raises(InvalidDataError, match="hexadecimal"):
            found(version(1), sha=sha)


class TestOnASandbox:
    def test_models_of_other_workspaces_do_not_count(self, client: Client, model_file: Path) -> None:
        other = find_workspace(client, f"w-{uuid.uuid4().hex}", create=True)
        name = f"m-{uuid.uuid4().hex}"
        here, there = (upload_model(client, model_file, name=name, workspace=place) for place in (1, other.id))
        assert model_version(client, name).id == here.id
        assert model_version(client, name, workspace=other.name).id == there.id
        with pytest.raises(NotFoundError, match="no version"):
            model_version(client, name, version=there.model_version)
        with pytest.raises(NotFoundError, match=f"Near names: '{name}'"):
            model_version(client, name[:-1], workspace=other.id)

    def test_in_asyncio(self, sandbox: dict[str, str], client: Client, model_file: Path) -> None:
        uploaded = upload_model(client, model_file, name="aio-version", workspace=1)

        async def find() -> int:
            async with connect(environment=sandbox) as connected:
                return (await aio.model_version(connected, "aio-version", sha=uploaded.sha[:10])).id

        assert asyncio.run(find()) == uploaded.id
