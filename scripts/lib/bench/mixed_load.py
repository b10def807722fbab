"""Sends requests of many kinds at random, and keeps a record of what the instance acknowledged."""

from __future__ import annotations

import hashlib
import json
import random
import time
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from scripts.lib.bench.model import WIDTH, model_content
from wallaroo_ext import contract
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.inference.media_types import arrow_media_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WORKSPACE = 1
LARGE = 10_000
"""The number of rows of a large inference, which are more than a MiB."""

_SIZES = (100, 5_000, 70_000, 1_500_000)
_TIMEOUT_SECONDS = 60
_OCTETS = "application/octet-stream"
_MARKER_LIMIT = 1 << 24  # a float32 holds every integer below it


class UnexpectedAnswerError(Exception):
    """A request was answered with something other than success."""


@dataclass
class Acknowledged:
    """The changes that an instance has acknowledged, without requests that are still in flight.

    Attributes:
        workspaces: The names of workspaces.
        users: The ids of users.
        pipelines: The ids of pipelines.
        versions: The SHA-256 of each model version's file, by its id.
        assays: Whether each assay is active, by its id.
        rows: How many rows were scored with each marker, which is the first field of a row.
        is_deployed: Whether the second pipeline is deployed; None if that is not known.
        refresh_token: The refresh token to use next; None if that is not known.
    """

    workspaces: set[str] = field(default_factory=set[str])
    users: set[str] = field(default_factory=set[str])
    pipelines: set[int] = field(default_factory=set[int])
    versions: dict[int, str] = field(default_factory=dict[int, str])
    assays: dict[int, bool] = field(default_factory=dict[int, bool])
    rows: dict[int, int] = field(default_factory=dict[int, int])
    is_deployed: bool | None = None
    refresh_token: str | None = field(default=None, repr=False)


