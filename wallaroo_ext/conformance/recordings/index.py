"""`recording.json`: what the cassettes of a directory were recorded from, and which tests have none."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.files import write_whole
from wallaroo_ext.json_values import object_of

if TYPE_CHECKING:
    from pathlib import Path

FILE = "recording.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a cassette was recorded from.

    Attributes:
        instance: `sandbox` or `live`.
        release: The instance's release; `unknown` where nobody said it.
        contract: The contract's version then.
        contract_sha256: The SHA-256 of the contract's file then, in hexadecimal.
        date: The day, in UTC.
    """

    instance: str
    release: str
    contract: str
    contract_sha256: str
    date: str

    @staticmethod
    def today(instance: str, release: str) -> Origin:
        """The origin of what is recorded now."""
        content = contract.path().read_bytes()
        version = str(contract.load()["info"]["version"])
        return Origin(instance, release, version, hashlib.sha256(content).hexdigest(), f"{datetime.now(UTC):%Y-%m-%d}")


class Index:
    """The file, as it is and as it is going to be.

    Args:
        directory: The directory of the cassettes.

    Attributes:
        cassettes: The origin of each cassette, by its test.
        not_recorded: Why there is no cassette, by test.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        found: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8")) if self._path.is_file() else {}
        self.cassettes: dict[str, dict[str, str]] = object_of(found.get("cassettes"))
        self.not_recorded: dict[str, str] = object_of(found.get("not_recorded"))

    def recorded(self, test: str, origin: Origin, *, is_new: bool) -> None:
        """Note a cassette; one that came out as it was before keeps its date."""
        entry, old = asdict(origin), self.cassettes.get(test)
        self.not_recorded.pop(test, None)
        if is_new or old is None or old | {"date": ""} != entry | {"date": ""}:
            self.cassettes[test] = entry

    def skipped(self, test: str, reason: str) -> None:
        """Note that a test has no cassette, unless an earlier recording gave it one."""
        if test not in self.cassettes:
            self.not_recorded[test] = reason

    def save(self) -> None:
        """Write the file."""
        content = {
            "cassettes": dict(sorted(self.cassettes.items())),
            "not_recorded": dict(sorted(self.not_recorded.items())),
        }
        write_whole(self._path, json.dumps(content, indent=2) + "\n")
