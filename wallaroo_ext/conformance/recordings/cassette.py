"""Recording what a client exchanges with an instance, and answering it from what was recorded.

vcrpy takes the place of httpx's transports while a block runs. It has no types; what is used of it is said here.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.bodies import is_json, kept_request_body, pretty
from wallaroo_ext.conformance.recordings.files import default_directory, write_cassette
from wallaroo_ext.conformance.recordings.interactions import written
from wallaroo_ext.conformance.recordings.kept_fields import kept_headers, without_secrets
from wallaroo_ext.conformance.recordings.matching import Request, named, same_body, same_operation, same_query, text_of
from wallaroo_ext.redaction.patterns import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.conformance.recordings.normalization import Normalising

_VcrCassette: Any = import_module("vcr.cassette").Cassette
_VcrRequest: Any = import_module("vcr.request").Request
_NotFoundError: Any = import_module("vcr.persisters.filesystem").CassetteNotFoundError
_Mode: Any = import_module("vcr.record_mode").RecordMode
_vcr_format: Any = import_module("vcr.serialize")
_yaml: Any = import_module("vcr.serializers.yamlserializer")

_TOKEN_PATH = contract.operation("request_token").path


class NotRecordedError(Exception):
    """A request came that the cassette does not have, or one that it has did not come."""


class _Kept(_VcrRequest):
    """A request as it is kept; what is kept of it again is the same."""


def _kept(request: Any) -> Any:
    """Return what a cassette keeps of a request; nothing of one for a token."""
    if isinstance(request, _Kept):
        return request
    if request.path == _TOKEN_PATH:
        return None
    headers = httpx.Headers(dict(request.headers.items()))
    body = kept_request_body(bytes(request.body or b""), headers.get("content-type", ""))
    return _Kept(request.method, request.uri, body, kept_headers(headers.multi_items()))


def _kept_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """What a cassette keeps of an answer: unpacked, without secrets, and with the headers that say what it is."""
    headers = [(name, value) for name, values in answer["headers"].items() for value in values]
    content = httpx.Response(200, headers=headers, content=answer["body"]["string"]).content
    kept = kept_headers(headers)
    return {
        "status": answer["status"],
        "headers": {name: [value] for name, value in kept.items()},
        "body": {"string": _kept_content(content, kept.get("content-type", ""))},
    }


def _kept_content(content: bytes, content_type: str) -> bytes:
    if is_json(content_type):
        try:
            return pretty(without_secrets(json.loads(content))).encode()
        except (ValueError, RecursionError):
            pass
    try:
        return redact(content.decode()).encode()
    except UnicodeDecodeError:
        return content


@dataclass
class _Memory:
    """A persister of vcrpy that has a file's text, and keeps what is to be written for who decides about it."""

    text: str | None = None
    recorded: list[tuple[Request, dict[str, Any]]] = field(default_factory=list["tuple[Request, dict[str, Any]]"])

    def load_cassette(self, _path: str, serializer: Any) -> tuple[list[Any], list[Any]]:
        """Return the requests and answers of the text."""
        if self.text is None:
            raise _NotFoundError
        requests, answers, *_ = _vcr_format.deserialize(self.text, serializer)
        return [_Kept(found.method, found.uri, found.body, found.headers) for found in requests], answers

    def save_cassette(self, _path: str, content: dict[str, Any], serializer: Any) -> None:  # noqa: ARG002 - vcrpy's own names
        """Keep what was recorded."""
        self.recorded = list(zip(content["requests"], content["responses"], strict=True))


class _Player(_VcrCassette):
    """A cassette that says what it misses, and what to do about it."""

    missed: NotRecordedError | None = None

    def can_play_response_for(self, request: Any) -> bool:
        """Return whether there is an answer left for a request.

        Raises:
            NotRecordedError: There is none, and the request is not one for a token.
        """
        kept = _kept(request)
        if kept is not None and self.record_mode == _Mode.NONE and kept not in self:
            self.missed = NotRecordedError(_missing(Path(self.path), self.requests, kept))
            raise self.missed
        return bool(super().can_play_response_for(request))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - vcrpy's own

    def left(self) -> list[Request]:
        """Return the recorded requests that nobody sent."""
        return [request for number, request in enumerate(self.requests) if not self.play_counts[number]]


def _missing(path: Path, recorded: list[Request], request: Request) -> str:
    """Return what was asked for in vain, and why that may be."""
    alike = [found for found in recorded if same_operation(found, request)]
    known = sum(same_query(found, request) and same_body(found, request) for found in alike)
    reason = f"It has {len(alike)} of this operation, with another query or body."
    if known:
        reason = f"It has {known} such requests, and their answers were given already."
    came = f"{request.uri.partition('?')[2]}\n{text_of(request.body)}".strip()
    return f"{path} has no answer to {named(request)}. {reason} {_advice(path)}\nWhat came: {came or 'no body'}"


def _advice(path: Path) -> str:
    source = "--sandbox" if path.parent == default_directory() else f"--cassettes {path.parent}"
    return f"Where the change is meant, record the test again: scripts/record {source} -k {path.stem}"


def _cassette(path: Path, memory: _Memory, mode: Any) -> Any:
    return _Player.use(
        path=str(path),
        serializer=_yaml,
        persister=memory,
        record_mode=mode,
        match_on=(same_operation, same_query, same_body),
        before_record_request=_kept,
        before_record_response=_kept_answer,
    )


@contextmanager
def replaying(path: Path) -> Generator[None]:
    """Answer every request of httpx from a cassette, in the block; requests that are alike in the recorded order.

    Raises:
        NotRecordedError: A request came that it does not have, or one of its own did not come.
    """
    if not path.is_file():
        raise NotRecordedError(f"There is no {path}. {_advice(path)}")
    with _cassette(path, _Memory(path.read_text(encoding="utf-8")), _Mode.NONE) as player:
        yield
    if player.missed is not None:
        raise player.missed
    if left := player.left():
        raise NotRecordedError(
            f"{path} has {len(left)} requests that were not sent, the first is {named(left[0])}. {_advice(path)}"
        )


@dataclass
class Recording:
    """What was exchanged in a block of `recording`."""

    memory: _Memory = field(default_factory=_Memory)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was exchanged but tokens."""
        return not self.memory.recorded

    def write(self, path: Path, normalising: Normalising, announce: Callable[[], None]) -> bool:
        """Write the cassette; whether it differs from the one that was there.

        Args:
            path: Its file.
            normalising: What is replaced in it.
            announce: Called before anything is written.

        Raises:
            TooLargeError: An answer is too large to be kept.
            SecretFoundError: It looks as if it held a secret.
        """
        return write_cassette(path, written(self.memory.recorded, normalising), announce)


@contextmanager
def recording(path: Path) -> Generator[Recording]:
    """Keep what httpx exchanges in the block; nothing is written."""
    recorded = Recording()
    with _cassette(path, recorded.memory, _Mode.ALL):
        yield recorded
