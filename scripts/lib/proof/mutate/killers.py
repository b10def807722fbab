"""Which test noticed each change the last time: it is asked first, without a measurement of what tests reach.

It has to notice the change again, and to pass without it, like any other test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from scripts.lib.proof.mutate.changes import Change

FILE = "scripts/lib/proof/mutate/killers.json"


class Killers:
    """The tests that noticed changes, by the names of the changes.

    Args:
        root: The repository's root.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / FILE
        self._tests: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}

    def of(self, change: Change) -> str | None:
        """Return the test that noticed a change; None if none did, or if its file is gone."""
        test = self._tests.get(change.name)
        return test if test and (self._root / test.partition("::")[0]).is_file() else None

    def remember(self, outcomes: Mapping[Change, Mapping[str, Any]], possible: Collection[str]) -> None:
        """Write down which tests noticed the changes of a run; those of other changes stay, if these are possible."""
        judged = {change.name for change in outcomes}
        tests = {name: test for name, test in self._tests.items() if name in possible and name not in judged}
        for change, outcome in outcomes.items():
            if outcome["outcome"] in {"noticed", "timed out"} and outcome["test"]:
                tests[change.name] = outcome["test"]
        text = json.dumps(dict(sorted(tests.items())), indent=0, ensure_ascii=False)
        self._file.write_text(f"{text}\n", encoding="utf-8")
