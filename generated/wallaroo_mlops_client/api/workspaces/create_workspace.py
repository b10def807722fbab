from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.create_workspace_request import CreateWorkspaceRequest
from ...models.create_workspace_response import CreateWorkspaceResponse
from ...models.error import Error
from ...types import Response


def _get_kwargs(
    *,
    body: CreateWorkspaceRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/workspaces/create",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CreateWorkspaceResponse | Error | None:
    if response.status_code == 200:
        response_200 = CreateWorkspaceResponse.from_dict(response.json())

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
) -> Response[CreateWorkspaceResponse | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CreateWorkspaceRequest,
) -> Response[CreateWorkspaceResponse | Error]:
    """Create a workspace

     Creates a workspace that belongs to the caller. A name that is taken is refused with 400. The older
    document asks nothing of the name, the newer one that it be DNS compliant and in lower case: the
    newer one decides.

    Who is not a member of a workspace sees, scores and writes nothing in it, and is answered as if it
    were not there: with 400, or with 404 where an operation has that, and with 500 by the uploads.

    Source: mlops-api-tutorial, "Create Workspace" (recorded); api-essentials-guide, "Create Workspace"
    (recorded); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/workspaces/create" (recorded).

    Args:
        body (CreateWorkspaceRequest): The workspace to create.

            Source: mlops-api-tutorial, "Create Workspace" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CreateWorkspaceResponse | Error]
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
    body: CreateWorkspaceRequest,
) -> Response[CreateWorkspaceResponse | Error]:
    """Create a workspace

     Creates a workspace that belongs to the caller. A name that is taken is refused with 400. The older
    document asks nothing of the name, the newer one that it be DNS compliant and in lower case: the
    newer one decides.

    Who is not a member of a workspace sees, scores and writes nothing in it, and is answered as if it
    were not there: with 400, or with 404 where an operation has that, and with 500 by the uploads.

    Source: mlops-api-tutorial, "Create Workspace" (recorded); api-essentials-guide, "Create Workspace"
    (recorded); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/workspaces/create" (recorded).

    Args:
        body (CreateWorkspaceRequest): The workspace to create.

            Source: mlops-api-tutorial, "Create Workspace" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CreateWorkspaceResponse | Error]
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
    body: CreateWorkspaceRequest,
) -> CreateWorkspaceResponse | Error | None:
    """Create a workspace

     Creates a workspace that belongs to the caller. A name that is taken is refused with 400. The older
    document asks nothing of the name, the newer one that it be DNS compliant and in lower case: the
    newer one decides.

    Who is not a member of a workspace sees, scores and writes nothing in it, and is answered as if it
    were not there: with 400, or with 404 where an operation has that, and with 500 by the uploads.

    Source: mlops-api-tutorial, "Create Workspace" (recorded); api-essentials-guide, "Create Workspace"
    (recorded); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/workspaces/create" (recorded).

    Args:
        body (CreateWorkspaceRequest): The workspace to create.

            Source: mlops-api-tutorial, "Create Workspace" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CreateWorkspaceResponse | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: CreateWorkspaceRequest,
) -> CreateWorkspaceResponse | Error | None:
    """Create a workspace

     Creates a workspace that belongs to the caller. A name that is taken is refused with 400. The older
    document asks nothing of the name, the newer one that it be DNS compliant and in lower case: the
    newer one decides.

    Who is not a member of a workspace sees, scores and writes nothing in it, and is answered as if it
    were not there: with 400, or with 404 where an operation has that, and with 500 by the uploads.

    Source: mlops-api-tutorial, "Create Workspace" (recorded); api-essentials-guide, "Create Workspace"
    (recorded); field-notes, "Decided where the sources are silent or clash" (convention); recordings,
    "/v1/api/workspaces/create" (recorded).

    Args:
        body (CreateWorkspaceRequest): The workspace to create.

            Source: mlops-api-tutorial, "Create Workspace" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CreateWorkspaceResponse | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
