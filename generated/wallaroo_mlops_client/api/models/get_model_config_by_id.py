from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.get_model_config_by_id_request import GetModelConfigByIdRequest
from ...models.get_model_config_by_id_response import GetModelConfigByIdResponse
from ...types import Response


def _get_kwargs(
    *,
    body: GetModelConfigByIdRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/models/get_config_by_id",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | GetModelConfigByIdResponse | None:
    if response.status_code == 200:
        response_200 = GetModelConfigByIdResponse.from_dict(response.json())

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
) -> Response[Error | GetModelConfigByIdResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetModelConfigByIdRequest,
) -> Response[Error | GetModelConfigByIdResponse]:
    """Get the configuration of a model version

     The configuration of a model version by the version's id, or null where it has none. From 2023.4 on
    a version has one from its upload on.

    Source: mlops-api-tutorial, "Get Model Configuration by Id" (recorded); api-essentials-guide, "Get
    Model Configuration by Id" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/get_config_by_id" (recorded).

    Args:
        body (GetModelConfigByIdRequest): The model version whose configuration to get.

            Source: field-notes, "Decided where the sources are silent or clash" (convention); mlops-
            api-tutorial, "Get Model Configuration by Id" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | GetModelConfigByIdResponse]
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
    body: GetModelConfigByIdRequest,
) -> Response[Error | GetModelConfigByIdResponse]:
    """Get the configuration of a model version

     The configuration of a model version by the version's id, or null where it has none. From 2023.4 on
    a version has one from its upload on.

    Source: mlops-api-tutorial, "Get Model Configuration by Id" (recorded); api-essentials-guide, "Get
    Model Configuration by Id" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/get_config_by_id" (recorded).

    Args:
        body (GetModelConfigByIdRequest): The model version whose configuration to get.

            Source: field-notes, "Decided where the sources are silent or clash" (convention); mlops-
            api-tutorial, "Get Model Configuration by Id" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | GetModelConfigByIdResponse]
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
    body: GetModelConfigByIdRequest,
) -> Error | GetModelConfigByIdResponse | None:
    """Get the configuration of a model version

     The configuration of a model version by the version's id, or null where it has none. From 2023.4 on
    a version has one from its upload on.

    Source: mlops-api-tutorial, "Get Model Configuration by Id" (recorded); api-essentials-guide, "Get
    Model Configuration by Id" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/get_config_by_id" (recorded).

    Args:
        body (GetModelConfigByIdRequest): The model version whose configuration to get.

            Source: field-notes, "Decided where the sources are silent or clash" (convention); mlops-
            api-tutorial, "Get Model Configuration by Id" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | GetModelConfigByIdResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetModelConfigByIdRequest,
) -> Error | GetModelConfigByIdResponse | None:
    """Get the configuration of a model version

     The configuration of a model version by the version's id, or null where it has none. From 2023.4 on
    a version has one from its upload on.

    Source: mlops-api-tutorial, "Get Model Configuration by Id" (recorded); api-essentials-guide, "Get
    Model Configuration by Id" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/get_config_by_id" (recorded).

    Args:
        body (GetModelConfigByIdRequest): The model version whose configuration to get.

            Source: field-notes, "Decided where the sources are silent or clash" (convention); mlops-
            api-tutorial, "Get Model Configuration by Id" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | GetModelConfigByIdResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
