from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.assay_result_v2 import AssayResultV2
from ...models.error import Error
from ...models.get_assay_results_v2_request import GetAssayResultsV2Request
from ...types import Response


def _get_kwargs(
    *,
    body: GetAssayResultsV2Request,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v2/api/assays/get_results",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AssayResultV2 | list[AssayResultV2] | Error | None:
    if response.status_code == 200:

        def _parse_response_200(data: object) -> AssayResultV2 | list[AssayResultV2]:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_get_assay_results_v2_response_type_0 = (
                    AssayResultV2.from_dict(data)
                )

                return componentsschemas_get_assay_results_v2_response_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, list):
                raise TypeError()
            componentsschemas_get_assay_results_v2_response_type_1 = []
            _componentsschemas_get_assay_results_v2_response_type_1 = data
            for (
                componentsschemas_get_assay_results_v2_response_type_1_item_data
            ) in _componentsschemas_get_assay_results_v2_response_type_1:
                componentsschemas_get_assay_results_v2_response_type_1_item = (
                    AssayResultV2.from_dict(
                        componentsschemas_get_assay_results_v2_response_type_1_item_data
                    )
                )

                componentsschemas_get_assay_results_v2_response_type_1.append(
                    componentsschemas_get_assay_results_v2_response_type_1_item
                )

            return componentsschemas_get_assay_results_v2_response_type_1

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
) -> Response[AssayResultV2 | list[AssayResultV2] | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetAssayResultsV2Request,
) -> Response[AssayResultV2 | list[AssayResultV2] | Error]:
    """Get results of an assay of the second version

     The stored results of an assay of the second version of the assays. One result was recorded;
    published clients read a list.

    Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the vendor's own SDK
    asks of a server" (observed).

    Args:
        body (GetAssayResultsV2Request): The results to get.

            Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the
            vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AssayResultV2 | list[AssayResultV2] | Error]
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
    body: GetAssayResultsV2Request,
) -> Response[AssayResultV2 | list[AssayResultV2] | Error]:
    """Get results of an assay of the second version

     The stored results of an assay of the second version of the assays. One result was recorded;
    published clients read a list.

    Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the vendor's own SDK
    asks of a server" (observed).

    Args:
        body (GetAssayResultsV2Request): The results to get.

            Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the
            vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AssayResultV2 | list[AssayResultV2] | Error]
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
    body: GetAssayResultsV2Request,
) -> AssayResultV2 | list[AssayResultV2] | Error | None:
    """Get results of an assay of the second version

     The stored results of an assay of the second version of the assays. One result was recorded;
    published clients read a list.

    Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the vendor's own SDK
    asks of a server" (observed).

    Args:
        body (GetAssayResultsV2Request): The results to get.

            Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the
            vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AssayResultV2 | list[AssayResultV2] | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetAssayResultsV2Request,
) -> AssayResultV2 | list[AssayResultV2] | Error | None:
    """Get results of an assay of the second version

     The stored results of an assay of the second version of the assays. One result was recorded;
    published clients read a list.

    Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the vendor's own SDK
    asks of a server" (observed).

    Args:
        body (GetAssayResultsV2Request): The results to get.

            Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the
            vendor's own SDK asks of a server" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AssayResultV2 | list[AssayResultV2] | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
