from http import HTTPStatus
from typing import Any, cast

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.empty_object import EmptyObject
from ...models.error import Error
from ...models.undeploy_pipeline_request import UndeployPipelineRequest
from ...types import Response


def _get_kwargs(
    *,
    body: UndeployPipelineRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/pipelines/undeploy",
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
                componentsschemas_undeploy_pipeline_response_type_0 = (
                    EmptyObject.from_dict(data)
                )

                return componentsschemas_undeploy_pipeline_response_type_0
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
    body: UndeployPipelineRequest,
) -> Response[EmptyObject | None | Error]:
    """Undeploy a pipeline

     Ends a deployment, which then answers no more; a `pipeline_id` alone ends all deployments of the
    pipeline. Undeploying what is not deployed succeeds as well. The tables mark both ids as required;
    either is enough.

    Source: pipeline-management-tutorial, "Undeploy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Undeploy a Pipeline" (example); field-notes, "Pipelines, deployment, inference" (observed);
    recordings, "/v1/api/pipelines/undeploy" (recorded).

    Args:
        body (UndeployPipelineRequest): The deployment to end, by its id, its pipeline's id, or
            both.

            Source: pipeline-management-tutorial, "Undeploy a Pipeline Parameters" (prose); field-
            notes, "Pipelines, deployment, inference" (observed); vendor-sdk, "What the vendor's own
            SDK asks of a server" (observed).

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
    body: UndeployPipelineRequest,
) -> Response[EmptyObject | None | Error]:
    """Undeploy a pipeline

     Ends a deployment, which then answers no more; a `pipeline_id` alone ends all deployments of the
    pipeline. Undeploying what is not deployed succeeds as well. The tables mark both ids as required;
    either is enough.

    Source: pipeline-management-tutorial, "Undeploy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Undeploy a Pipeline" (example); field-notes, "Pipelines, deployment, inference" (observed);
    recordings, "/v1/api/pipelines/undeploy" (recorded).

    Args:
        body (UndeployPipelineRequest): The deployment to end, by its id, its pipeline's id, or
            both.

            Source: pipeline-management-tutorial, "Undeploy a Pipeline Parameters" (prose); field-
            notes, "Pipelines, deployment, inference" (observed); vendor-sdk, "What the vendor's own
            SDK asks of a server" (observed).

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
    body: UndeployPipelineRequest,
) -> EmptyObject | None | Error | None:
    """Undeploy a pipeline

     Ends a deployment, which then answers no more; a `pipeline_id` alone ends all deployments of the
    pipeline. Undeploying what is not deployed succeeds as well. The tables mark both ids as required;
    either is enough.

    Source: pipeline-management-tutorial, "Undeploy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Undeploy a Pipeline" (example); field-notes, "Pipelines, deployment, inference" (observed);
    recordings, "/v1/api/pipelines/undeploy" (recorded).

    Args:
        body (UndeployPipelineRequest): The deployment to end, by its id, its pipeline's id, or
            both.

            Source: pipeline-management-tutorial, "Undeploy a Pipeline Parameters" (prose); field-
            notes, "Pipelines, deployment, inference" (observed); vendor-sdk, "What the vendor's own
            SDK asks of a server" (observed).

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
    body: UndeployPipelineRequest,
) -> EmptyObject | None | Error | None:
    """Undeploy a pipeline

     Ends a deployment, which then answers no more; a `pipeline_id` alone ends all deployments of the
    pipeline. Undeploying what is not deployed succeeds as well. The tables mark both ids as required;
    either is enough.

    Source: pipeline-management-tutorial, "Undeploy a Pipeline Examples" (recorded); mlops-api-tutorial,
    "Undeploy a Pipeline" (example); field-notes, "Pipelines, deployment, inference" (observed);
    recordings, "/v1/api/pipelines/undeploy" (recorded).

    Args:
        body (UndeployPipelineRequest): The deployment to end, by its id, its pipeline's id, or
            both.

            Source: pipeline-management-tutorial, "Undeploy a Pipeline Parameters" (prose); field-
            notes, "Pipelines, deployment, inference" (observed); vendor-sdk, "What the vendor's own
            SDK asks of a server" (observed).

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
