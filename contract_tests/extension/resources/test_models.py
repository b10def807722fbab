"""Is a version of a model found by what identifies it, whatever the order that an instance lists them in?"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client import Client

from wallaroo_ext import (
    AmbiguousError,
    InvalidDataError,
    NotFoundError,
    aio,
    connect,
    find_workspace,
    model_version,
    upload_model,
)

if TYPE_CHECKING:
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


class TestRefusing:
    def test_a_sha_that_fits_several_files_lists_them(self) -> None:
        with pytest.raises(AmbiguousError, match=r"fit 'ab'.*v1 \(id 1, sha ab0000000000\).*Give more") as raised:
            found(version(1), version(2), sha="ab")
        assert len(raised.value.candidates) == 2

    @pytest.mark.parametrize("wanted", [{"version": "v7"}, {"sha": "ff"}, {"sha": SHAS[0], "version": "v2"}])
    def test_a_version_that_is_not_there_lists_those_that_are(self, wanted: Any) -> None:
        with pytest.raises(NotFoundError, match=r"The model 'm' has no version .*v[12] \(id "):
            found(version(1), version(2), **wanted)

    def test_a_model_without_versions_has_none(self) -> None:
        with pytest.raises(NotFoundError, match="no version at all"):
            found()

    @pytest.mark.parametrize("sha", ["", "xyz", "a" * 65])
    def test_a_sha_is_hexadecimal(self, sha: str) -> None:
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
