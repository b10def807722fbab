"""Reading request bodies: JSON, forms and Arrow into memory up to a limit, octet streams and files of forms to disk."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from wallaroo_ext._util.atomic_files import create_file
from wallaroo_ext.sandbox.http.json_text import is_deeper
from wallaroo_ext.sandbox.http.problems import bad_request, too_large
from wallaroo_ext.sandbox.http.validation import parse_media_type
from wallaroo_ext.sandbox.storage.data_directory import new_upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

    from wallaroo_ext.sandbox.http.validation import BodyKind, ContractSpec
    from wallaroo_ext.sandbox.options import SandboxOptions

_MIB = 1 << 20
_FIELD_LIMIT = _MIB
_FORM_LIMIT_MIB = 1  # who sends a form for a token is not known yet
_BESIDE_THE_FILE = 8 * _MIB
_MAX_DEPTH = 100


@dataclass(slots=True)
class StagedFile:
    """An uploaded file that is on disk but in no place yet.

    Attributes:
        path: Where it is.
        file_name: The name that the sender gave it; empty where it came alone.
        sha: Its SHA-256, in hexadecimal.
    """

    path: Path
    file_name: str
    sha: str = ""

    def discard(self) -> None:
        """Remove the file, unless it has been moved into place."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Limit:
    """How large something may be.

    Attributes:
        mib: In MiB.
        what: What it is, as the beginning of a sentence.
        option: The option of the sandbox that sets the limit; empty where none does.
    """

    mib: int
    what: str
    option: str = ""

    def check(self, size: int) -> None:
        """Raise a Problem, 413, where a size in bytes is beyond the limit."""
        if size > self.mib * _MIB:
            advice = f"; send less, or start the sandbox with a larger {self.option}" if self.option else ""
            raise too_large(f"{self.what} may have {self.mib} MiB{advice}.")


class _FileReceiver:
    """Writes an uploaded file to disk while it arrives, and takes its digest on the way.

    Args:
        staging: Where the file goes.
        file_name: The name that the sender gave it.
        limit: How large it may be.
    """

    def __init__(self, staging: Path, file_name: str, limit: _Limit) -> None:
        self.staged = StagedFile(new_upload(staging), file_name)
        self.size = 0
        self._limit = limit
        self._file = create_file(self.staged.path)
        self._digest = hashlib.sha256()

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next piece."""
        self._limit.check(self.size + len(piece))
        self._digest.update(piece)
        self.size += self._file.write(piece)

    def close(self) -> None:
        """Take no more; the digest is known now."""
        self._file.close()
        self.staged.sha = self._digest.hexdigest()

    def discard(self) -> None:
        """Remove what was received."""
        with suppress(OSError):  # where the disk is full, it tries once more to write what it could not
            self._file.close()
        self.staged.discard()


def has_body(request: Request) -> bool:
    """Return whether a request has a body, by the headers that announce one."""
    return "Transfer-Encoding" in request.headers or request.headers.get("Content-Length", "0") != "0"


async def read_body(
    request: Request, kind: BodyKind, contract: ContractSpec, staging: Path, options: SandboxOptions
) -> Any:
    """The body as its media type says: parsed and valid JSON or form, files as StagedFile, other content as bytes.

    Args:
        request: The request.
        kind: Which of the operation's bodies it is.
        contract: The operations.
        staging: Where files go.
        options: How large bodies may be.

    Raises:
        Problem: 400 for a body that cannot be read or breaks the contract, 413 for one that is too large.
    """
    media_type, _ = parse_media_type(kind.media_type)
    upload = _Limit(options.upload_limit_mib, "An uploaded file", "--upload-limit")
    if media_type == "multipart/form-data":
        return await _read_multipart(request, kind, contract, staging, upload)
    if media_type == "application/octet-stream":
        return await _read_file(request, staging, upload)
    if media_type == "application/json":
        body = parse_json(await _read_all(request, _Limit(options.json_limit_mib, "A body of JSON", "--json-limit")))
        if not kind.is_rows:
            _refuse_depth(body)
    elif media_type == "application/x-www-form-urlencoded":
        body = _parse_form(await _read_all(request, _Limit(_FORM_LIMIT_MIB, "A form")))
    else:
        return await _read_all(request, _Limit(options.arrow_limit_mib, "A body of Arrow", "--arrow-limit"))
    kind.check(body)
    return body


async def _read_file(request: Request, staging: Path, limit: _Limit) -> StagedFile:
    """Return the whole body as a file, which is safely on disk."""
    limit.check(_announced_size(request))
    receiver = _FileReceiver(staging, "", limit)
    try:
        async for chunk in request.stream():
            receiver.write(chunk)
        receiver.close()
        _check_whole(request, receiver.size)
        await run_in_threadpool(_sync_to_disk, receiver.staged.path)
    except BaseException:
        receiver.discard()
        raise
    return receiver.staged


def _check_whole(request: Request, size: int) -> None:
    if size != int(request.headers.get("Content-Length", size)):
        raise bad_request(f"The body was cut off after {size} bytes.")


async def _read_all(request: Request, limit: _Limit) -> bytes:
    limit.check(_announced_size(request))
    content = bytearray()  # a list of pieces takes many times as much where each has a byte
    async for chunk in request.stream():
        limit.check(len(content) + len(chunk))
        content += chunk
    return bytes(content)


def _announced_size(request: Request) -> int:
    """Return the size of a body by its header, in bytes; 0 where it says none."""
    with suppress(ValueError):
        return int(request.headers.get("Content-Length", "0"))
    return 0


def parse_json(content: bytes) -> Any:
    """JSON; numbers and strings that are none in JSON (NaN, a lone surrogate) are refused."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is no JSON: {error}.") from None


