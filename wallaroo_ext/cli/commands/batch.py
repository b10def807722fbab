"""`wallaroo-ext batch`: score a data set on a deployment."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext._util.locations import is_url, without_secrets
from wallaroo_ext._util.progress import Timer
from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.cli import signals
from wallaroo_ext.cli.completion import FileOrUrl, PipelineName, Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import DeploymentId, answer_parts, parse_workspace
from wallaroo_ext.cli.printing import output
from wallaroo_ext.inference.files.texts.text_options import Decimal, TextOptions
from wallaroo_ext.inference.missing_option import Missing

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch import BatchProgress, DatasetScored

_MANY = Parameter(negative=())
_FROM_1 = Parameter(validator=Number(gte=1))
_FROM_0 = Parameter(validator=Number(gte=0))
_JSON_SECONDS = 1.0


def batch(
    source: Annotated[FileOrUrl, Parameter(allow_leading_hyphen=True)],
    target: FileOrUrl,
    /,
    *,
    pipeline: PipelineName,
    columns: Annotated[list[str] | None, _MANY] = None,
    drop: Annotated[list[str] | None, _MANY] = None,
    keys: Annotated[list[str] | None, _MANY] = None,
    where: Annotated[list[str] | None, Parameter(name="--filter", negative=())] = None,
    types: Annotated[list[str] | None, _MANY] = None,
    vector: Annotated[bool, _MANY] = False,
    missing: Missing = "reject",
    file_format: Annotated[Literal["parquet", "arrow", "json", "csv", "npy"] | None, Parameter(name="--format")] = None,
    encoding: str | None = None,
    delimiter: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    decimal: Decimal | None = None,
    storage_option: Annotated[list[str] | None, _MANY] = None,
    storage_option_env: Annotated[list[str] | None, _MANY] = None,
    target_storage_option: Annotated[list[str] | None, _MANY] = None,
    target_storage_option_env: Annotated[list[str] | None, _MANY] = None,
    in_flight: Annotated[int, _FROM_1] = 8,
    request_rows: Annotated[int | None, _FROM_1] = None,
    part_rows: Annotated[int, _FROM_1] = 1_000_000,
    max_errors: Annotated[int, _FROM_0] = 1000,
    wire: Literal["arrow", "pandas-records", "json"] = "arrow",
    dataset: Annotated[list[str] | None, _MANY] = None,
    dataset_exclude: Annotated[list[str] | None, _MANY] = None,
    dataset_separator: str = ".",
    workspace: Workspace = None,
    deployment_id: DeploymentId = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Score a data set of any size into a directory of Parquet files; the same call continues where the last one ended.

    For example: `wallaroo-ext batch 'patients/*.parquet' scored --pipeline tumours --keys id --vector`

    With --json, it prints its progress once a second, and at last what was done, as a line of JSON each.

    Args:
        source: A .parquet, .arrow, .json, .jsonl, .csv or .npy file, perhaps compressed, a directory or a quoted
            pattern of them, or a URL such as s3://bucket/rows.
        target: The directory for the scored rows, which is made.
        pipeline: The pipeline's name, the deployment's, or the URL that it answers at.
        columns: The columns to send, with commas between; all but the keys by default.
        drop: Columns not to send, with commas between.
        keys: Columns to carry to the output, with commas between; they are sent only where --columns names them.
        where: Which rows to score, such as "amount >= 100"; if there are several, all have to be true.
        types: The types of columns, such as id=int64,day=date32; keys of CSV files are texts by default.
        vector: Send the columns as one vector of 32-bit floats, for a model with one input.
        missing: What becomes of a number that is missing, a null or NaN: its row is rejected, or NaN is sent.
        file_format: The source's format; by the files' names by default.
        encoding: The encoding of CSV files, such as cp1252; UTF-8, or what a byte order mark says, by default.
        delimiter: The character between two fields of CSV files, or tab; the one that the first rows of a file show, by
            default.
        decimal: The decimal point of numbers in CSV files; a column of numbers with commas is refused by default.
        storage_option: An option of the file system of the source's URL, such as anon=true; not for secrets.
        storage_option_env: The same, with the environment variable that has the value, such as secret=VARIABLE.
        target_storage_option: An option of the file system of the target's URL.
        target_storage_option_env: The same, with the environment variable that has the value.
        in_flight: How many requests are sent at a time.
        request_rows: How many rows a request has; the number adapts by default.
        part_rows: How many rows an output file has; it is completed after a minute in any case.
        max_errors: How many rows may be rejected before the run stops; they are written to _errors.jsonl.
        wire: How rows are sent.
        dataset: The parts of the answer that are wanted, such as out,metadata.partition; all by default.
        dataset_exclude: The parts of the answer to leave out; in and metadata by default, unless --dataset names them.
        dataset_separator: The text that the instance joins names with; the written names have a dot in any case.
        workspace: The pipeline's workspace, by its name or its id; all that the user sees are searched by default.
        deployment_id: The id of the deployment, if several have the name.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.batch import PartSize, infer_dataset
    from wallaroo_ext.batch.progress import progress_function
    from wallaroo_ext.cli.reading.columns import surplus_said, without_values
    from wallaroo_ext.cli.reading.data_sets import choose_columns, open_data_set, parse_filter, parse_types
    from wallaroo_ext.cli.reading.storage_options import parse_storage_options

    source, target = str(source), str(target)
    with options.report_errors():
        column_types = parse_types(types or [])
        texts = TextOptions(encoding=encoding, delimiter=delimiter, decimal=decimal)
        stored = parse_storage_options(storage_option, storage_option_env)
        opened = open_data_set(source, file_format, column_types, texts, stored)
        settings: Any = {
            **choose_columns(opened, columns or [], drop or [], keys or []),
            "filter": parse_filter(opened, where or []),
            "format": file_format,
            "types": column_types,
            "encoding": encoding,
            "delimiter": delimiter,
            "decimal": decimal,
            "storage_options": stored,
            "target_storage_options": parse_storage_options(
                target_storage_option, target_storage_option_env, "--target-storage-option"
            ),
            "vector": vector,
            "missing": missing,
            "in_flight": in_flight,
            "request_rows": request_rows,
            "part_size": PartSize(rows=part_rows),
            "max_errors": max_errors,
            "wire": wire,
            **answer_parts(dataset, dataset_exclude, dataset_separator),
            "workspace": parse_workspace(workspace),
        }
        with (
            options.connect(connections=in_flight) as client,
            signals.note_on_interrupt(lambda: _describe_remains(target)),
        ):
            deployment = _deployment(client, pipeline, settings["workspace"], deployment_id)
            as_text = progress_function(progress=True, shows_last=False)  # the answer says how the run ended
            shown = nullcontext(_print_json_lines()) if options.json else as_text
            with shown as show, surplus_said(without_values(settings["columns"]), vector=vector):
                scored = infer_dataset(client, deployment, source, target, progress=show, **settings)
        _show(scored, machine=options.json)


def _deployment(client: Client, name: str, workspace: int | str | None, deployment_id: int | None) -> str:
    """Return the URL of the deployment with an id; without one, the name that was given."""
    from wallaroo_ext.deployments.find import find_deployment

    if deployment_id is None:
        return name
    return find_deployment(client, name, workspace, deployment_id=deployment_id).url


def _describe_remains(target: str) -> str:
    if not is_url(target) and not user_path(target).exists():
        return f"Interrupted: nothing was written to {target}."
    shown = without_secrets(target)
    return f"Interrupted: the parts that are complete stay in {shown}, and the same command goes on after them."


def _print_json_lines() -> Any:
    """Return a function that prints the progress as JSON, once a second at most."""
    timer = Timer(_JSON_SECONDS, at_once=True)

    def show(now: BatchProgress) -> None:
        if timer.has_passed():
            output.print_at_once(output.to_json({"event": "progress"} | asdict(now), machine=True))

    return show


def _show(scored: DatasetScored, *, machine: bool) -> None:
    if machine:
        output.print_line(output.to_json({"event": "done"} | asdict(scored), machine=True))
        return
    before = f", {format_count(scored.rows_before, 'row')} by an earlier run" if scored.rows_before else ""
    parts = format_count(scored.parts, "file")
    output.print_note(
        f"{format_count(scored.rows, 'row')} in {parts} in {scored.target}, in {scored.seconds:.1f} s{before}."
    )
    if scored.errors is not None:
        output.print_note(f"{format_count(scored.rejected, 'row')} rejected, with the reasons in {scored.errors}.")
