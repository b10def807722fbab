"""What is written of what was recorded: normalised, and without the answers that were not waited for any longer."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.recordings.matching import SOME_TIME, Request, named, text_of
from wallaroo_ext.conformance.recordings.normalization import TIME, Normalising

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LARGEST_ANSWER = 65_536
"""A longer answer, in bytes, is not recorded: it has to be kept whole to be played."""

_CONVERTED = {"ready", "error", None}
_OPEN: dict[str, Callable[[Any], bool]] = {
    "get_deployment_status": lambda found: object_of(found).get("status") not in {"Running", "Error"},
    "list_model_versions": lambda found: any(version.get("status") not in _CONVERTED for version in list_of(found)),
    "get_assay_baseline": lambda found: not found,
}
"""Operations that are asked until their answer is a certain one, and whether it is another one yet."""


class TooLargeError(Exception):
    """An answer is too large for a cassette."""


def written(recorded: Sequence[tuple[Request, dict[str, Any]]], normalising: Normalising) -> list[dict[str, Any]]:
    """Return what a cassette has of requests and answers.

    Of what was waited for it has the last answer only: how often one asks depends on time, and what is recorded should
    not.

    Args:
        recorded: Each request with its answer, as they are kept.
        normalising: The replacements of this cassette.

    Raises:
        TooLargeError: An answer is too large to be kept.
    """
    kept: list[dict[str, Any]] = []
    for interaction in [_interaction(request, answer) for request, answer in recorded]:
        if kept and _was_asked_again(kept[-1], interaction):
            kept.pop()
        kept.append(interaction)
    texts = normalising([text for interaction in kept for text in _texts(interaction)])
    for interaction, (uri, body, answer) in zip(kept, _by_three(texts), strict=True):
        interaction["request"] |= {"uri": uri, "body": body}
        if isinstance(interaction["response"]["body"]["string"], str):
            interaction["response"]["body"]["string"] = answer
    return kept


def _interaction(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    content: bytes = answer["body"]["string"]
    if len(content) > LARGEST_ANSWER:
        raise TooLargeError(
            f"The answer to {named(request)} has {len(content)} bytes, and a cassette keeps {LARGEST_ANSWER} at most: "
            f"let the test ask for less."
        )
    try:
        string: str | bytes = content.decode()
    except UnicodeDecodeError:
        string = content
    return {
        "request": {
            "method": request.method,
            "uri": request.uri,
            "headers": {name: [value] for name, value in request.headers.items()},
            "body": text_of(request.body),
        },
        "response": answer | {"body": {"string": string}},
    }


def _texts(interaction: dict[str, Any]) -> list[str]:
    """Return the texts of an interaction that are normalised; an empty one for a binary answer."""
    answer = interaction["response"]["body"]["string"]
    return [interaction["request"]["uri"], interaction["request"]["body"], answer if isinstance(answer, str) else ""]


def _by_three(texts: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    return zip(texts[::3], texts[1::3], texts[2::3], strict=True)


def _was_asked_again(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether an answer said that something is not there yet, and the next request was the same."""
    if _timeless(one["request"]) != _timeless(other["request"]):
        return False
    operation = contract.operation_at(urlsplit(str(one["request"]["uri"])).path)
    content = one["response"]["body"]["string"]
    is_open = _OPEN.get(operation or "")
    return is_open is not None and one["response"]["status"]["code"] == HTTPStatus.OK and is_open(json.loads(content))


def _timeless(value: Any) -> str:
    return TIME.sub(SOME_TIME, repr(value))
