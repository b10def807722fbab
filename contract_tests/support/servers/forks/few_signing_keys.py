"""Few signing keys for many sandboxes, which take turns: to make one is a third of what a sandbox needs to start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

_MOST = 8


class FewSigningKeys:
    """RSA keys that are made when they are first needed, and given again in turn."""

    def __init__(self) -> None:
        self._keys: dict[int, rsa.RSAPrivateKey] = {}
        self._next = 0

    def as_rsa(self) -> Any:
        """Return what takes the place of the module `rsa` in `wallaroo_ext.sandbox.auth.signing_keys`."""
        names: dict[str, Any] = vars(rsa) | {"generate_private_key": self._generate}
        return SimpleNamespace(**names)

    def advance(self) -> None:
        """Go on to the next key, and make it, so that a fork has it."""
        self._next = (self._next + 1) % _MOST
        self._key()

    def _key(self) -> rsa.RSAPrivateKey:
        if self._next not in self._keys:
            self._keys[self._next] = rsa.generate_private_key(65537, 2048)
        return self._keys[self._next]

    def _generate(self, public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        assert (public_exponent, key_size) == (65537, 2048)
        key = self._key()
        self._next = (self._next + 1) % _MOST
        return key
