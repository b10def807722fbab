"""The whole day, and the program that lives it: in an environment with the SDK, on a sandbox.

Its arguments are the SDK's release and a directory with the models' files. It writes a line of JSON for each call: its
name, and `works`, `absent`, or what went wrong. The SDK prints, so its standard output goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.vendor.day.assays import ASSAYS, EVENING
from contract_tests.vendor.day.calls import Day
from contract_tests.vendor.day.elsewhere import ELSEWHERE
from contract_tests.vendor.day.inference import INFERENCE
from contract_tests.vendor.day.logs import LOGS
from contract_tests.vendor.day.models import MODELS
from contract_tests.vendor.day.people import PEOPLE
from contract_tests.vendor.day.pipelines import PIPELINES, STEPS
from contract_tests.vendor.day.tags import TAGS

if TYPE_CHECKING:
    from contract_tests.vendor.day.calls import Call

WHOLE: list[Call] = [*PEOPLE, *MODELS, *PIPELINES, *INFERENCE, *LOGS, *TAGS, *STEPS, *ASSAYS, *ELSEWHERE, *EVENING]
"""The calls, in order."""


def outcome(call: Call, day: Day) -> dict[str, Any]:
    """Make a call, and return what became of it."""
    if call.is_absent():
        return {"outcome": "absent"}
    try:
        call.run(day)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
        return {"outcome": f"{type(error).__name__}: {str(error)[:2000]}", "trace": traceback.format_exc()[-8000:]}
    return {"outcome": "works"}


def main() -> None:
    """Live the day, and write what becomes of each call."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    day = Day(sys.argv[1], os.environ, Path(sys.argv[2]))
    for call in WHOLE:
        print(json.dumps({"name": call.name, "does": call.does, **outcome(call, day)}), file=results, flush=True)


if __name__ == "__main__":
    main()
