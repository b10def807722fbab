from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.error import Error
from ...models.topic_partitions import TopicPartitions
from ...types import Response


def _get_kwargs(
    topic: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/logs/topic/{topic}".format(
            topic=quote(str(topic), safe=""),
        ),
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Error | TopicPartitions | None:
    if response.status_code == 200:
        response_200 = TopicPartitions.from_dict(response.json())

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
) -> Response[Error | TopicPartitions]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Error | TopicPartitions]:
    """Get the partitions of a topic

     The partitions that the rows of a topic are in, and how far each one goes. Published clients of
    every release count from its `end` to where the newest rows begin, and send that as the position of
    a page. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | TopicPartitions]
    """

    response = client.get_httpx_client().request(
        **_get_kwargs(
            topic=topic,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
) -> Response[Error | TopicPartitions]:
    """Get the partitions of a topic

     The partitions that the rows of a topic are in, and how far each one goes. Published clients of
    every release count from its `end` to where the newest rows begin, and send that as the position of
    a page. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Error | TopicPartitions]
    """

    response = await client.get_async_httpx_client().request(
        **_get_kwargs(
            topic=topic,
        )
    )
    return _build_response(client=client, response=response)


def sync(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
) -> Error | TopicPartitions | None:
    """Get the partitions of a topic

     The partitions that the rows of a topic are in, and how far each one goes. Published clients of
    every release count from its `end` to where the newest rows begin, and send that as the position of
    a page. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | TopicPartitions
    """

    return sync_detailed(
        topic=topic,
        client=client,
    ).parsed


async def asyncio(
    topic: str,
    *,
    client: AuthenticatedClient | Client,
) -> Error | TopicPartitions | None:
    """Get the partitions of a topic

     The partitions that the rows of a topic are in, and how far each one goes. Published clients of
    every release count from its `end` to where the newest rows begin, and send that as the position of
    a page. No document has it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    Args:
        topic (str):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Error | TopicPartitions
    """

    return (
        await asyncio_detailed(
            topic=topic,
            client=client,
        )
    ).parsed
