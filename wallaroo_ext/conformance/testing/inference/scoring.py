"""Deploys models of the run, sends rows to them in each format, and compares numbers at the precision of their type."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.conformance.resources.samples import arrow_file_of
from wallaroo_ext.conformance.testing.answer_forms import ARROW, RECORDS
from wallaroo_ext.conformance.testing.waiting import Patience, ended_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from wallaroo_ext.conformance.testing.api_calls import Api

    Array = np.ndarray[Any, Any]

OPERATIONS = ("infer_deployment", "infer_pipeline")
"""The operations that score rows, one for each kind of inference URL."""
RUN_SEED, TWIN_SEED = 29, 77
"""The seeds of the weights of the run's model, and of another one with its fields."""


@dataclass(slots=True)
class Scoring:
    """A pipeline of the run that scores rows, and that nothing else uses.

    Attributes:
        name: Its name, which is that of its deployment, too, unless `deploy_id` is another.
        workspace_id: The id of its workspace.
        pipeline_id: Its id.
        version: The UUID of its version.
        version_id: The id of its version.
        deployment_id: The deployment's id.
        model: The model's version that it runs, as `models` of a deployment.
        others: The further ones that it runs.
        deploy_id: The name of the deployment, where that is not the pipeline's.
    """

    name: str
    workspace_id: int | None
    pipeline_id: int
    version: str
    version_id: int
    deployment_id: int
    model: dict[str, str]
    others: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    deploy_id: str = ""

    @property
    def deployment(self) -> str:
        """The deployment, as URLs have it."""
        return f"{self.deploy_id or self.name}-{self.deployment_id}"

    @property
    def path(self) -> dict[str, str]:
        """The parameters of both kinds of inference URL."""
        return {"deployment": self.deployment, "pipeline": self.name}

    def send(self, api: Api, operation: str, columns: Mapping[str, Array], **more: Any) -> httpx.Response:
        """Send rows, and return the answer.

        Args:
            api: The operations.
            operation: `infer_pipeline` or `infer_deployment`.
            columns: The rows, a field a column.
            **more: `media_type` of the request, `batches` of an Arrow file, and further arguments of `Api.send`.
        """
        media_type = more.pop("media_type", RECORDS)
        batches = more.pop("batches", ())
        content = arrow_file_of(columns, batches) if media_type == ARROW else records_of(columns)
        headers = {"Content-Type": media_type, **more.pop("headers", {})}
        request: dict[str, Any] = {"content": content, "headers": headers, **more}
        return api.send(operation, path=self.path, **request)


def deploy(api: Api, name: str, workspace_id: int | None, model: dict[str, str]) -> Scoring | None:
    """Deploy a model on a new pipeline, and return that once it runs; None if the instance cannot run the model.

    Args:
        api: The operations.
        name: A name of the run that is not taken.
        workspace_id: The workspace's id.
        model: The model's version, as `models` of a deployment.
    """
    return _deployed(api, name, workspace_id, {}, [model], models=[model])


def deploy_steps(
    api: Api, name: str, workspace_id: int | None, steps: Sequence[Sequence[dict[str, str]]]
) -> Scoring | None:
    """Deploy a new pipeline with steps, and return it once it runs; None if the instance cannot run them.

    Args:
        api: The operations.
        name: A name of the run that is not taken.
        workspace_id: The workspace's id.
        steps: The versions of the models of each step.
    """
    definition = {"steps": [{"ModelInference": {"models": list(models)}} for models in steps]}
    return _deployed(api, name, workspace_id, definition, [model for models in steps for model in models])


def _deployed(
    api: Api, name: str, workspace_id: int | None, definition: dict[str, Any], run: list[dict[str, str]], **more: Any
) -> Scoring | None:
    body: dict[str, Any] = {"pipeline_id": name, "workspace_id": workspace_id, "definition": definition}
    made = api.call("create_pipeline", body)
    pipeline_id, version_id = made["pipeline_pk_id"], made["pipeline_variant_pk_id"]
    ids = {"pipeline_id": pipeline_id, "pipeline_version_pk_id": version_id}
    deployed = api.call("deploy_pipeline", ids | {"deploy_id": name} | more)["id"]
    version = made.get("pipeline_variant_version", "")
    scoring = Scoring(name, workspace_id, pipeline_id, version, version_id, deployed, run[0], run[1:])
    return scoring if came_to_run(api, scoring) else None


