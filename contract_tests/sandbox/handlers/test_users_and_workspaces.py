"""Does an instance know its users, and who may use a workspace? Plain HTTP, with second users who were invited."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.servers.callers import (
    PASSWORD,
    UNKNOWN,
    invited,
    new_email,
    new_workspace,
    post,
    refused,
    sign_in,
    sign_in_as,
    with_token,
)
from wallaroo_ext import contract

if TYPE_CHECKING:
    import httpx


class TestQueryUsers:
    def test_without_ids_everybody_is_found(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        with invited(sandbox, http) as (email, user_id, _):
            users = post(http, "query_users", {}).json()["users"]
        assert {email, sandbox["WALLAROO_USER"]} <= {user["username"] for user in users.values()}
        assert all(user["id"] == key for key, user in users.items())
        assert user_id in users

    def test_a_user_has_what_was_recorded(
        self, http: httpx.Client, sandbox: dict[str, str], document: dict[str, Any]
    ) -> None:
        path = contract.operation("query_users").path
        content = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
        [recorded] = content["examples"]["api-essentials-guide"]["value"]["users"].values()
        with invited(sandbox, http) as (email, user_id, _):
            [user] = post(http, "query_users", {"user_ids": [user_id]}).json()["users"].values()
        assert set(recorded) - set(user) == {"firstName", "lastName"}
        assert user["access"] == recorded["access"] | {"impersonate": True}, "as releases since 2024.2 were recorded"
        assert (user["email"], user["enabled"], user["requiredActions"]) == (email, True, [])
        assert abs(user["createdTimestamp"] - 1000 * time.time()) < 60_000

    def test_an_id_that_nobody_has_is_null(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        with invited(sandbox, http) as (_, user_id, _):
            users = post(http, "query_users", {"user_ids": [UNKNOWN, user_id, user_id]}).json()["users"]
        assert users[UNKNOWN] is None
        assert users[user_id]["id"] == user_id
        assert len(users) == 2

    def test_no_ids_find_nobody(self, http: httpx.Client) -> None:
        assert post(http, "query_users", {"user_ids": []}).json() == {"users": {}}

    def test_ids_are_texts(self, http: httpx.Client) -> None:
        assert refused(post(http, "query_users", {"user_ids": [1]}), "user_ids.0")


class TestInviteUser:
    def test_a_new_user_may_sign_in_and_has_a_workspace(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        email = new_email()
        answer = post(http, "invite_user", {"email": email, "password": PASSWORD}).json()
        assert answer["password"] == PASSWORD
        token = sign_in_as(sandbox, email.upper()).json()["access_token"]
        with with_token(sandbox, token) as theirs:
            [workspace] = post(theirs, "list_workspaces", {}).json()["workspaces"]
        assert (workspace["name"], workspace["created_by"]) == (f"{email} - Default Workspace", answer["id"])

    def test_a_temporary_password_has_to_be_changed_first(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        first, second = new_email(), new_email()
        answers = [post(http, "invite_user", {"email": email}).json() for email in (first, second)]
        assert answers[0]["password"] != answers[1]["password"]
        users = post(http, "query_users", {"user_ids": [answers[0]["id"]]}).json()["users"]
        assert users[answers[0]["id"]]["requiredActions"] == ["UPDATE_PASSWORD"]
        password = answers[0]["password"]
        refusal = sign_in(sandbox, grant_type="password", username=first, password=password)
        assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
        assert refusal.json()["error_description"] == "Account is not fully set up"

    def test_an_address_is_used_once_in_any_case(self, http: httpx.Client) -> None:
        email = new_email()
        assert post(http, "invite_user", {"email": email.upper(), "password": PASSWORD}).status_code == 200
        for taken in (email, email.upper()):
            assert refused(post(http, "invite_user", {"email": taken, "password": PASSWORD}), "already")
        users = post(http, "query_users", {}).json()["users"].values()
        assert [user["username"] for user in users if user["email"] == email] == [email]

    @pytest.mark.parametrize(
        "body", [{}, {"email": "nobody"}, {"email": None}, {"email": "a@example.com", "password": ""}]
    )
    def test_what_is_no_invitation_is_refused(self, http: httpx.Client, body: dict[str, Any]) -> None:
        before = post(http, "query_users", {}).json()
        assert post(http, "invite_user", body).status_code == 400
        assert post(http, "query_users", {}).json() == before


class TestActivation:
    def test_a_deactivated_user_is_shut_out_until_activated(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        with invited(sandbox, http) as (email, user_id, theirs):
            for _ in range(2):
                assert post(http, "deactivate_user", {"email": email.upper()}).json() == {}
            assert post(theirs, "list_workspaces", {}).status_code == 401
            refusal = sign_in_as(sandbox, email)
            assert (refusal.status_code, refusal.json()["error"]) == (400, "invalid_grant")
            users = post(http, "query_users", {"user_ids": [user_id]}).json()["users"]
            assert users[user_id]["enabled"] is False
            for _ in range(2):
                assert post(http, "activate_user", {"email": email}).json() == {}
            assert post(theirs, "list_workspaces", {}).status_code == 200
            assert sign_in_as(sandbox, email).status_code == 200

    @pytest.mark.parametrize("operation", ["activate_user", "deactivate_user"])
    def test_an_unknown_address_is_refused(self, http: httpx.Client, operation: str) -> None:
        email = new_email()
        assert refused(post(http, operation, {"email": email}), email, 500)


class TestWorkspaceUsers:
    def members(self, http: httpx.Client, workspace_id: int) -> list[tuple[str, str]]:
        users = post(http, "list_workspace_users", {"workspace_id": workspace_id}).json()["users"]
        return [(user["user_id"], user["user_type"]) for user in users]

    @pytest.mark.parametrize("named_by", [["email"], ["user_id"], ["email", "user_id"]])
    def test_a_user_is_added_and_removed(
        self, http: httpx.Client, sandbox: dict[str, str], named_by: list[str]
    ) -> None:
        workspace_id = new_workspace(http)
        with invited(sandbox, http) as (email, user_id, theirs):
            names = {"email": email.upper(), "user_id": user_id}
            body = {"workspace_id": workspace_id} | {name: names[name] for name in named_by}
            assert post(theirs, "list_models", {"workspace_id": workspace_id}).status_code == 400
            assert post(http, "add_workspace_user", body).json() == {}
            assert post(theirs, "list_models", {"workspace_id": workspace_id}).status_code == 200
            assert self.members(theirs, workspace_id)[1:] == [(user_id, "COLLABORATOR")]
            assert [post(http, "remove_workspace_user", body).json() for _ in range(2)] == [
                {"affected_rows": 1},
                {"affected_rows": 0},
            ]
            assert post(theirs, "list_models", {"workspace_id": workspace_id}).status_code == 400

    def test_owners_come_first(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        workspace_id = new_workspace(http)
        [(creator, _)] = self.members(http, workspace_id)
        with invited(sandbox, http) as (_, one, _), invited(sandbox, http) as (_, two, _):
            post(http, "add_workspace_user", {"workspace_id": workspace_id, "user_id": one})
            post(http, "add_workspace_user", {"workspace_id": workspace_id, "user_id": two, "user_type": "OWNER"})
        assert self.members(http, workspace_id) == [(creator, "OWNER"), (two, "OWNER"), (one, "COLLABORATOR")]

    def test_adding_a_member_again_changes_nothing(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        workspace_id = new_workspace(http)
        with invited(sandbox, http) as (_, user_id, _):
            body = {"workspace_id": workspace_id, "user_id": user_id}
            post(http, "add_workspace_user", body)
            before = self.members(http, workspace_id)
            assert post(http, "add_workspace_user", body | {"user_type": "OWNER"}).json() == {}
        assert self.members(http, workspace_id) == before

    def test_the_last_owner_stays(self, http: httpx.Client, sandbox: dict[str, str]) -> None:
        workspace_id = new_workspace(http)
        body = {"workspace_id": workspace_id, "email": sandbox["WALLAROO_USER"]}
        assert refused(post(http, "remove_workspace_user", body), "only owner")
        with invited(sandbox, http) as (email, user_id, theirs):
            second = {"workspace_id": workspace_id, "email": email, "user_type": "OWNER"}
            post(http, "add_workspace_user", second)
            assert post(http, "remove_workspace_user", body).json() == {"affected_rows": 1}
            assert refused(post(http, "list_workspace_users", body), f"no workspace {workspace_id}")
            assert self.members(theirs, workspace_id) == [(user_id, "OWNER")]

    @pytest.mark.parametrize("operation", ["add_workspace_user", "list_workspace_users", "remove_workspace_user"])
    def test_who_is_no_member_sees_no_workspace(
        self, http: httpx.Client, sandbox: dict[str, str], operation: str
    ) -> None:
        workspace_id = new_workspace(http)
        before = self.members(http, workspace_id)
        with invited(sandbox, http) as (email, _, theirs):
            foreign, unknown = (
                post(theirs, operation, {"workspace_id": number, "email": email})
                .json()["msg"]
                .replace(str(number), "N")
                for number in (workspace_id, 2_000_000_000)
            )
        assert foreign == unknown
        assert self.members(http, workspace_id) == before

    @pytest.mark.parametrize("operation", ["add_workspace_user", "remove_workspace_user"])
    def test_a_request_names_one_known_user(self, http: httpx.Client, sandbox: dict[str, str], operation: str) -> None:
        body = {"workspace_id": new_workspace(http)}
        assert refused(post(http, operation, body), "email, user_id")
        assert refused(post(http, operation, body | {"user_id": UNKNOWN}), UNKNOWN, 500)
        assert refused(post(http, operation, body | {"email": "nobody@example.com"}), "nobody@example.com", 500)
        with invited(sandbox, http) as (_, user_id, _):
            both = body | {"email": sandbox["WALLAROO_USER"], "user_id": user_id}
            assert refused(post(http, operation, both), "one user")


class TestFeatures:
    @pytest.mark.parametrize(
        ("content", "headers"),
        [
            (b"{}", {"Content-Type": "application/json"}),
            (b"null", {"Content-Type": "application/json"}),
            (b"", {"Content-Type": "application/json"}),
            (b"", {}),
        ],
        ids=["an object", "null", "an empty body", "no body"],
    )
    def test_features_are_texts(self, http: httpx.Client, content: bytes, headers: dict[str, str]) -> None:
        answer = http.post(contract.operation("list_features").path, content=content, headers=headers)
        assert answer.status_code == 200
        assert answer.json()["features"] == {"plateau": "true"}
        assert answer.json()["is_auth_enabled"] is True

    def test_a_body_that_is_there_is_checked(self, http: httpx.Client) -> None:
        assert refused(post(http, "list_features", []), '[] is not of type "object"')
        path = contract.operation("list_features").path
        assert http.post(path, content=b"{}").status_code == 415

    def test_a_body_that_is_required_may_not_be_missing(self, http: httpx.Client) -> None:
        assert http.post(contract.operation("list_workspaces").path).status_code == 415


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("query_users", {}),
        ("invite_user", {"email": "client@example.com"}),
        ("activate_user", {"email": "client@example.com"}),
        ("deactivate_user", {"email": "client@example.com"}),
        ("add_workspace_user", {"workspace_id": 1, "email": "client@example.com"}),
        ("list_workspace_users", {"workspace_id": 1}),
        ("remove_workspace_user", {"workspace_id": 1, "email": "client@example.com"}),
        ("list_features", {}),
        ("get_model", {"id": 1}),
        ("get_model_by_id", {"id": 1}),
        ("get_model_config_by_id", {"model_id": 1}),
        ("copy_pipeline", {"name": "copy", "workspace_id": 1, "source_pipeline": 1}),
    ],
)
def test_a_token_without_a_user_is_refused(sandbox: dict[str, str], operation: str, body: dict[str, Any]) -> None:
    token = sign_in(sandbox, grant_type="client_credentials").json()["access_token"]
    with with_token(sandbox, token) as client_alone:
        answer = post(client_alone, operation, body)
    assert (answer.status_code, answer.json()["code"]) == (401, 401)
