"""The keys that another issuer publishes: fetched within bounds, and none of them believed unless it is good."""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.http.loopback import is_local_name

ALGORITHM = "RS256"
FETCH_SECONDS = 10.0
"""How long fetching the keys may take in all, from the name's lookup to the last byte."""
_SIZE_LIMIT = 1 << 20
_KEYS_LIMIT = 100
_LEAST_BITS, _MOST_BITS = 2048, 8192
_LONGEST_MODULUS, _LONGEST_EXPONENT = 1400, 6  # characters of base64: 8192 bits, and 32


class NoKeysError(Exception):
    """The issuer gives no keys; the message is a sentence about it without its beginning."""


def fetch_keys(url: str) -> dict[str, rsa.RSAPublicKey]:
    """Return the keys by their ids.

    No redirect is followed, and no proxy is asked for an issuer on this machine.

    Args:
        url: Where the issuer publishes them.

    Raises:
        NoKeysError: It cannot be reached within FETCH_SECONDS, or what it answers is no set of keys of a sound size.
    """
    import httpx  # not at the top: a sandbox that trusts itself has no use for it

    try:
        content = asyncio.run(_fetch(url))
    except (TimeoutError, httpx.TimeoutException):
        raise NoKeysError(f"it did not answer within {FETCH_SECONDS:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise NoKeysError(f"it cannot be reached, or does not speak HTTP ({type(error).__name__}).") from None
    return read_keys(content)


async def _fetch(url: str) -> bytes:
    import httpx

    content = bytearray()
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx.AsyncClient(
            trust_env=not is_local_name(urlsplit(url).hostname or ""),
            verify=ssl.create_default_context(),
            timeout=FETCH_SECONDS,
        ) as http,
        http.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as answer,
    ):
        if answer.status_code != HTTPStatus.OK:
            raise NoKeysError(f"it answered {answer.status_code}.")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise NoKeysError("it answered with compressed content, which was not asked for.")
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > _SIZE_LIMIT:
                raise NoKeysError(f"its answer has more than {_SIZE_LIMIT} bytes.")
    return bytes(content)


def read_keys(content: bytes) -> dict[str, rsa.RSAPublicKey]:
    """Return the keys of a JSON Web Key Set that sign tokens with RS256, by their ids; of two with one id, the first.

    Raises:
        NoKeysError: There are none, or far too many, or it is no such set.
    """
    try:
        listed = list_of(object_of(orjson.loads(content)).get("keys"))
    except orjson.JSONDecodeError:
        raise NoKeysError("its answer is no JSON.") from None
    if len(listed) > _KEYS_LIMIT:
        raise NoKeysError(f"it publishes more than {_KEYS_LIMIT} keys.")
    keys: dict[str, rsa.RSAPublicKey] = {}
    for entry in map(object_of, listed):
        key_id, key = entry.get("kid"), _key(entry)
        if isinstance(key_id, str) and key_id and key is not None:
            keys.setdefault(key_id, key)
    if not keys:
        raise NoKeysError(f"none of its keys is one of RSA, {_LEAST_BITS} to {_MOST_BITS} bits, for {ALGORITHM}.")
    return keys


def _key(entry: dict[str, Any]) -> rsa.RSAPublicKey | None:
    """Return the public key of an entry; None for one of another kind, and for one that is weak or costly to use."""
    modulus, exponent = entry.get("n"), entry.get("e")
    is_for_tokens = entry.get("use", "sig") == "sig" and entry.get("alg", ALGORITHM) == ALGORITHM
    if entry.get("kty") != "RSA" or not is_for_tokens or not isinstance(modulus, str) or not isinstance(exponent, str):
        return None
    if len(modulus) > _LONGEST_MODULUS or len(exponent) > _LONGEST_EXPONENT:
        return None
    try:
        key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": modulus, "e": exponent})
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) and _LEAST_BITS <= key.key_size <= _MOST_BITS else None