def came_to_run(api: Api, scoring: Scoring) -> bool:
    """Wait until a deployment runs its models, and return whether it came to do so."""
    patience = Patience()
    expected = {model["sha"] for model in (scoring.model, *scoring.others)}
    while True:
        answer = api.send("get_deployment_status", {"name": scoring.deployment})
        status: dict[str, Any] = answer.json() if answer.is_success else {}
        statuses: list[dict[str, Any]] = [engine.get("model_statuses") or {} for engine in status.get("engines", ())]
        shas = {model["sha"] for found in statuses for model in found.get("models", ())}
        if is_running(status) and shas == expected:
            return True
        if not patience.lasts():
            return False


def is_running(status: dict[str, Any]) -> bool:
    """Return whether a deployment runs by its status, and check that one of its engines does then."""
    if status.get("status") != "Running":
        return False
    engines = [engine["status"] for engine in status["engines"]]
    assert "Running" in engines, f"it is said to run, and its engines are {engines}"  # noqa: S101 - pytest's way to fail
    return True


def uploaded(api: Api, name: str, content: bytes, workspace_id: int | None) -> dict[str, str]:
    """Upload a model, and return its version, as `models` of a deployment, once it is ready."""
    assert workspace_id is not None  # noqa: S101 - the run has made one
    version_id = api.upload(api.uploads[0], name, content, workspace_id)
    version = ended_version(api, name, version_id, {"ready", "error"})
    return {"name": name, "version": version["model_version"], "sha": version["sha"]}


def shapes_of(content: bytes) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the shape of a row's values as a nested answer in Arrow says it, by part and field."""
    import pyarrow as pa

    found: dict[tuple[str, str], tuple[int, ...]] = {}
    schema: Any = pa.ipc.open_file(content).schema
    for part in schema:
        for column in part.type if part.name in {"in", "out"} else ():
            metadata: dict[bytes, bytes] = column.metadata or {}
            assert b"tensor_type" in metadata, f"{part.name}.{column.name} has no tensor_type"  # noqa: S101 - pytest's way to fail
            found[part.name, column.name] = tuple(json.loads(metadata[b"tensor_type"])["shape"])
    return found


def records_of(columns: Mapping[str, Array], **more: Any) -> bytes:
    """Return rows as pandas writes them; `more` is for `json.dumps`."""
    values = [column.tolist() for column in columns.values()]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    return json.dumps(rows, **more).encode()


def difference(found: Sequence[Any], expected: Array) -> str:
    """Return the first difference between answered rows and an array, as a clause; empty where there is none.

    Numbers may differ by one unit in the last place of the array's type, since processors round differently. JSON has
    no NaN and no infinities, so that anything but a number may stand for them.

    Args:
        found: The rows of a field, each a list with its values.
        expected: The values, `[N, …]`, computed independently.
    """
    if len(found) != len(expected):
        return f"there are {len(found)} rows in place of {len(expected)}"
    wanted = expected.reshape(len(expected), -1).tolist()
    rows = [_flat(row) for row in found]
    for number, (row, right) in enumerate(zip(rows, wanted, strict=True)):
        if len(row) != len(right):
            return f"row {number} has {len(row)} values in place of {len(right)}"
    if expected.dtype.kind != "f":
        wrong = (number for number, (row, right) in enumerate(zip(rows, wanted, strict=True)) if row != right)
    else:
        wrong = iter(_far_rows(rows, expected.reshape(len(expected), -1)))
    number = next(wrong, None)
    return "" if number is None else f"row {number} of {len(rows)} has {rows[number]} in place of {wanted[number]}"


def _flat(row: Any) -> list[Any]:
    if not isinstance(row, list):
        return [row]
    return [value for item in list_of(row) for value in _flat(item)]


def _far_rows(rows: list[list[Any]], expected: Array) -> list[int]:
    """Return the numbers of the rows that are too far from those that are expected."""
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = np.array([[_number(value) for value in row] for row in rows], np.float64).reshape(expected.shape)
        is_number = np.isfinite(expected)
        in_type = numbers.astype(expected.dtype)
        off = np.abs(in_type - np.where(is_number, expected, 0))
        is_right = np.where(is_number, off <= np.spacing(np.abs(expected)), ~np.isfinite(numbers))
        # In Arrow, where there are such values, each one is the same.
        is_right &= is_number | np.isnan(numbers) | (in_type == expected)
    return np.flatnonzero(~is_right.all(axis=1)).tolist()


def _number(value: Any) -> float:
    """Return a number; NaN for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
