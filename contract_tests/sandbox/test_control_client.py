"""Does what steers a sandbox say why something failed, whatever answers?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.support.servers.http_servers import answer, serving
from wallaroo_ext.sandbox.control_client import Sandbox, SandboxControlError

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler


def message_of(status: int, body: bytes, media_type: str = "application/json") -> str:
    """Return the message of the error that an answer becomes."""

    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        answer(handler, status, body, Content_Type=media_type)

    with (
        serving(respond) as seen,
        Sandbox({"WALLAROO_API_URL": seen.url}) as sandbox,
        pytest.raises(SandboxControlError) as raised,
    ):
        sandbox.state()
    return str(raised.value)


@pytest.mark.parametrize("status", [400, 408, 414, 431, 503, 505])
def test_what_the_server_refuses_in_plain_text_is_said_in_its_sentence(status: int) -> None:
    said = message_of(status, b"The request took too long to arrive.\n", "text/plain; charset=utf-8")
    assert said.endswith(f"/_sandbox/state answered {status}: The request took too long to arrive.")


@pytest.mark.parametrize(("status", "body"), [(200, b""), (200, b"<html>"), (200, b"[]"), (502, b"{}"), (502, b"\xff")])
def test_what_is_no_sandbox_is_said_to_be_none(status: int, body: bytes) -> None:
    said = message_of(status, body)
    assert f"answered {status}" in said
    assert said.endswith(", which no sandbox does.")


def test_a_refusal_in_the_form_of_the_api_is_its_sentence() -> None:
    assert message_of(400, b'{"code": 400, "msg": "It is too late."}') == "It is too late."
