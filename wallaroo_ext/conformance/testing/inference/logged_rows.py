"""Reads the logs of a pipeline page by page, each page when it is asked for."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.testing.answer_forms import Answered
from wallaroo_ext.conformance.testing.waiting import Patience, soon

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.inference.scoring import Scoring

DEFAULT_PAGE = 1000
"""The number of rows on a page of `get_pipeline_logs` where no other is asked for."""


def topic_parameters(suite: Suite) -> set[str]:
    """Return the parameters in the query of `get_topic_records` that the release knows, and that of its path."""
    _, path, _ = suite.rules.locations["get_topic_records"]
    declared = suite.rules.document["paths"][path]["parameters"]
    return {suite.rules.schemas.resolve(each)["name"] for each in declared}


def wait_until_logged(api: Api, topic: str, count: int) -> None:
    """Wait until a topic has so many rows, or for a minute: what is missing then, the tests say."""
    patience = Patience()
    while True:
        answer = api.send("get_topic_partitions", path={"topic": topic})
        partitions: dict[str, Any] = answer.json()["partitions"] if answer.is_success else {}
        if sum(each["end"] for each in partitions.values()) >= count or not patience.lasts():
            return


def status_of_page(answer: httpx.Response) -> dict[str, Any]:
    """Return what a page of a topic in Arrow says of the rows behind it, and check that it says that."""
    import pyarrow as pa

    assert answer.status_code == HTTPStatus.OK, answer.text[:300]  # noqa: S101 - pytest's way to fail
    metadata: dict[bytes, bytes] = pa.ipc.open_file(answer.content).schema.metadata or {}
    assert b"status" in metadata, f"the metadata of the schema have only {sorted(metadata)}"  # noqa: S101 - pytest's way to fail
    found: dict[str, Any] = json.loads(metadata[b"status"])
    assert {"status", "next"} <= found.keys()  # noqa: S101 - pytest's way to fail
    return found


def pages_of_log(
    api: Api, scoring: Scoring, *, headers: dict[str, str] | None = None, **more: Any
) -> Iterator[httpx.Response]:
    """Yield the pages of a pipeline's log, and check of each whether it rightly says that there are more.

    Args:
        api: The operations.
        scoring: The pipeline.
        headers: The headers of the requests.
        **more: Further fields of their bodies.
    """
    names = {"pipeline_name": scoring.name, "pipeline_id": scoring.name}  # the second in 2023.2
    body = {"workspace_id": scoring.workspace_id} | names | more
    size = more.get("page_size") or DEFAULT_PAGE
    cursors = set[str]()
    while True:
        answer = api.send("get_pipeline_logs", body, headers=headers or {})
        count = Answered.of(answer).count
        status, cursor = answer.headers.get("x-iteration-status"), answer.headers.get("x-iteration-cursor")
        assert (status == "All") is (cursor is None), f"{status}, and the cursor {cursor}"  # noqa: S101 - pytest's way to fail
        assert count <= size, f"{count} rows on a page of {size}"  # noqa: S101 - pytest's way to fail
        assert status != "RecordLimited" or count == size, f"{count} rows on a page of {size} that is full"  # noqa: S101 - pytest's way to fail
        assert cursor not in cursors, f"a page has the cursor {cursor} of one before it"  # noqa: S101 - pytest's way to fail
        yield answer
        if cursor is None or not count:
            return
        cursors.add(cursor)
        body["cursor"] = cursor


def newest_logged(api: Api, scoring: Scoring, answered: Answered, accept: str) -> Answered:
    """Return the rows of an answer as the log has them, the newest first, once they are the newest of it.

    Args:
        api: The operations.
        scoring: The pipeline that scored them.
        answered: The answer, which says when they were scored.
        accept: The format to ask for.
    """

    def newest() -> Answered | None:
        page = next(pages_of_log(api, scoring, page_size=answered.count, headers={"Accept": accept}))
        found = Answered.of(page)
        return found if found.times == answered.times[::-1] else None

    return soon(newest, lambda: "the newest rows of the log are not those that were scored last, by their times")


def newest_of_topic(api: Api, scoring: Scoring, count: int) -> Answered | None:
    """Return the newest rows of a pipeline's topic, the oldest of them first, as published clients find them.

    Returns None where the rows are in several partitions, so that nothing says which are the newest.

    Args:
        api: The operations.
        scoring: The pipeline.
        count: The number of rows.
    """
    topic = {"topic": api.call("get_topic_name", {"pipeline_pk_id": scoring.pipeline_id})["topic_name"]}
    partitions = api.call("get_topic_partitions", path=topic)["partitions"]
    if len(partitions) != 1:
        return None
    [(name, partition)] = partitions.items()
    page = api.call("get_topic_records", {name: max(partition["end"] - count, 0)}, path=topic)
    return Answered.of_records([json.loads(record) for record in page["records"]])
