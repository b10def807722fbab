"""Makes versions of models and pipelines, deploys them, and finds out which version runs."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.conformance.resources.samples import INPUT, model_file, weights
from wallaroo_ext.conformance.testing.answer_forms import RECORDS, outputs
from wallaroo_ext.conformance.testing.inference.scoring import OPERATIONS, is_running
from wallaroo_ext.conformance.testing.waiting import Patience, ended_version

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

ROWS = [[0.5, -1.0, 2.0, 4.0], [1.0, 1.0, 1.0, -3.0]]
_GONE = 404


def new_pipeline(api: Api, fixtures: Fixtures, *, name: str = "", models: list[Any] | None = None) -> dict[str, Any]:
    """Make a pipeline, or a version of one, and return the answer with its name."""
    name = name or api.unused_name("p")
    steps = [{"ModelInference": {"models": models}}] if models else []
    body = {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": {"steps": steps}}
    return api.call("create_pipeline", body) | {"name": name}


def deployed(api: Api, pipeline: dict[str, Any], **more: Any) -> tuple[int, str]:
    """Deploy a version of a pipeline, and return the id and the name of the deployment.

    Args:
        api: The operations.
        pipeline: The version, as `new_pipeline` returns it.
        **more: Further fields of the request; the deployment has the pipeline's name unless `deploy_id` is another.
    """
    ids = {"pipeline_id": pipeline["pipeline_pk_id"], "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"]}
    request = ids | {"deploy_id": pipeline["name"]} | more
    number = api.call("deploy_pipeline", request)["id"]
    return number, f"{request['deploy_id']}-{number}"


def version_of(api: Api, fixtures: Fixtures, name: str, seed: int) -> tuple[int, dict[str, str]]:
    """Upload a version of a model, and return its id, and what names it in a pipeline, once it is ready."""
    assert fixtures.workspace_id is not None  # noqa: S101 - pytest's way to fail
    content = model_file(seed=seed)
    number = api.upload(api.uploads[0], name, content, fixtures.workspace_id)
    found = ended_version(api, name, number)
    assert found["sha"] == hashlib.sha256(content).hexdigest()  # noqa: S101 - pytest's way to fail
    return number, {"name": name, "version": found["model_version"], "sha": found["sha"]}


def status_of(api: Api, deployment: str) -> dict[str, Any]:
    """Return the status of a deployment that is there."""
    status = api.call("get_deployment_status", {"name": deployment})
    is_running(status)
    return status


def is_gone(api: Api, deployment: str) -> bool:
    """Return whether a deployment is no longer there."""
    return api.send("get_deployment_status", {"name": deployment}).status_code == _GONE


def runs(api: Api, deployment: str, model: dict[str, str]) -> dict[str, Any]:
    """Wait until each engine of a deployment runs one model version, once, and no other, and return the status."""
    patience, seen = Patience(), list[Any]()
    while True:
        status = api.send("get_deployment_status", {"name": deployment})
        found: dict[str, Any] = status.json() if status.is_success else {}
        if is_running(found):
            statuses: list[dict[str, Any]] = [engine["model_statuses"] or {} for engine in found["engines"]]
            seen = [[{name: each[name] for name in model} for each in one.get("models", [])] for one in statuses]
            assert [model, model] not in seen, f"{deployment} runs {model} twice"  # noqa: S101 - pytest's way to fail
            if seen and all(each == [model] for each in seen):
                assert all(engine["ip"] for engine in found["engines"]), "an engine runs, and has no address"  # noqa: S101 - pytest's way to fail
                return found
        assert patience.lasts(), f"{deployment} runs {seen} in place of {model}"  # noqa: S101 - pytest's way to fail


def scores_with(
    api: Api, deployment: str, pipeline: str, model: dict[str, str], seed: int, *, version: str | None = None
) -> None:
    """Check that a deployment scores rows with the model that was made from a seed, and says so, at both URLs.

    Args:
        api: The operations.
        deployment: The deployment.
        pipeline: The pipeline's name.
        model: What names the version of the model in a pipeline.
        seed: The seed that the model was made from.
        version: The UUID of the pipeline's version; None where it does not matter, or is not known.
    """
    path, headers = {"deployment": deployment, "pipeline": pipeline}, {"Content-Type": RECORDS}
    expected = np.asarray(ROWS, np.float32).astype(np.float64) @ weights(seed).astype(np.float64)
    for operation in filter(api.has, OPERATIONS):
        found = api.call(operation, [{INPUT: row} for row in ROWS], path=path, headers=headers)
        assert np.allclose(outputs(found), expected, rtol=1e-4), "another version of the model scored the rows"  # noqa: S101 - pytest's way to fail
        for metadata in (row["metadata"] for row in found if "metadata" in row):
            assert json.loads(metadata["last_model"])["model_sha"] == model["sha"]  # noqa: S101 - pytest's way to fail
            stated = metadata.get("pipeline_version")  # which older releases leave out, or leave empty
            is_known = version is None or stated in {None, "", version}
            assert is_known, "another version of the pipeline is said to have scored the rows"  # noqa: S101 - pytest's way to fail
