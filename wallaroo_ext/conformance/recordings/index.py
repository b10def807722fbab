"""`recording.json`: which instance the cassettes of a directory were recorded from, and which tests have none."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.recordings.cassette_files import SUFFIX, write_text

if TYPE_CHECKING:
    from pathlib import Path

FILE = "recording.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a cassette.

    Attributes:
        instance: `sandbox` or `live`.
        release: The instance's release; `unknown` where nobody gave it.
        contract: The contract's version at that time.
        contract_sha256: The SHA-256 of the contract's file at that time, in hexadecimal.
        date: The day of the recording, in UTC.
    """

    instance: str
    release: str
    contract: str
    contract_sha256: str
    date: str

    @staticmethod
    def today(instance: str, release: str) -> Origin:
        """Return the origin of a cassette that is recorded now."""
        version = str(contract.load()["info"]["version"])
        return Origin(instance, release, version, contract.digest(contract.path()), f"{datetime.now(UTC):%Y-%m-%d}")


class NotRecordedHereError(Exception):
    """A directory has files that were not recorded there; the message says what to do."""


class Index:
    """The content of the file. It is written by `save`.

    Args:
        directory: The directory of the cassettes.

    Attributes:
        cassettes: The origin of each cassette, by its test.
        not_recorded: Why there is no cassette, by test.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / FILE
        found = _read(self._path)
        self.cassettes: dict[str, dict[str, str]] = object_of(found.get("cassettes"))
        self.not_recorded: dict[str, str] = object_of(found.get("not_recorded"))

    def check(self) -> None:
        """Check that every cassette of the directory was recorded there, so that no other file is replaced.

        Raises:
            NotRecordedHereError: A file has the name of a cassette and is none, or the directory has only other files.
        """
        if not self._directory.exists():
            return
        found = sorted(entry.name for entry in self._directory.iterdir())
        if found and not self._is_ours():
            raise NotRecordedHereError(
                f"{self._directory} has files, and no {FILE} that says that cassettes were recorded there: name a new "
                f"directory."
            )
        for name in found:
            path = self._directory / name
            is_ours = name == FILE or name.removesuffix(SUFFIX) in self.cassettes
            if (name.endswith(SUFFIX) or name == FILE) and (path.is_symlink() or not is_ours):
                raise NotRecordedHereError(
                    f"{path} was not recorded there: move it elsewhere, or name another directory."
                )

    def _is_ours(self) -> bool:
        """Return whether the file that was read is one that `save` wrote."""
        names = {each.name for each in fields(Origin)}
        entries = self.cassettes.values()
        return bool(self.cassettes or self.not_recorded) and all(set(object_of(entry)) == names for entry in entries)

    def announce(self, test: str, origin: Origin) -> None:
        """Note that a cassette is ours, before it is written for the first time."""
        if test not in self.cassettes:
            self.cassettes[test] = asdict(origin)
            self.save()

    def add_cassette(self, test: str, origin: Origin, *, is_new: bool) -> None:
        """Note a cassette; an unchanged cassette keeps its date."""
        entry, old = asdict(origin), self.cassettes.get(test)
        self.not_recorded.pop(test, None)
        if is_new or old is None or old | {"date": ""} != entry | {"date": ""}:
            self.cassettes[test] = entry

    def add_skipped(self, test: str, reason: str) -> None:
        """Note that a test has no cassette, unless an earlier recording gave it one."""
        if test not in self.cassettes:
            self.not_recorded[test] = reason

    def save(self) -> None:
        """Write the file."""
        content = {
            "cassettes": dict(sorted(self.cassettes.items())),
            "not_recorded": dict(sorted(self.not_recorded.items())),
        }
        write_text(self._path, json.dumps(content, indent=2) + "\n")


def _read(path: Path) -> dict[str, Any]:
    """Return what is in the file; nothing where it is missing, or not ours."""
    try:
        return object_of(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return {}
