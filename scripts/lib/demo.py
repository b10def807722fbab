"""The main job, end to end, on a sandbox of its own: a real model is uploaded, deployed and scores real rows."""

from __future__ import annotations

import csv
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from rich.console import Console
from rich.table import Table

from wallaroo_ext import WallarooError, call, connect, infer, upload_model, wait_until_running
from wallaroo_ext.arrow import to_table
from wallaroo_ext.sandbox.process import SandboxFailedError, running

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

SAMPLES = Path(__file__).parents[1] / "samples"
NAME = "breast-cancer"
SHOWN_ROWS = 8


@dataclass
class Report:
    """What was done, for the table at the end."""

    console: Console
    steps: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])

    @contextmanager
    def step(self, what: str) -> Generator[list[str]]:
        """Show a spinner while a step runs, and keep its time and what it put into the list."""
        results: list[str] = []
        started = time.perf_counter()
        with self.console.status(f"{what} ..."):
            yield results
        self.steps.append((what, ", ".join(results), time.perf_counter() - started))

    def show(self) -> None:
        """Print the steps as a table."""
        table = Table(title="What was done", title_justify="left")
        table.add_column("step")
        table.add_column("result")
        table.add_column("seconds", justify="right")
        for what, result, seconds in self.steps:
            table.add_row(what, result, f"{seconds:.2f}")
        self.console.print(table)


@dataclass(frozen=True)
class Sample:
    """Rows that the model has never seen, and what they are."""

    features: np.ndarray[Any, np.dtype[np.float32]]
    malignant: np.ndarray[Any, np.dtype[np.int64]]


def read_sample() -> Sample:
    """The rows of the CSV file; the label is its last column."""
    with (SAMPLES / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        rows = np.array(list(csv.reader(file))[1:])
    return Sample(rows[:, :-1].astype(np.float32), rows[:, -1].astype(np.int64))


def deploy(client: Client, workspace_id: int, model: ModelVersion) -> tuple[int, str]:
    """Create a pipeline of one model and start it; the pipeline's id, and the deployment's name."""
    from wallaroo_mlops_client.api.pipelines import create_pipeline, deploy_pipeline
    from wallaroo_mlops_client.models import (
        CreatePipelineRequest,
        CreatePipelineResponse,
        DeployPipelineRequest,
        DeployPipelineResponse,
        ModelInferenceStep,
        ModelReference,
        PipelineDefinition,
        PipelineStep,
    )

    reference = ModelReference(name=NAME, version=model.model_version, sha=model.sha)
    step = PipelineStep(model_inference=ModelInferenceStep(models=[reference]))
    pipeline = call(
        client,
        create_pipeline,
        CreatePipelineResponse,
        body=CreatePipelineRequest(
            pipeline_id=NAME, workspace_id=workspace_id, definition=PipelineDefinition(steps=[step])
        ),
    )
    deployment = call(
        client,
        deploy_pipeline,
        DeployPipelineResponse,
        body=DeployPipelineRequest(
            deploy_id=NAME,
            pipeline_id=pipeline.pipeline_pk_id,
            pipeline_version_pk_id=pipeline.pipeline_variant_pk_id,
            models=[reference],
        ),
    )
    return pipeline.pipeline_pk_id, f"{NAME}-{deployment.id}"


def run(client: Client, report: Report, sample: Sample) -> dict[str, pa.Table]:
    """The path, step by step; the scored rows by the format they were sent from."""
    from wallaroo_mlops_client.api.deployments import get_pipeline_external_url
    from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
    from wallaroo_mlops_client.api.workspaces import create_workspace
    from wallaroo_mlops_client.models import (
        CreateWorkspaceRequest,
        CreateWorkspaceResponse,
        GetPipelineExternalUrlRequest,
        GetPipelineExternalUrlResponse,
        UndeployPipelineRequest,
    )

    with report.step("create a workspace") as results:
        workspace_id = call(
            client, create_workspace, CreateWorkspaceResponse, body=CreateWorkspaceRequest(workspace_name="demo")
        ).workspace_id
        results.append(f"workspace {workspace_id}")
    with report.step("upload the model") as results:
        model = upload_model(client, SAMPLES / f"{NAME}.onnx", name=NAME, workspace_id=workspace_id)
        results += [f"version {model.id}", f"sha256 {model.sha[:12]}…"]
    with report.step("deploy a pipeline") as results:
        pipeline_id, deployment = deploy(client, workspace_id, model)
        status = wait_until_running(client, deployment)
        results += [f"pipeline {pipeline_id}", f"deployment {deployment}", status.status]
    url = call(
        client,
        get_pipeline_external_url,
        GetPipelineExternalUrlResponse,
        body=GetPipelineExternalUrlRequest(workspace_id=workspace_id, pipeline_name=NAME),
    ).url
    scored = score(client, report, url, sample)
    with report.step("undeploy it") as results:
        call(client, undeploy_pipeline, object, body=UndeployPipelineRequest(pipeline_id=pipeline_id))
        results.append(f"pipeline {pipeline_id}")
    return scored


def score(client: Client, report: Report, url: str, sample: Sample) -> dict[str, pa.Table]:
    """Score the rows as a data frame and as an Arrow table."""
    import pandas as pd

    frame = pd.DataFrame({"features": list(sample.features)})
    table = to_table({"features": sample.features})
    scored: dict[str, pa.Table] = {}
    for name, rows in {"pandas data frame": frame, "Arrow table": table}.items():
        with report.step(f"score a {name}" if name[0] == "p" else f"score an {name}") as results:
            scored[name] = infer(client, url, rows)
            results.append(f"{scored[name].num_rows} rows")
    return scored


def show_outputs(console: Console, sample: Sample, scored: dict[str, pa.Table]) -> bool:
    """Print the model's outputs beside what the rows are; whether both formats gave the same."""
    outputs = {name: np.array(answer.column("out.malignant").to_pylist())[:, 0] for name, answer in scored.items()}
    table = Table(title=f"Probability that a sample is malignant, the first {SHOWN_ROWS} rows", title_justify="left")
    table.add_column("row", justify="right")
    for name in outputs:
        table.add_column(name, justify="right")
    table.add_column("expected")
    for row in range(SHOWN_ROWS):
        label = "malignant" if sample.malignant[row] else "benign"
        table.add_row(str(row), *(f"{values[row]:.4f}" for values in outputs.values()), label)
    console.print(table)
    first, *others = outputs.values()
    right = int(((first > 0.5) == sample.malignant).sum())  # noqa: PLR2004 - more likely than not
    console.print(f"{right} of {len(first)} rows are right.")
    return all(np.array_equal(first, other) for other in others)


def stop(number: int, _: Any) -> NoReturn:
    """End as on an error, so that the sandbox is ended too."""
    raise SystemExit(128 + number)


def demonstrate(console: Console) -> int:
    """Start a sandbox, run the path on it, end it, and show what was done."""
    report, sample = Report(console), read_sample()
    with ExitStack() as stack:
        with report.step("start a sandbox") as results:
            environment = stack.enter_context(running())
            results.append(environment["WALLAROO_API_URL"])
        client = stack.enter_context(connect(environment=environment))
        scored = run(client, report, sample)
    report.show()
    if not show_outputs(console, sample, scored):
        print("The two formats gave different outputs.", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    """Run the demo; exit with 1 on an error and with 130 on Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        return demonstrate(Console())
    except (WallarooError, SandboxFailedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
