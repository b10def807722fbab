"""Sends plain HTTP requests to a sandbox as its default user or as a second one, and checks the answers."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from contract_tests.support.recorded import answer_schema, problems
from wallaroo_ext import contract

if TYPE_CHECKING:
    from collections.abc import Generator

PASSWORD = "a-password-of-the-tests"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def post(http: httpx.Client, operation: str, body: Any) -> httpx.Response:
    """Send a request, and check that a successful answer fits the contract. Returns the answer."""
    answer = http.post(contract.operation(operation).path, json=body)
    if answer.is_success:
        assert problems(answer_schema(operation), answer.json()) == []
    return answer


def refused(answer: httpx.Response, message: str, status: int = 400) -> bool:
    """Return whether an answer is an error in the API's form, a 400 for one, whose message contains a text."""
    return answer.status_code == answer.json()["code"] == status and message in answer.json()["msg"]


def new_email() -> str:
    """Return an address that no user has."""
    return f"{uuid.uuid4().hex}@example.com"


def sign_in(sandbox: dict[str, str], **grant: str) -> httpx.Response:
    """Request a token with a grant. Returns the answer."""
    return httpx.post(
        sandbox["WALLAROO_AUTH_URL"] + contract.operation("request_token").path,
        data=grant,
        auth=(sandbox["WALLAROO_CLIENT_ID"], sandbox["WALLAROO_CLIENT_SECRET"]),
        trust_env=False,
    )


def sign_in_as(sandbox: dict[str, str], email: str) -> httpx.Response:
    """Request a token for a user that `invited` made. Returns the answer."""
    return sign_in(sandbox, grant_type="password", username=email, password=PASSWORD)


def user_token(sandbox: dict[str, str]) -> str:
    """Return a new access token of the default user."""
    user = {"username": sandbox["WALLAROO_USER"], "password": sandbox["WALLAROO_PASSWORD"]}
    return sign_in(sandbox, grant_type="password", **user).json()["access_token"]


@contextmanager
def with_token(sandbox: dict[str, str], token: str) -> Generator[httpx.Client]:
    """Yield an HTTP client that sends a token."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"], headers=headers, timeout=30, trust_env=False) as plain:
        yield plain


@contextmanager
def invited(sandbox: dict[str, str], http: httpx.Client) -> Generator[tuple[str, str, httpx.Client]]:
    """Invite a user. Yields the address, the id, and an HTTP client that sends the user's token."""
    email = new_email()
    user_id = post(http, "invite_user", {"email": email, "password": PASSWORD}).json()["id"]
    with with_token(sandbox, sign_in_as(sandbox, email).json()["access_token"]) as theirs:
        yield email, user_id, theirs


def new_workspace(http: httpx.Client) -> int:
    """Create a workspace. Returns its id."""
    return post(http, "create_workspace", {"workspace_name": f"w-{uuid.uuid4().hex}"}).json()["workspace_id"]
