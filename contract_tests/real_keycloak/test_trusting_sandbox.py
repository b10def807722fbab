"""Does a sandbox that trusts a real Keycloak accept its tokens, and no others?"""

from __future__ import annotations

import base64
import io
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rich.console import Console

from contract_tests.support.command_line import process
from contract_tests.support.real_keycloak import (
    CLIENT,
    PASSWORD,
    SECRET,
    TOKEN_PATH,
    USER,
    auth,
    claims,
    client_attributes,
)
from contract_tests.support.servers.callers import with_token
from scripts.lib.demo import run as demo
from scripts.lib.demo.files import read_job
from wallaroo_ext import WallarooError, connect, contract, deploy_pipeline, find_workspace, infer, upload_model

if TYPE_CHECKING:
    from scripts.lib.keycloak.realm import Admin
    from scripts.lib.keycloak.server import KeycloakServer

pytestmark = pytest.mark.slow


def answer(trusting: dict[str, str], token: str) -> tuple[int, str]:
    """Send a token to the sandbox. Returns the status of the answer, and its message if it is an error."""
    with with_token(trusting, token) as http:
        response = http.post(contract.operation("list_workspaces").path, json={})
    return response.status_code, response.json().get("msg", "")


class TestTheWholePath:
    def test_the_demo_runs_with_real_tokens(self, trusting: dict[str, str]) -> None:
        job = read_job(demo.SAMPLES / "breast-cancer.onnx", demo.SAMPLES / "breast-cancer.csv")
        console = Console(file=io.StringIO(), width=200)
        with connect(environment=trusting) as client:
            scored = demo.run(client, demo.Report(console), job)
        assert demo.show_outputs(console, job, scored)
        shown = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
        assert "rows are right" in shown

    def test_a_client_without_a_user_infers_on_what_a_user_has_deployed(self, trusting: dict[str, str]) -> None:
        job = read_job(demo.SAMPLES / "breast-cancer.onnx", demo.SAMPLES / "breast-cancer.csv")
        with (
            connect(environment=trusting) as client,
            connect(environment=trusting, grant="client_credentials") as alone,
        ):
            workspace = find_workspace(client, "for-a-client", create=True)
            model = upload_model(client, job.model, name="for-a-client", workspace=workspace.id)
            with deploy_pipeline(client, "for-a-client", model) as deployment:
                by_user, by_client = (infer(who, deployment.url, job.rows) for who in (client, alone))
                assert by_client.column("out.malignant") == by_user.column("out.malignant")
                with pytest.raises(WallarooError, match="may only infer"):
                    find_workspace(alone, "for-a-client")

    def test_the_command_line_finds_nothing_wrong(self, trusting: dict[str, str]) -> None:
        done = process("doctor", "--json", environment=trusting)
        report = json.loads(done.stdout)
        assert (done.returncode, report["ok"]) == (0, True), report
        assert PASSWORD not in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr


