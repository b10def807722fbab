"""An instance in the test's process that answers inference requests with the rows that they sent."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import RetryPolicy, connect
from wallaroo_ext._util.arrow.files import MEDIA_TYPE, from_file, to_file

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

pa: Any = import_module("pyarrow")
API = "https://api.example.com"
URL = f"{API}/v1/api/pipelines/infer/echo-1/echo"
_STATUS = {
    "status": "Running",
    "engines": [
        {
            "status": "Running",
            "model_statuses": {"models": [{"name": "echo", "version": "1", "sha": "0" * 64, "status": "Running"}]},
        }
    ],
}


class Echo:
    """An instance that echoes rows.

    Attributes:
        sent: The tables that it got, in order of arrival.
        refuses: Whether it refuses tables that have a value in the column `refuse`.
    """

    def __init__(self, *, refuses: bool = False) -> None:
        self.sent: list[Any] = []
        self.refuses = refuses

    def client(self) -> Client:
        """Return a client of the instance."""
        policy = RetryPolicy(first_pause=0.001, longest_pause=0.001)
        return connect(API, token="t-51f0c9d2", transport=httpx.MockTransport(self), retries=policy, environment={})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if not request.url.path.startswith("/v1/api/pipelines/infer"):
            return httpx.Response(200, json=_STATUS)
        table = from_file(request.read())
        if self.refuses and any(value is not None for value in table.column("refuse").to_pylist()):
            return httpx.Response(
                400, content=json.dumps({"code": 400, "status": "Error", "error": "refused", "source": "engine"})
            )
        self.sent.append(table)
        answer = pa.table(table.columns, names=[f"out.{name}" for name in table.column_names])
        return httpx.Response(200, content=to_file(answer).to_pybytes(), headers={"Content-Type": MEDIA_TYPE})

    def columns(self) -> dict[str, Any]:
        """Return the columns of all rows that it got, if one request is in flight at a time."""
        return pa.concat_tables(self.sent).to_pydict() if self.sent else {}
