"""Reading request bodies: JSON, forms and Arrow into memory, uploaded files to disk, each up to a limit."""

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

from wallaroo_ext._util.files.atomic_files import create_file
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.http.json_rows import ArrivingRecords
from wallaroo_ext.sandbox.http.json_text import is_deeper
from wallaroo_ext.sandbox.http.problems import bad_request, too_large
from wallaroo_ext.sandbox.http.validation import parse_media_type
from wallaroo_ext.sandbox.storage.data_directory import new_upload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

    from wallaroo_ext.sandbox.http.validation import BodySpec, ContractSpec
    from wallaroo_ext.sandbox.options import SandboxOptions

_MIB = 1 << 20
_FIELD_LIMIT = _MIB
_FORM_LIMIT_MIB = 1  # the sender is not authenticated yet
_OTHER_PARTS_LIMIT = 8 * _MIB
_MAX_DEPTH = 100


@dataclass(slots=True)
class StagedFile:
    """An uploaded file that has not been moved to its final place yet.

    Attributes:
        path: The path of the file.
        file_name: The name that the sender gave it; empty if the file is the whole body.
        sha: The SHA-256 of the content, in hexadecimal.
    """

    path: Path
    file_name: str
    sha: str = ""

    def discard(self) -> None:
        """Remove the file, unless it has been moved into place."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit of size.

    Attributes:
        mib: The limit in MiB.
        subject: What is limited, as the beginning of a sentence.
        option: The option of the sandbox that sets the limit; empty if there is none.
    """

    mib: int
    subject: str
    option: str = ""

    def check(self, size: int) -> None:
        """Raise a Problem, 413, if a size in bytes exceeds the limit."""
        if size > self.mib * _MIB:
            advice = f"; send less, or start the sandbox with a larger {self.option}" if self.option else ""
            raise too_large(f"{self.subject} may have at most {self.mib} MiB{advice}.")


class _FileReceiver:
    """Writes an uploaded file to disk as it arrives, and computes its digest.

    Args:
        staging: The directory for the file.
        file_name: The name that the sender gave the file.
        limit: The largest size of the file.
    """

    def __init__(self, staging: Path, file_name: str, limit: _Limit) -> None:
        self.staged = StagedFile(new_upload(staging), file_name)
        self.size = 0
        self._limit = limit
        self._file = create_file(self.staged.path)
        self._digest = hashlib.sha256()

    def write(self, piece: bytes | memoryview) -> None:
        """Write the next chunk."""
        self._limit.check(self.size + len(piece))
        self._digest.update(piece)
        self.size += self._file.write(piece)

    def close(self) -> None:
        """Close the file and set its digest."""
        self._file.close()
        self.staged.sha = self._digest.hexdigest()

    def discard(self) -> None:
        """Remove everything that was received."""
        with suppress(OSError):  # if the disk is full, closing fails too, because it writes the buffer
            self._file.close()
        self.staged.discard()


def has_body(request: Request) -> bool:
    """Return whether the headers of a request announce a body."""
    return "Transfer-Encoding" in request.headers or request.headers.get("Content-Length", "0") != "0"


async def read_body(
    request: Request, kind: BodySpec, contract: ContractSpec, staging: Path, options: SandboxOptions
) -> Any:
    """Read the body of a request: valid JSON or a valid form, parsed; files as StagedFile; anything else as bytes.

    Of a long list of records, the rows are returned as `ReadRows`, if they are of a kind that it has.

    A field of the body's own object that is null is left out, and none within it or of rows.

    Args:
        request: The request.
        kind: The specification of the body.
        contract: The contract.
        staging: The directory for uploaded files.
        options: Set the limits of size.

    Raises:
        Problem: 400, if the body cannot be parsed or violates the contract; 413, if it is too large.
    """
    media_type, parameters = parse_media_type(kind.media_type)
    upload = _Limit(options.upload_limit_mib, "An uploaded file", "--upload-limit")
    if media_type == "multipart/form-data":
        return await _read_multipart(request, kind, contract, staging, upload)
    if media_type == "application/octet-stream":
        return await _read_file(request, staging, upload)
    if media_type == "application/json":
        limit = _Limit(options.json_limit_mib, "A body of JSON", "--json-limit")
        records = ArrivingRecords() if kind.is_rows and parameters else None
        content = await _read_all(request, limit, records)
        if records is not None and (rows := records.rows()) is not None:
            return rows
        body = parse_json(content)
        if not kind.is_rows:
            _check_depth(body)
    elif media_type == "application/x-www-form-urlencoded":
        body = _parse_form(await _read_all(request, _Limit(_FORM_LIMIT_MIB, "A form")))
    else:
        return bytes(await _read_all(request, _Limit(options.arrow_limit_mib, "A body of Arrow", "--arrow-limit")))
    kind.check(body)
    return body if kind.is_rows else _without_nulls(body)


