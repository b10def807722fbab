from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.get_model_request import GetModelRequest
from ...models.model_with_versions import ModelWithVersions
from ...types import Response


def _get_kwargs(
    *,
    body: GetModelRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/models/get",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | ModelWithVersions | None:
    if response.status_code == 200:
        response_200 = ModelWithVersions.from_dict(response.json())

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
) -> Response[Error | ModelWithVersions]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetModelRequest,
) -> Response[Error | ModelWithVersions]:
    """Get a model with its versions

     A model by its id, with its versions. The table names the field `model_id`; every request that was
    run sends `id`. The versions have no `status` here, even where `list_model_versions` of the same
    instance has one.

    Source: mlops-api-tutorial, "Get Model Details" (recorded); api-essentials-guide, "Get Model
    Details" (recorded); field-notes, "Models" (observed); recordings, "/v1/api/models/get" (recorded).

    Args:
        body (GetModelRequest): The model to get.

            Source: mlops-api-tutorial, "Get Model Details" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | ModelWithVersions]
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
    body: GetModelRequest,
) -> Response[Error | ModelWithVersions]:
    """Get a model with its versions

     A model by its id, with its versions. The table names the field `model_id`; every request that was
    run sends `id`. The versions have no `status` here, even where `list_model_versions` of the same
    instance has one.

    Source: mlops-api-tutorial, "Get Model Details" (recorded); api-essentials-guide, "Get Model
    Details" (recorded); field-notes, "Models" (observed); recordings, "/v1/api/models/get" (recorded).

    Args:
        body (GetModelRequest): The model to get.

            Source: mlops-api-tutorial, "Get Model Details" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | ModelWithVersions]
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
    body: GetModelRequest,
) -> Error | ModelWithVersions | None:
    """Get a model with its versions

     A model by its id, with its versions. The table names the field `model_id`; every request that was
    run sends `id`. The versions have no `status` here, even where `list_model_versions` of the same
    instance has one.

    Source: mlops-api-tutorial, "Get Model Details" (recorded); api-essentials-guide, "Get Model
    Details" (recorded); field-notes, "Models" (observed); recordings, "/v1/api/models/get" (recorded).

    Args:
        body (GetModelRequest): The model to get.

            Source: mlops-api-tutorial, "Get Model Details" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | ModelWithVersions
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetModelRequest,
) -> Error | ModelWithVersions | None:
    """Get a model with its versions

     A model by its id, with its versions. The table names the field `model_id`; every request that was
    run sends `id`. The versions have no `status` here, even where `list_model_versions` of the same
    instance has one.

    Source: mlops-api-tutorial, "Get Model Details" (recorded); api-essentials-guide, "Get Model
    Details" (recorded); field-notes, "Models" (observed); recordings, "/v1/api/models/get" (recorded).

    Args:
        body (GetModelRequest): The model to get.

            Source: mlops-api-tutorial, "Get Model Details" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | ModelWithVersions
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
