from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.token import Token
from ...models.token_error import TokenError
from ...models.token_request import TokenRequest
from ...types import Response


def _get_kwargs(
    *,
    body: TokenRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/auth/realms/master/protocol/openid-connect/token",
    }

    _kwargs["data"] = body.to_dict()

    headers["Content-Type"] = "application/x-www-form-urlencoded"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | Token | TokenError | None:
    if response.status_code == 200:
        response_200 = Token.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = TokenError.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = TokenError.from_dict(response.json())

        return response_401

    if response.status_code == 405:
        response_405 = TokenError.from_dict(response.json())

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
) -> Response[Error | Token | TokenError]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: TokenRequest,
) -> Response[Error | Token | TokenError]:
    """Request a token

     Exchanges a grant for a bearer token at Keycloak's token endpoint. The grant `password` gives a
    user's token; `refresh_token` renews one without the password; `client_credentials` gives a token
    without a user, which may infer and nothing else. The client authenticates with HTTP Basic, or with
    `client_id` and `client_secret` in the form.

    A refresh token can expire before the access token does (1800 s and 3600 s in the recordings): a
    client needs the original grant to fall back on.

    Source: mlops-api-tutorial, "Token Types" (example); api-essentials-guide, "Through Keycloak"
    (prose); field-notes, "Keycloak" (observed).

    Args:
        body (TokenRequest): A grant, as RFC 6749 writes it in a form.

            Source: mlops-api-tutorial, "Token Types" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | Token | TokenError]
    """

    response = client.get_httpx_client().request(
        **_get_kwargs(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: TokenRequest,
) -> Response[Error | Token | TokenError]:
    """Request a token

     Exchanges a grant for a bearer token at Keycloak's token endpoint. The grant `password` gives a
    user's token; `refresh_token` renews one without the password; `client_credentials` gives a token
    without a user, which may infer and nothing else. The client authenticates with HTTP Basic, or with
    `client_id` and `client_secret` in the form.

    A refresh token can expire before the access token does (1800 s and 3600 s in the recordings): a
    client needs the original grant to fall back on.

    Source: mlops-api-tutorial, "Token Types" (example); api-essentials-guide, "Through Keycloak"
    (prose); field-notes, "Keycloak" (observed).

    Args:
        body (TokenRequest): A grant, as RFC 6749 writes it in a form.

            Source: mlops-api-tutorial, "Token Types" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | Token | TokenError]
    """

    response = await client.get_async_httpx_client().request(
        **_get_kwargs(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: TokenRequest,
) -> Error | Token | TokenError | None:
    """Request a token

     Exchanges a grant for a bearer token at Keycloak's token endpoint. The grant `password` gives a
    user's token; `refresh_token` renews one without the password; `client_credentials` gives a token
    without a user, which may infer and nothing else. The client authenticates with HTTP Basic, or with
    `client_id` and `client_secret` in the form.

    A refresh token can expire before the access token does (1800 s and 3600 s in the recordings): a
    client needs the original grant to fall back on.

    Source: mlops-api-tutorial, "Token Types" (example); api-essentials-guide, "Through Keycloak"
    (prose); field-notes, "Keycloak" (observed).

    Args:
        body (TokenRequest): A grant, as RFC 6749 writes it in a form.

            Source: mlops-api-tutorial, "Token Types" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | Token | TokenError
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: TokenRequest,
) -> Error | Token | TokenError | None:
    """Request a token

     Exchanges a grant for a bearer token at Keycloak's token endpoint. The grant `password` gives a
    user's token; `refresh_token` renews one without the password; `client_credentials` gives a token
    without a user, which may infer and nothing else. The client authenticates with HTTP Basic, or with
    `client_id` and `client_secret` in the form.

    A refresh token can expire before the access token does (1800 s and 3600 s in the recordings): a
    client needs the original grant to fall back on.

    Source: mlops-api-tutorial, "Token Types" (example); api-essentials-guide, "Through Keycloak"
    (prose); field-notes, "Keycloak" (observed).

    Args:
        body (TokenRequest): A grant, as RFC 6749 writes it in a form.

            Source: mlops-api-tutorial, "Token Types" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | Token | TokenError
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
