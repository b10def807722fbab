from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.deactivate_user_request import DeactivateUserRequest
from ...models.empty_object import EmptyObject
from ...models.error import Error
from ...types import Response


def _get_kwargs(
    *,
    body: DeactivateUserRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/users/deactivate",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> EmptyObject | Error | None:
    if response.status_code == 200:
        response_200 = EmptyObject.from_dict(response.json())

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
) -> Response[EmptyObject | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: DeactivateUserRequest,
) -> Response[EmptyObject | Error]:
    """Deactivate a user

     The user may not sign in any more and does not count for the licence: neither a password nor a
    refresh token gives a token, and tokens from before are refused with 401. Deactivating twice changes
    nothing. An instance that has no users of its own answered 500.

    Source: mlops-api-tutorial, "Deactivate User" (example); api-essentials-guide, "Deactivate User"
    (prose); field-notes, "Users, workspaces" (observed); field-notes, "Decided where the sources are
    silent or clash" (convention); recordings, "/v1/api/users/deactivate" (recorded).

    Args:
        body (DeactivateUserRequest): Whom to deactivate.

            Source: mlops-api-tutorial, "Deactivate User" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EmptyObject | Error]
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
    body: DeactivateUserRequest,
) -> Response[EmptyObject | Error]:
    """Deactivate a user

     The user may not sign in any more and does not count for the licence: neither a password nor a
    refresh token gives a token, and tokens from before are refused with 401. Deactivating twice changes
    nothing. An instance that has no users of its own answered 500.

    Source: mlops-api-tutorial, "Deactivate User" (example); api-essentials-guide, "Deactivate User"
    (prose); field-notes, "Users, workspaces" (observed); field-notes, "Decided where the sources are
    silent or clash" (convention); recordings, "/v1/api/users/deactivate" (recorded).

    Args:
        body (DeactivateUserRequest): Whom to deactivate.

            Source: mlops-api-tutorial, "Deactivate User" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EmptyObject | Error]
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
    body: DeactivateUserRequest,
) -> EmptyObject | Error | None:
    """Deactivate a user

     The user may not sign in any more and does not count for the licence: neither a password nor a
    refresh token gives a token, and tokens from before are refused with 401. Deactivating twice changes
    nothing. An instance that has no users of its own answered 500.

    Source: mlops-api-tutorial, "Deactivate User" (example); api-essentials-guide, "Deactivate User"
    (prose); field-notes, "Users, workspaces" (observed); field-notes, "Decided where the sources are
    silent or clash" (convention); recordings, "/v1/api/users/deactivate" (recorded).

    Args:
        body (DeactivateUserRequest): Whom to deactivate.

            Source: mlops-api-tutorial, "Deactivate User" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EmptyObject | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: DeactivateUserRequest,
) -> EmptyObject | Error | None:
    """Deactivate a user

     The user may not sign in any more and does not count for the licence: neither a password nor a
    refresh token gives a token, and tokens from before are refused with 401. Deactivating twice changes
    nothing. An instance that has no users of its own answered 500.

    Source: mlops-api-tutorial, "Deactivate User" (example); api-essentials-guide, "Deactivate User"
    (prose); field-notes, "Users, workspaces" (observed); field-notes, "Decided where the sources are
    silent or clash" (convention); recordings, "/v1/api/users/deactivate" (recorded).

    Args:
        body (DeactivateUserRequest): Whom to deactivate.

            Source: mlops-api-tutorial, "Deactivate User" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EmptyObject | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
