from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.upload_and_convert_model_request import UploadAndConvertModelRequest
from ...models.upload_model_response import UploadModelResponse
from ...types import Response


def _get_kwargs(
    *,
    body: UploadAndConvertModelRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/models/upload_and_convert",
    }

    _kwargs["files"] = body.to_multipart()

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | UploadModelResponse | None:
    if response.status_code == 202:
        response_202 = UploadModelResponse.from_dict(response.json())

        return response_202

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
    body: UploadAndConvertModelRequest,
) -> Response[Error | UploadModelResponse]:
    """Upload a model

     Uploads a model file and starts its conversion. The body has two parts in this order: `metadata`,
    JSON without a file name, and `file`, whose file name becomes the version's `file_name`. The answer
    comes before the conversion ends: `get_model_version_by_id` and `list_model_versions` show the
    version's `status`. A workspace that is not there was answered with 500, a file name without an
    ending with 400.

    The id in the answer is that of the model version. A second upload under the same name in one
    workspace adds a version.

    The table of parameters puts the two schemas into `conversion`; the example code that was run has
    them at the top level of `metadata`, and the code decides.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded); mlops-api-tutorial,
    "Upload Converted Model Examples" (example); pipeline-management-tutorial, "Create Pipeline in a
    Workspace Examples" (example); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_and_convert" (recorded).

    Args:
        body (UploadAndConvertModelRequest): A model's description and its file, as two parts in
            this order.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (example).

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
    body: UploadAndConvertModelRequest,
) -> Response[Error | UploadModelResponse]:
    """Upload a model

     Uploads a model file and starts its conversion. The body has two parts in this order: `metadata`,
    JSON without a file name, and `file`, whose file name becomes the version's `file_name`. The answer
    comes before the conversion ends: `get_model_version_by_id` and `list_model_versions` show the
    version's `status`. A workspace that is not there was answered with 500, a file name without an
    ending with 400.

    The id in the answer is that of the model version. A second upload under the same name in one
    workspace adds a version.

    The table of parameters puts the two schemas into `conversion`; the example code that was run has
    them at the top level of `metadata`, and the code decides.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded); mlops-api-tutorial,
    "Upload Converted Model Examples" (example); pipeline-management-tutorial, "Create Pipeline in a
    Workspace Examples" (example); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_and_convert" (recorded).

    Args:
        body (UploadAndConvertModelRequest): A model's description and its file, as two parts in
            this order.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (example).

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
    body: UploadAndConvertModelRequest,
) -> Error | UploadModelResponse | None:
    """Upload a model

     Uploads a model file and starts its conversion. The body has two parts in this order: `metadata`,
    JSON without a file name, and `file`, whose file name becomes the version's `file_name`. The answer
    comes before the conversion ends: `get_model_version_by_id` and `list_model_versions` show the
    version's `status`. A workspace that is not there was answered with 500, a file name without an
    ending with 400.

    The id in the answer is that of the model version. A second upload under the same name in one
    workspace adds a version.

    The table of parameters puts the two schemas into `conversion`; the example code that was run has
    them at the top level of `metadata`, and the code decides.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded); mlops-api-tutorial,
    "Upload Converted Model Examples" (example); pipeline-management-tutorial, "Create Pipeline in a
    Workspace Examples" (example); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_and_convert" (recorded).

    Args:
        body (UploadAndConvertModelRequest): A model's description and its file, as two parts in
            this order.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (example).

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
    body: UploadAndConvertModelRequest,
) -> Error | UploadModelResponse | None:
    """Upload a model

     Uploads a model file and starts its conversion. The body has two parts in this order: `metadata`,
    JSON without a file name, and `file`, whose file name becomes the version's `file_name`. The answer
    comes before the conversion ends: `get_model_version_by_id` and `list_model_versions` show the
    version's `status`. A workspace that is not there was answered with 500, a file name without an
    ending with 400.

    The id in the answer is that of the model version. A second upload under the same name in one
    workspace adds a version.

    The table of parameters puts the two schemas into `conversion`; the example code that was run has
    them at the top level of `metadata`, and the code decides.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded); mlops-api-tutorial,
    "Upload Converted Model Examples" (example); pipeline-management-tutorial, "Create Pipeline in a
    Workspace Examples" (example); field-notes, "Models" (observed); recordings,
    "/v1/api/models/upload_and_convert" (recorded).

    Args:
        body (UploadAndConvertModelRequest): A model's description and its file, as two parts in
            this order.

            Source: mlops-api-tutorial, "Upload Model to Workspace" (example).

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
