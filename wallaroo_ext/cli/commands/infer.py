"""`wallaroo-ext infer`: score rows on a deployment."""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.cli import signals
from wallaroo_ext.cli.completion import FileOrUrl, PipelineName, Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import OUTPUT_FILE, DeploymentId, answer_parts, find_workspace_id
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.cli.printing.output_files import check_output
from wallaroo_ext.inference.files.opening.storage_options import with_storage_options
from wallaroo_ext.inference.files.texts.text_options import Decimal, TextOptions
from wallaroo_ext.inference.missing_option import Missing

if TYPE_CHECKING:
    import pyarrow as pa
    from wallaroo_mlops_client import Client

_ENDINGS = (".arrow", ".parquet", ".csv", ".json")
_MANY = Parameter(negative=())


def infer(
    where: PipelineName,
    file: Annotated[FileOrUrl, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    output_file: Annotated[Path | None, Parameter(name="--output"), OUTPUT_FILE] = None,
    workspace: Workspace = None,
    deployment_id: DeploymentId = None,
    columns: Annotated[list[str] | None, _MANY] = None,
    drop: Annotated[list[str] | None, _MANY] = None,
    keys: Annotated[list[str] | None, _MANY] = None,
    vector: Annotated[bool, _MANY] = False,
    missing: Missing = "reject",
    encoding: str | None = None,
    delimiter: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    decimal: Decimal | None = None,
    storage_option: Annotated[list[str] | None, _MANY] = None,
    storage_option_env: Annotated[list[str] | None, _MANY] = None,
    wire: Literal["arrow", "pandas-records", "json"] = "arrow",
    dataset: Annotated[list[str] | None, _MANY] = None,
    dataset_exclude: Annotated[list[str] | None, _MANY] = None,
    dataset_separator: str = ".",
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Score the rows of a file on a deployment.

    On a terminal it prints the first rows, with the outputs of the model; otherwise all rows as JSON, one on each line.

    For example: `wallaroo-ext infer tumours patients.csv --vector --output scored.csv`

    Args:
        where: The pipeline's name, the deployment's, or the URL that it answers at.
        file: The rows: an .arrow, .parquet, .csv, .json, .jsonl or .npy file with a column for each field of the model,
            perhaps compressed; its path, a URL such as s3://bucket/rows.csv, or - for the standard input. Of exported
            logs, the inputs are sent.
        output_file: A file for the scored rows: .arrow, .parquet, .csv or .json.
        workspace: Its workspace, by its name or its id; all that the user sees are searched by default.
        deployment_id: The id of the deployment, if several have the name.
        columns: The columns of the file to send, with commas between; all but the keys by default.
        drop: Columns not to send, with commas between.
        keys: Columns to put beside the scores, with commas between; they are sent only where --columns names them.
        vector: Send the columns as one vector of 32-bit floats, for a model with one input.
        missing: What becomes of a number that is missing, a null or NaN: the rows are refused, or NaN is sent.
        encoding: The encoding of a CSV or JSON file, such as cp1252; UTF-8, or what a byte order mark says, by default.
        delimiter: The character between two fields of a CSV file, or tab; the one that its first rows show, by default.
        decimal: The decimal point of numbers in a CSV file; a column of numbers with commas is refused by default.
        storage_option: An option of the file system of the file's URL, such as anon=true; not for secrets.
        storage_option_env: The same, with the environment variable that has the value, such as secret=VARIABLE.
        wire: How rows are sent; `json` is all that the oldest releases take.
        dataset: The parts of the answer that are wanted, such as out,metadata.partition; all by default.
        dataset_exclude: The parts of the answer to leave out; metadata by default, unless --dataset names it.
        dataset_separator: The text that the instance joins names with; the printed names have a dot in any case.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.cli.reading.columns import surplus_said
    from wallaroo_ext.cli.reading.input_rows import check_keys, complete_rows
    from wallaroo_ext.cli.reading.storage_options import parse_storage_options

    with options.report_errors():
        if output_file is not None:
            check_output(output_file, _ENDINGS)
        parts = answer_parts(dataset, dataset_exclude, dataset_separator)
        texts = TextOptions(encoding=encoding, delimiter=delimiter, decimal=decimal)
        located = with_storage_options(str(file), parse_storage_options(storage_option, storage_option_env))
        read, beside = _read_rows(located, columns or [], drop or [], keys or [], texts)
        check_keys(beside.column_names, parts["dataset"], parts["dataset_exclude"])
        rows = complete_rows(read, vector=vector, missing=missing)
        with options.connect() as client:
            url = _find_url(client, where, workspace, deployment_id)
            started = time.monotonic()
            with surplus_said(read, vector=vector):
                scored = _score(client, url, rows, beside, output_file, wire=wire, **parts)
        _show(scored, output_file, beside.column_names, time.monotonic() - started, machine=options.json)


def _read_rows(
    file: str, columns: list[str], drop: list[str], keys: list[str], texts: TextOptions
) -> tuple[pa.Table, pa.Table]:
    """Return the columns to send, and the keys that stand beside the scores."""
    from wallaroo_ext.cli.reading.input_rows import read_rows, select_columns, select_keys

    read = read_rows(file, [*columns, *keys], texts)
    beside = select_keys(read, keys)
    return select_columns(read, columns, drop, beside.column_names), beside


def _find_url(client: Client, where: str, workspace: str | None, deployment_id: int | None) -> str:
    from wallaroo_ext.deployments.find import endpoint_steps, find_deployment
    from wallaroo_ext.operations import run

    number = find_workspace_id(client, workspace)
    if deployment_id is None:
        return run(client, endpoint_steps(client, where, number, argument="where"))
    return find_deployment(client, where, number, deployment_id=deployment_id).url


def _score(client: Client, url: str, rows: pa.Table, keys: pa.Table, file: Path | None, **settings: Any) -> pa.Table:
    """Return the scored rows with their keys; they are sent in requests of about 16 MiB."""
    from wallaroo_ext.cli.reading.input_rows import add_keys, split_into_requests
    from wallaroo_ext.inference.infer import infer as score

    answers: list[pa.Table] = []

    def describe_remains() -> str:
        done = sum(answer.num_rows for answer in answers)
        what = f"nothing was written{'' if file is None else f' to {file}'}"
        return f"Interrupted: {done:,} of {rows.num_rows:,} rows were scored, which the instance has logged; {what}."

    with signals.note_on_interrupt(describe_remains), progress.show_scoring(rows.num_rows) as show:
        sent = 0
        for part in split_into_requests(rows):
            answer = score(client, url, part, missing="nan", **settings)  # what may not be missing is not
            answers.append(add_keys(keys.slice(sent, part.num_rows), answer))
            sent += part.num_rows
            show(sum(answer.num_rows for answer in answers))
    arrow: Any = import_module("pyarrow")
    return arrow.concat_tables(answers, promote_options="permissive")


def _show(scored: pa.Table, file: Path | None, keys: list[str], seconds: float, *, machine: bool) -> None:
    from wallaroo_ext.cli.printing.output_rows import json_records, show_scored, write_scored

    if file is not None:
        write_scored(file, scored)
        if machine:
            output.print_line(output.to_json({"output": str(file), "rows": scored.num_rows}, machine=True))
    elif machine or not output.is_terminal():
        for record in json_records(scored):
            output.print_json(record)
        return
    else:
        show_scored(scored, keys)
    if not machine:
        where = "" if file is None else f", to {file}"
        output.print_note(f"Scored {format_count(scored.num_rows, 'row')} in {seconds:.1f} s{where}.")
