"""The RSA keys of a sandbox that issues tokens itself."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from wallaroo_ext.sandbox.auth.issuer_keys import ALGORITHM


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and all public keys whose tokens are good, by their ids."""

    signing_id: str
    signing: rsa.RSAPrivateKey = field(repr=False)
    public: dict[str, rsa.RSAPublicKey]

    @staticmethod
    def new(old: dict[str, rsa.RSAPublicKey]) -> SigningKeys:
        """Return a new key to sign with, beside old ones."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_id = secrets.token_urlsafe(32)
        return SigningKeys(key_id, key, old | {key_id: key.public_key()})

    def alone(self) -> SigningKeys:
        """Return the key that signs, without the old ones."""
        return SigningKeys(self.signing_id, self.signing, {self.signing_id: self.public[self.signing_id]})

    @staticmethod
    def from_json(text: str) -> SigningKeys:
        """Return the keys as `to_json` wrote them."""
        content = json.loads(text)
        signing = serialization.load_pem_private_key(content["signing"].encode(), password=None)
        if not isinstance(signing, rsa.RSAPrivateKey):
            raise TypeError("the signing key is no RSA key")
        public = {key_id: RSAAlgorithm.from_jwk(jwk) for key_id, jwk in content["public"].items()}
        return SigningKeys(
            content["signing_id"],
            signing,
            {key_id: key for key_id, key in public.items() if isinstance(key, rsa.RSAPublicKey)},
        )

    def to_json(self) -> str:
        """Return the keys as a text; of the old ones, nothing is kept that could sign."""
        pem = self.signing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = {key_id: RSAAlgorithm.to_jwk(key, as_dict=True) for key_id, key in self.public.items()}
        return json.dumps({"signing_id": self.signing_id, "signing": pem.decode(), "public": public})

    def published(self) -> list[dict[str, Any]]:
        """Return the keys to verify tokens with, as a JSON Web Key Set has them."""
        return [
            {"kid": key_id, "use": "sig", "alg": ALGORITHM}
            | {name: value for name, value in RSAAlgorithm.to_jwk(key, as_dict=True).items() if name != "key_ops"}
            for key_id, key in self.public.items()
        ]
