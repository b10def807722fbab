"""A sandbox of a release in which there is one of everything that recorded requests are about."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from scripts.lib.bench.model import WIDTH, model_content
from scripts.lib.congruence.house_prices import log_house_prices
from scripts.lib.polling import polled
from wallaroo_ext import connect, contract
from wallaroo_ext._util.arrow.files import MEDIA_TYPE as ARROW
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.sandbox.process import running, start_process

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    import httpx

    from wallaroo_ext.sandbox.process import Starter

BYTES = "application/octet-stream"
RECORDS = "application/json; format=pandas-records"
NOBODY = "nobody@example.com"
NOTHING_THERE = 999_999
_PASSWORD = "A-password-0f-the-scene"  # noqa: S105 - of a user of a sandbox that ends with the comparison
_PATIENCE_SECONDS = 60.0
_FIRST_CONVERTED = "2023.2"
_FIRST_NEW_ASSAYS = "2023.4"
_FIRST_SECOND_VERSION = "2025.2"
_FIRST_PIPELINE_IN_URL = "2023.2"


@dataclass
class Scene:
    """A sandbox of a release, and the names and ids of what is in it.

    Attributes:
        release: The release.
        http: A client of the sandbox that sends the user's token.
        known: The values of fields of requests, by the name of the field, or by operation and name.
        models: The values of fields about models: of a deployed one, and of one that never was.
        early: Answers that came while a deployment started, by operation.
    """

    release: str
    http: httpx.Client
    known: dict[Any, Any] = field(default_factory=dict[Any, Any])
    models: list[dict[Any, Any]] = field(default_factory=list[dict[Any, Any]])
    early: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_name(self) -> str:
        """Return a name that nothing has yet."""
        return f"new-{next(self._numbers)}"

    def send(self, operation: str, body: Any) -> httpx.Response:
        """Send a request of JSON, and return the answer."""
        return self.http.post(contract.operation(operation).path, json=body)

    def must(self, operation: str, body: Any) -> Any:
        """Send a request of JSON that has to succeed, and return the JSON of the answer."""
        return self.send(operation, body).raise_for_status().json()

    def upload(self, operation: str, name: str | None = None) -> httpx.Response:
        """Upload a model by an operation, and return the answer."""
        fields: dict[str, Any] = {"name": name or self.new_name(), "visibility": "private"}
        fields["workspace_id"] = self.known["workspace_id"]
        path, content = contract.operation(operation).path, model_content()
        if operation == "upload_model_stream":
            more = {"filename": "model.onnx"}
            return self.http.post(
                path, params=fields | more, content=content, headers={"Content-Type": "application/octet-stream"}
            )
        if operation == "upload_model":
            return self.http.post(
                path, data=fields, files={"file": ("model.onnx", content, "application/octet-stream")}
            )
        conversion: dict[str, Any] = {"framework": "onnx", "python_version": "3.8", "requirements": []}
        metadata = fields | {"conversion": conversion}
        return self.http.post(
            path,
            files=[
                ("metadata", (None, json.dumps(metadata), "application/json")),
                ("file", ("model.onnx", content, BYTES)),
            ],
        )

    def infer(self) -> httpx.Response:
        """Score two rows of JSON with the deployment, and return the answer."""
        rows = [{"dense_input": [0.5] * WIDTH}] * 2
        headers = {"Content-Type": RECORDS, "Accept": "application/json"}
        return self.http.post(self.known["inference path"], json=rows, headers=headers)

    def infer_in_arrow(self) -> httpx.Response:
        """Score two rows of Arrow with the deployment, and return the answer."""
        rows = pa.array([[0.5] * WIDTH] * 2, pa.list_(pa.float32()))
        content = bytes(to_file(pa.table({"dense_input": rows})))
        headers = {"Content-Type": ARROW, "Accept": ARROW}
        return self.http.post(self.known["inference path"], content=content, headers=headers)


@contextmanager
def scene_of(release: str, directory: Path, start: Starter = start_process) -> Generator[Scene]:
    """Yield a sandbox of a release with one of everything; it ends with the `with` block.

    Args:
        release: The release.
        directory: An empty directory for its data.
        start: Starts the sandbox's program; by default in a new process.
    """
    with (
        running(directory, "--release", release, start=start) as environment,
        connect(environment=environment) as client,
    ):
        scene = Scene(release, client.get_httpx_client())
        _make(scene)
    log_house_prices(directory, scene.known["pipeline_id"], {"house-price": "a" * 64}, ("dense_2", "dense_1"))
    with (
        running(directory, "--release", release, start=start) as environment,
        connect(environment=environment) as client,
    ):
        scene.http = client.get_httpx_client()
        _wait_until_running(scene)
        _make_assay(scene)
        yield scene


def _make(scene: Scene) -> None:
    """Make a workspace with members, two models, and a deployment."""
    known = scene.known
    known["user_id"] = next(iter(scene.must("query_users", {})["users"]))
    known["user_ids"] = [known["user_id"]]
    known["workspace_id"] = scene.must("create_workspace", {"workspace_name": "scene"})["workspace_id"]
    known["email"] = "colleague@example.com"
    scene.must("invite_user", {"email": known["email"], "password": _PASSWORD})
    scene.models = [_model(scene, "house-price"), _model(scene, "never-deployed")]
    known |= scene.models[0]
    _deploy(scene)


def _model(scene: Scene, name: str) -> dict[Any, Any]:
    """Upload a model, and return the values of fields about it."""
    upload = "upload_and_convert_model" if scene.release >= _FIRST_CONVERTED else "upload_model"
    scene.upload(upload, name).raise_for_status()
    [version] = polled(
        lambda: scene.must("list_model_versions", {"model_id": name}),
        lambda versions: all(each.get("status", "ready") == "ready" for each in versions),
        seconds=_PATIENCE_SECONDS,
    )
    return {
        "model reference": {"name": name, "version": version["model_version"], "sha": version["sha"]},
        "model": name,
        "model_name": name,
        "models_pk_id": version["models_pk_id"],
        "model_version_id": version["id"],
        "model_ids": [version["id"]],
        ("list_model_versions", "model_id"): name,
        ("get_model", "id"): version["models_pk_id"],
        ("get_model_by_id", "id"): version["models_pk_id"],
        ("get_model_config_by_id", "model_id"): version["id"],
    }


def _deploy(scene: Scene) -> None:
    """Create a pipeline with the first model, deploy it, and score rows with it."""
    known, name = scene.known, "scene-pipeline"
    steps = [{"ModelInference": {"models": [known["model reference"]]}}]
    body = {"pipeline_id": name, "workspace_id": known["workspace_id"], "definition": {"steps": steps}}
    made = scene.must("create_pipeline", body)
    known |= {
        "pipeline_name": name,
        "pipeline": name,
        "pipeline_id": made["pipeline_pk_id"],
        "source_pipeline": made["pipeline_pk_id"],
        "pipeline_version_pk_id": made["pipeline_variant_pk_id"],
        "deploy_id": name,
        "engine_config": {"engine": {"cpu": 1}},
        ("get_pipeline_logs", "pipeline_id"): name,
    }
    deploy = {"deploy_id": name, "pipeline_id": known["pipeline_id"], "model_ids": known["model_ids"]}
    deploy |= {"pipeline_version_pk_id": known["pipeline_version_pk_id"]}
    known["deployment_id"] = scene.must("deploy_pipeline", deploy)["id"]
    known["get_deployment_status", "name"] = f"{name}-{known['deployment_id']}"
    last = f"/{name}" if scene.release >= _FIRST_PIPELINE_IN_URL else ""
    known["inference path"] = f"/v1/api/pipelines/infer/{name}-{known['deployment_id']}{last}"
    _wait_until_running(scene)
    scene.infer().raise_for_status()


def _wait_until_running(scene: Scene) -> None:
    """Wait until the deployment runs, and keep the first answer about it."""
    answers: list[Any] = []

    def ask() -> Any:
        answers.append(scene.must("get_deployment_status", {"name": scene.known["get_deployment_status", "name"]}))
        return answers[-1]

    polled(ask, lambda answer: answer["status"] == "Running", seconds=_PATIENCE_SECONDS)
    scene.early.setdefault("get_deployment_status", []).append(answers[0])


def _make_assay(scene: Scene) -> None:
    """Make an assay, and note the values of fields about it."""
    known = scene.known
    known |= {
        "vector": [float(number) for number in np.random.default_rng(1).normal(12.9, 0.4, 100)],
        "start": "2023-01-03T00:00:00+00:00",
        "end": "2023-01-04T00:00:00+00:00",
        "start_time": "2023-01-03T00:00:00+00:00",
        "end_time": "2023-01-04T00:00:00+00:00",
        "run_until": "2023-01-04T00:00:00+00:00",
    }
    summarizer = {"type": "UnivariateContinuous", "bin_mode": "Quantile", "aggregation": "Density", "metric": "PSI"}
    summarizer |= {"num_bins": 5, "bin_weights": None, "provided_edges": None, "add_outlier_edges": True}
    of = {"name": "later", "pipeline_id": known["pipeline_id"], "pipeline_name": known["pipeline_name"]}
    of |= {"workspace_id": known["workspace_id"], "active": True, "status": "created", "summarizer": summarizer}
    of |= {"warning_threshold": None, "alert_threshold": 0.25, "run_until": None}
    forms = _static if scene.release >= _FIRST_NEW_ASSAYS else _fixed
    scene.must("create_assay", of | forms(scene, summarizer, {"start": None}))
    start = {"start": "2023-01-02T00:00:00+00:00", "interval": "24 hours"}
    run = {"name": "run", "warning_threshold": 0.125, "run_until": known["run_until"]} | forms(scene, summarizer, start)
    known["assay_id"] = scene.must("create_assay", of | run)["assay_id"]
    for operation in ("set_assay_active", "run_interactive_assay", "run_interactive_assay_baseline"):
        known[operation, "id"] = known["assay_id"]
    if scene.release >= _FIRST_SECOND_VERSION:
        listed = scene.must("get_assay_v2", {"workspace_id": known["workspace_id"]})
        [uuid] = [assay["id"] for assay in listed if assay["name"] == "run"]
        known |= {("get_assay_v2", "id"): uuid, ("get_assay_results_v2", "id"): uuid}
        known["get_next_assay_run_v2", "assay_id"] = uuid


def _fixed(scene: Scene, _: dict[str, Any], when: dict[str, Any]) -> dict[str, Any]:
    """Return the baseline and the window of an assay in the form before 2023.4."""
    names = {"pipeline": scene.known["pipeline_name"], "model": scene.known["model"]}
    fixed = {"start_at": "2023-01-01T00:00:00+00:00", "end_at": "2023-01-02T00:00:00+00:00"}
    window = {"width": "24 hours", "interval": None} | when
    return {"iopath": "output dense_1 0", "baseline": {"Fixed": names | fixed}, "window": names | window}


def _static(scene: Scene, summarizer: dict[str, Any], when: dict[str, Any]) -> dict[str, Any]:
    """Return the baseline and the window of an assay in the form since 2023.4.

    The baseline is a summary of values; of a window where it says when windows begin.
    """
    known = scene.known
    window = {"pipeline_name": known["pipeline_name"], "model_name": known["model"], "path": "output dense_1 0"}
    window |= {"workspace_id": known["workspace_id"], "locations": [], "width": "24 hours", "interval": None}
    first = window | {"start": "2023-01-01T00:00:00+00:00"}
    baseline = {"vector": known["vector"]} if when["start"] is None else {"fixed_window": first}
    known["static"] = scene.must("summarize_assay_baseline", {"summarizer": summarizer, "baseline": baseline})
    return {"baseline": {"static": known["static"]}, "window": window | when}
