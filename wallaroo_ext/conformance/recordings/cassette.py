"""Recording what a client exchanges with an instance, and answering it from what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from vcr.cassette import Cassette
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.record_mode import RecordMode
from vcr.request import Request
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.bodies import is_json, kept_request_body, pretty
from wallaroo_ext.conformance.recordings.files import write_cassette
from wallaroo_ext.conformance.recordings.kept import kept_headers, without_secrets
from wallaroo_ext.conformance.recordings.normalised import TIME, Normalising
from wallaroo_ext.json_values import list_of, object_of
from wallaroo_ext.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

LARGEST_ANSWER = 65_536
"""A longer answer, in bytes, is not recorded: it has to be kept whole to be played."""

_TOKEN_PATH = contract.operation("request_token").path
_TIMES = "a time"
_CONVERTED = {"ready", "error", None}


class NotRecordedError(Exception):
    """A request came that the cassette does not have, or one was not asked for that it has."""


class TooLargeError(Exception):
    """An answer is too large for a cassette."""


class _Kept(Request):
    """A request as it is kept; what is made of it again is the same."""


def _kept(request: Request) -> Request | None:
    """What a cassette keeps of a request; nothing of one for a token."""
    if isinstance(request, _Kept):
        return request
    if urlsplit(request.uri).path == _TOKEN_PATH:
        return None
    headers = dict(request.headers.items())
    body = kept_request_body(bytes(request.body or b""), str(httpx.Headers(headers).get("content-type", "")))
    return _Kept(request.method, request.uri, body, kept_headers(headers.items()))


def _kept_answer(response: dict[str, Any]) -> dict[str, Any]:
    """What a cassette keeps of an answer: unpacked, without secrets, and with headers that say nothing else."""
    headers = [(name, value) for name, values in response["headers"].items() for value in values]
    content = httpx.Response(200, headers=headers, content=response["body"]["string"]).content
    kept = kept_headers(headers)
    return {
        "status": response["status"],
        "headers": {name: [value] for name, value in kept.items()},
        "body": {"string": _kept_content(content, kept.get("content-type", ""))},
    }


def _kept_content(content: bytes, content_type: str) -> bytes:
    if is_json(content_type):
        try:
            return pretty(without_secrets(json.loads(content))).encode()
        except (ValueError, RecursionError):
            return redacted(content.decode("utf-8", errors="replace")).encode()
    try:
        return redacted(content.decode()).encode()
    except UnicodeDecodeError:
        return content


def _same_operation(one: Request, other: Request) -> bool:
    return (one.method, one.path) == (other.method, other.path)


def _same_query(one: Request, other: Request) -> bool:
    return _query(one.uri) == _query(other.uri)


def _same_body(one: Request, other: Request) -> bool:
    return comparable(_text(one.body)) == comparable(_text(other.body))


def _query(uri: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(urlsplit(uri).query, keep_blank_values=True))


def comparable(body: str) -> Any:
    """A kept body as what it is compared by: the order of fields does not count, nor which time it is."""
    text = TIME.sub(_TIMES, body)
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(content: bytes | str | None) -> str:
    return content.decode("utf-8", errors="replace") if isinstance(content, bytes) else content or ""


@dataclass
class _Memory:
    """A persister of vcrpy that reads a file, and keeps what is to be written for who decides about it."""

    text: str | None = None
    interactions: list[tuple[Request, dict[str, Any]]] = field(default_factory=list["tuple[Request, dict[str, Any]]"])

    def load_cassette(self, _path: str, _serializer: Any = None, **_others: Any) -> tuple[list[Any], list[Any]]:
        """The requests and answers of the file."""
        if self.text is None:
            raise CassetteNotFoundError
        requests, answers, *_ = deserialize(self.text, yamlserializer)
        return [_Kept(found.method, found.uri, found.body, found.headers) for found in requests], answers

    def save_cassette(self, _path: str, content: dict[str, Any], _serializer: Any = None, **_others: Any) -> None:
        """Keep what was recorded."""
        self.interactions = list(zip(content["requests"], content["responses"], strict=True))


class _Player(Cassette):
    """A cassette that says what it misses, and what to do about it."""

    missed: NotRecordedError | None = None

    def can_play_response_for(self, request: Request) -> bool:
        """Whether there is an answer left for a request.

        Raises:
            NotRecordedError: There is none, and the request is not one for a token.
        """
        kept = self.filter_request(request)
        if kept is not None and self.record_mode == RecordMode.NONE and kept not in self:
            self.missed = NotRecordedError(_missing(self, kept))
            raise self.missed
        return bool(super().can_play_response_for(request))

    def left(self) -> list[Request]:
        """The recorded requests that nobody sent."""
        return [request for number, request in enumerate(self.requests) if not self.play_counts[number]]


def _missing(cassette: _Player, request: Request) -> str:
    """What was asked for in vain."""
    alike = [found for found in cassette.requests if _same_operation(found, request)]
    known = sum(_same_query(found, request) and _same_body(found, request) for found in alike)
    reason = (
        f"all {known} recorded answers to it were given already"
        if known
        else f"of this operation it has {len(alike)} others"
        if alike
        else "it has none of this operation"
    )
    return (
        f"{cassette.path} has no answer to {_named(request)}: {reason}. The request's body is {_text(request.body)!s}"
        f"{_advice(cassette)}"
    )


def _named(request: Request) -> str:
    operation = contract.operation_at(request.path) or "no operation of the contract"
    return f"{request.method} {request.path} ({operation})"


def _advice(cassette: _Player) -> str:
    return f"Where the change is wanted, record the test again: scripts/record --sandbox -k {_stem(cassette)}"


def _stem(cassette: _Player) -> str:
    return str(cassette.path).rpartition("/")[2].partition(".")[0]


def _cassette(path: Path, memory: _Memory, mode: RecordMode) -> Any:
    return _Player.use(
        path=str(path),
        persister=memory,
        record_mode=mode,
        match_on=(_same_operation, _same_query, _same_body),
        before_record_request=_kept,
        before_record_response=_kept_answer,
    )


@contextmanager
def replaying(path: Path) -> Generator[None]:
    """Answer every request of httpx from a cassette, in the block.

    Raises:
        NotRecordedError: A request came that it does not have, or one of its own did not come.
    """
    if not path.is_file():
        raise NotRecordedError(f"There is no {path}. Record it: scripts/record --sandbox -k {path.stem}")
    with _cassette(path, _Memory(path.read_text(encoding="utf-8")), RecordMode.NONE) as player:
        yield
    if player.missed is not None:
        raise player.missed
    if left := player.left():
        raise NotRecordedError(
            f"{path} has {len(left)} requests that were not sent, the first is {_named(left[0])}. {_advice(player)}"
        )


@dataclass
class Recording:
    """What was exchanged in a block of `recording`."""

    memory: _Memory = field(default_factory=_Memory)

    def interactions(self, normalising: Normalising) -> list[dict[str, Any]]:
        """What a cassette has of it: normalised, and of what was waited for the last answer only.

        How often one asks depends on time, and what is recorded should not.

        Raises:
            TooLargeError: An answer is too large to be kept.
        """
        found = [_interaction(request, answer) for request, answer in self.memory.interactions]
        texts = normalising([text for interaction in found for text in _texts(interaction)])
        kept: list[dict[str, Any]] = []
        for interaction, (uri, body, answer) in zip(found, _by_three(texts), strict=True):
            interaction["request"] |= {"uri": uri, "body": body}
            if isinstance(interaction["response"]["body"]["string"], str):
                interaction["response"]["body"]["string"] = answer
            if kept and _was_asked_again(kept[-1], interaction):
                kept.pop()
            kept.append(interaction)
        return kept

    def write(self, path: Path, normalising: Normalising) -> bool:
        """Write the cassette; whether it differs from the one that was there.

        Raises:
            TooLargeError: An answer is too large to be kept.
            SecretFoundError: It looks as if it held a secret.
        """
        return write_cassette(path, self.interactions(normalising))


@contextmanager
def recording(path: Path) -> Generator[Recording]:
    """Keep what httpx exchanges in the block; nothing is written."""
    recorded = Recording()
    with _cassette(path, recorded.memory, RecordMode.ALL):
        yield recorded


def _interaction(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    content: bytes = answer["body"]["string"]
    if len(content) > LARGEST_ANSWER:
        raise TooLargeError(
            f"The answer to {_named(request)} has {len(content)} bytes, and a cassette keeps {LARGEST_ANSWER} at most: "
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
            "body": _text(request.body),
        },
        "response": answer | {"body": {"string": string}},
    }


def _texts(interaction: dict[str, Any]) -> list[str]:
    """The texts of an interaction that are normalised; an empty one for a binary answer."""
    answer = interaction["response"]["body"]["string"]
    return [interaction["request"]["uri"], interaction["request"]["body"], answer if isinstance(answer, str) else ""]


def _by_three(texts: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    return zip(texts[::3], texts[1::3], texts[2::3], strict=True)


def _was_asked_again(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether an answer said that something is not there yet, and the next request was the same."""
    if _timeless(one["request"]) != _timeless(other["request"]):
        return False
    operation = contract.operation_at(urlsplit(one["request"]["uri"]).path)
    content = one["response"]["body"]["string"]
    is_open = _OPEN.get(operation or "")
    return is_open is not None and one["response"]["status"]["code"] == HTTPStatus.OK and is_open(json.loads(content))


def _timeless(value: Any) -> str:
    return TIME.sub(_TIMES, repr(value))


_OPEN: dict[str, Callable[[Any], bool]] = {
    "get_deployment_status": lambda found: object_of(found).get("status") not in {"Running", "Error"},
    "list_model_versions": lambda found: any(version.get("status") not in _CONVERTED for version in list_of(found)),
    "get_assay_baseline": lambda found: not found,
}
"""Operations that are asked until their answer is a certain one, and whether it is another one yet."""
