from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.empty_object import EmptyObject
from ...models.error import Error
from ...models.set_assay_v2_active_request import SetAssayV2ActiveRequest
from ...types import Response


def _get_kwargs(
    *,
    body: SetAssayV2ActiveRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v2/api/assays/set_active",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> EmptyObject | None | Error | None:
    if response.status_code == 200:

        def _parse_response_200(data: object) -> EmptyObject | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_set_assay_v2_active_response_type_0 = (
                    EmptyObject.from_dict(data)
                )

                return componentsschemas_set_assay_v2_active_response_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EmptyObject | None, data)

        response_200 = _parse_response_200(response.json())

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
) -> Response[EmptyObject | None | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: SetAssayV2ActiveRequest,
) -> Response[EmptyObject | None | Error]:
    """Switch an assay of the second version on or off

     An assay that is switched off is not run by the instance any more. Clients do not read the answer.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        body (SetAssayV2ActiveRequest): The assay to switch on or off.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EmptyObject | None | Error]
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
    body: SetAssayV2ActiveRequest,
) -> Response[EmptyObject | None | Error]:
    """Switch an assay of the second version on or off

     An assay that is switched off is not run by the instance any more. Clients do not read the answer.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        body (SetAssayV2ActiveRequest): The assay to switch on or off.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EmptyObject | None | Error]
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
    body: SetAssayV2ActiveRequest,
) -> EmptyObject | None | Error | None:
    """Switch an assay of the second version on or off

     An assay that is switched off is not run by the instance any more. Clients do not read the answer.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        body (SetAssayV2ActiveRequest): The assay to switch on or off.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EmptyObject | None | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: SetAssayV2ActiveRequest,
) -> EmptyObject | None | Error | None:
    """Switch an assay of the second version on or off

     An assay that is switched off is not run by the instance any more. Clients do not read the answer.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        body (SetAssayV2ActiveRequest): The assay to switch on or off.

            Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EmptyObject | None | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