async def read_json(request: Request, mib: int, subject: str) -> Any:
    """Read a body of JSON that no operation of the contract has.

    Args:
        request: The request.
        mib: The largest size of the body, in MiB.
        subject: What the body is, as the beginning of a sentence.

    Raises:
        Problem: 400, if the body is no JSON; 413, if it is too large.
    """
    body = parse_json(await _read_all(request, _Limit(mib, subject)))
    _check_depth(body)
    return body


def _without_nulls(body: Any) -> Any:
    """Return a body without the fields that are null: where the contract admits null, it says as much as no field."""
    fields = object_of(body)
    return {name: value for name, value in fields.items() if value is not None} if fields else body


async def _read_file(request: Request, staging: Path, limit: _Limit) -> StagedFile:
    """Write the whole body to a file, and return the file once it is synced to disk."""
    limit.check(_announced_size(request))
    receiver = _FileReceiver(staging, "", limit)
    try:
        async for chunk in request.stream():
            receiver.write(chunk)
        receiver.close()
        _check_complete(request, receiver.size)
        await run_in_threadpool(_sync_to_disk, receiver.staged.path)
    except BaseException:
        receiver.discard()
        raise
    return receiver.staged


def _check_complete(request: Request, size: int) -> None:
    if size != int(request.headers.get("Content-Length", size)):
        raise bad_request(f"The body was cut off after {size} bytes.")


async def _read_all(request: Request, limit: _Limit, records: ArrivingRecords | None = None) -> bytearray:
    """Return a body, whose records are read as well while it comes."""
    limit.check(_announced_size(request))
    content = bytearray()  # a list of one-byte chunks would take many times the memory
    async for chunk in request.stream():
        limit.check(len(content) + len(chunk))
        content += chunk
        if records is not None:
            records.feed(chunk)
    return content


def _announced_size(request: Request) -> int:
    """Return the Content-Length in bytes, or 0 without a valid one."""
    with suppress(ValueError):
        return int(request.headers.get("Content-Length", "0"))
    return 0


def parse_json(content: bytes | bytearray) -> Any:
    """Parse strict JSON: NaN and lone surrogates, for instance, are refused."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The body is no JSON: {error}.") from None


def _check_depth(value: Any) -> None:
    if is_deeper(value, _MAX_DEPTH):
        raise bad_request(f"The JSON is nested more than {_MAX_DEPTH} levels deep.")


def _parse_form(content: bytes | bytearray) -> dict[str, str]:
    try:
        fields = parse_qsl(content.decode("utf-8"), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError as error:
        raise bad_request(f"The body is no form: {error}.") from None
    form = dict(fields)
    if len(form) < len(fields):
        raise bad_request("duplicated parameter")
    return form


async def _read_multipart(
    request: Request, kind: BodySpec, contract: ContractSpec, staging: Path, limit: _Limit
) -> dict[str, Any]:
    """Return the valid parts of a form by name: files as StagedFile, other parts parsed."""
    limit.check(_announced_size(request) - _OTHER_PARTS_LIMIT)
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
    """The part that is being received."""

    headers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    header_name: bytes = b""
    header_value: bytes = b""
    name: str = ""
    is_file: bool = False
    text: bytearray = field(default_factory=bytearray)


class _PartReceiver:
    """Parses a multipart body as it arrives.

    Args:
        boundary: The text that separates the parts.
        properties: The schema of each part.
        staging: The directory for uploaded files.
        limit: The largest size of a file.
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
        """Read the whole body, and sync the files to disk."""
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
        """Remove everything that was received."""
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
            raise too_large(f"The part {self._part.name!r} may have at most {_FIELD_LIMIT} bytes.")
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
    """Parse a part that is no file: as text if its schema is a string, else as JSON."""
    if schema.get("type") == "string":
        return text.decode("utf-8", errors="replace")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise bad_request(f"The part {name!r} is no JSON: {error}.") from None
    _check_depth(value)
    return value


def _sync_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
