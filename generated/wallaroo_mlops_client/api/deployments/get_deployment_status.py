from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.deployment_status import DeploymentStatus
from ...models.error import Error
from ...models.get_deployment_status_request import GetDeploymentStatusRequest
from ...types import Response


def _get_kwargs(
    *,
    body: GetDeploymentStatusRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/status/get_deployment",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> DeploymentStatus | Error | None:
    if response.status_code == 200:
        response_200 = DeploymentStatus.from_dict(response.json())

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
) -> Response[DeploymentStatus | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: GetDeploymentStatusRequest,
) -> Response[DeploymentStatus | Error]:
    """Get a deployment's status

     The state of a deployment and of the pods it runs on. The deployment is named
    `{deploy_id}-{deployment_id}` in the field `name`: two tables call the field `id`, every request
    that was run calls it `name`. An unknown or undeployed one is answered with 404. `Error` is no end:
    it was recorded while a deployment started, before `Starting` and `Running`, and beside pods that
    all run.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); mlops-api-
    tutorial, "Get Deployment Status" (recorded); api-essentials-guide, "Get Deployment Status"
    (recorded); field-notes, "Pipelines, deployment, inference" (observed); recordings,
    "/v1/api/status/get_deployment" (recorded).

    Args:
        body (GetDeploymentStatusRequest): The deployment to look at.

            Source: mlops-api-tutorial, "Get Deployment Status" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DeploymentStatus | Error]
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
    body: GetDeploymentStatusRequest,
) -> Response[DeploymentStatus | Error]:
    """Get a deployment's status

     The state of a deployment and of the pods it runs on. The deployment is named
    `{deploy_id}-{deployment_id}` in the field `name`: two tables call the field `id`, every request
    that was run calls it `name`. An unknown or undeployed one is answered with 404. `Error` is no end:
    it was recorded while a deployment started, before `Starting` and `Running`, and beside pods that
    all run.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); mlops-api-
    tutorial, "Get Deployment Status" (recorded); api-essentials-guide, "Get Deployment Status"
    (recorded); field-notes, "Pipelines, deployment, inference" (observed); recordings,
    "/v1/api/status/get_deployment" (recorded).

    Args:
        body (GetDeploymentStatusRequest): The deployment to look at.

            Source: mlops-api-tutorial, "Get Deployment Status" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DeploymentStatus | Error]
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
    body: GetDeploymentStatusRequest,
) -> DeploymentStatus | Error | None:
    """Get a deployment's status

     The state of a deployment and of the pods it runs on. The deployment is named
    `{deploy_id}-{deployment_id}` in the field `name`: two tables call the field `id`, every request
    that was run calls it `name`. An unknown or undeployed one is answered with 404. `Error` is no end:
    it was recorded while a deployment started, before `Starting` and `Running`, and beside pods that
    all run.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); mlops-api-
    tutorial, "Get Deployment Status" (recorded); api-essentials-guide, "Get Deployment Status"
    (recorded); field-notes, "Pipelines, deployment, inference" (observed); recordings,
    "/v1/api/status/get_deployment" (recorded).

    Args:
        body (GetDeploymentStatusRequest): The deployment to look at.

            Source: mlops-api-tutorial, "Get Deployment Status" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DeploymentStatus | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: GetDeploymentStatusRequest,
) -> DeploymentStatus | Error | None:
    """Get a deployment's status

     The state of a deployment and of the pods it runs on. The deployment is named
    `{deploy_id}-{deployment_id}` in the field `name`: two tables call the field `id`, every request
    that was run calls it `name`. An unknown or undeployed one is answered with 404. `Error` is no end:
    it was recorded while a deployment started, before `Starting` and `Running`, and beside pods that
    all run.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); mlops-api-
    tutorial, "Get Deployment Status" (recorded); api-essentials-guide, "Get Deployment Status"
    (recorded); field-notes, "Pipelines, deployment, inference" (observed); recordings,
    "/v1/api/status/get_deployment" (recorded).

    Args:
        body (GetDeploymentStatusRequest): The deployment to look at.

            Source: mlops-api-tutorial, "Get Deployment Status" (example).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DeploymentStatus | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
