"""Are the tokens that no instance may accept made for instances of every kind?"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from wallaroo_ext.conformance.testing import bad_tokens
from wallaroo_ext.conformance.testing.bad_tokens import BadTokens, NoSuchTokenError, claims_of

GOOD = jwt.encode({"sub": "me"}, "a key of enough letters for the algorithm", algorithm="HS256")

EXPIRED_TOKEN = "WALLAROO_EXPIRED_TOKEN"  # as docs/guides/conformance.md has it


class Api:
    """Answers requests for tokens, and counts them."""

    def __init__(self) -> None:
        self.asked = 0

    def send(self, _operation: str, **_request: Any) -> Any:
        self.asked += 1
        tokens = {"access_token": GOOD, "refresh_token": "r", "id_token": "i", "expires_in": 3600}
        return SimpleNamespace(is_success=True, json=lambda: tokens)


def tokens_of(kind: str, *, expires_in: float = 3600.0, username: str | None = None) -> tuple[BadTokens, Api]:
    token = SimpleNamespace(access=GOOD, expires_at=time.monotonic() + expires_in)
    auth = SimpleNamespace(token=lambda: token)
    suite: Any = SimpleNamespace(
        client=SimpleNamespace(get_httpx_client=lambda: SimpleNamespace(auth=auth)),
        first_token=token,
        instance=SimpleNamespace(kind=kind, settings=SimpleNamespace(username=username, password="p")),
        authorization=lambda _operation: "Basic x",  # pyright: ignore[reportUnknownLambdaType]
    )
    api: Any = Api()
    return BadTokens(suite, api), api


def test_an_expired_token_of_a_live_instance_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EXPIRED_TOKEN, "an-old-one")
    assert tokens_of("live")[0].header("expired") == "Bearer an-old-one"
    with pytest.raises(NoSuchTokenError, match=f"3606 s more: name an expired one in {EXPIRED_TOKEN}"):
        tokens_of("sandbox")[0].header("expired")


def test_or_it_is_the_first_one_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.delenv(EXPIRED_TOKEN, raising=False)
    monkeypatch.setattr(bad_tokens.time, "sleep", waited.append)
    assert tokens_of("live", expires_in=60)[0].header("expired") == f"Bearer {GOOD}"
    assert waited == [pytest.approx(66, abs=5)]


def test_a_client_without_a_user_has_no_tokens_for_other_uses() -> None:
    bad, api = tokens_of("live")
    assert bad.for_other_uses() == bad.for_other_uses() == {}
    assert api.asked == 0


def test_a_users_tokens_for_other_uses_are_asked_for_once() -> None:
    bad, api = tokens_of("live", username="me")
    expected = {"refresh_token": "Bearer r", "id_token": "Bearer i"}
    assert bad.for_other_uses() == bad.for_other_uses() == expected
    assert api.asked == 1


def test_each_kind_is_no_good_token() -> None:
    bad, _ = tokens_of("live", expires_in=-60)
    headers = {kind: bad.header(kind) for kind in bad.kinds if kind != "expired"}
    assert headers["missing"] is None
    assert f"Bearer {GOOD}" not in headers.values()
    changed = str(headers["changed"]).removeprefix("Bearer ")
    assert claims_of(changed) == {"sub": "somebody-else"}
    assert changed.rpartition(".")[2] == GOOD.rpartition(".")[2]
    unsigned = str(headers["signed with nothing"]).removeprefix("Bearer ")
    assert (jwt.get_unverified_header(unsigned)["alg"], unsigned[-1]) == ("none", ".")
