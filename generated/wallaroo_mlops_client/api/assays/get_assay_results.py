from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.assay_result import AssayResult
from ...models.error import Error
from ...models.get_assay_results_request import GetAssayResultsRequest
from ...types import Response


def _get_kwargs(
    *,
    body: GetAssayResultsRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/assays/get_results",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | list[AssayResult] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = AssayResult.from_dict(response_200_item_data)

            response_200.append(response_200_item)

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
) -> Response[Error | list[AssayResult]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetAssayResultsRequest,
) -> Response[Error | list[AssayResult]]:
    """Get the results of an assay

     The stored results of an assay. This is the documented path; newer instances serve
    `get_assay_results_between` instead, and answer 404 or 500 here. Whether the time of a window or
    that of its analysis has to be in the time that is asked for, no source says. The prose calls this
    answer an Assay Baseline, too.

    Source: mlops-api-tutorial, "Get Assay Results" (prose); field-notes, "Assays" (observed);
    recordings, "/v1/api/assays/get_results" (recorded).

    Args:
        body (GetAssayResultsRequest): The results to get.

            Source: mlops-api-tutorial, "Get Assay Results" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | list[AssayResult]]
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
    body: GetAssayResultsRequest,
) -> Response[Error | list[AssayResult]]:
    """Get the results of an assay

     The stored results of an assay. This is the documented path; newer instances serve
    `get_assay_results_between` instead, and answer 404 or 500 here. Whether the time of a window or
    that of its analysis has to be in the time that is asked for, no source says. The prose calls this
    answer an Assay Baseline, too.

    Source: mlops-api-tutorial, "Get Assay Results" (prose); field-notes, "Assays" (observed);
    recordings, "/v1/api/assays/get_results" (recorded).

    Args:
        body (GetAssayResultsRequest): The results to get.

            Source: mlops-api-tutorial, "Get Assay Results" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | list[AssayResult]]
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
    body: GetAssayResultsRequest,
) -> Error | list[AssayResult] | None:
    """Get the results of an assay

     The stored results of an assay. This is the documented path; newer instances serve
    `get_assay_results_between` instead, and answer 404 or 500 here. Whether the time of a window or
    that of its analysis has to be in the time that is asked for, no source says. The prose calls this
    answer an Assay Baseline, too.

    Source: mlops-api-tutorial, "Get Assay Results" (prose); field-notes, "Assays" (observed);
    recordings, "/v1/api/assays/get_results" (recorded).

    Args:
        body (GetAssayResultsRequest): The results to get.

            Source: mlops-api-tutorial, "Get Assay Results" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | list[AssayResult]
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetAssayResultsRequest,
) -> Error | list[AssayResult] | None:
    """Get the results of an assay

     The stored results of an assay. This is the documented path; newer instances serve
    `get_assay_results_between` instead, and answer 404 or 500 here. Whether the time of a window or
    that of its analysis has to be in the time that is asked for, no source says. The prose calls this
    answer an Assay Baseline, too.

    Source: mlops-api-tutorial, "Get Assay Results" (prose); field-notes, "Assays" (observed);
    recordings, "/v1/api/assays/get_results" (recorded).

    Args:
        body (GetAssayResultsRequest): The results to get.

            Source: mlops-api-tutorial, "Get Assay Results" (prose).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | list[AssayResult]
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