class Actor:
    """A client that does one action after the other.

    Args:
        number: Its number, which no other actor of the instance has.
        seed: The seed of its random choices.
        mix: The weights of its actions, by the names of `ACTIONS`.
    """

    def __init__(self, number: int, seed: int, mix: Mapping[str, int]) -> None:
        self.acknowledged = Acknowledged()
        self.name = f"actor-{number}"
        self.http = httpx.Client(trust_env=False)
        self.random = random.Random(seed)  # noqa: S311 - no secrets are made from it
        self._mix = mix
        self._environment: dict[str, str] = {}
        self._count = 0
        self._first_marker = number * 1_000_000
        self._pipeline: dict[str, Any] = {}
        self._toggled: dict[str, Any] = {}
        self._url = ""

    def connect(self, environment: dict[str, str]) -> None:
        """Sign in to an instance, which may have restarted: with the last refresh token, or else with the password."""
        self._environment = environment
        self.http.close()
        self.http = httpx.Client(base_url=environment["WALLAROO_API_URL"], trust_env=False, timeout=60)
        if self.acknowledged.refresh_token is not None:
            self.refresh()
            return
        user = {"username": environment["WALLAROO_USER"], "password": environment["WALLAROO_PASSWORD"]}
        self._get_token({"grant_type": "password"} | user)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def _get_token(self, grant: dict[str, str]) -> None:
        client = self._environment["WALLAROO_CLIENT_ID"], self._environment["WALLAROO_CLIENT_SECRET"]
        self.acknowledged.refresh_token = None
        url = self._environment["WALLAROO_AUTH_URL"] + contract.operation("request_token").path
        answer = _checked(self.http.post(url, data=grant, auth=client)).json()
        self.acknowledged.refresh_token = answer["refresh_token"]
        self.http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def post(self, operation: str, body: Any) -> Any:
        """Send a request with JSON. Returns the answer."""
        return _checked(self.http.post(contract.operation(operation).path, json=body)).json()

    def prepare(self) -> None:
        """Upload a model and deploy it for the inferences, and make a second pipeline to deploy and undeploy."""
        version = self._upload_stream(model_content(), self.name)
        self._pipeline = self._new_pipeline(self.name) | {"model_ids": [version]}
        self._toggled = self._new_pipeline(f"{self.name}-toggled") | {"model_ids": [version]}
        self.post("deploy_pipeline", self._pipeline)

    def wait_until_running(self) -> None:
        """Wait until the deployment for the inferences is running."""
        where = {"workspace_id": WORKSPACE, "pipeline_name": self.name}
        self._url = self.post("get_pipeline_external_url", where)["url"]  # it changes with a restart
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while (status := self.get_deployment_status()) != "Running":
            if time.monotonic() > deadline:
                raise UnexpectedAnswerError(f"The deployment of {self.name} is {status} after {_TIMEOUT_SECONDS} s.")
            time.sleep(0.02)

    @property
    def pipeline_id(self) -> int:
        """The pipeline of the deployment for the inferences."""
        return int(self._pipeline["pipeline_id"])

    def versions(self) -> list[dict[str, Any]]:
        """Return the model versions that this actor uploaded."""
        listed = self.post("list_models", {"workspace_id": WORKSPACE})["models"]
        models = {found["model"]["name"] for found in listed}
        names = [name for name in models if name == self.name or name.startswith(f"{self.name}-")]
        return [version for name in names for version in self.post("list_model_versions", {"model_id": name})]

    def assays(self) -> list[dict[str, Any]]:
        """Return the assays that this actor created."""
        return self.post("list_assays", {"pipeline_id": self.pipeline_id})

    def is_deployed(self) -> bool:
        """Return whether the second pipeline is deployed."""
        where = {"workspace_id": WORKSPACE, "pipeline_name": self._toggled["deploy_id"]}
        path = contract.operation("get_pipeline_external_url").path
        return self.http.post(path, json=where).status_code == HTTPStatus.OK

    def _new_pipeline(self, name: str) -> dict[str, Any]:
        """Create a pipeline. Returns the body of the request that deploys it."""
        body: dict[str, Any] = {"pipeline_id": name, "workspace_id": WORKSPACE, "definition": {}}
        made = self.post("create_pipeline", body)
        self.acknowledged.pipelines.add(made["pipeline_pk_id"])
        ids = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
        return {"deploy_id": name} | ids

    def step(self) -> str:
        """Do the next action. Returns its name in `ACTIONS`."""
        [name] = self.random.choices(list(self._mix), weights=list(self._mix.values()))
        self._count += 1
        ACTIONS[name](self)
        return name

    def _new_name(self) -> str:
        return f"{self.name}-{self._count}"

    def create_workspace(self) -> None:
        """Create a workspace."""
        name = self._new_name()
        self.post("create_workspace", {"workspace_name": name})
        self.acknowledged.workspaces.add(name)

    def create_pipeline(self) -> None:
        """Create a pipeline."""
        self._new_pipeline(self._new_name())

    def invite_user(self) -> None:
        """Invite a user."""
        answer = self.post("invite_user", {"email": f"{self._new_name()}@example.com"})
        self.acknowledged.users.add(answer["id"])

    def create_assay(self) -> None:
        """Create an assay."""
        body = assay(self.name, self.pipeline_id)
        self.acknowledged.assays[self.post("create_assay", body)["assay_id"]] = body["active"]

    def set_assay_active(self) -> None:
        """Switch an assay on or off."""
        if not self.acknowledged.assays:
            self.create_assay()
        assay_id, active = self.random.choice(list(self.acknowledged.assays.items()))
        del self.acknowledged.assays[assay_id]
        self.post("set_assay_active", {"id": assay_id, "active": not active})
        self.acknowledged.assays[assay_id] = not active

    def toggle(self) -> None:
        """Deploy the second pipeline, or undeploy it."""
        deploy = not self.acknowledged.is_deployed
        self.acknowledged.is_deployed = None
        if deploy:
            self.post("deploy_pipeline", self._toggled)
        else:
            self.post("undeploy_pipeline", {"pipeline_id": self._toggled["pipeline_id"]})
        self.acknowledged.is_deployed = deploy

    def refresh(self) -> None:
        """Get a token for the refresh token."""
        self._get_token({"grant_type": "refresh_token", "refresh_token": str(self.acknowledged.refresh_token)})

    def _content(self) -> bytes:
        return self.random.randbytes(self.random.choice(_SIZES))

    def _upload_stream(self, content: bytes, name: str) -> int:
        query = {"name": name, "filename": "model.onnx", "workspace_id": WORKSPACE}
        path, headers = contract.operation("upload_model_stream").path, {"Content-Type": _OCTETS}
        return self._uploaded(self.http.post(path, params=query, content=content, headers=headers), content)

    def _uploaded(self, answer: httpx.Response, content: bytes) -> int:
        version: int = _checked(answer).json()["insert_models"]["returning"][0]["models"][0]["id"]
        self.acknowledged.versions[version] = hashlib.sha256(content).hexdigest()
        return version

    def upload_model_stream(self) -> None:
        """Upload a model as the body of the request."""
        self._upload_stream(self._content(), f"{self.name}-streamed")

    def upload_model(self) -> None:
        """Upload a model in the oldest form."""
        content = self._content()
        fields = {"name": f"{self.name}-plain", "visibility": "private", "workspace_id": str(WORKSPACE)}
        path, files = contract.operation("upload_model").path, {"file": ("model.onnx", content, _OCTETS)}
        self._uploaded(self.http.post(path, data=fields, files=files), content)

    def upload_and_convert_model(self) -> None:
        """Upload a model that is only stored."""
        content = self._content()
        metadata = {"name": f"{self.name}-converted", "visibility": "private", "workspace_id": WORKSPACE}
        text = json.dumps(metadata | {"conversion": {"framework": "custom"}})
        parts = {"metadata": (None, text, "application/json"), "file": ("model.bin", content, _OCTETS)}
        path = contract.operation("upload_and_convert_model").path
        self._uploaded(self.http.post(path, files=parts), content)

    def _rows(self, count: int) -> tuple[int, np.ndarray[Any, Any]]:
        """Return a marker, and rows that have it in their first field."""
        marker = self._first_marker + self._count
        if marker >= _MARKER_LIMIT:
            raise ValueError("Too many actors, or too many steps, for a marker in a float32.")
        rows = np.full((count, WIDTH), 0.5, np.float32)
        rows[:, 0] = marker
        return marker, rows

    def infer_json(self) -> None:
        """Score a row as JSON."""
        marker, rows = self._rows(1)
        media_type = contract.operation("infer_pipeline").request_types[0]
        body = json.dumps([{"dense_input": rows[0].tolist()}]).encode()
        self._infer(marker, 1, body, media_type)

    def infer_arrow(self, count: int = 1) -> None:
        """Score rows as Arrow."""
        marker, rows = self._rows(count)
        self._infer(marker, count, to_file(to_table({"dense_input": rows})).to_pybytes(), arrow_media_type())

    def infer_many(self) -> None:
        """Score rows of more than a MiB."""
        self.infer_arrow(LARGE)

    def _infer(self, marker: int, count: int, content: bytes, media_type: str) -> None:
        headers = {"Content-Type": media_type, "Accept": media_type}
        _checked(self.http.post(self._url, content=content, headers=headers))
        self.acknowledged.rows[marker] = count

    def list_workspaces(self) -> None:
        """Read the workspaces."""
        self.post("list_workspaces", {})

    def list_models(self) -> None:
        """Read the models."""
        self.post("list_models", {"workspace_id": WORKSPACE})

    def list_assays(self) -> None:
        """Read the assays."""
        self.assays()

    def read_log(self) -> None:
        """Read the newest logged rows, up to 100."""
        since = datetime.now(UTC) - timedelta(seconds=5)
        where = {"workspace_id": WORKSPACE, "pipeline_name": self.name}
        self.post("get_assay_baseline", where | {"start": since.isoformat(), "limit": 100})

    def compute_assay(self) -> None:
        """Compute a baseline from the rows of the last ten seconds."""
        now = datetime.now(UTC)
        body = assay(self.name, self.pipeline_id)
        baseline = body["baseline"]["calculated"]["fixed_window"]
        baseline |= {"start": (now - timedelta(seconds=10)).isoformat(), "width": "11 seconds"}
        self.post("run_interactive_assay_baseline", body)

    def get_deployment_status(self) -> str:
        """Read the state of the first deployment."""
        status: str = self.post("get_deployment_status", {"name": self._url.split("/")[-2]})["status"]
        return status


