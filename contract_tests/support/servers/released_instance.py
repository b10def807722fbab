"""A small instance that answers in the shapes that were recorded of one release, with values of ours.

It has one workspace, and two models of one name, of which the other is in a workspace that the user does not see.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from contract_tests.support.servers import http_servers
from wallaroo_ext import contract

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from http.server import BaseHTTPRequestHandler

API = "https://api.example.com"
WORKSPACE, MODEL, OTHER_MODEL = 7, 40, 30
SHA = "4f1d3c9a8e7b6054c2d1f0e9b8a7968574635241302f1e0d9c8b7a6958473625"
TIME = "2024-01-05T09:30:00.125000+00:00"
_GONE = httpx.Response(404, html="<h1>no such page</h1>")


class ReleasedInstance:
    """An instance of a release.

    Attributes:
        release: The release.
        statuses: The statuses that its deployment goes through, one a request; it stays in the last one.
        running: The name of what is deployed; None for nothing.
        url_after: How many requests for the URL of what is deployed it answers with 404 first.
        undeployed: What it answers to a request to undeploy; by default what its release answers.
        asked: The ids of the operations that were asked for.
    """

    def __init__(self, release: str, *statuses: str) -> None:
        self.release = release
        self.statuses = list(statuses or ("Error", "Error", "Starting", "Running"))
        self.running: str | None = None
        self.url_after = 0
        self.undeployed = b"null" if release < "2024.2" else b"{}"
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        operation = contract.operation_at(request.url.path) or ""
        self.asked.append(operation)
        answer: Callable[[dict[str, Any]], Any] = getattr(self, f"_{operation}")
        found = answer(json.loads(request.read()))
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    @contextmanager
    def served(self) -> Generator[dict[str, str]]:
        """Run it as a server while a `with` block runs, and yield the environment that names it."""

        def respond(handler: BaseHTTPRequestHandler, number: int) -> None:
            response = self(httpx.Request("POST", f"{API}{handler.path}", content=seen.bodies[number]))
            http_servers.answer(handler, response.status_code, response.content)

        with http_servers.serving(respond) as seen:
            yield {"WALLAROO_API_URL": seen.url, "WALLAROO_TOKEN": "a-token"}

    def _list_workspaces(self, _: Any) -> Any:
        return {"workspaces": [{"id": WORKSPACE, "name": "fraud", "created_at": TIME}]}

    def _list_models(self, body: Any) -> Any:
        assert body == {"workspace_id": WORKSPACE}
        flat = {"id": MODEL, "name": "fraud", "owner_id": '""', "created_at": TIME, "updated_at": TIME}
        if self.release < "2024.2":
            return {"models": [flat]}
        versions = [{"model_version": self._details(number), "config": {"id": number + 16}} for number in (41, 43)]
        return {"models": [{"model": flat | {"workspace_id": WORKSPACE}, "model_versions": versions}]}

    def _details(self, number: int) -> dict[str, Any]:
        file_info = {"version": f"version-{number}", "sha": SHA, "file_name": "fraud.onnx", "size": 1928}
        of = {"id": number, "name": "fraud", "visibility": "private", "workspace_id": WORKSPACE}
        return of | {"status": "ready", "file_info": file_info, "created_on_version": self.release, "deployed": False}

    def _list_model_versions(self, body: Any) -> Any:
        versions = [self._version(43, MODEL), self._version(52, OTHER_MODEL), self._version(41, MODEL)]
        number = body.get("models_pk_id")
        if number is None or (self.release >= "2025.2" and body.get("model_id") == "fraud"):
            return versions
        return [version for version in versions if version["models_pk_id"] == number]

    def _version(self, number: int, model: int) -> dict[str, Any]:
        version = {"id": number, "models_pk_id": model, "model_version": f"version-{number}", "sha": SHA}
        version |= {"owner_id": '""', "model_id": "fraud", "file_name": "fraud.onnx", "image_path": None}
        return version if self.release < "2023.2" else version | {"status": "ready"}

    def _get_model_by_id(self, body: Any) -> Any:
        if body != {"id": MODEL}:
            return httpx.Response(400, json={"msg": "The provided model id was not found.", "code": 400})
        model = {"id": MODEL, "owner_id": '""', "workspace_id": WORKSPACE, "name": "fraud", "updated_at": TIME}
        return model | {"created_at": TIME, "model_config": None}

    def _create_pipeline(self, body: Any) -> Any:
        [step] = body["definition"]["steps"]
        assert step["ModelInference"]["models"] == [{"name": "fraud", "version": "version-43", "sha": SHA}]
        return {"pipeline_pk_id": 12, "pipeline_variant_pk_id": 13, "pipeline_variant_version": "a-variant"}

    def _deploy_pipeline(self, body: Any) -> Any:
        self.running = f"{body['deploy_id']}-17"
        return {"id": 17}

    def _list_pipelines(self, _: Any) -> Any:
        return httpx.Response(404, text="no such page")

    def _get_pipeline_external_url(self, body: Any) -> Any:
        if self.running is not None:
            self.url_after -= 1
        if self.running != f"{body['pipeline_name']}-17" or self.url_after >= 0:
            return httpx.Response(404, json={"msg": "Pipeline not found", "code": 404})
        pipeline = "" if self.release < "2023.2" else f"/{body['pipeline_name']}"
        return {"url": f"{API}/v1/api/pipelines/infer/{self.running}{pipeline}"}

    def _get_deployment_status(self, body: Any) -> Any:
        if self.running is None or body != {"name": self.running}:
            return httpx.Response(404, json={"msg": "Deployment not found", "code": 404})
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return self.deployment(status)

    def deployment(self, status: str) -> dict[str, Any]:
        """Return what it tells of a deployment of this status."""
        is_oldest = self.release == "2022.4"
        pipeline = {"id": "scores", "status": "Running"}
        model = {"name": "fraud", "version": "version-43", "sha": SHA, "status": "Running"}
        if self.release >= "2024.2":
            pipeline["version"] = "a-variant"
        if self.release >= "2025.2":
            model["model_version_id"] = "43"
        pod: dict[str, Any] = {"ip": "10.1.0.1", "status": "Running", "reason": None}
        pod |= {} if is_oldest else {"details": []}
        engine = pod | {"name": "engine-1"}
        engine |= {"pipeline_statuses": {"pipelines": [pipeline]}, "model_statuses": {"models": [model]}}
        if status != "Running":
            waiting = {} if is_oldest else {"details": ["the container is not ready"]}
            engine |= {"ip": None, "status": "Pending", "pipeline_statuses": None, "model_statuses": None} | waiting
        deployment = {"status": status, "details": None if is_oldest else [], "engines": [engine]}
        deployment["engine_lbs"] = [pod | {"name": "engine-lb-1"}]
        return deployment if is_oldest else deployment | {"sidekicks": []}

    def _undeploy_pipeline(self, body: Any) -> Any:
        assert body == {"deployment_id": 17}
        self.running = None
        return httpx.Response(200, content=self.undeployed)

    def _get_model_version_by_id(self, body: Any) -> Any:
        if self.release < "2023.2":
            return _GONE
        number = body["model_version_id"]
        return {"model_version": {"model_version": self._details(number), "config": {"id": number + 16}}}
