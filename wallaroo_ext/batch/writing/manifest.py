"""What a run over a data set has done, beside its output: a later run goes on there, or is refused.

It is bound to what the output depends on: the input's files with their sizes and times, the columns, the filter, the
form of requests, and the SHA-256 of the models. How fast and how patiently a run works may change from one run to the
next.
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
        name: Its file.
        first: The number of its first row among all rows.
        read: How many rows of the input it stands for.
        scored: How many rows it has.
        end: Where the input goes on after it.
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
        errors_bytes: How long the errors file was then.
        schema: The output's schema, in base64 of Arrow's form; empty before the first part.
        complete: Whether the input has no more rows.
        announced: The files that were about to be put in their places: ours, whether they are there or not.
        read_as: The types that were decided for the input's columns, and what else `data_set.Decided` has.
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
        """Where the input goes on."""
        return self.parts[-1].end if self.parts else Position(0, 0)

    @property
    def read(self) -> int:
        """How many rows of the input are done."""
        return self.parts[-1].first + self.parts[-1].read if self.parts else 0

    @property
    def scored(self) -> int:
        """How many rows are in the output."""
        return sum(part.scored for part in self.parts)

    def save(self, storage: Storage) -> None:
        """Write it, in place of the one that is there."""
        content = {"version": _VERSION} | asdict(self)
        with storage.writing(NAME) as opened:
            opened.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def check_target(storage: Storage) -> None:
    """Refuse a directory that has files and no manifest, before anything is written there.

    Names that begin as those do which readers of data sets pass over are left alone, unless they are ours.

    Raises:
        InvalidDataError: It has such files, or links, or is no directory.
    """
    if storage.is_other_than_directory():
        raise InvalidDataError(f"{storage.place} is no directory, as the scored rows need: name a new directory.")
    names = storage.names()
    others = [name for name in names if name == errors_file.NAME or not name.startswith((".", "_"))]
    if others and NAME not in names:
        raise InvalidDataError(
            f"{storage.place} has files that are of no run, such as {others[0]}: name a new directory."
        )
    links = [name for name in names if not name.startswith(".") and storage.is_link(name)]
    if links:
        raise InvalidDataError(
            f"{storage.place} has a link, {links[0]}, which is not followed: name another directory."
        )


def load(storage: Storage, bound_to: dict[str, Any]) -> Manifest:
    """Return the manifest of a directory, or a new one where there is none yet.

    Args:
        storage: The output's directory.
        bound_to: What the output of this run depends on.

    Raises:
        InvalidDataError: The one that is there is of another run, or none.
    """
    content = storage.read(NAME)
    if not content and NAME not in storage.names():
        return Manifest(_plain(bound_to))
    manifest = _read(content, storage)
    if not manifest.scored and (manifest.rejected or manifest.bound_to != _plain(bound_to)):
        written = [*manifest.announced, *([errors_file.NAME] if manifest.errors_bytes else [])]
        return Manifest(_plain(bound_to), announced=written)  # nothing is lost where nothing was scored
    for name, value in _plain(bound_to).items():
        if manifest.bound_to.get(name) != value:
            raise InvalidDataError(
                f"{storage.place} has the output of another run: its {name} {_difference(manifest, name, value)}.",
                advice="Name another directory, or remove this one to begin anew.",
            )
    return manifest


def _plain(bound_to: dict[str, Any]) -> dict[str, Any]:
    """As JSON gives it back."""
    return json.loads(json.dumps(bound_to))


def _read(content: bytes, storage: Storage) -> Manifest:
    try:
        fields: dict[str, Any] = json.loads(content)
        if fields.pop("version") != _VERSION:
            raise InvalidDataError(f"{storage.place} was written by another version of this package.")
        fields["parts"] = [PartEntry(**part | {"end": Position(*part["end"])}) for part in fields["parts"]]
        return Manifest(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidDataError(f"{storage.path(NAME)} is no manifest: {error}") from error


def _difference(manifest: Manifest, name: str, value: Any) -> str:
    """Return what was and what is, where that fits into a sentence."""
    before, now = (json.dumps(each, ensure_ascii=False) for each in (manifest.bound_to.get(name), value))
    longest = 200
    return "differ" if len(before) + len(now) > longest else f"were {before}, and now are {now}"
