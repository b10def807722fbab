from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.copy_pipeline_request import CopyPipelineRequest
from ...models.copy_pipeline_response import CopyPipelineResponse
from ...models.error import Error
from ...types import Response


def _get_kwargs(
    *,
    body: CopyPipelineRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/pipelines/copy",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CopyPipelineResponse | Error | None:
    if response.status_code == 200:
        response_200 = CopyPipelineResponse.from_dict(response.json())

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
) -> Response[CopyPipelineResponse | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CopyPipelineRequest,
) -> Response[CopyPipelineResponse | Error]:
    """Copy a pipeline

     Copies a pipeline into a new one of the same workspace. With `deploy` the copy is deployed under
    that name. The tables call `engine_config` a string; it is an object, as in `deploy_pipeline`.

    Source: pipeline-management-tutorial, "Copy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Copy a Pipeline" (recorded); api-essentials-guide, "Copy a Pipeline" (recorded); recordings,
    "/v1/api/pipelines/copy" (recorded).

    Args:
        body (CopyPipelineRequest): The pipeline to copy, and what the copy is called.

            Source: pipeline-management-tutorial, "Copy a Pipeline Returns" (prose); mlops-api-
            tutorial, "Copy a Pipeline" (prose); field-notes, "Pipelines, deployment, inference"
            (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CopyPipelineResponse | Error]
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
    body: CopyPipelineRequest,
) -> Response[CopyPipelineResponse | Error]:
    """Copy a pipeline

     Copies a pipeline into a new one of the same workspace. With `deploy` the copy is deployed under
    that name. The tables call `engine_config` a string; it is an object, as in `deploy_pipeline`.

    Source: pipeline-management-tutorial, "Copy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Copy a Pipeline" (recorded); api-essentials-guide, "Copy a Pipeline" (recorded); recordings,
    "/v1/api/pipelines/copy" (recorded).

    Args:
        body (CopyPipelineRequest): The pipeline to copy, and what the copy is called.

            Source: pipeline-management-tutorial, "Copy a Pipeline Returns" (prose); mlops-api-
            tutorial, "Copy a Pipeline" (prose); field-notes, "Pipelines, deployment, inference"
            (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CopyPipelineResponse | Error]
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
    body: CopyPipelineRequest,
) -> CopyPipelineResponse | Error | None:
    """Copy a pipeline

     Copies a pipeline into a new one of the same workspace. With `deploy` the copy is deployed under
    that name. The tables call `engine_config` a string; it is an object, as in `deploy_pipeline`.

    Source: pipeline-management-tutorial, "Copy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Copy a Pipeline" (recorded); api-essentials-guide, "Copy a Pipeline" (recorded); recordings,
    "/v1/api/pipelines/copy" (recorded).

    Args:
        body (CopyPipelineRequest): The pipeline to copy, and what the copy is called.

            Source: pipeline-management-tutorial, "Copy a Pipeline Returns" (prose); mlops-api-
            tutorial, "Copy a Pipeline" (prose); field-notes, "Pipelines, deployment, inference"
            (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CopyPipelineResponse | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: CopyPipelineRequest,
) -> CopyPipelineResponse | Error | None:
    """Copy a pipeline

     Copies a pipeline into a new one of the same workspace. With `deploy` the copy is deployed under
    that name. The tables call `engine_config` a string; it is an object, as in `deploy_pipeline`.

    Source: pipeline-management-tutorial, "Copy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Copy a Pipeline" (recorded); api-essentials-guide, "Copy a Pipeline" (recorded); recordings,
    "/v1/api/pipelines/copy" (recorded).

    Args:
        body (CopyPipelineRequest): The pipeline to copy, and what the copy is called.

            Source: pipeline-management-tutorial, "Copy a Pipeline Returns" (prose); mlops-api-
            tutorial, "Copy a Pipeline" (prose); field-notes, "Pipelines, deployment, inference"
            (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CopyPipelineResponse | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
