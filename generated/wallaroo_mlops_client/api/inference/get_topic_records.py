from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.topic_position import TopicPosition
from ...models.topic_records import TopicRecords
from ...types import UNSET, Response, Unset


def _get_kwargs(
    topic: str,
    *,
    body: TopicPosition,
    page_size: int | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: str | Unset = UNSET,
    time_start: str | Unset = UNSET,
    time_end: str | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["page_size"] = page_size

    params["limit"] = limit

    params["order"] = order

    params["time.start"] = time_start

    params["time.end"] = time_end

    json_dataset: list[str] | Unset = UNSET
    if not isinstance(dataset, Unset):
        json_dataset = dataset

    params["dataset[]"] = json_dataset

    json_dataset_exclude: list[str] | Unset = UNSET
    if not isinstance(dataset_exclude, Unset):
        json_dataset_exclude = dataset_exclude

    params["dataset.exclude[]"] = json_dataset_exclude

    params["dataset.separator"] = dataset_separator

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/logs/topic/{topic}/records".format(
            topic=quote(str(topic), safe=""),
        ),
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | TopicRecords | None:
    if response.status_code == 200:
        response_200 = TopicRecords.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Error.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Error.from_dict(response.json())

        return response_401

    if response.status_code == 404:
        response_404 = Error.from_dict(response.json())

        return response_404

    if response.status_code == 405:
        response_405 = Error.from_dict(response.json())

        return response_405

    if response.status_code == 413:
        response_413 = Error.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Error.from_dict(response.json())

        return response_415

    if response.status_code == 429:
        response_429 = Error.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Error.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Error.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | TopicRecords]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: TopicPosition,
    page_size: int | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: str | Unset = UNSET,
    time_start: str | Unset = UNSET,
    time_end: str | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> Response[Error | TopicRecords]:
    """Get the rows of a topic

     The rows that a pipeline scored, with their outputs, a page at a time, the oldest first.
    `pipelines/get_logs` gives the same rows on releases that have it. The body says where the page
    begins: empty for the first one, then the `next` of the page before. `Accept` chooses the answer's
    format. In Arrow, the metadata of the schema have `status`, a JSON text such as `{"status": "All",
    "next": null}`; in JSON, `status` and `next` stand beside the rows. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):
        page_size (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        limit (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        order (str | Unset):
        time_start (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of
            a second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        time_end (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of a
            second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (TopicPosition): Where a page of a topic begins: for each partition of the topic, the
            number of a row in it. Empty for the first page; partitions that the topic does not have
            give no rows.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | TopicRecords]
    """

    response = client.get_httpx_client().request(
        **_get_kwargs(
            topic=topic,
            body=body,
            page_size=page_size,
            limit=limit,
            order=order,
            time_start=time_start,
            time_end=time_end,
            dataset=dataset,
            dataset_exclude=dataset_exclude,
            dataset_separator=dataset_separator,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: TopicPosition,
    page_size: int | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: str | Unset = UNSET,
    time_start: str | Unset = UNSET,
    time_end: str | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> Response[Error | TopicRecords]:
    """Get the rows of a topic

     The rows that a pipeline scored, with their outputs, a page at a time, the oldest first.
    `pipelines/get_logs` gives the same rows on releases that have it. The body says where the page
    begins: empty for the first one, then the `next` of the page before. `Accept` chooses the answer's
    format. In Arrow, the metadata of the schema have `status`, a JSON text such as `{"status": "All",
    "next": null}`; in JSON, `status` and `next` stand beside the rows. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):
        page_size (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        limit (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        order (str | Unset):
        time_start (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of
            a second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        time_end (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of a
            second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (TopicPosition): Where a page of a topic begins: for each partition of the topic, the
            number of a row in it. Empty for the first page; partitions that the topic does not have
            give no rows.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | TopicRecords]
    """

    response = await client.get_async_httpx_client().request(
        **_get_kwargs(
            topic=topic,
            body=body,
            page_size=page_size,
            limit=limit,
            order=order,
            time_start=time_start,
            time_end=time_end,
            dataset=dataset,
            dataset_exclude=dataset_exclude,
            dataset_separator=dataset_separator,
        )
    )
    return _build_response(client=client, response=response)


def sync(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: TopicPosition,
    page_size: int | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: str | Unset = UNSET,
    time_start: str | Unset = UNSET,
    time_end: str | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> Error | TopicRecords | None:
    """Get the rows of a topic

     The rows that a pipeline scored, with their outputs, a page at a time, the oldest first.
    `pipelines/get_logs` gives the same rows on releases that have it. The body says where the page
    begins: empty for the first one, then the `next` of the page before. `Accept` chooses the answer's
    format. In Arrow, the metadata of the schema have `status`, a JSON text such as `{"status": "All",
    "next": null}`; in JSON, `status` and `next` stand beside the rows. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):
        page_size (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        limit (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        order (str | Unset):
        time_start (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of
            a second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        time_end (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of a
            second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (TopicPosition): Where a page of a topic begins: for each partition of the topic, the
            number of a row in it. Empty for the first page; partitions that the topic does not have
            give no rows.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | TopicRecords
    """

    return sync_detailed(
        topic=topic,
        client=client,
        body=body,
        page_size=page_size,
        limit=limit,
        order=order,
        time_start=time_start,
        time_end=time_end,
        dataset=dataset,
        dataset_exclude=dataset_exclude,
        dataset_separator=dataset_separator,
    ).parsed


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
    body: TopicPosition,
    page_size: int | Unset = UNSET,
    limit: int | Unset = UNSET,
    order: str | Unset = UNSET,
    time_start: str | Unset = UNSET,
    time_end: str | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> Error | TopicRecords | None:
    """Get the rows of a topic

     The rows that a pipeline scored, with their outputs, a page at a time, the oldest first.
    `pipelines/get_logs` gives the same rows on releases that have it. The body says where the page
    begins: empty for the first one, then the `next` of the page before. `Accept` chooses the answer's
    format. In Arrow, the metadata of the schema have `status`, a JSON text such as `{"status": "All",
    "next": null}`; in JSON, `status` and `next` stand beside the rows. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):
        page_size (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        limit (int | Unset): How many to get at the most.

            Source: mlops-api-tutorial, "Get Assay Baseline" (prose).
        order (str | Unset):
        time_start (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of
            a second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        time_end (str | Unset): A point in time as RFC 3339 writes it, with up to nine digits of a
            second. It is a plain string here because date types of most languages lose the digits
            after the sixth.

            Source: mlops-api-tutorial, "Create Interactive Baseline" (recorded); field-notes, "Across
            the API" (observed).
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (TopicPosition): Where a page of a topic begins: for each partition of the topic, the
            number of a row in it. Empty for the first page; partitions that the topic does not have
            give no rows.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | TopicRecords
    """

    return (
        await asyncio_detailed(
            topic=topic,
            client=client,
            body=body,
            page_size=page_size,
            limit=limit,
            order=order,
            time_start=time_start,
            time_end=time_end,
            dataset=dataset,
            dataset_exclude=dataset_exclude,
            dataset_separator=dataset_separator,
        )
    ).parsed
