from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.get_pipeline_logs_request import GetPipelineLogsRequest
from ...models.inference_result import InferenceResult
from ...types import Response


def _get_kwargs(
    *,
    body: GetPipelineLogsRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/pipelines/get_logs",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | list[InferenceResult] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = InferenceResult.from_dict(response_200_item_data)

            response_200.append(response_200_item)

        return response_200

    if response.status_code == 400:
        response_400 = Error.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Error.from_dict(response.json())

        return response_401

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
) -> Response[Error | list[InferenceResult]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetPipelineLogsRequest,
) -> Response[Error | list[InferenceResult]]:
    """Get the logged inferences of a pipeline

     The rows that a pipeline scored, with their outputs, a page at a time. `x-iteration-status` says
    whether there are more, and `x-iteration-cursor` is the `cursor` of the next page. The pipeline's
    name was sent as `pipeline_id` to 2023.2 and is sent as `pipeline_name` since. `Accept` chooses the
    answer's format, JSON by default.

    Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps API
    Essentials Guide: Pipeline Log Management" (prose).

    Args:
        body (GetPipelineLogsRequest): The pipeline whose rows to get, which of them, and how
            many.

            Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps
            API Essentials Guide: Pipeline Log Management" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | list[InferenceResult]]
    """

    response = client.get_httpx_client().request(
        **_get_kwargs(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetPipelineLogsRequest,
) -> Response[Error | list[InferenceResult]]:
    """Get the logged inferences of a pipeline

     The rows that a pipeline scored, with their outputs, a page at a time. `x-iteration-status` says
    whether there are more, and `x-iteration-cursor` is the `cursor` of the next page. The pipeline's
    name was sent as `pipeline_id` to 2023.2 and is sent as `pipeline_name` since. `Accept` chooses the
    answer's format, JSON by default.

    Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps API
    Essentials Guide: Pipeline Log Management" (prose).

    Args:
        body (GetPipelineLogsRequest): The pipeline whose rows to get, which of them, and how
            many.

            Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps
            API Essentials Guide: Pipeline Log Management" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | list[InferenceResult]]
    """

    response = await client.get_async_httpx_client().request(
        **_get_kwargs(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: GetPipelineLogsRequest,
) -> Error | list[InferenceResult] | None:
    """Get the logged inferences of a pipeline

     The rows that a pipeline scored, with their outputs, a page at a time. `x-iteration-status` says
    whether there are more, and `x-iteration-cursor` is the `cursor` of the next page. The pipeline's
    name was sent as `pipeline_id` to 2023.2 and is sent as `pipeline_name` since. `Accept` chooses the
    answer's format, JSON by default.

    Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps API
    Essentials Guide: Pipeline Log Management" (prose).

    Args:
        body (GetPipelineLogsRequest): The pipeline whose rows to get, which of them, and how
            many.

            Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps
            API Essentials Guide: Pipeline Log Management" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | list[InferenceResult]
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetPipelineLogsRequest,
) -> Error | list[InferenceResult] | None:
    """Get the logged inferences of a pipeline

     The rows that a pipeline scored, with their outputs, a page at a time. `x-iteration-status` says
    whether there are more, and `x-iteration-cursor` is the `cursor` of the next page. The pipeline's
    name was sent as `pipeline_id` to 2023.2 and is sent as `pipeline_name` since. `Accept` chooses the
    answer's format, JSON by default.

    Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps API
    Essentials Guide: Pipeline Log Management" (prose).

    Args:
        body (GetPipelineLogsRequest): The pipeline whose rows to get, which of them, and how
            many.

            Source: recordings, "/v1/api/pipelines/get_logs" (recorded); vendor-pages, "Wallaroo MLOps
            API Essentials Guide: Pipeline Log Management" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | list[InferenceResult]
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