ACTIONS: dict[str, Callable[[Actor], object]] = {
    "create a workspace": Actor.create_workspace,
    "create a pipeline": Actor.create_pipeline,
    "invite a user": Actor.invite_user,
    "create an assay": Actor.create_assay,
    "switch an assay": Actor.set_assay_active,
    "deploy or undeploy": Actor.toggle,
    "refresh the token": Actor.refresh,
    "upload, streamed": Actor.upload_model_stream,
    "upload, oldest form": Actor.upload_model,
    "upload and convert": Actor.upload_and_convert_model,
    "infer 1 row, JSON": Actor.infer_json,
    "infer 1 row, Arrow": Actor.infer_arrow,
    f"infer {LARGE:,} rows, Arrow": Actor.infer_many,
    "list workspaces": Actor.list_workspaces,
    "list models": Actor.list_models,
    "list assays": Actor.list_assays,
    "read a deployment's status": Actor.get_deployment_status,
    "read the log": Actor.read_log,
    "compute an assay's baseline": Actor.compute_assay,
}
"""The actions of an actor, by name."""


def assay(pipeline: str, pipeline_id: int) -> dict[str, Any]:
    """Return the contract's example of an assay for a pipeline whose model has the same name."""
    body = deepcopy(_example_assay())
    window = body["window"] | {
        "pipeline_name": pipeline,
        "model_name": pipeline,
        "path": "output dense_1 0",
        "workspace_id": WORKSPACE,
    }
    return body | {
        "pipeline_name": pipeline,
        "pipeline_id": pipeline_id,
        "workspace_id": WORKSPACE,
        "window": window,
        "baseline": {"calculated": {"fixed_window": window | {"start": "2023-01-01T00:00:00Z"}}},
    }


@cache
def _example_assay() -> dict[str, Any]:
    path = contract.load()["paths"][contract.operation("create_assay").path]
    return path["post"]["requestBody"]["content"]["application/json"]["examples"]["recordings"]["value"]


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise UnexpectedAnswerError(f"{answer.request.url.path}: {answer.status_code} {answer.text[:300]}")
    return answer
