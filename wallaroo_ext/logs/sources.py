"""Where an instance serves the log of a pipeline, and a page of it: `pipelines/get_logs`, or the pipeline's topic."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.arrow.limits import TooLargeError
from wallaroo_ext._util.files.signatures import ARROW_FILE
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.quantities import whole_number
from wallaroo_ext._util.times import BEGINNING, END
from wallaroo_ext.errors import ApiError, InvalidDataError, InvalidRequestError, NotFoundError
from wallaroo_ext.inference.column_names import SEPARATOR
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.inference.scored_rows.answers import from_records, read_answer, rows_too_large, spread_limit
from wallaroo_ext.inference.scored_rows.release_2022 import is_release_2022
from wallaroo_ext.inference.selection import ALL
from wallaroo_ext.logs.joining import OF_ONE_TIME, joined
from wallaroo_ext.operations import Send, Steps, call_steps, request_of, send
from wallaroo_ext.resources.lookup import NEAR, ambiguous_error, not_found_error
from wallaroo_ext.resources.pipelines import pipeline_names_steps
from wallaroo_ext.resources.workspaces import check_workspace, workspace_ids_steps
from wallaroo_ext.transport.response_errors import NOT_SERVED, contract_violation

if TYPE_CHECKING:
    from datetime import datetime

    import httpx
    from pyarrow import Table

pa: Any = import_module("pyarrow")

_BY_PIPELINE, _BY_TOPIC = "get_pipeline_logs", "get_topic_records"
_STATUS, _CURSOR = "x-iteration-status", "x-iteration-cursor"


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows of a log are wanted.

    Attributes:
        start: From when on; None for the beginning.
        end: Before when; None for the end.
        newest_first: Whether the newest come first.
    """

    start: datetime | None = None
    end: datetime | None = None
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a log.

    Attributes:
        operation: The operation that answered it.
        response: The answer.
        table: The rows, with flat columns.
        status: What the instance says of the page: `All` where no row follows; None where it says nothing.
        next: What leads to the next page; None where there is nothing.
    """

    operation: str
    response: httpx.Response
    table: Table
    status: str | None
    next: Any


@dataclass(frozen=True, slots=True)
class PipelineLog:
    """The log of a pipeline as `pipelines/get_logs` serves it.

    Attributes:
        name: The pipeline's name.
        workspace_id: Its workspace.
    """

    name: str
    workspace_id: int

    def page_steps(self, span: Span, rows: int, position: Any) -> Steps[Page]:
        """Get a page of at most so many rows, from a position on; None is the first."""
        from wallaroo_mlops_client.api.inference import get_pipeline_logs
        from wallaroo_mlops_client.models import GetPipelineLogsRequest

        body = GetPipelineLogsRequest(
            workspace_id=self.workspace_id,
            pipeline_name=self.name,
            pipeline_id=self.name,  # as 2023.2 has it
            order="Desc" if span.newest_first else "Asc",
            page_size=rows,
            cursor=position,
        )
        if span.start is not None or span.end is not None:  # which are sent together only
            body.start_time, body.end_time = (span.start or BEGINNING).isoformat(), (span.end or END).isoformat()
        request = request_of(get_pipeline_logs, body=body)
        response = yield from _asked(_BY_PIPELINE, request)
        table = read_answer(_BY_PIPELINE, response)
        return Page(_BY_PIPELINE, response, table, response.headers.get(_STATUS), response.headers.get(_CURSOR))


@dataclass(frozen=True, slots=True)
class Topic:
    """The log of a pipeline as its topic has it.

    Attributes:
        name: The topic's name.
    """

    name: str

    def page_steps(self, span: Span, rows: int, position: Any) -> Steps[Page]:
        """Get a page of at most so many rows, from a position on; None is the first."""
        from wallaroo_mlops_client.api.inference import get_topic_records
        from wallaroo_mlops_client.models import TopicPosition
        from wallaroo_mlops_client.types import UNSET

        request = request_of(
            get_topic_records,
            self.name,
            body=TopicPosition.from_dict(position or {}),
            page_size=rows,
            limit=rows,  # as the oldest releases have it
            order="desc" if span.newest_first else "asc",
            time_start=UNSET if span.start is None else span.start.isoformat(),
            time_end=UNSET if span.end is None else span.end.isoformat(),
            dataset=[ALL],
            dataset_separator=SEPARATOR,
        )
        response = yield from _asked(_BY_TOPIC, request)
        if response.content.startswith(ARROW_FILE):
            table = read_answer(_BY_TOPIC, response)
            status = _status_of((table.schema.metadata or {}).get(b"status"))
        else:
            table, status = _read_json(response)
        found, following = status.get("status"), status.get("next")
        return Page(_BY_TOPIC, response, table, None if found is None else str(found), following or None)


def _asked(operation: str, request: dict[str, Any]) -> Steps[httpx.Response]:
    headers = request.get("headers", {}) | {"Accept": f"{arrow_media_type()}, application/json;q=0.5"}
    return (yield from send(Send(operation, request | {"headers": headers})))


def _status_of(text: bytes | None) -> dict[str, Any]:
    """Return what the metadata of a schema say of a page: an object of JSON, or the status alone."""
    try:
        found: Any = json.loads(text or b"{}")
    except ValueError:
        found = (text or b"").decode(errors="replace")
    return object_of(found) if isinstance(found, dict) else {"status": found}


def _read_json(response: httpx.Response) -> tuple[Table, dict[str, Any]]:
    """Return the rows of a page in JSON, each of which is a text, and what the page says of itself.

    Raises:
        ContractViolationError: It is no page of a topic.
        InvalidDataError: A column changed its type within it.
        AnswerTooLargeError: Its rows take more memory, spread out, than those of an answer may.
    """
    try:
        page = object_of(json.loads(response.content))
        return _table_of([_record(text) for text in page["records"]], spread_limit(response)), page
    except TooLargeError:
        refused = rows_too_large(_BY_TOPIC, response)
    except KeyError:
        problem = "it is neither Arrow nor an object with `records`"
        raise contract_violation(_BY_TOPIC, response, problem) from None
    except (ValueError, TypeError, RecursionError, pa.ArrowException) as error:
        raise contract_violation(_BY_TOPIC, response, f"it holds no rows: {error}") from error
    raise refused


def _record(text: Any) -> dict[str, Any]:
    record: Any = json.loads(text)
    if not isinstance(record, dict):
        raise TypeError("a record is no object")
    return object_of(record)


def _table_of(records: list[dict[str, Any]], limit: int) -> Table:
    """Return the table of records, of so many bytes at most; in the oldest form, each is an answer of its own."""
    if not is_release_2022(records):
        return from_records(records)
    tables: list[Table] = []
    for record in records:
        tables.append(from_records([record], limit=limit))
        limit -= tables[-1].nbytes
    return joined(tables, f"{OF_ONE_TIME}.")


def source_steps(pipeline: object, workspace: int | str | None) -> Steps[PipelineLog | Topic]:
    """Return where an instance serves the log of a pipeline.

    Args:
        pipeline: Its name, its id, a deployment, or what `create_pipeline` answered.
        workspace: The workspace of a name; None for all that the user sees.

    Raises:
        NotFoundError: There is no pipeline of this name.
        AmbiguousError: Pipelines of several workspaces have the name.
        InvalidDataError: It is no pipeline, or no workspace.
    """
    check_workspace(workspace)
    name, number, of = _named(pipeline)
    if number is not None:
        return (yield from _topic_steps(pipeline_pk_id=number))
    known = workspace if of is None else of
    searched = yield from workspace_ids_steps(known)
    if known is not None:
        try:
            return (yield from _in_workspace(name, searched[0]))
        except (NotFoundError, InvalidRequestError) as error:
            unknown = yield from _unknown_steps(name, searched[0])
            if isinstance(error, InvalidRequestError) and not unknown.advice.startswith(NEAR):
                raise  # it was refused for another reason
            raise unknown from error
    found: dict[int, PipelineLog | Topic] = {}
    for workspace_id in searched:
        try:
            found[workspace_id] = yield from _in_workspace(name, workspace_id)
        except (NotFoundError, InvalidRequestError):
            continue
    if len(found) > 1:
        candidates = [f"the one in the workspace {number}" for number in found]
        advice = "Name the one to use as `workspace`."
        raise ambiguous_error(f"Several workspaces have a pipeline {name!r}", candidates, advice)
    if not found:
        raise (yield from _unknown_steps(name, None))
    return next(iter(found.values()))


def _unknown_steps(name: str, workspace_id: int | None) -> Steps[NotFoundError]:
    """Return the error for a name that no pipeline has, with the near names that the instance lists."""
    where = "No workspace of this user" if workspace_id is None else f"The workspace {workspace_id}"
    what = f"{where} has {'a' if workspace_id is None else 'no'} pipeline {name!r}."
    listed = yield from pipeline_names_steps(workspace_id)
    advice = "Is the name right, and is this user a member of its workspace?"
    known = {each: each for each in listed} if listed and name not in listed else None
    return not_found_error(_BY_PIPELINE, what, known=known, wanted=name, advice=advice)


def _named(pipeline: object) -> tuple[str, int | None, int | None]:
    """Return the name of a pipeline, or its id in place of the name, and the id of its workspace where it is known."""
    given: Any = pipeline
    number = whole_number(getattr(given, "pipeline_pk_id", given))
    if number is not None:
        return "", number, None
    name = given if isinstance(given, str) else getattr(given, "pipeline", None)
    if not isinstance(name, str) or not name:
        shown = repr(given) if isinstance(given, str | bool) else type(given).__name__
        raise InvalidDataError(f"A pipeline is its name, its id, or what deploy_pipeline gave, not {shown}.")
    if "://" in name:
        raise InvalidDataError("What stands for a name is a URL: give the name of the pipeline.")
    return name, None, getattr(given, "workspace_id", None)


def _in_workspace(name: str, workspace_id: int) -> Steps[PipelineLog | Topic]:
    """Return where the log of a workspace's pipeline is served; a row is asked for to see it."""
    log = PipelineLog(name, workspace_id)
    try:
        yield from log.page_steps(Span(), 1, None)
    except ApiError as error:
        if error.status not in NOT_SERVED:
            raise
    else:
        return log
    return (yield from _topic_steps(pipeline_name=name, workspace_id=workspace_id))


def _topic_steps(**named: Any) -> Steps[Topic]:
    from wallaroo_mlops_client.api.inference import get_topic_name
    from wallaroo_mlops_client.models import GetTopicNameRequest

    found = yield from call_steps(get_topic_name, body=GetTopicNameRequest(**named))
    return Topic(found.topic_name)
