"""`wallaroo-ext batch`: a data set scored on a deployment."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.user_paths import user_path
from wallaroo_ext.cli import signals
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.cli.printing.tables import counted
from wallaroo_ext.cli.workspaces import DeploymentId, workspace_of
from wallaroo_ext.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch import BatchProgress, DatasetScored
    from wallaroo_ext.batch.progress import ProgressOption

_MANY = Parameter(negative=())
_FROM_1 = Parameter(validator=Number(gte=1))
_FROM_0 = Parameter(validator=Number(gte=0))
_JSON_EVERY = 1.0


def batch(
    source: str,
    target: str,
    /,
    *,
    pipeline: str,
    columns: Annotated[list[str] | None, _MANY] = None,
    drop: Annotated[list[str] | None, _MANY] = None,
    keys: Annotated[list[str] | None, _MANY] = None,
    where: Annotated[list[str] | None, Parameter(name="--filter", negative=())] = None,
    types: Annotated[list[str] | None, _MANY] = None,
    vector: Annotated[bool, _MANY] = False,
    file_format: Annotated[Literal["parquet", "arrow", "csv"] | None, Parameter(name="--format")] = None,
    in_flight: Annotated[int, _FROM_1] = 8,
    request_rows: Annotated[int | None, _FROM_1] = None,
    part_rows: Annotated[int, _FROM_1] = 1_000_000,
    max_errors: Annotated[int, _FROM_0] = 1000,
    wire: Literal["arrow", "pandas-records", "json"] = "arrow",
    workspace: str | None = None,
    deployment_id: DeploymentId = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Score a data set of any size into a directory of Parquet files; the same call goes on where the last one ended.

    For example: `wallaroo-ext batch 'patients/*.parquet' scored --pipeline tumours --keys id --vector`

    With --json, a line of JSON tells how far it is once a second, and the last one what was done.

    Args:
        source: A .parquet, .arrow or .csv file, a directory of them, a pattern in quotes, or a URL such as s3://bucket/rows.
        target: The directory for the scored rows, which is made.
        pipeline: The pipeline's name, the deployment's, or the URL that it answers at.
        columns: The columns to send, with commas between; all but the keys by default.
        drop: Columns not to send, with commas between.
        keys: Columns to carry to the output, with commas between; they are sent only where --columns names them.
        where: Which rows to score, such as "amount >= 100"; of several, all have to be true.
        types: The types of columns, such as id=int64,day=date32; keys of CSV files are texts by default.
        vector: Send the columns as one vector of 32-bit floats, for a model with one input.
        file_format: The source's format; by the files' names by default.
        in_flight: How many requests are under way at a time.
        request_rows: How many rows a request has; it adapts by default.
        part_rows: After how many rows a file of the output is complete; one is after a minute, too.
        max_errors: How many rows the engine may reject before the run stops; they go to _errors.jsonl.
        wire: How rows are sent.
        workspace: The pipeline's workspace, by its name or its id; all that the user sees are searched by default.
        deployment_id: The id of the deployment that is meant, where the name fits several.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.batch import PartSize, infer_dataset
    from wallaroo_ext.cli.data_sets import chosen, filter_of, source_of, types_of

    with options.reported():
        named = types_of(types or [])
        opened = source_of(source, file_format, named)
        kept = chosen(opened, columns or [], drop or [], keys or [])
        given: Any = {
            **kept,
            "filter": filter_of(opened, where or []),
            "format": file_format,
            "types": named,
            "vector": vector,
            "in_flight": in_flight,
            "request_rows": request_rows,
            "part_size": PartSize(rows=part_rows),
            "max_errors": max_errors,
            "wire": wire,
            "workspace": workspace_of(workspace),
        }
        with (
            options.connect() as client,
            signals.noted(lambda: _left(target)),
            _telling(machine=options.json) as tell,
        ):
            try:
                where_to = _deployment(client, pipeline, given["workspace"], deployment_id)
                scored = infer_dataset(client, where_to, source, target, progress=tell, **given)
            except EngineError as error:
                if not vector:
                    error.advice += " Where the columns are the numbers of one input, send them as one: --vector."
                raise
        _show(scored, machine=options.json)


def _deployment(client: Client, named: str, workspace: int | str | None, deployment_id: int | None) -> str:
    """Return the URL of the deployment of an id; without one, what the person named."""
    from wallaroo_ext.deployments.find import find_deployment

    if deployment_id is None:
        return named
    return find_deployment(client, named, workspace, deployment_id=deployment_id).url


def _left(target: str) -> str:
    if "://" not in target and not user_path(target).exists():
        return f"Interrupted: nothing was written to {target}."
    return f"Interrupted: the parts that are complete stay in {target}, and the same command goes on after them."


@contextmanager
def _telling(*, machine: bool) -> Generator[ProgressOption]:
    """Yield what tells how far a run is: a bar on a terminal, lines elsewhere."""
    if machine:
        yield _json_lines()
    elif progress.is_terminal():
        yield True
    else:
        yield progress.rows_now_and_then()


def _json_lines() -> Any:
    due = float("-inf")

    def tell(now: BatchProgress) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _JSON_EVERY
            output.line(output.as_json({"event": "progress"} | asdict(now), machine=True))

    return tell


def _show(scored: DatasetScored, *, machine: bool) -> None:
    if machine:
        output.line(output.as_json({"event": "done"} | asdict(scored), machine=True))
        return
    before = f", {counted(scored.rows_before, 'row')} by an earlier run" if scored.rows_before else ""
    parts = counted(scored.parts, "file")
    output.remark(f"{counted(scored.rows, 'row')} in {parts} in {scored.target}, in {scored.seconds:.1f} s{before}.")
    if scored.errors is not None:
        output.remark(f"{counted(scored.rejected, 'row')} rejected, with the reasons in {scored.errors}.")
