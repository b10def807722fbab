from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.assay import Assay
from ...models.error import Error
from ...models.list_assays_request import ListAssaysRequest
from ...types import Response


def _get_kwargs(
    *,
    body: ListAssaysRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/assays/list",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | list[Assay] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = Assay.from_dict(response_200_item_data)

            response_200.append(response_200_item)

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
) -> Response[Error | list[Assay]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: ListAssaysRequest,
) -> Response[Error | list[Assay]]:
    """List the assays of a pipeline

     The assays of a pipeline. `iopath`, `workspace_id`, `bin_width`, `add_outlier_edges` and
    `model_insights_url` are accepted when an assay is created and not shown here; the `status` is the
    instance's own. The prose has an object with `assays`; a bare list was recorded.

    Source: mlops-api-tutorial, "List Assays" (recorded); field-notes, "Assays" (observed); recordings,
    "/v1/api/assays/list" (recorded).

    Args:
        body (ListAssaysRequest): The pipeline whose assays to list; since 2023.4, all assays that
            the caller may see without one.

            Source: mlops-api-tutorial, "List Assays" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | list[Assay]]
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
    body: ListAssaysRequest,
) -> Response[Error | list[Assay]]:
    """List the assays of a pipeline

     The assays of a pipeline. `iopath`, `workspace_id`, `bin_width`, `add_outlier_edges` and
    `model_insights_url` are accepted when an assay is created and not shown here; the `status` is the
    instance's own. The prose has an object with `assays`; a bare list was recorded.

    Source: mlops-api-tutorial, "List Assays" (recorded); field-notes, "Assays" (observed); recordings,
    "/v1/api/assays/list" (recorded).

    Args:
        body (ListAssaysRequest): The pipeline whose assays to list; since 2023.4, all assays that
            the caller may see without one.

            Source: mlops-api-tutorial, "List Assays" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | list[Assay]]
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
    body: ListAssaysRequest,
) -> Error | list[Assay] | None:
    """List the assays of a pipeline

     The assays of a pipeline. `iopath`, `workspace_id`, `bin_width`, `add_outlier_edges` and
    `model_insights_url` are accepted when an assay is created and not shown here; the `status` is the
    instance's own. The prose has an object with `assays`; a bare list was recorded.

    Source: mlops-api-tutorial, "List Assays" (recorded); field-notes, "Assays" (observed); recordings,
    "/v1/api/assays/list" (recorded).

    Args:
        body (ListAssaysRequest): The pipeline whose assays to list; since 2023.4, all assays that
            the caller may see without one.

            Source: mlops-api-tutorial, "List Assays" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | list[Assay]
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: ListAssaysRequest,
) -> Error | list[Assay] | None:
    """List the assays of a pipeline

     The assays of a pipeline. `iopath`, `workspace_id`, `bin_width`, `add_outlier_edges` and
    `model_insights_url` are accepted when an assay is created and not shown here; the `status` is the
    instance's own. The prose has an object with `assays`; a bare list was recorded.

    Source: mlops-api-tutorial, "List Assays" (recorded); field-notes, "Assays" (observed); recordings,
    "/v1/api/assays/list" (recorded).

    Args:
        body (ListAssaysRequest): The pipeline whose assays to list; since 2023.4, all assays that
            the caller may see without one.

            Source: mlops-api-tutorial, "List Assays" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | list[Assay]
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
