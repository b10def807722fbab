"""Writes how each operation of the contract is known on each release: recorded, observed or assumed."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from scripts.lib.evidence.recordings import VARIABLE, inference_files, recordings, recordings_directory, release_of
from scripts.lib.evidence.sample import sample
from scripts.lib.written_tables import write_or_check
from wallaroo_ext import contract

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "openapi/releases/evidence.md"
NOT_THERE = "not there"

_DOCUMENTS = ROOT / "contract_tests/documents/recordings"
OF_DOCUMENTS = {
    "external-inference-url-tutorial": "2022.4",
    "api-essentials-guide": "2023.1",
    "mlops-api-tutorial": "2023.2",
    "pipeline-management-guide": "2023.4",
    "pipeline-management-tutorial": "2023.4",
}
"""The releases that the documents are of."""

_FIRST_WITH_PIPELINE_IN_URL = "2023.2"
_ABOUT = """\
# What is known of each release

How each operation is known on each release, written by `scripts/evidence`:

- **recorded** *n* times, in the documents and with real servers. A server between two counts for the later one;
- **observed**: published clients of the vendor call it, and the release has no recording of it;
- **assumed**: the contract has it from other releases;
- **not there**: the release does not have it, by its overlay.

"""


def main() -> int:
    """Write or compare the table, or show a sample. Returns 1 if it differs, 2 if there are no recordings for it."""
    options = parse_arguments()
    if options.sample:
        print(sample(options.sample, options.seed))
        return 0
    if recordings_directory() is None:
        print(f"There are no recordings of real servers here: name their directory by {VARIABLE}.", file=sys.stderr)
        return 2
    return write_or_check(TABLE, page(), [], script="scripts/evidence", check=options.check)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/evidence", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, and exit with 1 where the table differs")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="show N entries of the evidence, each with the section that it names"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="SEED", help="another number draws other entries")
    return parser.parse_args()


def page() -> str:
    """Return the content of the file."""
    counts = recorded()
    lines = [f"| operation | {' | '.join(contract.RELEASES)} |", f"| --- |{' --- |' * len(contract.RELEASES)}"]
    for operation in contract.operation_ids():
        cells = [cell(operation, release, counts[operation, release]) for release in contract.RELEASES]
        lines.append(f"| `{operation}` | {' | '.join(cells)} |")
    return f"{_ABOUT}{chr(10).join(lines)}\n\n{source()}\n"


def source() -> str:
    """Return a line that says which recordings these are."""
    names = [found.name for found in recordings()] + [file.name for file in inference_files("")]
    digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
    return f"Made from the documents and {len(names)} recordings, the SHA-256 of whose names is `{digest}`."


def cell(operation: str, release: str, count: int) -> str:
    """Return how an operation is known on a release."""
    if operation not in operations_of(release):
        return NOT_THERE
    if count:
        return f"recorded {count}"
    kinds = {entry["kind"] for entry in operations_of(None)[operation]["x-evidence"]}
    return "observed" if "observed" in kinds else "assumed"


def recorded() -> Counter[tuple[str, str]]:
    """Return how many exchanges of each operation were recorded on each release."""
    at = {path: operation["operationId"] for path, _, operation in contract.operations(_document(None))}
    found = Counter((at[each.path], each.release) for each in recordings() if each.path in at)
    found.update((_inference_on(release), release) for release in map(release_of, _names_of_inferences()))
    for file in _DOCUMENTS.glob("*.json"):
        for exchange in json.loads(file.read_text(encoding="utf-8"))["exchanges"]:
            if exchange["response"].get("shown", True):
                found[exchange["operation"], OF_DOCUMENTS[file.stem]] += 1
    return found


def _names_of_inferences() -> list[str]:
    """Return the names of the answers of deployments; those of engines that run alone have no URL of the instance."""
    return [file.name for file in inference_files("") if "-edge-" not in file.name]


def _inference_on(release: str) -> str:
    return "infer_pipeline" if release >= _FIRST_WITH_PIPELINE_IN_URL else "infer_deployment"


@cache
def operations_of(release: str | None) -> dict[str, dict[str, Any]]:
    """Return the operations of a release, or of the contract, by their ids."""
    return {found["operationId"]: found for _, _, found in contract.operations(_document(release))}


@cache
def _document(release: str | None) -> dict[str, Any]:
    return contract.load(release)


if __name__ == "__main__":
    sys.exit(main())
