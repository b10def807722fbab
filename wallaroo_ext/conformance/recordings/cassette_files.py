"""Turns recorded exchanges into cassette files: YAML that vcrpy reads, normalized, with bodies that people can read."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wallaroo_ext import contract
from wallaroo_ext._util.files.atomic_files import write_atomically
from wallaroo_ext._util.files.repository_files import repository_file
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.recordings.matching import ANY_TIME, Request, body_text, describe
from wallaroo_ext.conformance.recordings.normalization import TIME, Normalizer
from wallaroo_ext.conformance.recordings.secrets import find_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

SUFFIX = ".yaml"
LARGEST_ANSWER = 65_536
"""The size of the largest answer that can be recorded, in bytes: an answer has to be whole to be replayed."""

_FORMAT = 1
_OTHER_BREAK = re.compile("[\x85\u2028\u2029]")
"""What readers of YAML take for the end of a line, and return as a space or a line feed."""
_MODE = 0o644
_CONVERTED = {"ready", "error", None}


def _status_by_id(found: Any) -> Any:
    """Return the status of a version in the answer to a request for it by its id."""
    return object_of(object_of(object_of(found).get("model_version")).get("model_version")).get("status")


_IS_PENDING: dict[str, Callable[[Any], bool]] = {
    "get_deployment_status": lambda found: object_of(found).get("status") != "Running",
    "list_model_versions": lambda found: any(version.get("status") not in _CONVERTED for version in list_of(found)),
    "get_model_version_by_id": lambda found: _status_by_id(found) not in _CONVERTED,
    "get_assay_baseline": lambda found: not found,
}
"""Operations that clients repeat until something is done, and how their answers show that it is not done yet."""


class TooLargeError(Exception):
    """An answer is too large for a cassette."""


class SecretFoundError(Exception):
    """A cassette was not written, because it looks as if it held a secret."""


def default_directory() -> Path:
    """Return the directory of the cassettes that come with this package."""
    return repository_file("contract_tests/cassettes")


def cassette_entries(
    recorded: Sequence[tuple[Request, dict[str, Any]]], normalizer: Normalizer
) -> list[dict[str, Any]]:
    """Return the entries of a cassette (vcrpy's "interactions"), one for each recorded exchange.

    Where a client asked again and again until something was done, only the last of these exchanges is there: how often
    it asked depends on how fast the instance was.

    Args:
        recorded: Each request with its answer, without secrets.
        normalizer: The replacements of this cassette.

    Raises:
        TooLargeError: An answer is too large for a cassette.
    """
    entries: list[dict[str, Any]] = []
    for entry in [_entry(request, answer) for request, answer in recorded]:
        if entries and _is_repeated(entries[-1], entry):
            entries.pop()
        entries.append(entry)
    texts = normalizer([text for entry in entries for text in _texts(entry)])
    for entry, (uri, body, answer) in zip(entries, _triples(texts), strict=True):
        entry["request"] |= {"uri": uri, "body": body}
        if isinstance(entry["response"]["body"]["string"], str):
            entry["response"]["body"]["string"] = answer
    return entries


def _entry(request: Request, answer: dict[str, Any]) -> dict[str, Any]:
    content: bytes = answer["body"]["string"]
    if len(content) > LARGEST_ANSWER:
        raise TooLargeError(
            f"The answer to {describe(request)} has {len(content)} bytes, and a cassette keeps {LARGEST_ANSWER} at "
            f"most: let the test ask for less."
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
            "body": body_text(request.body),
        },
        "response": answer | {"body": {"string": string}},
    }


def _texts(entry: dict[str, Any]) -> list[str]:
    """Return the texts of an entry that are normalized: URI, request and answer, which is empty where it is binary."""
    answer = entry["response"]["body"]["string"]
    return [entry["request"]["uri"], entry["request"]["body"], answer if isinstance(answer, str) else ""]


def _triples(texts: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    return zip(texts[::3], texts[1::3], texts[2::3], strict=True)


def _is_repeated(entry: dict[str, Any], following: dict[str, Any]) -> bool:
    """Return whether an answer shows that something is not done yet, and the next request asks for it again."""
    if _without_times(entry["request"]) != _without_times(following["request"]):
        return False
    operation = contract.operation_at(urlsplit(str(entry["request"]["uri"])).path)
    content = entry["response"]["body"]["string"]
    is_pending = _IS_PENDING.get(operation or "")
    is_success = entry["response"]["status"]["code"] == HTTPStatus.OK
    return is_pending is not None and is_success and is_pending(json.loads(content))


def _without_times(value: Any) -> str:
    return TIME.sub(ANY_TIME, repr(value))


def cassette_text(entries: list[dict[str, Any]], width: float = 120) -> str:
    """Return a cassette as text.

    Args:
        entries: The `request` and `response` of each exchange, in vcrpy's format.
        width: The width to which long lines are folded.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as blocks."""

    def text(_: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _OTHER_BREAK.search(value) else "|" if "\n" in value else None
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    document = {"version": _FORMAT, "interactions": entries}
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=width)


def write_cassette(path: Path, entries: list[dict[str, Any]], announce: Callable[[], None] = lambda: None) -> bool:
    """Write a cassette file, whole or not at all. Returns whether it differs from the file that was there.

    Args:
        path: The file.
        entries: What is in it.
        announce: Called before anything is written.

    Raises:
        SecretFoundError: It looks as if it held a secret; nothing was written.
    """
    text = cassette_text(entries)
    found = find_secrets(cassette_text(entries, math.inf))  # a line that is folded could hide one
    if found:
        raise SecretFoundError(
            f"{path.name} was not written, it looks as if it held a secret: {'; '.join(found[:5])}. "
            f"Let wallaroo_ext/conformance/recordings/secrets.py leave it out, or the test not send it."
        )
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    announce()
    write_text(path, text)
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text file that everybody can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode(), mode=_MODE)
