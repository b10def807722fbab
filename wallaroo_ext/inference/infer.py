"""Scoring rows on a deployment."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from wallaroo_ext import contract
from wallaroo_ext._util.files.readable import is_file
from wallaroo_ext._util.urls import parse_inference_url
from wallaroo_ext.errors import EngineError
from wallaroo_ext.inference.column_names import SEPARATOR, column_list
from wallaroo_ext.inference.files.opening.storage_options import with_storage_options
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, Decimal, TextOptions
from wallaroo_ext.inference.media_types import OPERATION, Wire, check_wire
from wallaroo_ext.inference.missing_option import Missing, check_missing
from wallaroo_ext.inference.selection import ALL, DEFAULT, Selection, selection_of, with_selection
from wallaroo_ext.operations import Steps, Work, send, synchronous
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.timeouts import to_httpx_timeout

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext.inference.files.opening.storage_options import StorageOptions
    from wallaroo_ext.inference.inputs.rows import Rows
    from wallaroo_ext.transport.timeouts import Timeouts

_FORMS = {OPERATION, "infer_deployment"}
"""The operations of the two forms of URLs. A URL of neither form counts as one of the newer operation."""


@runtime_checkable
class HasUrl(Protocol):
    """An object that has the URL at which it answers, such as a deployment."""

    @property
    def url(self) -> str:
        """The URL that rows are sent to."""
        ...


Where = str | HasUrl


@synchronous
def infer(
    client: Client,
    where: Where,
    data: Rows,
    *,
    columns: Sequence[str] | None = None,
    vector: bool = False,
    missing: Missing = "reject",
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: Decimal | None = None,
    storage_options: StorageOptions | None = None,
    wire: Wire = "arrow",
    dataset: str | Sequence[str] = ALL,
    dataset_exclude: str | Sequence[str] | None = None,
    dataset_separator: str = SEPARATOR,
    timeout: Timeouts | httpx.Timeout | float | None = None,
    workspace: int | str | None = None,
) -> Steps[pa.Table]:
    """Score rows. In asyncio, a file of rows is read in a thread.

    The answer has a row for each row sent, in their order. Its columns are the same for all releases and formats, as
    far as an instance gives them, whether it nests them or not:

    - `time`, when the row was scored: `timestamp[ms]`, without a zone, in UTC.
    - `in.<field>`, what was sent, and `out.<field>`, what the model gave: from Arrow with the model's types, from JSON
      as 64-bit numbers with all their digits, texts and lists of them. JSON has null where a value is NaN.
    - `out_<model>.<field>`, what each further model of a shadow step gave; `out._model_split`, the `name`, `version`
      and `sha` of the model that scored the row, where a step sends each row to one of several.
    - `anomaly.count`, how many validations failed: `uint32`, in all releases; with it, in older ones,
      `check_failures`, which validations failed: a list of texts.
    - `metadata.<field>`, how it was scored, where `dataset` names it.
    - Whatever else an instance gives, as it gives it.

    The oldest release, 2022.4, names no outputs: `out.0`, `out.1` and so on are what the models gave, and what it says
    once about all rows, each row has, the validations that failed among them.

    `outputs` gives what the model gave as numpy arrays. A request that fails on its way may be sent again, and an
    instance that had scored it already logs the rows twice.

    The three options for the answer's parts are sent as published clients send them: all parts but `metadata`, with
    flat names. An option that is empty is not sent. Releases that do not know them give all parts.

    What a value is sent as does not depend on the form of the rows. Numbers, booleans, texts and bytes are sent as they
    are, tensors of any rank as lists in lists, whatever their order in memory. A decimal is the nearest 64-bit float,
    or an int64 where its type has no places behind the point; whole numbers from 2^63 on are uint64, if none beside
    them is negative. Categories are their values. Timestamps keep their unit and their zone, durations and dates their
    unit; no number is made of them, and no vector either. What has no such meaning is refused with its column and its
    first row: periods, intervals, complex numbers, sets, objects of several types.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave.
        where: The name of a deployed pipeline; a deployment; or its URL, which begins with `https://`. A name is looked
            up at each call, which takes some requests more: a deployment from `find_deployment` takes none. A URL has
            to be on the API's own origin or on one of `inference_hosts`, because the token is sent there.
        data: The rows. One column for each field of the model; a model with one input takes it under the name `tensor`
            as well. A table of pyarrow, pandas, polars or duckdb, or whatever else exports Arrow's C stream or array,
            or has `__dataframe__`; a series of pandas that is one row of a frame; a list of records; a mapping of
            columns, such as numpy arrays whose first dimension is the rows; one such array, for a model with one input,
            or one with named fields; or a file: Arrow, Parquet, JSON in any orientation, in lines or wrapped as in
            `{"instances": […]}`, CSV, `.npy` or `.npz`, told by its first bytes, and perhaps compressed by gzip, zstd,
            bz2, xz or lz4. It is named by its path or its URL, such as `s3://bucket/rows.csv`, or is an open file, of
            bytes or of text, which may be a pipe. Of a file of scored rows, such as exported logs, the inputs are sent,
            `in.a` as `a`, and other columns only where `columns` names them. What pandas has as an index is not sent,
            unless `columns` names it. A column of CSV is one of numbers or booleans where all of its fields are some,
            with nulls for the usual words for no value; any other column is one of texts, exactly as written, `00123`
            and dates among them.
        columns: The columns to send, in this order; by default all. The others may have any values, also such as cannot
            be sent. They name the values of a JSON file that has its rows as lists.
        vector: True to send the columns as one vector of 32-bit floats, for a model with one input. True is 1 in it.
        missing: What becomes of a number that is missing, which is a null or a NaN in a column of numbers or in lists
            of them: `reject` refuses the rows and names the first one, `nan` sends NaN, whole numbers beside it as
            float64. It is `reject` by default, because most models compute something from NaN that looks like a result,
            and no engine takes a null. Nulls among other values, such as texts, are sent, and the engine decides.
        encoding: The encoding of a CSV or JSON file, such as `cp1252`; without it, UTF-8, or what a byte order mark
            says.
        delimiter: The character between two fields of a CSV file; without it, the one of `,`, `;`, tab and `|` with
            which all of its first rows have as many fields as its line of names.
        decimal: The decimal point of numbers in a CSV file, `,` or `.`. Without it, a column of numbers with commas is
            refused.
        storage_options: The options that fsspec takes for the file system of a URL, such as `{"endpoint_url": "http://…",
            "key": "…", "secret": "…"}` or `{"anon": True}` for `s3://`; without them, what it finds by itself, in
            environment variables for one. Their values are in no message.
        wire: The format of the rows and of the answer. `arrow` is exact and fast. `pandas-records` is JSON with an
            object for each row. `json` has the columns in one object: the oldest releases take nothing else, and the
            URLs of newer ones may refuse it. JSON has no NaN, no times and no bytes.
        dataset: The parts of the answer that are wanted, such as `out`, `out.dense_1`, or `*`, for all, with
            `metadata.partition`.
        dataset_exclude: The parts of the answer to leave out; by default `metadata`, unless `dataset` names it or a
            field of it.
        dataset_separator: The text that an instance joins names with; the table's names have a dot in any case.
        timeout: How long to wait, in seconds, in place of the `timeout` of `connect`.
        workspace: The name or the id of the workspace that a pipeline is looked for in by its name; by default all that
            the user sees.

    Raises:
        EngineError: The rows do not fit the model; the message names the field and both shapes.
        InvalidDataError: The rows are no table, do not fit the options, or lack a number; or JSON cannot hold them.
        ConfigurationError: The URL is not on one of the instance's hosts, or pyarrow is not installed, or what opens
            the URL of a file.
        NotFoundError: Nothing is deployed at the URL, or under the name; the message has the near names.
        AmbiguousError: Several deployments have the name.
        ContractViolationError: The answer holds no rows.
        OSError: A file of rows cannot be opened.
    """
    return (
        yield from infer_steps(
            client,
            where,
            data,
            columns=columns,
            vector=vector,
            missing=missing,
            texts=TextOptions(encoding=encoding, delimiter=delimiter, decimal=decimal),
            storage_options=storage_options,
            wire=wire,
            selection=selection_of(dataset, dataset_exclude, dataset_separator),
            timeout=timeout,
            workspace=workspace,
        )
    )


def infer_steps(
    client: Client,
    where: Where,
    data: Rows,
    *,
    columns: Sequence[str] | None = None,
    vector: bool = False,
    missing: Missing = "reject",
    texts: TextOptions = AS_WRITTEN,
    storage_options: StorageOptions | None = None,
    wire: Wire = "arrow",
    selection: Selection = DEFAULT,
    timeout: Timeouts | httpx.Timeout | float | None = None,
    workspace: int | str | None = None,
) -> Steps[pa.Table]:
    """Score rows; see `infer`."""
    from wallaroo_ext.deployments.find import endpoint_steps
    from wallaroo_ext.inference.inputs.rows import require_pyarrow, rows_to_send

    require_pyarrow()
    data = with_storage_options(data, storage_options)
    check_missing(missing)
    check_wire(wire)
    if timeout is not None:
        timeout = to_httpx_timeout(timeout)
    names = None if columns is None else column_list(columns)
    read = partial(rows_to_send, data, names, vector=vector, missing=missing, texts=texts)
    table: pa.Table = (yield Work(read)) if is_file(data) else read()
    url = yield from endpoint_steps(client, where, workspace, argument="where")
    return (yield from score_steps(url, table, wire=wire, selection=selection, timeout=timeout))


def score_steps(
    url: str,
    table: pa.Table,
    *,
    wire: Wire = "arrow",
    selection: Selection = DEFAULT,
    timeout: Timeouts | httpx.Timeout | float | None = None,
) -> Steps[pa.Table]:
    """Score a table at a URL, as it is; see `infer`."""
    from wallaroo_ext.inference.bodies import table_request
    from wallaroo_ext.inference.scored_rows.answers import arriving_rows, read_answer

    target, operation = _target(url)
    request: dict[str, Any] = {
        "method": contract.operation(operation).method,
        "url": with_selection(target, selection),
    }
    if timeout is not None:
        request["timeout"] = to_httpx_timeout(timeout)
    rows = arriving_rows(selection.separator or SEPARATOR)
    if wire != "arrow":
        request["extensions"] = {request_options.ON_ANSWER: rows.begin}
    try:
        response = yield from send(table_request(operation, request, table, wire))
    except EngineError as error:
        from wallaroo_ext.inference.rejected_rows import advice_on_rejected

        error.advice = f"{error.advice} {advice_on_rejected(table)}".strip()
        raise
    return read_answer(operation, response, selection.separator or SEPARATOR, rows)


@lru_cache(maxsize=64)
def _target(url: str) -> tuple[httpx.URL, str]:
    """Return a URL as httpx reads it, and the operation that answers there; a program has few of them."""
    parsed = parse_inference_url(url, "where")
    found = contract.operation_at(parsed.path)
    return parsed, found if found in _FORMS else OPERATION
