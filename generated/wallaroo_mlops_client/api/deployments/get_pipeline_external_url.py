from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.get_pipeline_external_url_request import GetPipelineExternalUrlRequest
from ...models.get_pipeline_external_url_response import GetPipelineExternalUrlResponse
from ...types import Response


def _get_kwargs(
    *,
    body: GetPipelineExternalUrlRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/admin/get_pipeline_external_url",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | GetPipelineExternalUrlResponse | None:
    if response.status_code == 200:
        response_200 = GetPipelineExternalUrlResponse.from_dict(response.json())

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
) -> Response[Error | GetPipelineExternalUrlResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetPipelineExternalUrlRequest,
) -> Response[Error | GetPipelineExternalUrlResponse]:
    """Get the URL that a deployment answers at

     The URL for inference from outside the instance's cluster. Treat it as opaque: two forms were
    recorded, and the token belongs to the instance's own host only.

    `pipeline_name` is called the pipeline's name in one document and the deployment's name in the
    others. A deployment of that name is looked for first, then a pipeline. An unknown one is answered
    with 404.

    Source: pipeline-management-tutorial, "Get External Inference URL Examples" (recorded); mlops-api-
    tutorial, "Get External Inference URL" (recorded); api-essentials-guide, "Get External Inference
    URL" (recorded); external-inference-url-tutorial, "Get External Inference URL" (recorded);
    recordings, "/v1/api/admin/get_pipeline_external_url" (recorded).

    Args:
        body (GetPipelineExternalUrlRequest): The deployment whose URL to get.

            Source: mlops-api-tutorial, "Get External Inference URL" (prose); external-inference-url-
            tutorial, "Get External Inference URL" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | GetPipelineExternalUrlResponse]
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
    body: GetPipelineExternalUrlRequest,
) -> Response[Error | GetPipelineExternalUrlResponse]:
    """Get the URL that a deployment answers at

     The URL for inference from outside the instance's cluster. Treat it as opaque: two forms were
    recorded, and the token belongs to the instance's own host only.

    `pipeline_name` is called the pipeline's name in one document and the deployment's name in the
    others. A deployment of that name is looked for first, then a pipeline. An unknown one is answered
    with 404.

    Source: pipeline-management-tutorial, "Get External Inference URL Examples" (recorded); mlops-api-
    tutorial, "Get External Inference URL" (recorded); api-essentials-guide, "Get External Inference
    URL" (recorded); external-inference-url-tutorial, "Get External Inference URL" (recorded);
    recordings, "/v1/api/admin/get_pipeline_external_url" (recorded).

    Args:
        body (GetPipelineExternalUrlRequest): The deployment whose URL to get.

            Source: mlops-api-tutorial, "Get External Inference URL" (prose); external-inference-url-
            tutorial, "Get External Inference URL" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | GetPipelineExternalUrlResponse]
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
    body: GetPipelineExternalUrlRequest,
) -> Error | GetPipelineExternalUrlResponse | None:
    """Get the URL that a deployment answers at

     The URL for inference from outside the instance's cluster. Treat it as opaque: two forms were
    recorded, and the token belongs to the instance's own host only.

    `pipeline_name` is called the pipeline's name in one document and the deployment's name in the
    others. A deployment of that name is looked for first, then a pipeline. An unknown one is answered
    with 404.

    Source: pipeline-management-tutorial, "Get External Inference URL Examples" (recorded); mlops-api-
    tutorial, "Get External Inference URL" (recorded); api-essentials-guide, "Get External Inference
    URL" (recorded); external-inference-url-tutorial, "Get External Inference URL" (recorded);
    recordings, "/v1/api/admin/get_pipeline_external_url" (recorded).

    Args:
        body (GetPipelineExternalUrlRequest): The deployment whose URL to get.

            Source: mlops-api-tutorial, "Get External Inference URL" (prose); external-inference-url-
            tutorial, "Get External Inference URL" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | GetPipelineExternalUrlResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetPipelineExternalUrlRequest,
) -> Error | GetPipelineExternalUrlResponse | None:
    """Get the URL that a deployment answers at

     The URL for inference from outside the instance's cluster. Treat it as opaque: two forms were
    recorded, and the token belongs to the instance's own host only.

    `pipeline_name` is called the pipeline's name in one document and the deployment's name in the
    others. A deployment of that name is looked for first, then a pipeline. An unknown one is answered
    with 404.

    Source: pipeline-management-tutorial, "Get External Inference URL Examples" (recorded); mlops-api-
    tutorial, "Get External Inference URL" (recorded); api-essentials-guide, "Get External Inference
    URL" (recorded); external-inference-url-tutorial, "Get External Inference URL" (recorded);
    recordings, "/v1/api/admin/get_pipeline_external_url" (recorded).

    Args:
        body (GetPipelineExternalUrlRequest): The deployment whose URL to get.

            Source: mlops-api-tutorial, "Get External Inference URL" (prose); external-inference-url-
            tutorial, "Get External Inference URL" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | GetPipelineExternalUrlResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