def _refuse_depth(value: Any) -> None:
    if is_deeper(value, _MAX_DEPTH):
        raise bad_request(f"The JSON is nested more than {_MAX_DEPTH} levels deep.")


def _parse_form(content: bytes) -> dict[str, str]:
    try:
        fields = parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise bad_request(f"The body is no form: {error}.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise bad_request("duplicated parameter")
    return form


async def _read_multipart(
    request: Request, kind: BodyKind, contract: ContractSpec, staging: Path, limit: _Limit
) -> dict[str, Any]:
    """Return the parts by name: files on disk, objects parsed, all checked against the contract."""
    limit.check(_announced_size(request) - _BESIDE_THE_FILE)
    _, options = parse_options_header(request.headers["Content-Type"])
    boundary = options.get(b"boundary")
    if not boundary:
        raise bad_request("The Content-Type of the multipart body names no boundary.")
    properties: dict[str, dict[str, Any]] = {
        name: contract.resolve(schema) for name, schema in contract.resolve(kind.schema)["properties"].items()
    }
    try:
        receiver = _PartReceiver(boundary, properties, staging, limit)
    except FormParserError as error:
        raise bad_request(f"The multipart body cannot be read: {error}.") from None
    try:
        await receiver.receive(request.stream())
        body = receiver.parts
        kind.check({name: "" if isinstance(value, StagedFile) else value for name, value in body.items()})
    except BaseException:
        receiver.discard()
        raise
    return body


@dataclass(slots=True)
class _Part:
    """The part that is being read."""

    headers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    header_name: bytes = b""
    header_value: bytes = b""
    name: str = ""
    is_file: bool = False
    text: bytearray = field(default_factory=bytearray)


class _PartReceiver:
    """Takes a multipart body apart while it arrives.

    Args:
        boundary: What separates the parts.
        properties: The schema of each part.
        staging: Where files go.
        limit: How large a file may be.
    """

    def __init__(self, boundary: bytes, properties: dict[str, dict[str, Any]], staging: Path, limit: _Limit) -> None:
        self.parts: dict[str, Any] = {}
        self._properties = properties
        self._staging = staging
        self._limit = limit
        self._part = _Part()
        self._file: _FileReceiver | None = None
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    async def receive(self, stream: AsyncIterator[bytes]) -> None:
        """Read the whole body, and see the files safely on disk."""
        try:
            async for chunk in stream:
                if chunk:
                    self._parser.write(chunk)
        except FormParserError as error:
            raise bad_request(f"The multipart body cannot be read: {error}.") from None
        if not self._ended:
            raise bad_request("The multipart body ends before its last boundary; it was cut off.")
        for staged in self._files():
            await run_in_threadpool(_sync_to_disk, staged.path)

    def discard(self) -> None:
        """Remove what was received."""
        if self._file is not None:
            self._file.discard()
        for staged in self._files():
            staged.discard()

    def _files(self) -> list[StagedFile]:
        return [value for value in self.parts.values() if isinstance(value, StagedFile)]

    def _on_part_begin(self) -> None:
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _on_header_end(self) -> None:
        part = self._part
        part.headers[part.header_name.lower()] = part.header_value
        part.header_name = part.header_value = b""

    def _on_headers_finished(self) -> None:
        part = self._part
        _, options = parse_options_header(part.headers.get(b"content-disposition"))
        part.name = options.get(b"name", b"").decode("utf-8", errors="replace")
        part.is_file = self._properties.get(part.name, {}).get("format") == "binary"
        if part.name in self.parts:
            raise bad_request(f"The part {part.name!r} occurs twice.")
        if part.is_file:
            file_name = options.get(b"filename", b"").decode("utf-8", errors="replace")
            self._file = _FileReceiver(self._staging, file_name or part.name, self._limit)
            self.parts[part.name] = self._file.staged

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        piece = memoryview(data)[start:end]
        if self._file is not None:
            self._file.write(piece)
        elif len(self._part.text) + len(piece) > _FIELD_LIMIT:
            raise too_large(f"The part {self._part.name!r} may have {_FIELD_LIMIT} bytes.")
        else:
            self._part.text += piece

    def _on_part_end(self) -> None:
        part = self._part
        if self._file is not None:
            self._file.close()
            self._file = None
        elif part.name in self._properties:
            self.parts[part.name] = _parse_part(part.name, bytes(part.text), self._properties[part.name])

    def _on_end(self) -> None:
        self._ended = True


def _parse_part(name: str, text: bytes, schema: dict[str, Any]) -> Any:
    """Return a part that is no file: text where the schema wants a string, JSON elsewhere."""
    if schema.get("type") == "string":
        return text.decode("utf-8", errors="replace")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The part {name!r} is no JSON: {error}.") from None
    _refuse_depth(value)
    return value


def _sync_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
