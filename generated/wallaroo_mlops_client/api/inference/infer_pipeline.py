from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.engine_error import EngineError
from ...models.error import Error
from ...models.inference_result import InferenceResult
from ...models.pandas_records_item import PandasRecordsItem
from ...types import UNSET, File, Response, Unset


def _get_kwargs(
    deployment: str,
    pipeline: str,
    *,
    body: list[PandasRecordsItem] | File | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    json_dataset: list[str] | Unset = UNSET
    if not isinstance(dataset, Unset):
        json_dataset = dataset

    params["dataset[]"] = json_dataset

    json_dataset_exclude: list[str] | Unset = UNSET
    if not isinstance(dataset_exclude, Unset):
        json_dataset_exclude = dataset_exclude

    params["dataset.exclude[]"] = json_dataset_exclude

    params["dataset.separator"] = dataset_separator

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/api/pipelines/infer/{deployment}/{pipeline}".format(
            deployment=quote(str(deployment), safe=""),
            pipeline=quote(str(pipeline), safe=""),
        ),
        "params": params,
    }

    if isinstance(body, list):
        _kwargs["json"] = []
        for componentsschemas_pandas_records_item_data in body:
            componentsschemas_pandas_records_item = (
                componentsschemas_pandas_records_item_data.to_dict()
            )
            _kwargs["json"].append(componentsschemas_pandas_records_item)

        headers["Content-Type"] = "application/json; format=pandas-records"

    if isinstance(body, File):
        _kwargs["content"] = body.payload

        headers["Content-Type"] = "application/vnd.apache.arrow.file"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> EngineError | Error | list[EngineError] | Error | list[InferenceResult] | None:
    if response.status_code == 200:
        response_200 = []
        _response_200 = response.json()
        for response_200_item_data in _response_200:
            response_200_item = InferenceResult.from_dict(response_200_item_data)

            response_200.append(response_200_item)

        return response_200

    if response.status_code == 400:

        def _parse_response_400(
            data: object,
        ) -> EngineError | Error | list[EngineError]:
            try:
                if not isinstance(data, list):
                    raise TypeError()
                componentsschemas_inference_error_type_0 = []
                _componentsschemas_inference_error_type_0 = data
                for (
                    componentsschemas_inference_error_type_0_item_data
                ) in _componentsschemas_inference_error_type_0:
                    componentsschemas_inference_error_type_0_item = (
                        EngineError.from_dict(
                            componentsschemas_inference_error_type_0_item_data
                        )
                    )

                    componentsschemas_inference_error_type_0.append(
                        componentsschemas_inference_error_type_0_item
                    )

                return componentsschemas_inference_error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_inference_error_type_1 = EngineError.from_dict(data)

                return componentsschemas_inference_error_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_inference_error_type_2 = Error.from_dict(data)

            return componentsschemas_inference_error_type_2

        response_400 = _parse_response_400(response.json())

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

        def _parse_response_500(
            data: object,
        ) -> EngineError | Error | list[EngineError]:
            try:
                if not isinstance(data, list):
                    raise TypeError()
                componentsschemas_inference_error_type_0 = []
                _componentsschemas_inference_error_type_0 = data
                for (
                    componentsschemas_inference_error_type_0_item_data
                ) in _componentsschemas_inference_error_type_0:
                    componentsschemas_inference_error_type_0_item = (
                        EngineError.from_dict(
                            componentsschemas_inference_error_type_0_item_data
                        )
                    )

                    componentsschemas_inference_error_type_0.append(
                        componentsschemas_inference_error_type_0_item
                    )

                return componentsschemas_inference_error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_inference_error_type_1 = EngineError.from_dict(data)

                return componentsschemas_inference_error_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_inference_error_type_2 = Error.from_dict(data)

            return componentsschemas_inference_error_type_2

        response_500 = _parse_response_500(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Error.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[EngineError | Error | list[EngineError] | Error | list[InferenceResult]]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    deployment: str,
    pipeline: str,
    *,
    client: AuthenticatedClient | Client,
    body: list[PandasRecordsItem] | File | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> Response[EngineError | Error | list[EngineError] | Error | list[InferenceResult]]:
    """Score rows on a deployed pipeline

     Scores rows on one pipeline of the deployment `{deploy_id}-{deployment_id}`. The form of this URL is
    the newer one. Sent twice, the rows are scored and logged twice. The deployment has to be `Running`,
    as `get_deployment_status` says, and the instance to have its external inference endpoints enabled.

    The documents with this URL send records and Arrow; rows as `application/json`, which is what many
    programs send when they are not told otherwise, are of the older URL.

    `Accept` chooses the answer's format. Without it, rows in Arrow were answered in JSON by releases of
    2023 and by engines that run alone.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers"
    (recorded); mlops-api-tutorial, "Perform Inference Through External URL" (prose); mlops-api-
    tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment, inference" (observed).

    Args:
        deployment (str):
        pipeline (str):
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (list[PandasRecordsItem]): Rows as pandas writes them with `orient="records"`, an
            object a row with a field a column.

            Source: mlops-api-tutorial, "HTTP Headers" (example).
        body (File): A record batch, or several of one schema, as an Arrow IPC file. It is not the
            stream format.

            Source: mlops-api-tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment,
            inference" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EngineError | Error | list[EngineError] | Error | list[InferenceResult]]
    """

    response = client.get_httpx_client().request(
        **_get_kwargs(
            deployment=deployment,
            pipeline=pipeline,
            body=body,
            dataset=dataset,
            dataset_exclude=dataset_exclude,
            dataset_separator=dataset_separator,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    deployment: str,
    pipeline: str,
    *,
    client: AuthenticatedClient | Client,
    body: list[PandasRecordsItem] | File | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> Response[EngineError | Error | list[EngineError] | Error | list[InferenceResult]]:
    """Score rows on a deployed pipeline

     Scores rows on one pipeline of the deployment `{deploy_id}-{deployment_id}`. The form of this URL is
    the newer one. Sent twice, the rows are scored and logged twice. The deployment has to be `Running`,
    as `get_deployment_status` says, and the instance to have its external inference endpoints enabled.

    The documents with this URL send records and Arrow; rows as `application/json`, which is what many
    programs send when they are not told otherwise, are of the older URL.

    `Accept` chooses the answer's format. Without it, rows in Arrow were answered in JSON by releases of
    2023 and by engines that run alone.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers"
    (recorded); mlops-api-tutorial, "Perform Inference Through External URL" (prose); mlops-api-
    tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment, inference" (observed).

    Args:
        deployment (str):
        pipeline (str):
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (list[PandasRecordsItem]): Rows as pandas writes them with `orient="records"`, an
            object a row with a field a column.

            Source: mlops-api-tutorial, "HTTP Headers" (example).
        body (File): A record batch, or several of one schema, as an Arrow IPC file. It is not the
            stream format.

            Source: mlops-api-tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment,
            inference" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EngineError | Error | list[EngineError] | Error | list[InferenceResult]]
    """

    response = await client.get_async_httpx_client().request(
        **_get_kwargs(
            deployment=deployment,
            pipeline=pipeline,
            body=body,
            dataset=dataset,
            dataset_exclude=dataset_exclude,
            dataset_separator=dataset_separator,
        )
    )
    return _build_response(client=client, response=response)


def sync(
    deployment: str,
    pipeline: str,
    *,
    client: AuthenticatedClient | Client,
    body: list[PandasRecordsItem] | File | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> EngineError | Error | list[EngineError] | Error | list[InferenceResult] | None:
    """Score rows on a deployed pipeline

     Scores rows on one pipeline of the deployment `{deploy_id}-{deployment_id}`. The form of this URL is
    the newer one. Sent twice, the rows are scored and logged twice. The deployment has to be `Running`,
    as `get_deployment_status` says, and the instance to have its external inference endpoints enabled.

    The documents with this URL send records and Arrow; rows as `application/json`, which is what many
    programs send when they are not told otherwise, are of the older URL.

    `Accept` chooses the answer's format. Without it, rows in Arrow were answered in JSON by releases of
    2023 and by engines that run alone.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers"
    (recorded); mlops-api-tutorial, "Perform Inference Through External URL" (prose); mlops-api-
    tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment, inference" (observed).

    Args:
        deployment (str):
        pipeline (str):
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (list[PandasRecordsItem]): Rows as pandas writes them with `orient="records"`, an
            object a row with a field a column.

            Source: mlops-api-tutorial, "HTTP Headers" (example).
        body (File): A record batch, or several of one schema, as an Arrow IPC file. It is not the
            stream format.

            Source: mlops-api-tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment,
            inference" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EngineError | Error | list[EngineError] | Error | list[InferenceResult]
    """

    return sync_detailed(
        deployment=deployment,
        pipeline=pipeline,
        client=client,
        body=body,
        dataset=dataset,
        dataset_exclude=dataset_exclude,
        dataset_separator=dataset_separator,
    ).parsed


async def asyncio(
    deployment: str,
    pipeline: str,
    *,
    client: AuthenticatedClient | Client,
    body: list[PandasRecordsItem] | File | Unset = UNSET,
    dataset: list[str] | Unset = UNSET,
    dataset_exclude: list[str] | Unset = UNSET,
    dataset_separator: str | Unset = UNSET,
) -> EngineError | Error | list[EngineError] | Error | list[InferenceResult] | None:
    """Score rows on a deployed pipeline

     Scores rows on one pipeline of the deployment `{deploy_id}-{deployment_id}`. The form of this URL is
    the newer one. Sent twice, the rows are scored and logged twice. The deployment has to be `Running`,
    as `get_deployment_status` says, and the instance to have its external inference endpoints enabled.

    The documents with this URL send records and Arrow; rows as `application/json`, which is what many
    programs send when they are not told otherwise, are of the older URL.

    `Accept` chooses the answer's format. Without it, rows in Arrow were answered in JSON by releases of
    2023 and by engines that run alone.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers"
    (recorded); mlops-api-tutorial, "Perform Inference Through External URL" (prose); mlops-api-
    tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment, inference" (observed).

    Args:
        deployment (str):
        pipeline (str):
        dataset (list[str] | Unset):
        dataset_exclude (list[str] | Unset):
        dataset_separator (str | Unset):
        body (list[PandasRecordsItem]): Rows as pandas writes them with `orient="records"`, an
            object a row with a field a column.

            Source: mlops-api-tutorial, "HTTP Headers" (example).
        body (File): A record batch, or several of one schema, as an Arrow IPC file. It is not the
            stream format.

            Source: mlops-api-tutorial, "HTTP Headers" (prose); field-notes, "Pipelines, deployment,
            inference" (observed).

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EngineError | Error | list[EngineError] | Error | list[InferenceResult]
    """

    return (
        await asyncio_detailed(
            deployment=deployment,
            pipeline=pipeline,
            client=client,
            body=body,
            dataset=dataset,
            dataset_exclude=dataset_exclude,
            dataset_separator=dataset_separator,
        )
    ).parsed
