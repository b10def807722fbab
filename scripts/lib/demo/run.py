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

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.lib.called_from import called_path
from scripts.lib.demo.files import Job, UnfitFilesError, read_job
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
from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.sandbox.process import SandboxFailedError, running

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client

SAMPLES = Path(__file__).parents[2] / "samples"
_FLOATS: dict[Any, Any] = {pa.float16(): np.float16, pa.float32(): np.float32}
SHOWN_ROWS = 8
SHOWN_CHARACTERS = 40
SHOWN_VALUES = 4
NEXT = "Next: docs/tutorial.md, with an instance that stays: .venv/bin/wallaroo-ext sandbox --env-file wallaroo.env"


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
            table.add_row(name, Text(result), f"{seconds:.2f}")
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
        scored["pandas data frame"] = infer(client, deployment, cast("Any", rows).to_pandas(), missing="nan")
        results.append(format_count(rows.num_rows, "row"))
    with report.step("score an Arrow table") as results:
        scored["Arrow table"] = infer(client, deployment, rows, missing="nan")
        results.append(format_count(rows.num_rows, "row"))
    return scored


def show_outputs(console: Console, job: Job, scored: dict[str, pa.Table]) -> bool:
    """Print the model's outputs beside the expected values. Returns whether all formats gave the same outputs."""
    answers = list(scored.values())
    outputs = [name for name in answers[0].column_names if name.startswith("out.")]
    are_same = all(answer.select(outputs).equals(answers[0].select(outputs)) for answer in answers)
    shown = {"": answers[0]} if are_same else scored
    table = Table(title=f"The first {format_count(min(SHOWN_ROWS, job.rows.num_rows), 'row')}", title_justify="left")
    table.add_column("row", justify="right")
    columns: list[list[str]] = []
    for output in outputs:
        for name, answer in shown.items():
            table.add_column(Text(f"{output}\n{name}".strip()), justify="right")
            columns.append(texts_of(answer.column(output)))
        if output.removeprefix("out.") in job.expected:
            table.add_column("expected", justify="right")
            columns.append([str(value) for value in job.expected[output.removeprefix("out.")]])
    if job.label is not None:
        table.add_column(Text(job.label[0]), justify="right")
        columns.append([str(value) for value in job.label[1]])
    for row in range(min(SHOWN_ROWS, job.rows.num_rows)):
        table.add_row(str(row), *(Text(column[row]) for column in columns))  # a text, whatever brackets are in it
    console.print(table)
    for sentence in [*job.notes, *_accuracies(job, answers[0].select(outputs))]:
        console.print(Text(sentence))
    return are_same


def _accuracies(job: Job, scored: pa.Table) -> list[str]:
    """Return how far the outputs are what is expected, for each output of which it is known."""
    known = [(f"out.{name}", values) for name, values in job.expected.items()]
    if job.label is not None:
        single = [name for name in scored.column_names if _values(scored.column(name)) is not None]
        known += [(name, job.label[1]) for name in single[:1]]
    found = [(name, _values(scored.column(name)), expected) for name, expected in known]
    sentences = [describe_accuracy(name, values, expected) for name, values, expected in found if values is not None]
    return [sentence for sentence in sentences if sentence is not None]


def _values(column: Any) -> list[Any] | None:
    """Return the values of a column that has one a row; None for another one."""
    values: list[Any] = column.to_pylist()
    while values and all(isinstance(value, list) and len(cast("list[Any]", value)) == 1 for value in values):
        values = [value[0] for value in values]
    return None if any(isinstance(value, list) for value in values) else values


def texts_of(column: Any) -> list[str]:
    """Return the first values of a column as text, each with the digits that its type has."""
    return [_text(value, column.type) for value in column.slice(0, SHOWN_ROWS).to_pylist()]


def _text(value: Any, kind: Any) -> str:
    if isinstance(value, list):
        items = cast("list[Any]", value)
        texts = [_text(each, kind.value_type) for each in items[:SHOWN_VALUES]]
        more = len(items) - SHOWN_VALUES
        return texts[0] if len(items) == 1 else f"[{', '.join(texts)}{f', … {more:,} more' if more > 0 else ''}]"
    if isinstance(value, float):
        return str(_FLOATS.get(kind, np.float64)(value)).removesuffix(".0")
    text = str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def describe_accuracy(name: str, values: list[Any], expected: list[Any]) -> str | None:
    """Return a sentence about how far an output is what is expected; None where the two cannot be compared.

    Classes are compared as they are, a probability after rounding where 0 and 1 are expected, and other numbers by
    their distance.
    """
    if all(isinstance(value, float) for value in values) and all(isinstance(each, int | float) for each in expected):
        if set(expected) <= {0, 1} and all(0 <= value <= 1 for value in values):
            right = sum(round(value) == label for value, label in zip(values, expected, strict=True))
            return f"{right} of {format_count(len(expected), 'row')} are right: the rounded output is what is expected."
        known = np.array(expected, np.float32 if are_short(values) else np.float64)
        error = float(np.abs(np.array(values) - known).mean())
        return f"The mean absolute error is {error:.6g}: that of {name!r}."
    if any(isinstance(value, float) for value in (*values, *expected)):
        return None
    right = sum(_same_class(value, label) for value, label in zip(values, expected, strict=True))
    return f"{right} of {format_count(len(expected), 'row')} are right: {name!r} is what is expected."


def are_short(values: list[float]) -> bool:
    """Return whether numbers are 32-bit floats, which expected ones are rounded to before they are compared."""
    return all(value == float(np.float32(value)) for value in values)


def _same_class(value: Any, label: Any) -> bool:
    """Return whether two classes are the same, where a file may say 0 and a model "0", or a file True and a model 1."""
    return str(int(value) if isinstance(value, bool) else value) == str(
        int(label) if isinstance(label, bool) else label
    )


def demonstrate(console: Console, job: Job) -> int:
    """Run the demo on a sandbox and print its steps. Returns the exit code."""
    report = Report(console)
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
    console.print(NEXT, markup=False, highlight=False, soft_wrap=True)
    return 0


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--model", type=called_path, metavar="FILE.onnx", help="a model of your own, with --data")
    parser.add_argument(
        "--data",
        type=called_path,
        metavar="FILE",
        help="its rows: .json (pandas records), .jsonl, .arrow, .parquet, .csv or .npy; a column that is named like an "
        "output of the model is what is expected of it, and a label is found",
    )
    parser.add_argument(
        "--label",
        metavar="COLUMN",
        help="a column that is no input, to show beside the outputs; by default it is found",
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column that is no input, and is not shown; may be given again",
    )
    parser.add_argument(
        "--missing", choices=["reject", "nan"], default="reject", help="what becomes of numbers that are missing"
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
        data = options.data or SAMPLES / "breast-cancer.csv"
        return demonstrate(
            Console(), read_job(model, data, label=options.label, drop=options.drop, missing=options.missing == "nan")
        )
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
