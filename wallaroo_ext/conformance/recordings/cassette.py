"""Records what a client exchanges with an instance, and answers the client from what was recorded.

vcrpy replaces httpx's transports while a block runs. It has no types: what is used of it stands at the top.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.cassette_files import cassette_entries, default_directory, write_cassette
from wallaroo_ext.conformance.recordings.matching import (
    Request,
    body_text,
    describe,
    same_body,
    same_operation,
    same_query,
)
from wallaroo_ext.conformance.recordings.request_bodies import is_json, pretty, recorded_request_body
from wallaroo_ext.conformance.recordings.secrets import recorded_headers, without_secrets
from wallaroo_ext.redaction.patterns import remove_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.conformance.recordings.normalization import Normalizer

_VcrCassette: Any = import_module("vcr.cassette").Cassette
_VcrRequest: Any = import_module("vcr.request").Request
_NotFoundError: Any = import_module("vcr.persisters.filesystem").CassetteNotFoundError
_Mode: Any = import_module("vcr.record_mode").RecordMode
_vcr_format: Any = import_module("vcr.serialize")
_yaml: Any = import_module("vcr.serializers.yamlserializer")

_TOKEN_PATH = contract.operation("request_token").path


class NotRecordedError(Exception):
    """A request came that the cassette does not have, or a recorded request did not come."""


class _RecordedRequest(_VcrRequest):
    """A request without secrets, in the form that a cassette has; it is not converted again."""


def _recorded_request(request: Any) -> Any:
    """Return what is recorded of a request; None for a request for a token, which is never recorded."""
    if isinstance(request, _RecordedRequest):
        return request
    if request.path == _TOKEN_PATH:
        return None
    headers = httpx.Headers(dict(request.headers.items()))
    body = recorded_request_body(bytes(request.body or b""), headers.get("content-type", ""))
    return _RecordedRequest(request.method, request.uri, body, recorded_headers(headers.multi_items()))


def _recorded_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is recorded of an answer: decompressed, without secrets, and with the headers that describe it."""
    headers = [(name, value) for name, values in answer["headers"].items() for value in values]
    content = httpx.Response(200, headers=headers, content=answer["body"]["string"]).content
    recorded = recorded_headers(headers)
    return {
        "status": answer["status"],
        "headers": {name: [value] for name, value in recorded.items()},
        "body": {"string": _recorded_content(content, recorded.get("content-type", ""))},
    }


def _recorded_content(content: bytes, content_type: str) -> bytes:
    """Return what is recorded of an answer's body: every byte, but for secrets, and for the spaces between JSON."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    shown = _shown(text) if is_json(content_type) else None
    return (remove_secrets(text) if shown is None else shown).encode()


def _shown(text: str) -> str | None:
    """Return JSON as people read it, without secrets; None where that would be another value, as for a double key."""
    try:
        value = json.loads(text)
        shown, whole = pretty(without_secrets(value)), pretty(value)
        return shown if shown != whole or _exact(shown) == _exact(text) else None
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _exact(text: str) -> Any:
    """Return JSON with all its keys, and with numbers of any size."""
    return json.loads(text, parse_float=Decimal, parse_constant=str, object_pairs_hook=tuple)


@dataclass
class _Memory:
    """A persister of vcrpy without a file: it is given a cassette's text, and keeps what vcrpy would write."""

    text: str | None = None
    recorded: list[tuple[Request, dict[str, Any]]] = field(default_factory=list["tuple[Request, dict[str, Any]]"])

    def load_cassette(self, _path: str, serializer: Any) -> tuple[list[Any], list[Any]]:
        """Return the requests and the answers of the text."""
        if self.text is None:
            raise _NotFoundError
        requests, answers, *_ = _vcr_format.deserialize(self.text, serializer)
        return [_RecordedRequest(found.method, found.uri, found.body, found.headers) for found in requests], answers

    def save_cassette(self, _path: str, content: dict[str, Any], serializer: Any) -> None:  # noqa: ARG002 - vcrpy's own names
        """Keep what was recorded."""
        self.recorded = list(zip(content["requests"], content["responses"], strict=True))


class _Player(_VcrCassette):
    """A cassette whose errors say what is not recorded, and what to do about it."""

    error: NotRecordedError | None = None

    def can_play_response_for(self, request: Any) -> bool:
        """Return whether there is an answer left for a request.

        Raises:
            NotRecordedError: There is none, and the request is not one for a token.
        """
        sent = _recorded_request(request)
        if sent is not None and self.record_mode == _Mode.NONE and sent not in self:
            self.error = NotRecordedError(_explain_missing(Path(self.path), self.requests, sent))
            raise self.error
        return bool(super().can_play_response_for(request))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - vcrpy's own

    def unsent(self) -> list[Request]:
        """Return the recorded requests that nobody sent."""
        return [request for number, request in enumerate(self.requests) if not self.play_counts[number]]


def _explain_missing(path: Path, recorded: list[Request], request: Request) -> str:
    """Return a message that says which request has no answer, and why that may be."""
    alike = [found for found in recorded if same_operation(found, request)]
    known = sum(same_query(found, request) and same_body(found, request) for found in alike)
    reason = f"It has {len(alike)} of this operation, with another query or body."
    if known:
        reason = f"It has {known} such requests, and their answers were given already."
    sent = f"{request.uri.partition('?')[2]}\n{body_text(request.body)}".strip()
    return f"{path} has no answer to {describe(request)}. {reason} {_advice(path)}\nWhat came: {sent or 'no body'}"


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
        before_record_request=_recorded_request,
        before_record_response=_recorded_answer,
    )


@contextmanager
def replaying(path: Path) -> Generator[None]:
    """Answer every request of httpx in the block from a cassette; equal requests are answered in the recorded order.

    Raises:
        NotRecordedError: A request came that the cassette does not have, or a recorded request did not come.
    """
    if not path.is_file():
        raise NotRecordedError(f"There is no {path}. {_advice(path)}")
    with _cassette(path, _Memory(path.read_text(encoding="utf-8")), _Mode.NONE) as player:
        yield
    if player.error is not None:
        raise player.error
    if unsent := player.unsent():
        raise NotRecordedError(
            f"{path} has {len(unsent)} requests that were not sent, the first is {describe(unsent[0])}. {_advice(path)}"
        )


@dataclass
class Recording:
    """The exchanges in a block of `recording`."""

    memory: _Memory = field(default_factory=_Memory)

    @property
    def is_empty(self) -> bool:
        """Whether there was no exchange but those for tokens."""
        return not self.memory.recorded

    def write(self, path: Path, normalizer: Normalizer, announce: Callable[[], None]) -> bool:
        """Write the cassette. Returns whether it differs from the cassette that was there.

        Args:
            path: Its file.
            normalizer: The replacements in it.
            announce: Called before anything is written.

        Raises:
            TooLargeError: An answer is too large for a cassette.
            SecretFoundError: It looks as if it held a secret.
        """
        return write_cassette(path, cassette_entries(self.memory.recorded, normalizer), announce)


@contextmanager
def recording(path: Path) -> Generator[Recording]:
    """Yield a recording of what httpx exchanges in the block; nothing is written."""
    recorded = Recording()
    with _cassette(path, recorded.memory, _Mode.ALL):
        yield recorded
