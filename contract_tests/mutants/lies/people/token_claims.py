"""Lies about the claims of tokens: forged ones are accepted, and lifetimes are told wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.lies.kinds import Kind, in_turn, succeeded
from wallaroo_ext._util.json_values import object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer

_UNAUTHORIZED = 401
_SOON_SECONDS = 10_000


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token, whoever signed it; empty where it is no JSON web token."""
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}


def caller_of(exchange: Exchange) -> Any:
    """Return the subject of the token that a request comes with; None where it has none."""
    return claims_of(exchange.request.header("authorization").partition(" ")[2]).get("sub")


def _head_of(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return {}


def _differs(name: str) -> Callable[[str, str], bool]:
    """Return whether a claim is there and another one than in a good token."""
    return lambda token, good: name in claims_of(token) and claims_of(token)[name] != claims_of(good).get(name)


def _lacks(name: str) -> Callable[[str, str], bool]:
    return lambda token, _: bool(claims_of(token)) and name not in claims_of(token)


def _is_by_a_key_of_ones_own(token: str, good: str) -> bool:
    claims, expected = claims_of(token), claims_of(good)
    same = all(claims.get(name) == expected.get(name) for name in ("iss", "aud", "sub", "typ"))
    return same and _head_of(token).get("kid") == _head_of(good).get("kid") and claims.get("exp", 0) > time.time()


_LENIENCE: dict[str, tuple[str, Callable[[str, str], bool]]] = {
    "of-another-issuer": ("Tokens of other issuers and realms are good.", _differs("iss")),
    "for-another-audience": ("Tokens for other audiences are good.", _differs("aud")),
    "of-another-algorithm": (
        "A token that is signed with the public key as a secret is good.",
        lambda token, _: _head_of(token).get("alg") == "HS256",
    ),
    "of-another-key": ("Who signed a token is not looked at if the key's name is right.", _is_by_a_key_of_ones_own),
    "not-yet-valid": (
        "Tokens are good before their time.",
        lambda token, _: claims_of(token).get("nbf", 0) > time.time() + _SOON_SECONDS,
    ),
    "without-an-expiry": ("Tokens without an expiry are good for ever.", _lacks("exp")),
    "without-a-subject": ("Tokens of nobody are good.", _lacks("sub")),
    "id-tokens": ("An id token is as good as an access token.", lambda token, _: claims_of(token).get("typ") == "ID"),
    "refresh-tokens": (
        "A refresh token is as good as an access token.",
        lambda token, _: claims_of(token).get("typ") == "Refresh",
    ),
}


def _lenient(operation: str) -> Iterator[Mutant]:
    if not rules().takes_token(operation):
        return
    for name in in_turn(list(_LENIENCE), operation):
        text, is_let_in = _LENIENCE[name]

        async def lie(exchange: Exchange, is_let_in: Callable[[str, str], bool] = is_let_in) -> Answer:
            answer = await exchange.ask()
            scheme, _, token = exchange.request.header("authorization").partition(" ")
            is_meant = answer.status == _UNAUTHORIZED and scheme.lower() == "bearer"
            if not is_meant or not is_let_in(token, exchange.good_token()):
                return answer
            return await exchange.ask_as_user()

        yield Mutant(operation, "accepts-tokens", name, text, lie)


_LIFETIMES: dict[str, tuple[str, bytes, Callable[[int], int]]] = {
    "in-milliseconds": ("Lifetimes are in milliseconds.", b"grant_type=", lambda seconds: seconds * 1000),
    "a-minute-longer": ("Tokens are said to live a minute longer.", b"grant_type=", lambda seconds: seconds + 60),
    "of-renewed-tokens": (
        "Renewed tokens are said to live twice as long.",
        b"refresh_token=",
        lambda seconds: seconds * 2,
    ),
}


def _wrong_lifetimes(operation: str) -> Iterator[Mutant]:
    if rules().takes_token(operation):
        return
    for about, (text, condition, change) in _LIFETIMES.items():

        async def lie(
            exchange: Exchange, condition: bytes = condition, change: Callable[[int], int] = change
        ) -> Answer:
            answer = await exchange.ask()
            if not succeeded(operation, answer) or condition not in exchange.request.body:
                return answer
            found = object_of(answer.json)
            return answer.with_json(found | {"expires_in": change(found["expires_in"])})

        yield Mutant(operation, "wrong-lifetime", about, text, lie)


KINDS = (
    Kind("accepts-tokens", "Tokens that look like good ones are accepted.", "It takes no token.", _lenient),
    Kind("wrong-lifetime", "A token lives longer or shorter than is said.", "It gives no token.", _wrong_lifetimes),
)
