from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.upload_model_response import UploadModelResponse
from ...models.visibility import Visibility
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    *,
    body: File,
    name: str,
    filename: str,
    visibility: Visibility | Unset = UNSET,
    workspace_id: int,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["name"] = name

    params["filename"] = filename

    json_visibility: str | Unset = UNSET
    if not isinstance(visibility, Unset):
        json_visibility = visibility.value

    params["visibility"] = json_visibility

    params["workspace_id"] = workspace_id

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/models/upload_stream",
        "params": params,
    }

    _kwargs["content"] = body.payload

    headers["Content-Type"] = "application/octet-stream"

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
    body: File,
    name: str,
    filename: str,
    visibility: Visibility | Unset = UNSET,
    workspace_id: int,
) -> Response[Error | UploadModelResponse]:
    """Upload a model as a stream

     The body is the file itself, the rest stands in the query. The prose of both documents calls it
    multipart, and the code of the newer one sends it so; the code that was recorded sends an octet
    stream, as published clients do.

    Source: api-essentials-guide, "Stream Upload Model to Workspace" (recorded); mlops-api-tutorial,
    "Stream Upload Model to Workspace" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_stream" (recorded).

    Args:
        name (str): A model's name, of letters, digits and dashes. The prose allows letters and
            digits only, but a name with dashes was recorded.

            Source: mlops-api-tutorial, "Stream Upload Model to Workspace" (prose); pipeline-
            management-tutorial, "Create Pipeline in a Workspace Examples" (example).
        filename (str):
        visibility (Visibility | Unset): Who may see the model, everybody or the members of its
            workspace.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (prose).
        workspace_id (int): A number that the instance gave to a thing.

            Source: mlops-api-tutorial, "Create Workspace" (prose); field-notes, "Decided where the
            sources are silent or clash" (convention).
        body (File): The model's file.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadModelResponse]
    """

    response = client.get_httpx_client().request(
        **_get_kwargs(
            body=body,
            name=name,
            filename=filename,
            visibility=visibility,
            workspace_id=workspace_id,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: File,
    name: str,
    filename: str,
    visibility: Visibility | Unset = UNSET,
    workspace_id: int,
) -> Response[Error | UploadModelResponse]:
    """Upload a model as a stream

     The body is the file itself, the rest stands in the query. The prose of both documents calls it
    multipart, and the code of the newer one sends it so; the code that was recorded sends an octet
    stream, as published clients do.

    Source: api-essentials-guide, "Stream Upload Model to Workspace" (recorded); mlops-api-tutorial,
    "Stream Upload Model to Workspace" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_stream" (recorded).

    Args:
        name (str): A model's name, of letters, digits and dashes. The prose allows letters and
            digits only, but a name with dashes was recorded.

            Source: mlops-api-tutorial, "Stream Upload Model to Workspace" (prose); pipeline-
            management-tutorial, "Create Pipeline in a Workspace Examples" (example).
        filename (str):
        visibility (Visibility | Unset): Who may see the model, everybody or the members of its
            workspace.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (prose).
        workspace_id (int): A number that the instance gave to a thing.

            Source: mlops-api-tutorial, "Create Workspace" (prose); field-notes, "Decided where the
            sources are silent or clash" (convention).
        body (File): The model's file.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | UploadModelResponse]
    """

    response = await client.get_async_httpx_client().request(
        **_get_kwargs(
            body=body,
            name=name,
            filename=filename,
            visibility=visibility,
            workspace_id=workspace_id,
        )
    )
    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: File,
    name: str,
    filename: str,
    visibility: Visibility | Unset = UNSET,
    workspace_id: int,
) -> Error | UploadModelResponse | None:
    """Upload a model as a stream

     The body is the file itself, the rest stands in the query. The prose of both documents calls it
    multipart, and the code of the newer one sends it so; the code that was recorded sends an octet
    stream, as published clients do.

    Source: api-essentials-guide, "Stream Upload Model to Workspace" (recorded); mlops-api-tutorial,
    "Stream Upload Model to Workspace" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_stream" (recorded).

    Args:
        name (str): A model's name, of letters, digits and dashes. The prose allows letters and
            digits only, but a name with dashes was recorded.

            Source: mlops-api-tutorial, "Stream Upload Model to Workspace" (prose); pipeline-
            management-tutorial, "Create Pipeline in a Workspace Examples" (example).
        filename (str):
        visibility (Visibility | Unset): Who may see the model, everybody or the members of its
            workspace.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (prose).
        workspace_id (int): A number that the instance gave to a thing.

            Source: mlops-api-tutorial, "Create Workspace" (prose); field-notes, "Decided where the
            sources are silent or clash" (convention).
        body (File): The model's file.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | UploadModelResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        name=name,
        filename=filename,
        visibility=visibility,
        workspace_id=workspace_id,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: File,
    name: str,
    filename: str,
    visibility: Visibility | Unset = UNSET,
    workspace_id: int,
) -> Error | UploadModelResponse | None:
    """Upload a model as a stream

     The body is the file itself, the rest stands in the query. The prose of both documents calls it
    multipart, and the code of the newer one sends it so; the code that was recorded sends an octet
    stream, as published clients do.

    Source: api-essentials-guide, "Stream Upload Model to Workspace" (recorded); mlops-api-tutorial,
    "Stream Upload Model to Workspace" (recorded); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_stream" (recorded).

    Args:
        name (str): A model's name, of letters, digits and dashes. The prose allows letters and
            digits only, but a name with dashes was recorded.

            Source: mlops-api-tutorial, "Stream Upload Model to Workspace" (prose); pipeline-
            management-tutorial, "Create Pipeline in a Workspace Examples" (example).
        filename (str):
        visibility (Visibility | Unset): Who may see the model, everybody or the members of its
            workspace.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (prose).
        workspace_id (int): A number that the instance gave to a thing.

            Source: mlops-api-tutorial, "Create Workspace" (prose); field-notes, "Decided where the
            sources are silent or clash" (convention).
        body (File): The model's file.

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
            name=name,
            filename=filename,
            visibility=visibility,
            workspace_id=workspace_id,
        )
    ).parsed
