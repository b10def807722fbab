"""Does an instance keep secrets out of its log, wherever in a request they are?"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from contract_tests.support.servers.callers import sign_in
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import contract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that must not be in the log, in every encoding."""

    environment: dict[str, str]
    tokens: list[str]
    made_up: list[str]

    def written(self) -> Iterator[str]:
        """Yield every secret in every encoding."""
        plain = [self.environment["WALLAROO_PASSWORD"], self.environment["WALLAROO_CLIENT_SECRET"]]
        for secret in [*plain, *self.tokens, *self.made_up]:
            yield from {secret, quote(secret), quote_plus(secret), base64.b64encode(secret.encode()).decode()}


def secret() -> str:
    """Return a new, unique secret."""
    return f"s3cret-{uuid.uuid4().hex}"


def send_everywhere(http: httpx.Client, value: str, token_path: str, path: str) -> None:
    """Send a secret in every part of a request where one belongs, and where none belongs."""
    bearer = {"Authorization": f"Bearer {value}"}
    http.post(path, headers=bearer, json={})
    http.post(path, headers={"Authorization": value}, json={})
    http.post(path, headers={"X-Api-Key": value, "Cookie": f"token={value}"}, json={})
    http.post(f"{path}?access_token={value}&password={value}", json={})
    http.post(f"{token_path}?client_secret={value}&password={value}", data={"grant_type": "password"})
    http.get(f"{token_path}?password={value}")
    http.request("SEARCH", f"{path}?token={value}")
    for grant in (
        {"grant_type": "password", "username": "user@example.com", "password": value},
        {"grant_type": "password", "username": value, "password": value},
        {"grant_type": value, "password": value},
        {"grant_type": "refresh_token", "refresh_token": value},
        {"grant_type": "client_credentials", "client_id": "api-client", "client_secret": value},
        {"password": value},
    ):
        http.post(token_path, data=grant)
        http.post(token_path, json=grant)
        http.post(token_path, data=grant, auth=(value, value))
    for content in (f'{{"password": "{value}"', f'{{"password": "{value}", }}', f"password={value}&%ff=1", value):
        for kind in ("application/json", FORM, "text/plain", f"multipart/form-data; boundary={value}"):
            http.post(path, content=content, headers={"Content-Type": kind})
            http.post(token_path, content=content, headers={"Content-Type": kind})


def send_signed_in(http: httpx.Client, value: str) -> None:
    """Send a secret as a signed-in user: in valid and invalid bodies, and to the wrong operations."""
    bodies: list[Any] = [
        {"email": f"{uuid.uuid4().hex}@example.com", "password": value},
        {"email": value, "password": value},
        {"password": [value]},
        [value],
        value,
        {"workspace_id": value, "id": value, "name": value},
    ]
    for operation in ("invite_user", "list_models", "get_model", "create_workspace", "create_pipeline", "list_assays"):
        path = contract.operation(operation).path
        for body in bodies:
            http.post(path, json=body)
        http.post(path, content=json.dumps(bodies)[:-1], headers={"Content-Type": "application/json"})
    query = {"name": "m", "filename": value, "workspace_id": 1, "token": value}
    upload = contract.operation("upload_model_stream").path
    http.post(upload, params=query, content=value.encode(), headers={"Content-Type": "application/octet-stream"})
    infer = contract.operation("infer_pipeline").path.format(deployment=f"x-{1}", pipeline="x")
    http.post(infer, params={"dataset.separator": value}, content=value, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_in_the_log(tmp_path: Path, log_format: str) -> None:
    log = tmp_path / "log"
    token_path = contract.operation("request_token").path
    path = contract.operation("list_workspaces").path
    with running(log=log, log_format=log_format) as environment:
        granted = sign_in(
            environment,
            grant_type="password",
            username=environment["WALLAROO_USER"],
            password=environment["WALLAROO_PASSWORD"],
        ).json()
        tokens = [granted["access_token"], granted["refresh_token"]]
        secrets = Secrets(environment, tokens, [secret(), secret()])
        with httpx.Client(base_url=environment["WALLAROO_API_URL"], timeout=30) as http:
            for value in (secrets.made_up[0], environment["WALLAROO_PASSWORD"], *tokens):
                send_everywhere(http, value, token_path, path)
            http.headers["Authorization"] = f"Bearer {tokens[0]}"
            send_signed_in(http, secrets.made_up[1])
            assert http.post(path, json={}).status_code == 200
    text = log.read_text(encoding="utf-8")
    assert "list_workspaces" in text, "the log has no requests, so this test shows nothing"
    assert [found for found in secrets.written() if found in text] == []
