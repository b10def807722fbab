from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.upload_model_request import UploadModelRequest
from ...models.upload_model_response import UploadModelResponse
from ...types import Response


def _get_kwargs(
    *,
    body: UploadModelRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/models/upload",
    }

    _kwargs["files"] = body.to_multipart()

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | UploadModelResponse | None:
    if response.status_code == 200:
        response_200 = UploadModelResponse.from_dict(response.json())

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

    if response.status_code == 507:
        response_507 = Error.from_dict(response.json())

        return response_507

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Error | UploadModelResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: UploadModelRequest,
) -> Response[Error | UploadModelResponse]:
    """Upload a model that needs no conversion

     The oldest form of an upload. The fields `name`, `visibility` and `workspace_id` stand in the form
    beside the file; newer instances take the part `metadata` of `upload_and_convert_model` instead. One
    of the two ways is needed: either `metadata`, or `name` and `workspace_id`.

    Source: api-essentials-guide, "Upload Model to Workspace" (recorded); field-notes, "Models"
    (observed); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/models/upload" (recorded).

    Args:
        body (UploadModelRequest): A model's file, with its description in the part `metadata` or
            in the fields beside it. A request needs one of the two. The fields are written out here,
            because tools take a field that refers to another schema for a part of JSON.

            Source: api-essentials-guide, "Upload Model to Workspace" (example); field-notes, "Decided
            where the sources are silent or clash" (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadModelResponse]
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
    body: UploadModelRequest,
) -> Response[Error | UploadModelResponse]:
    """Upload a model that needs no conversion

     The oldest form of an upload. The fields `name`, `visibility` and `workspace_id` stand in the form
    beside the file; newer instances take the part `metadata` of `upload_and_convert_model` instead. One
    of the two ways is needed: either `metadata`, or `name` and `workspace_id`.

    Source: api-essentials-guide, "Upload Model to Workspace" (recorded); field-notes, "Models"
    (observed); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/models/upload" (recorded).

    Args:
        body (UploadModelRequest): A model's file, with its description in the part `metadata` or
            in the fields beside it. A request needs one of the two. The fields are written out here,
            because tools take a field that refers to another schema for a part of JSON.

            Source: api-essentials-guide, "Upload Model to Workspace" (example); field-notes, "Decided
            where the sources are silent or clash" (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadModelResponse]
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
    body: UploadModelRequest,
) -> Error | UploadModelResponse | None:
    """Upload a model that needs no conversion

     The oldest form of an upload. The fields `name`, `visibility` and `workspace_id` stand in the form
    beside the file; newer instances take the part `metadata` of `upload_and_convert_model` instead. One
    of the two ways is needed: either `metadata`, or `name` and `workspace_id`.

    Source: api-essentials-guide, "Upload Model to Workspace" (recorded); field-notes, "Models"
    (observed); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/models/upload" (recorded).

    Args:
        body (UploadModelRequest): A model's file, with its description in the part `metadata` or
            in the fields beside it. A request needs one of the two. The fields are written out here,
            because tools take a field that refers to another schema for a part of JSON.

            Source: api-essentials-guide, "Upload Model to Workspace" (example); field-notes, "Decided
            where the sources are silent or clash" (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadModelResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: UploadModelRequest,
) -> Error | UploadModelResponse | None:
    """Upload a model that needs no conversion

     The oldest form of an upload. The fields `name`, `visibility` and `workspace_id` stand in the form
    beside the file; newer instances take the part `metadata` of `upload_and_convert_model` instead. One
    of the two ways is needed: either `metadata`, or `name` and `workspace_id`.

    Source: api-essentials-guide, "Upload Model to Workspace" (recorded); field-notes, "Models"
    (observed); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/models/upload" (recorded).

    Args:
        body (UploadModelRequest): A model's file, with its description in the part `metadata` or
            in the fields beside it. A request needs one of the two. The fields are written out here,
            because tools take a field that refers to another schema for a part of JSON.

            Source: api-essentials-guide, "Upload Model to Workspace" (example); field-notes, "Decided
            where the sources are silent or clash" (convention).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadModelResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