class TestForeignTokens:
    def test_one_of_the_realm_is_taken(self, keycloak: KeycloakServer, trusting: dict[str, str]) -> None:
        assert answer(trusting, auth(keycloak).access_token()) == (200, "")

    @pytest.mark.usefixtures("another_realm")
    def test_one_of_another_realm_is_refused(self, keycloak: KeycloakServer, trusting: dict[str, str]) -> None:
        token = auth(keycloak, path=TOKEN_PATH.replace("/master/", "/another/")).access_token()
        assert claims(token)["iss"] == f"{keycloak.url}/auth/realms/another"
        assert answer(trusting, token) == (401, f"The token is not one of {keycloak.url}/auth/realms/master.")

    def test_one_for_another_audience_is_refused(
        self, keycloak: KeycloakServer, trusting: dict[str, str], admin: Admin
    ) -> None:
        mapper = {
            "name": "for another service",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-audience-mapper",
            "config": {"included.custom.audience": "another-service", "access.token.claim": "true"},
        }
        client = admin.client(CLIENT)
        admin.change_client(CLIENT, fullScopeAllowed=False)
        try:
            without = auth(keycloak).access_token()
            admin.send("POST", f"/clients/{client['id']}/protocol-mappers/models", mapper)
            other = auth(keycloak).access_token()
        finally:
            admin.change_client(CLIENT, fullScopeAllowed=True)
        both = auth(keycloak).access_token()
        [made] = (found for found in admin.client(CLIENT)["protocolMappers"] if found["name"] == mapper["name"])
        admin.send("DELETE", f"/clients/{client['id']}/protocol-mappers/models/{made['id']}")
        assert [claims(token).get("aud") for token in (without, other)] == [None, "another-service"]
        refusal = 401, "The token is not for 'account': its `aud` does not name it."
        assert answer(trusting, without) == refusal
        assert answer(trusting, other) == refusal
        assert set(claims(both)["aud"]) == {"another-service", "account"}
        assert answer(trusting, both) == (200, "")

    def test_one_of_another_issuer_is_refused(
        self, keycloak: KeycloakServer, trusting: dict[str, str], sandbox: dict[str, str]
    ) -> None:
        with connect(environment=sandbox) as client:
            answered = client.get_httpx_client().post(contract.operation("list_workspaces").path, json={})
        own = answered.request.headers["Authorization"].removeprefix("Bearer ")
        assert answer(trusting, own)[0] == 401
        assert answer(trusting, signed(_foreign_key(), keycloak, alg="RS256"))[0] == 401

    def test_an_expired_one_is_refused(self, keycloak: KeycloakServer, trusting: dict[str, str], admin: Admin) -> None:
        with client_attributes(admin, access_token_lifespan="1"):
            token = auth(keycloak).access_token()
        time.sleep(6.5)  # the lifetime, and 5 s for clocks that differ
        assert answer(trusting, token) == (401, "The token has expired.")

    def test_an_id_token_and_a_refresh_token_are_refused(
        self, keycloak: KeycloakServer, trusting: dict[str, str]
    ) -> None:
        form = {"grant_type": "password", "username": USER, "password": PASSWORD, "scope": "openid"}
        given = httpx.post(keycloak.url + TOKEN_PATH, data=form, auth=(CLIENT, SECRET)).json()
        statuses = {name: answer(trusting, given[name])[0] for name in ("access_token", "id_token", "refresh_token")}
        assert statuses == {"access_token": 200, "id_token": 401, "refresh_token": 401}

    def test_an_unsigned_one_is_refused(self, keycloak: KeycloakServer, trusting: dict[str, str]) -> None:
        real = auth(keycloak).access_token()
        for algorithm in ("none", "None", "nOnE"):
            header = jwt.get_unverified_header(real) | {"alg": algorithm}
            _, payload, signature = real.split(".")
            assert answer(trusting, f"{_part(header)}.{payload}.")[0] == 401
            assert answer(trusting, f"{_part(header)}.{payload}.{signature}")[0] == 401

    def test_one_signed_with_the_public_key_as_a_secret_is_refused(
        self, keycloak: KeycloakServer, trusting: dict[str, str]
    ) -> None:
        real = auth(keycloak).access_token()
        found = jwt.PyJWKClient(f"{keycloak.url}/auth/realms/master/protocol/openid-connect/certs")
        key = found.get_signing_key_from_jwt(real).key
        assert isinstance(key, rsa.RSAPublicKey)
        encodings = (serialization.Encoding.PEM, serialization.Encoding.DER)
        for encoding in encodings:
            secret = key.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
            for algorithm in ("HS256", "HS512"):
                assert answer(trusting, _hmac_signed(real, secret, algorithm))[0] == 401

    def test_a_changed_one_is_refused(self, keycloak: KeycloakServer, trusting: dict[str, str]) -> None:
        header, _, signature = auth(keycloak).access_token().split(".")
        changed = _part(claims(auth(keycloak).access_token()) | {"preferred_username": "admin"})
        assert answer(trusting, f"{header}.{changed}.{signature}")[0] == 401


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _hmac_signed(real: str, secret: bytes, algorithm: str) -> str:
    """Return a real token's claims, signed with a secret; the library jwt refuses to use a public key as one."""
    import hashlib
    import hmac

    signed_part = f"{_part(jwt.get_unverified_header(real) | {'alg': algorithm})}.{real.split('.')[1]}"
    digest = hmac.digest(secret, signed_part.encode(), getattr(hashlib, algorithm.replace("HS", "sha")))
    return f"{signed_part}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _foreign_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def signed(key: rsa.RSAPrivateKey, keycloak: KeycloakServer, *, alg: str) -> str:
    """Return a real token's claims and key id, signed with another key."""
    real = auth(keycloak).access_token()
    return jwt.encode(claims(real), key, alg, headers={"kid": jwt.get_unverified_header(real)["kid"]})
