"""Is a workspace found by everything that a person may name it with, and made where that is wanted?"""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from wallaroo_mlops_client import Client

from wallaroo_ext import (
    AmbiguousError,
    ConfigurationError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    aio,
    connect,
    find_workspace,
)
from wallaroo_ext.operations import run
from wallaroo_ext.resources.workspaces import workspace_id_steps


def new_name() -> str:
    return f"w-{uuid.uuid4().hex}"


def listing(*workspaces: dict[str, Any]) -> Client:
    """Return a client of an instance that lists these workspaces."""
    answer = {"workspaces": list(workspaces)}
    return Client(base_url="https://api.example.com").set_httpx_client(
        httpx.Client(
            transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer)),
            base_url="https://api.example.com",
        )
    )


class TestFinding:
    def test_by_name_and_by_id(self, client: Client) -> None:
        made = find_workspace(client, new_name(), create=True)
        assert find_workspace(client, made.name) == find_workspace(client, made.id) == made

    def test_a_name_that_is_not_there_is_said_with_near_ones(self) -> None:
        client = listing({"id": 1, "name": "fraud-models"}, {"id": 2, "name": "houses"})
        with pytest.raises(
            NotFoundError, match=r"no workspace 'Fraud-model'\. Near names: 'fraud-models'\.$"
        ) as raised:
            find_workspace(client, "Fraud-model")
        assert (raised.value.status, raised.value.operation) == (404, "list_workspaces")
        with pytest.raises(NotFoundError, match=r"There are: 'fraud-models', 'houses'\."):
            find_workspace(client, "quite-another")
        with pytest.raises(NotFoundError, match=r"no workspace 3\. There are: 1 \('fraud-models'\), 2 \('houses'\)\."):
            find_workspace(client, 3)

    def test_many_names_are_not_all_listed(self) -> None:
        client = listing(*({"id": number, "name": f"w{number}" * 3} for number in range(25)))
        with pytest.raises(NotFoundError, match="and 15 more"):
            find_workspace(client, "quite-another")

    def test_an_archived_one_is_found_by_its_id_only(self) -> None:
        client = listing({"id": 1, "name": "old", "archived": True}, {"id": 2, "name": "new"})
        assert find_workspace(client, 1).name == "old"
        assert find_workspace(client).name == "new"
        with pytest.raises(NotFoundError):
            find_workspace(client, "old")

    @pytest.mark.parametrize("workspace", [True, 1.5, "", b"name"])
    def test_what_is_no_name_and_no_id_is_refused(self, client: Client, workspace: Any) -> None:
        with pytest.raises(InvalidDataError, match="a name or an id"):
            find_workspace(client, workspace)

    def test_in_asyncio(self, sandbox: dict[str, str], workspace_id: int) -> None:
        async def find() -> int:
            async with connect(environment=sandbox) as client:
                return (await aio.find_workspace(client)).id

        assert asyncio.run(find()) == workspace_id


class TestWithoutAName:
    def test_it_is_the_only_one(self) -> None:
        assert find_workspace(listing({"id": 7, "name": "only"})).id == 7

    def test_of_several_it_is_the_users_own(self) -> None:
        own = {"id": 7, "name": "first.user@example.com - Default Workspace"}
        assert find_workspace(listing({"id": 1, "name": "shared"}, own)).id == 7

    @pytest.mark.parametrize("suffix", ["", " - Default Workspace"])
    def test_where_that_is_not_clear_they_are_listed(self, suffix: str) -> None:
        client = listing({"id": 1, "name": f"a{suffix}"}, {"id": 2, "name": f"b{suffix}"})
        with pytest.raises(AmbiguousError, match=r"has several.*Name the one to use") as raised:
            find_workspace(client)
        assert raised.value.candidates == [f"'a{suffix}'", f"'b{suffix}'"]

    def test_a_user_without_any_is_told(self) -> None:
        with pytest.raises(NotFoundError, match="has no workspace"):
            find_workspace(listing())


class TestCreating:
    def test_one_that_is_there_is_not_made_again(self, client: Client) -> None:
        name = new_name()
        assert find_workspace(client, name, create=True) == find_workspace(client, name, create=True)

    def test_several_at_once_get_the_same_one(self, sandbox: dict[str, str]) -> None:
        name = new_name()
        with connect(environment=sandbox) as client, ThreadPoolExecutor(8) as threads:
            finding = [threads.submit(find_workspace, client, name, create=True) for _ in range(8)]
            assert len({found.result().id for found in finding}) == 1

    def test_one_that_another_program_makes_first_is_the_one(self, client: Client) -> None:
        name = new_name()
        send = client.get_httpx_client().send
        made: list[int] = []

        def overtaken(request: httpx.Request, **options: Any) -> httpx.Response:
            if request.url.path.endswith("workspaces/create") and not made:
                made.append(0)
                made[0] = find_workspace(client, name, create=True).id
            return send(request, **options)

        client.get_httpx_client().send = overtaken
        assert [find_workspace(client, name, create=True).id] == made

    def test_a_name_against_the_rules_is_the_instances_error(self, client: Client) -> None:
        with pytest.raises(InvalidRequestError) as raised:
            find_workspace(client, "Not A Label!", create=True)
        assert raised.value.operation == "create_workspace"

    @pytest.mark.parametrize("workspace", [3, None])
    def test_it_takes_a_name(self, client: Client, workspace: Any) -> None:
        with pytest.raises(ConfigurationError, match="by its name"):
            find_workspace(client, workspace, create=True)


class TestIds:
    def test_an_id_is_taken_without_asking(self) -> None:
        assert run(Client(base_url="https://nowhere.example.com"), workspace_id_steps(12)) == 12

    def test_a_name_or_nothing_becomes_an_id(self, client: Client, workspace_id: int) -> None:
        for named in (find_workspace(client, workspace_id).name, None):
            assert run(client, workspace_id_steps(named)) == workspace_id
