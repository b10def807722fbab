"""Fetching the public keys of another issuer, with limits on time and size, and ignoring unsuitable keys."""

from __future__ import annotations

import asyncio
import ssl
from http import HTTPStatus
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.errors import ConfigurationError

ALGORITHM = "RS256"
FETCH_SECONDS = 10.0
"""How long fetching the keys may take in total, from the DNS lookup to the last byte."""
_SIZE_LIMIT = 1 << 20
_KEYS_LIMIT = 100
_LEAST_BITS, _MOST_BITS = 2048, 8192
_LONGEST_MODULUS, _LONGEST_EXPONENT = 1400, 6  # characters of base64: 8192 bits, and 32


class KeysUnavailableError(Exception):
    """The issuer's keys cannot be used. The message continues a sentence that begins with the issuer."""


def fetch_keys(url: str) -> dict[str, rsa.RSAPublicKey]:
    """Fetch the issuer's public keys, and return them by id.

    Redirects are not followed, and an issuer on this machine is reached without a proxy.

    Args:
        url: The URL of the JSON Web Key Set.

    Raises:
        KeysUnavailableError: The issuer cannot be reached within FETCH_SECONDS, or does not answer with a key set of a
            reasonable size.
    """
    import httpx  # imported late: a sandbox that issues its own tokens does not need it

    try:
        content = asyncio.run(_fetch(url))
    except (TimeoutError, httpx.TimeoutException):
        raise KeysUnavailableError(f"it did not answer within {FETCH_SECONDS:g} s.") from None
    except ConfigurationError as error:
        raise KeysUnavailableError(f"it cannot be reached: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
        raise KeysUnavailableError(f"it cannot be reached, or does not speak HTTP ({type(error).__name__}).") from None
    return parse_keys(content)


async def _fetch(url: str) -> bytes:
    import httpx

    from wallaroo_ext.transport.connections.proxies import EnvironmentProxies
    from wallaroo_ext.transport.connections.tls import unused_tls_context

    proxy = EnvironmentProxies().find(httpx.URL(url))
    is_plain = proxy is None and httpx.URL(url).scheme == "http"
    context = unused_tls_context() if is_plain else ssl.create_default_context()
    content = bytearray()
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx.AsyncClient(
            trust_env=False,
            proxy=None if proxy is None else proxy.for_httpx(context),
            verify=context,
            timeout=FETCH_SECONDS,
        ) as http,
        http.stream("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}) as answer,
    ):
        if answer.status_code != HTTPStatus.OK:
            raise KeysUnavailableError(f"it answered {answer.status_code}.")
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise KeysUnavailableError("it answered with compressed content, which was not asked for.")
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > _SIZE_LIMIT:
                raise KeysUnavailableError(f"its answer has more than {_SIZE_LIMIT} bytes.")
    return bytes(content)


def parse_keys(content: bytes) -> dict[str, rsa.RSAPublicKey]:
    """Return by id the keys of a JSON Web Key Set that sign tokens with RS256; of a repeated id, the first.

    Raises:
        KeysUnavailableError: The content is no key set, or has no such keys, or far too many.
    """
    try:
        listed = list_of(object_of(orjson.loads(content)).get("keys"))
    except orjson.JSONDecodeError:
        raise KeysUnavailableError("its answer is no JSON.") from None
    if len(listed) > _KEYS_LIMIT:
        raise KeysUnavailableError(f"it publishes more than {_KEYS_LIMIT} keys.")
    keys: dict[str, rsa.RSAPublicKey] = {}
    for entry in map(object_of, listed):
        key_id, key = entry.get("kid"), _key(entry)
        if isinstance(key_id, str) and key_id and key is not None:
            keys.setdefault(key_id, key)
    if not keys:
        raise KeysUnavailableError(
            f"none of its keys is one of RSA, {_LEAST_BITS} to {_MOST_BITS} bits, for {ALGORITHM}."
        )
    return keys


def _key(entry: dict[str, Any]) -> rsa.RSAPublicKey | None:
    """Return the public key of an entry, or None if its type does not fit or its size is too small or too large."""
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
