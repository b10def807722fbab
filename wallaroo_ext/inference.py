"""Scoring rows on a deployed pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext import arrow, contract
from wallaroo_ext.errors import ContractViolationError, excerpt
from wallaroo_ext.operations import Send, Steps, run, send

if TYPE_CHECKING:
    import httpx
    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext.arrow import Rows

_OPERATION = "infer_pipeline"


def infer(client: Client, url: str, rows: Rows) -> pa.Table:
    """Score rows, sent and answered as Arrow.

    The answer has a row for each row sent, in their order, with the columns `time`, `in.<field>` for what was sent,
    `out.<field>` for what the model gave, and what the release adds to them. A model with one input accepts its rows
    under the name `tensor` as well as under the input's own.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave.
        url: The deployment's URL, from `get_pipeline_external_url`. It has to be on the API's own origin, because the
            token is sent there.
        rows: A table of pyarrow, pandas, polars or duckdb, a list of records, or a mapping of columns such as numpy
            arrays, whose first dimension is the rows.

    Raises:
        EngineError: The rows do not fit the model; the message names the field and both shapes.
        InvalidDataError: The rows are no table.
        ConfigurationError: The URL is not on the instance's own host.
        NotFoundError: Nothing is deployed at the URL.
    """
    return run(client, infer_steps(url, rows))


def infer_steps(url: str, rows: Rows) -> Steps[pa.Table]:
    """What `infer` does."""
    request = _request(url, arrow.to_table(rows))
    response = yield from send(Send(_OPERATION, request))
    return read_answer(response)


def arrow_media_type() -> str:
    """The media type of an Arrow file, as the contract writes it."""
    return next(kind for kind in contract.operation(_OPERATION).request_types if "arrow" in kind)


def _request(url: str, table: pa.Table) -> dict[str, Any]:
    kind = arrow_media_type()
    content = arrow.to_file(table).to_pybytes()
    return {"method": "POST", "url": url, "content": content, "headers": {"Content-Type": kind, "Accept": kind}}


def read_answer(response: httpx.Response) -> pa.Table:
    """The rows of an answer, by its content type.

    Raises:
        ContractViolationError: It is neither an Arrow file nor a list of records.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    problem = f"its content type is {kind!r}"
    try:
        if kind == arrow_media_type():
            return arrow.from_file(response.content)
        if kind == "application/json":
            return arrow.from_records(response.json())
    except (ValueError, TypeError, AttributeError) as error:
        problem = str(error)
    body = excerpt(response.content)
    raise ContractViolationError(
        f"{_OPERATION}: the answer ({response.status_code}) holds no rows, {problem}: {body!r}",
        operation=_OPERATION,
        status=response.status_code,
        body=body,
    )
