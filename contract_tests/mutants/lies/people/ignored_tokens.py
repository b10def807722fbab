"""Lies about tokens: instances that accept bad tokens, and issuers that give a token for bad credentials."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.kinds import Kind, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer

_UNAUTHORIZED = 401
_PARTS = 3


def _claims(authorization: str) -> dict[str, Any] | None:
    """Return the claims of a token, whoever signed it; None where it is no JSON web token."""
    parts = authorization.partition(" ")[2].split(".")
    if len(parts) != _PARTS:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    except ValueError:
        return None


def _has_expired(authorization: str) -> bool:
    claims = _claims(authorization)
    return claims is not None and claims.get("exp", 0) < time.time()


_LENIENCE: dict[str, tuple[str, Callable[[str], bool]]] = {
    "ignores-tokens": ("Whatever token comes, or none, is taken for a good one.", lambda _: True),
    "needs-no-token": ("Requests without a token are taken for signed in.", lambda header: not header),
    "takes-expired-tokens": ("Tokens never expire.", _has_expired),
    "takes-any-signature": (
        "Tokens are not checked for who signed them.",
        lambda header: _claims(header) is not None and not _has_expired(header),
    ),
    "takes-any-text": ("What is no token is taken for one.", lambda header: bool(header) and _claims(header) is None),
}
ABOUT_TOKENS = set(_LENIENCE)
"""The kinds of lies that a test of a token can see."""
_TAKING_TURNS = list(_LENIENCE)[1:]
"""Every third operation has one of these, in turn; all of them have the first."""
_EVERY = 3


def _lenient(operation: str) -> Iterator[Mutant]:
    if not rules().takes_token(operation):
        return
    number = list(rules().operations).index(operation)
    turns = [_TAKING_TURNS[number // _EVERY % len(_TAKING_TURNS)]] if number % _EVERY == 0 else []
    for name in ("ignores-tokens", *turns):
        text, is_let_in = _LENIENCE[name]

        async def lie(exchange: Exchange, is_let_in: Callable[[str], bool] = is_let_in) -> Answer:
            answer = await exchange.ask()
            if answer.status != _UNAUTHORIZED or not is_let_in(exchange.request.header("authorization")):
                return answer
            return await exchange.ask_as_user()

        yield Mutant(operation, name, "", text, lie)


def _issuing(operation: str) -> Iterator[Mutant]:
    if rules().takes_token(operation):
        return

    async def any_secret(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        if succeeded(operation, answer):
            exchange.memory["header"] = exchange.request.header("authorization")
        elif answer.status == _UNAUTHORIZED and "header" in exchange.memory:
            return await exchange.ask(exchange.request.with_header("authorization", exchange.memory["header"]))
        return answer

    async def any_password(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        form = parse_qs(exchange.request.body.decode("utf-8", errors="replace"))
        if succeeded(operation, answer) and "password" in form:
            exchange.memory["form"] = form
        elif answer.status in {400, _UNAUTHORIZED} and "password" in form and "form" in exchange.memory:
            good = urlencode(exchange.memory["form"], doseq=True).encode()
            return await exchange.ask(exchange.request.with_body(good))
        return answer

    yield Mutant(operation, "ignores-secrets", "", "A client with a wrong secret gets a token.", any_secret)
    yield Mutant(operation, "ignores-passwords", "", "A user with a wrong password gets a token.", any_password)


KINDS = (
    Kind(
        "ignores-tokens",
        "A bad token is as good as a good one: any, or those of one sort.",
        "It takes no token, but gives some.",
        _lenient,
    ),
    Kind("ignores-credentials", "Bad credentials get a token.", "It gives no token.", _issuing),
)
