"""Uploads, deploys and scores a real model on a sandbox of its own."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from rich.console import Console
from rich.table import Table

from scripts.lib.called_from import called_path
from scripts.lib.demo_files import Job, UnfitFilesError, read_job
from wallaroo_ext import (
    Deployment,
    WallarooError,
    connect,
    deploy_pipeline,
    find_workspace,
    infer,
    undeploy,
    upload_model,
)
from wallaroo_ext.sandbox.process import SandboxFailedError, running

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa
    from wallaroo_mlops_client import Client

SAMPLES = Path(__file__).parents[1] / "samples"
SHOWN_ROWS = 8
SHOWN_CHARACTERS = 40


@dataclass
class Report:
    """The steps that were done, for the table at the end."""

    console: Console
    steps: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])

    @contextmanager
    def step(self, name: str) -> Generator[list[str]]:
        """Show a spinner while a step runs, and keep its time and the results that it adds to the list."""
        results: list[str] = []
        started = time.perf_counter()
        with self.console.status(f"{name} ..."):
            yield results
        self.steps.append((name, ", ".join(results), time.perf_counter() - started))

    def show(self) -> None:
        """Print the steps as a table."""
        table = Table(title="What was done", title_justify="left")
        table.add_column("step")
        table.add_column("result")
        table.add_column("seconds", justify="right")
        for name, result, seconds in self.steps:
            table.add_row(name, result, f"{seconds:.2f}")
        self.console.print(table)


def run(client: Client, report: Report, job: Job) -> dict[str, pa.Table]:
    """Upload, deploy, score and undeploy the model. Returns the scored rows by the format they were sent in."""
    with report.step("create a workspace") as results:
        workspace = find_workspace(client, "demo", create=True)
        results.append(f"workspace {workspace.id}")
    with report.step("upload the model") as results:
        model = upload_model(client, job.model, name=job.name, workspace=workspace.id)
        results += [f"version {model.id}", f"sha256 {model.sha[:12]}…"]
    with report.step("deploy a pipeline") as results:
        deployment = deploy_pipeline(client, job.name, model)
        results += [f"pipeline {deployment.pipeline_id}", f"deployment {deployment.name}", deployment.status]
    scored = score(client, report, deployment, job.rows)
    with report.step("undeploy it") as results:
        undeploy(client, deployment)
        results.append(f"pipeline {deployment.pipeline_id}")
    return scored


def score(client: Client, report: Report, deployment: Deployment, rows: pa.Table) -> dict[str, pa.Table]:
    """Score the rows as a data frame and as an Arrow table. Returns both results by the name of their format."""
    scored: dict[str, pa.Table] = {}
    with report.step("score a pandas data frame") as results:
        scored["pandas data frame"] = infer(client, deployment, cast("Any", rows).to_pandas())
        results.append(f"{rows.num_rows} rows")
    with report.step("score an Arrow table") as results:
        scored["Arrow table"] = infer(client, deployment, rows)
        results.append(f"{rows.num_rows} rows")
    return scored


def show_outputs(console: Console, job: Job, scored: dict[str, pa.Table]) -> bool:
    """Print the model's outputs beside the expected values. Returns whether all formats gave the same outputs."""
    answers = list(scored.values())
    outputs = [name for name in answers[0].column_names if name.startswith("out.")]
    table = Table(title=f"The first {min(SHOWN_ROWS, job.rows.num_rows)} rows", title_justify="left")
    table.add_column("row", justify="right")
    columns: list[list[Any]] = []
    for output in outputs:
        for name, answer in scored.items():
            table.add_column(f"{output}\n{name}", justify="right")
            columns.append(answer.column(output).to_pylist())
        if output.removeprefix("out.") in job.expected:
            table.add_column("expected", justify="right")
            columns.append(job.expected[output.removeprefix("out.")])
    for row in range(min(SHOWN_ROWS, job.rows.num_rows)):
        table.add_row(str(row), *(shorten(column[row]) for column in columns))
    console.print(table)
    for output in outputs:
        show_accuracy(console, answers[0].column(output).to_pylist(), job.expected.get(output.removeprefix("out.")))
    return all(answer.select(outputs).equals(answers[0].select(outputs)) for answer in answers)


def shorten(value: Any) -> str:
    """Return a value as text for a table: a list of one element as that element, a long text cut."""
    while isinstance(value, list) and len(value) == 1:  # pyright: ignore[reportUnknownArgumentType]
        value = value[0]  # pyright: ignore[reportUnknownVariableType]
    text = f"{value:.4f}" if isinstance(value, float) else str(value)  # pyright: ignore[reportUnknownArgumentType]
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def show_accuracy(console: Console, outputs: list[Any], expected: list[Any] | None) -> None:
    """Print how many rows are right, where the expected values are classes 0 and 1 and the output is a probability."""
    if expected is None or not set(expected) <= {0, 1} or any(len(row) != 1 for row in outputs):
        return
    right = sum(round(row[0]) == label for row, label in zip(outputs, expected, strict=True))
    console.print(f"{right} of {len(expected)} rows are right: the rounded output is what is expected.")


def demonstrate(console: Console, model: Path, data: Path) -> int:
    """Run the demo on a sandbox and print its steps. Returns the exit code."""
    report = Report(console)
    with report.step("read model and rows") as results:
        job = read_job(model, data)
        results += [model.name, data.name]
    with ExitStack() as stack:
        with report.step("start a sandbox") as results:
            environment = stack.enter_context(running())
            results.append(environment["WALLAROO_API_URL"])
        client = stack.enter_context(connect(environment=environment))
        scored = run(client, report, job)
    report.show()
    if not show_outputs(console, job, scored):
        print("The two formats gave different outputs.", file=sys.stderr)
        return 1
    return 0


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--model", type=called_path, metavar="FILE.onnx", help="a model of your own, with --data")
    parser.add_argument(
        "--data",
        type=called_path,
        metavar="FILE",
        help="its rows: .json (pandas records), .arrow, .parquet or .csv; a column that is named like an output of the "
        "model is what is expected of it",
    )
    options = parser.parse_args()
    if (options.model is None) != (options.data is None):
        parser.error("--model and --data go together")
    return options


def exit_on_signal(number: int, _: Any) -> NoReturn:
    """Exit as on an error, so that the sandbox is stopped too."""
    raise SystemExit(128 + number)


def main() -> int:
    """Run the demo. Returns 1 on an error, 2 on files that do not fit, and 130 on Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, exit_on_signal)
    # A shell ignores this signal for programs in the background; the sandbox has to be stopped all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = parse_arguments()
    try:
        model = options.model or SAMPLES / "breast-cancer.onnx"
        return demonstrate(Console(), model, options.data or SAMPLES / "breast-cancer.csv")
    except (WallarooError, SandboxFailedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except UnfitFilesError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
