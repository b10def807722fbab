from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.deploy_pipeline_request import DeployPipelineRequest
from ...models.deploy_pipeline_response import DeployPipelineResponse
from ...models.error import Error
from ...types import Response


def _get_kwargs(
    *,
    body: DeployPipelineRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/pipelines/deploy",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> DeployPipelineResponse | Error | None:
    if response.status_code == 200:
        response_200 = DeployPipelineResponse.from_dict(response.json())

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
) -> Response[DeployPipelineResponse | Error]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: DeployPipelineRequest,
) -> Response[DeployPipelineResponse | Error]:
    """Deploy a pipeline version

     Starts a deployment of one pipeline version. The answer comes at once: `get_deployment_status` tells
    when it runs. Deploying again under the same name gives the same id. A pipeline without models
    deploys too and stays `Starting`. An instance without room for the deployment answered 500.

    The documents say that the models of the steps must be named in `model_configs`, `model_ids` or
    `models`. That is not required here, because a pipeline without steps was deployed without them, and
    which steps a pipeline has is not in this request. A program that deploys steps should name their
    models. The newer documents want `deploy_id` to be the pipeline's name, and in the oldest another
    name was deployed: any DNS label is accepted, the pipeline's name is advised. The tables call
    `engine_config` a string; it is an object.

    Source: pipeline-management-tutorial, "Deploy a Pipeline Returns" (recorded); mlops-api-tutorial,
    "Deploy a Pipeline" (recorded); api-essentials-guide, "Deploy a Pipeline" (recorded); field-notes,
    "Pipelines, deployment, inference" (observed); recordings, "/v1/api/pipelines/deploy" (recorded).

    Args:
        body (DeployPipelineRequest): The pipeline version to deploy, and the name to deploy it
            under.

            Source: pipeline-management-tutorial, "Deploy a Pipeline Parameters" (prose); field-notes,
            "Pipelines, deployment, inference" (observed); field-notes, "Decided where the sources are
            silent or clash" (convention); vendor-sdk, "What the vendor's own SDK asks of a server"
            (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DeployPipelineResponse | Error]
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
    body: DeployPipelineRequest,
) -> Response[DeployPipelineResponse | Error]:
    """Deploy a pipeline version

     Starts a deployment of one pipeline version. The answer comes at once: `get_deployment_status` tells
    when it runs. Deploying again under the same name gives the same id. A pipeline without models
    deploys too and stays `Starting`. An instance without room for the deployment answered 500.

    The documents say that the models of the steps must be named in `model_configs`, `model_ids` or
    `models`. That is not required here, because a pipeline without steps was deployed without them, and
    which steps a pipeline has is not in this request. A program that deploys steps should name their
    models. The newer documents want `deploy_id` to be the pipeline's name, and in the oldest another
    name was deployed: any DNS label is accepted, the pipeline's name is advised. The tables call
    `engine_config` a string; it is an object.

    Source: pipeline-management-tutorial, "Deploy a Pipeline Returns" (recorded); mlops-api-tutorial,
    "Deploy a Pipeline" (recorded); api-essentials-guide, "Deploy a Pipeline" (recorded); field-notes,
    "Pipelines, deployment, inference" (observed); recordings, "/v1/api/pipelines/deploy" (recorded).

    Args:
        body (DeployPipelineRequest): The pipeline version to deploy, and the name to deploy it
            under.

            Source: pipeline-management-tutorial, "Deploy a Pipeline Parameters" (prose); field-notes,
            "Pipelines, deployment, inference" (observed); field-notes, "Decided where the sources are
            silent or clash" (convention); vendor-sdk, "What the vendor's own SDK asks of a server"
            (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[DeployPipelineResponse | Error]
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
    body: DeployPipelineRequest,
) -> DeployPipelineResponse | Error | None:
    """Deploy a pipeline version

     Starts a deployment of one pipeline version. The answer comes at once: `get_deployment_status` tells
    when it runs. Deploying again under the same name gives the same id. A pipeline without models
    deploys too and stays `Starting`. An instance without room for the deployment answered 500.

    The documents say that the models of the steps must be named in `model_configs`, `model_ids` or
    `models`. That is not required here, because a pipeline without steps was deployed without them, and
    which steps a pipeline has is not in this request. A program that deploys steps should name their
    models. The newer documents want `deploy_id` to be the pipeline's name, and in the oldest another
    name was deployed: any DNS label is accepted, the pipeline's name is advised. The tables call
    `engine_config` a string; it is an object.

    Source: pipeline-management-tutorial, "Deploy a Pipeline Returns" (recorded); mlops-api-tutorial,
    "Deploy a Pipeline" (recorded); api-essentials-guide, "Deploy a Pipeline" (recorded); field-notes,
    "Pipelines, deployment, inference" (observed); recordings, "/v1/api/pipelines/deploy" (recorded).

    Args:
        body (DeployPipelineRequest): The pipeline version to deploy, and the name to deploy it
            under.

            Source: pipeline-management-tutorial, "Deploy a Pipeline Parameters" (prose); field-notes,
            "Pipelines, deployment, inference" (observed); field-notes, "Decided where the sources are
            silent or clash" (convention); vendor-sdk, "What the vendor's own SDK asks of a server"
            (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DeployPipelineResponse | Error
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: DeployPipelineRequest,
) -> DeployPipelineResponse | Error | None:
    """Deploy a pipeline version

     Starts a deployment of one pipeline version. The answer comes at once: `get_deployment_status` tells
    when it runs. Deploying again under the same name gives the same id. A pipeline without models
    deploys too and stays `Starting`. An instance without room for the deployment answered 500.

    The documents say that the models of the steps must be named in `model_configs`, `model_ids` or
    `models`. That is not required here, because a pipeline without steps was deployed without them, and
    which steps a pipeline has is not in this request. A program that deploys steps should name their
    models. The newer documents want `deploy_id` to be the pipeline's name, and in the oldest another
    name was deployed: any DNS label is accepted, the pipeline's name is advised. The tables call
    `engine_config` a string; it is an object.

    Source: pipeline-management-tutorial, "Deploy a Pipeline Returns" (recorded); mlops-api-tutorial,
    "Deploy a Pipeline" (recorded); api-essentials-guide, "Deploy a Pipeline" (recorded); field-notes,
    "Pipelines, deployment, inference" (observed); recordings, "/v1/api/pipelines/deploy" (recorded).

    Args:
        body (DeployPipelineRequest): The pipeline version to deploy, and the name to deploy it
            under.

            Source: pipeline-management-tutorial, "Deploy a Pipeline Parameters" (prose); field-notes,
            "Pipelines, deployment, inference" (observed); field-notes, "Decided where the sources are
            silent or clash" (convention); vendor-sdk, "What the vendor's own SDK asks of a server"
            (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        DeployPipelineResponse | Error
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
