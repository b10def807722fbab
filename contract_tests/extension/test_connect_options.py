"""Is each option of `connect` that has a value of another kind refused in a sentence that names it?"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from wallaroo_ext import ConfigurationError, RetryPolicy, connect

ENVIRONMENT = {"WALLAROO_API_URL": "http://127.0.0.1:1", "WALLAROO_TOKEN": "t"}
_TEXTS = (
    *("api_url", "auth_url", "prefix", "suffix", "client_id", "client_secret"),
    *("username", "password", "refresh_token", "scope", "user_agent"),
)
_NEEDED = ("retries", "limits", "transport", "cache", "telemetry")
_OTHERS = ("ca_bundle", "inference_hosts", "verify", "clock", *_NEEDED)


class Secret:
    """A value whose text is in no message."""

    def __repr__(self) -> str:
        """Return the secret."""
        return "hunter2-Zq8x"


@pytest.mark.parametrize("value", [5, 0.5, b"hunter2-Zq8x", Secret()])
@pytest.mark.parametrize("name", [*_TEXTS, *_OTHERS])
def test_a_value_of_another_kind_is_refused_and_not_shown(name: str, value: Any) -> None:
    given: Any = {name: [value] if name == "inference_hosts" else value}
    with pytest.raises(ConfigurationError, match=f"`{name}` ") as raised:
        connect(environment=ENVIRONMENT, **given)
    assert "hunter2" not in f"{raised.value!r}"


@pytest.mark.parametrize("name", _NEEDED)
def test_so_is_none_where_it_leaves_nothing(name: str) -> None:
    given: Any = {name: None}
    with pytest.raises(ConfigurationError, match=f"`{name}` is .*, not None"):
        connect(environment=ENVIRONMENT, **given)


@pytest.mark.parametrize("retries", [None, False, 3])
def test_how_to_send_once_is_said(retries: Any) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connect(environment=ENVIRONMENT, retries=retries)
    assert raised.value.advice == "RetryPolicy(attempts=1) sends each request once."
    connect(environment=ENVIRONMENT, retries=RetryPolicy(attempts=1))


@pytest.mark.parametrize("verify", ["/etc/ca.pem", ""])
def test_a_path_is_no_verification_and_switches_none_off(verify: Any) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connect(environment=ENVIRONMENT, verify=verify)
    assert raised.value.advice == "Name a PEM file by `ca_bundle`."


@pytest.mark.parametrize("environment", [5, [], "WALLAROO_TOKEN=t", ENVIRONMENT | {"WALLAROO_USER": 5}])
def test_an_environment_has_texts(environment: Any) -> None:
    with pytest.raises(ConfigurationError, match="`environment` "):
        connect(environment=environment)


def test_hosts_may_come_one_by_one() -> None:
    hosts = (host for host in ["inference.example.com"])
    connect(environment=ENVIRONMENT, inference_hosts=hosts)
    connect(environment=ENVIRONMENT, transport=httpx.MockTransport(lambda _: httpx.Response(200)))
