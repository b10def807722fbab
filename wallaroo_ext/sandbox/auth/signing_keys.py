"""The RSA keys with which a sandbox signs its own tokens."""

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
    """The key that signs, and by id all public keys whose tokens are accepted."""

    signing_id: str
    signing: rsa.RSAPrivateKey = field(repr=False)
    public: dict[str, rsa.RSAPublicKey]

    @staticmethod
    def new(old: dict[str, rsa.RSAPublicKey]) -> SigningKeys:
        """Return a new signing key together with the old public keys."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_id = secrets.token_urlsafe(32)
        return SigningKeys(key_id, key, old | {key_id: key.public_key()})

    def without_old_keys(self) -> SigningKeys:
        """Return the signing key without the old public keys."""
        return SigningKeys(self.signing_id, self.signing, {self.signing_id: self.public[self.signing_id]})

    @staticmethod
    def from_json(text: str) -> SigningKeys:
        """Return the keys that `to_json` wrote."""
        content = json.loads(text)
        signing = serialization.load_pem_private_key(
            content["signing"].encode(),
            password=None,
            unsafe_skip_rsa_key_validation=True,  # the sandbox made it, and to check it takes longer than to make it
        )
        if not isinstance(signing, rsa.RSAPrivateKey):
            raise TypeError("the signing key is not an RSA key")
        public = {key_id: RSAAlgorithm.from_jwk(jwk) for key_id, jwk in content["public"].items()}
        return SigningKeys(
            content["signing_id"],
            signing,
            {key_id: key for key_id, key in public.items() if isinstance(key, rsa.RSAPublicKey)},
        )

    def to_json(self) -> str:
        """Return the keys as JSON; of the old keys, only the public parts are kept."""
        pem = self.signing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = {key_id: RSAAlgorithm.to_jwk(key, as_dict=True) for key_id, key in self.public.items()}
        return json.dumps({"signing_id": self.signing_id, "signing": pem.decode(), "public": public})

    def as_key_set(self) -> list[dict[str, Any]]:
        """Return the public keys as the entries of a JSON Web Key Set."""
        return [
            {"kid": key_id, "use": "sig", "alg": ALGORITHM}
            | {name: value for name, value in RSAAlgorithm.to_jwk(key, as_dict=True).items() if name != "key_ops"}
            for key_id, key in self.public.items()
        ]
