"""Calls operations of an instance with any body and any token, and returns the answers unchanged."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.resources.models import listed_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from wallaroo_ext.conformance.suite import Suite


_KEYS = "/protocol/openid-connect/certs"
"""Where Keycloak publishes the public keys of a realm."""
UPLOADS = ("upload_and_convert_model", "upload_model", "upload_model_stream")
"""The operations that upload a model."""
NOT_TAKEN = {411, 413}
"""The statuses of gateways that want to know the length of a body, or take none so large, as RFC 9110 allows."""


def says_why(answer: httpx.Response) -> bool:
    """Return whether a refusal says what is wrong, as far as it is the API's own: gateways write pages and texts."""
    try:
        return bool(object_of(answer.json()).get("msg", "-").strip())
    except ValueError:
        return True


class Api:
    """The operations of the contract, called by their ids. The interceptor sees every call.

    Args:
        suite: The run.
    """

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._http = suite.client.get_httpx_client()
        self._numbers = count(1)

    def unused_name(self, kind: str) -> str:
        """Return a name of the run that is not taken yet, a DNS label.

        Args:
            kind: A few letters for the kind of thing that it is for.
        """
        return f"{self._suite.owned.name_prefix}-{kind}{next(self._numbers)}"

    def send(
        self,
        operation: str,
        body: Any = None,
        *,
        path: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        **more: Any,
    ) -> httpx.Response:
        """Send a request, and return the answer.

        Args:
            operation: The contract's `operationId`.
            body: The JSON of its body; None where `more` has another body.
            path: The parameters of its path.
            without: The headers to leave out that httpx sends by itself.
            **more: Further arguments of httpx, such as `params`, `headers`, `content` and `files`.

        Raises:
            WithheldError: The contract, or the release, does not have it.
        """
        method, url = self._route(operation, path or {})
        if body is not None:
            more["json"] = body
        if not without:
            return self._http.request(method, url, **more)
        request = self._http.build_request(method, url, **more)
        for name in without:
            del request.headers[name]
        return self._http.send(request)

    def _route(self, operation: str, path: Mapping[str, str]) -> tuple[str, str]:
        """Return the method and the URL of an operation.

        Raises:
            WithheldError: The contract, or the release, does not have it.
        """
        if not self.has(operation):
            raise WithheldError(f"The contract has no {operation}, which this test needs.")
        _, template, method = self._suite.rules.locations[operation]
        return method.upper(), template.format_map({name: quote(value, safe="") for name, value in path.items()})

    def build(
        self,
        operation: str,
        method: str = "",
        *,
        path: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx.Request:
        """Return a request with the user's token.

        Args:
            operation: The contract's `operationId`.
            method: Another method than the contract's.
            path: The parameters of its path.
            headers: Its headers.
            **more: Further arguments of httpx.
        """
        declared, url = self._route(operation, path)
        signed = {**(headers or {}), "Authorization": self._suite.authorization(operation)}
        return self._http.build_request(method or declared, url, headers=signed, **more)

    def keys(self, realm: str) -> list[dict[str, Any]]:
        """Return the public keys that the issuer of tokens publishes; none where it publishes none.

        Args:
            realm: The path of its realm, below the URL of Keycloak.
        """
        url = self._suite.instance.settings.auth_url.rstrip("/") + realm + _KEYS
        answer = self._http.get(url, auth=None)
        is_json = answer.is_success and answer.headers.get("content-type", "").lower().startswith("application/json")
        return [object_of(key) for key in list_of(object_of(answer.json()).get("keys"))] if is_json else []

    def list_models(self, workspace_id: int | None) -> list[dict[str, Any]]:
        """Return the models of a workspace, in the form of any release, without their versions."""
        return [listed_model(row) for row in self.call("list_models", {"workspace_id": workspace_id})["models"]]

    def call(self, operation: str, body: Any = None, **more: Any) -> Any:
        """Send a request that has to succeed, and return the JSON of the answer."""
        answer = self.send(operation, body, **more)
        is_success = self._suite.rules.is_success(operation, answer.status_code)
        assert is_success, f"{operation}: {answer.status_code} {answer.text[:500]}"  # noqa: S101 - pytest's way to fail
        return answer.json() if answer.content else None

    def control(self, operation: str, good: dict[str, Any]) -> None:
        """Send the good request beside which another was refused: it has to succeed, or the refusal says nothing.

        Args:
            operation: The contract's `operationId`.
            good: The request, as `GeneratedCases.good_request` returns it.
        """
        request = dict(good)
        if not self._suite.rules.takes_token(operation):
            headers = good.get("headers", {}) | {"Authorization": self._suite.authorization(operation)}
            request |= {"headers": headers, "auth": None}
        answer = self.send(operation, **request)
        message = f"{operation} refuses what is right, too: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code == self._suite.rules.success(operation), message  # noqa: S101 - pytest's way to fail

    @staticmethod
    def first(answer: Any) -> dict[str, Any]:
        """Return the first of a list, or what is no list, because some operations answer in both forms."""
        return list_of(answer)[0] if list_of(answer) else answer

    def has(self, operation: str) -> bool:
        """Return whether the release has an operation."""
        return operation in self._suite.rules.operations

    def call_refused(self, operation: str, body: Any = None, **more: Any) -> int:
        """Send a request that has to be refused with 400 or 404, and return the status."""
        answer = self.send(operation, body, **more)
        assert answer.status_code in {400, 404}, f"{operation}: {answer.status_code} {answer.text[:500]}"  # noqa: S101 - pytest's way to fail
        assert says_why(answer), f"{operation} does not say what is wrong: {answer.text[:500]}"  # noqa: S101 - pytest's way to fail
        return answer.status_code

    @property
    def rows_ahead(self) -> float | None:
        """How far the clock by which the run's first rows were scored is ahead of this machine's, in seconds."""
        return self._suite.fixtures.rows_ahead

    @property
    def uploads(self) -> list[str]:
        """The operations that upload a model, as far as the release has them."""
        return [name for name in UPLOADS if self.has(name)]

    def upload(self, operation: str, name: str, content: bytes, workspace_id: int) -> int:
        """Upload a model by one of the three operations, and return the id of the new version.

        Args:
            operation: `upload_and_convert_model`, `upload_model` or `upload_model_stream`.
            name: The model's name.
            content: The content of the model's file.
            workspace_id: The id of the workspace.
        """
        fields = {"name": name, "visibility": "private", "workspace_id": workspace_id}
        return self.version_in(self.call(operation, **self.upload_of(operation, fields, f"{name}.onnx", content)))

    @staticmethod
    def version_in(answer: Any) -> int:
        """Return the id of the version in the answer to an upload, which has one element for the one upload."""
        inserted = answer["insert_models"]["returning"]
        versions = [each for model in inserted for each in model["models"]]
        assert (len(inserted), len(versions)) == (1, 1), f"one upload is answered with several: {inserted}"  # noqa: S101 - pytest's way to fail
        return versions[0]["id"]

    @staticmethod
    def upload_of(operation: str, fields: dict[str, Any], file_name: str, content: bytes) -> dict[str, Any]:
        """Return the request of an upload by one of the three operations, as arguments of `send`."""
        file = (file_name, content, "application/octet-stream")
        if operation == "upload_model_stream":
            params = fields | {"filename": file_name}
            return {"params": params, "content": content, "headers": {"Content-Type": file[2]}}
        if operation == "upload_model":
            return {"data": fields, "files": {"file": file}}
        metadata = json.dumps(fields | {"conversion": {"framework": "onnx"}})
        return {"files": [("metadata", (None, metadata, "application/json")), ("file", file)]}
