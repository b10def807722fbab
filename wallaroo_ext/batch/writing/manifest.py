"""The record of a run over a data set, beside its output, so that a later run continues there or is refused.

It contains everything that the output depends on: the files of the input with their sizes and times, the columns, the
filter, the format of requests, and the SHA-256 of the models. Options for speed and retries may change from one run to
the next.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.batch.writing import errors_file
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from wallaroo_ext.batch.writing.storage import Storage

NAME = "_manifest.json"
_VERSION = 2


@dataclass(frozen=True, slots=True)
class PartEntry:
    """A part that is complete.

    Attributes:
        name: The name of its file; empty if all of its rows were rejected.
        first: The number of its first row among all rows.
        read: The number of rows of the input that it covers.
        scored: The number of rows in its file.
        end: The position in the input after it.
    """

    name: str
    first: int
    read: int
    scored: int
    end: Position


@dataclass(slots=True)
class Manifest:
    """The record of a run.

    Attributes:
        bound_to: What the output depends on.
        parts: The parts that are complete, in order.
        rejected: How many rows were rejected so far.
        errors_bytes: The size of the errors file when the last part was completed.
        schema: The schema of the output, serialized by Arrow, in base64; empty before the first part.
        complete: Whether the input has no more rows.
        announced: Files that the run was about to write; they belong to this run even if it was killed.
        read_as: The types of the columns of the input, as `DecidedTypes.to_json` returns them.
    """

    bound_to: dict[str, Any]
    parts: list[PartEntry] = field(default_factory=list[PartEntry])
    rejected: int = 0
    errors_bytes: int = 0
    schema: str = ""
    complete: bool = False
    announced: list[str] = field(default_factory=list[str])
    read_as: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def end(self) -> Position:
        """The position in the input after the last complete part."""
        return self.parts[-1].end if self.parts else Position(0, 0)

    @property
    def read(self) -> int:
        """The number of rows of the input that are done."""
        return self.parts[-1].first + self.parts[-1].read if self.parts else 0

    @property
    def scored(self) -> int:
        """The number of rows in the output."""
        return sum(part.scored for part in self.parts)

    def save(self, storage: Storage) -> None:
        """Write the manifest, in place of an older one."""
        content = {"version": _VERSION} | asdict(self)
        with storage.writing(NAME) as opened:
            opened.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


_OF_OLDER_RUNS = {"missing": "reject"}
"""Options that manifests of older versions do not have, with the values that runs with them go on with."""


def check_target(storage: Storage) -> None:
    """Raise InvalidDataError if the output cannot be written to a directory; nothing is written yet.

    Files whose names begin with a dot or an underscore are allowed, because readers of data sets skip them.

    Raises:
        InvalidDataError: The directory has files and no manifest, or links, or is no directory.
    """
    if storage.is_blocked():
        raise InvalidDataError(f"{storage.location} is no directory, as the scored rows need: name a new directory.")
    names = storage.names()
    others = [name for name in names if name == errors_file.NAME or not name.startswith((".", "_"))]
    if others and NAME not in names:
        raise InvalidDataError(
            f"{storage.location} has files that are of no run, such as {others[0]}: name a new directory."
        )
    links = [name for name in names if not name.startswith(".") and storage.is_link(name)]
    if links:
        raise InvalidDataError(
            f"{storage.location} has a link, {links[0]}, which is not followed: name another directory."
        )


def load(storage: Storage, bound_to: dict[str, Any]) -> Manifest:
    """Return the manifest of a directory, or a new one if there is none yet.

    Args:
        storage: The directory of the output.
        bound_to: What the output of this run depends on.

    Raises:
        InvalidDataError: The manifest is that of another run, or invalid.
    """
    content = storage.read(NAME)
    if not content and NAME not in storage.names():
        return Manifest(_through_json(bound_to))
    manifest = _read(content, storage)
    if not manifest.scored and (manifest.rejected or manifest.bound_to != _through_json(bound_to)):
        written = [*manifest.announced, *([errors_file.NAME] if manifest.errors_bytes else [])]
        return Manifest(_through_json(bound_to), announced=written)  # nothing was scored, so nothing is lost
    for name, value in _through_json(bound_to).items():
        before = manifest.bound_to.get(name, _OF_OLDER_RUNS.get(name))
        if before != value:
            raise InvalidDataError(
                f"{storage.location} has the output of another run: its {name} changed{_difference(before, value)}.",
                advice="Name another directory, or remove this one to begin anew.",
            )
    return manifest


def _through_json(bound_to: dict[str, Any]) -> dict[str, Any]:
    """Return the values as they come back from JSON."""
    return json.loads(json.dumps(bound_to))


def _read(content: bytes, storage: Storage) -> Manifest:
    try:
        fields: dict[str, Any] = json.loads(content)
        if fields.pop("version") != _VERSION:
            raise InvalidDataError(f"{storage.location} was written by another version of this package.")
        fields["parts"] = [PartEntry(**part | {"end": Position(*part["end"])}) for part in fields["parts"]]
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidDataError(f"{storage.shown(NAME)} is no manifest: {error}") from error


def _difference(before: Any, now: Any) -> str:
    """Return the earlier and the present value for a message; nothing if they are too long for one."""
    then, present = (json.dumps(each, ensure_ascii=False) for each in (before, now))
    longest = 200
    return "" if len(then) + len(present) > longest else f" from {then} to {present}"
