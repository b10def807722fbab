"""Generates the low-level client from the contract into `generated/`, or that of a release or another contract."""

from __future__ import annotations

import argparse
import filecmp
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.lib.called_from import called_path
from scripts.lib.generator.running import GenerationError, run_generator
from scripts.lib.regenerate import dist
from scripts.lib.regenerate.api_page import PACKAGE, answer_content, page, request_content
from scripts.lib.regenerate.generated_files import ForeignFilesError, GeneratedFiles, difference_lines
from wallaroo_ext import contract
from wallaroo_ext._util.files.yaml_files import line_of
from wallaroo_ext.contract_checks import ContractError

ROOT = Path(__file__).parents[3]
OWN = ROOT / "generated"
PAGE = "api.md"
PRODUCTS = (PACKAGE, PAGE)


def main() -> int:
    """Generate or compare. Returns 1 on a difference, and 2 if nothing can be generated."""
    options = parse_arguments()
    target = GeneratedFiles(options.output, PRODUCTS, is_own=is_into_own(options))
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory)
        try:
            if not options.check:
                target.check()
            generate(options.contract, options.release, made)
        except ForeignFilesError as error:
            print(error, file=sys.stderr)
            return 2
        except (OSError, ValueError, GenerationError) as error:
            print(f"No client can be made from {options.contract}: {error}", file=sys.stderr)
            return 2
        if options.check:
            code = report(differences(made, options.output), options.output)
            return report(dist.differences(), dist.DIRECTORY) or code if is_into_own(options) else code
        target.replace(made)
        if is_into_own(options):
            dist.write()
        print(f"{options.output} holds {sum(1 for _ in (options.output / PACKAGE).rglob('*.py'))} modules.")
        return 0


def is_into_own(options: argparse.Namespace) -> bool:
    """Return whether the directory is that of the repository's own client, beside which the copies for others lie."""
    return options.output.resolve() == OWN.resolve()


def is_of_own(options: argparse.Namespace) -> bool:
    """Return whether the contract is the repository's own."""
    return options.contract.resolve() == contract.path().resolve()


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/regenerate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, and exit with 1 where anything differs")
    parser.add_argument(
        "--contract", type=called_path, default=contract.path(), metavar="FILE", help="an OpenAPI 3.1 file"
    )
    parser.add_argument("--release", choices=contract.RELEASES, help="the client of one release, with its overlay")
    parser.add_argument("--output", type=called_path, default=OWN, metavar="DIR", help="the directory to write to")
    options = parser.parse_args()
    if is_into_own(options) and (options.release or not is_of_own(options)):
        kind = "all releases" if options.release else "the repository's own contract"
        parser.error(f"{OWN} is for the client of {kind}: give another directory by --output.")
    return options


def generate(source: Path, release: str | None, target: Path) -> None:
    """Generate the package with openapi-python-client, add the files that it does not write, and the page beside it."""
    document = contract.load(release, file=source)
    table = summaries(document)
    try:
        run_generator(document, target / PACKAGE)
    except ContractError as error:
        raise error.at_line(line_of(source.read_bytes(), error.keys)) from None
    (target / PACKAGE / "py.typed").touch()
    (target / PACKAGE / "operations.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    if release is None and source.resolve() == contract.path().resolve():
        write_rules(target / PACKAGE / contract.RULES)
    if release is None:
        made = {"sha256": contract.digest(source), "contract": document}
        (target / PACKAGE / contract.COPY).write_text(json.dumps(made) + "\n", encoding="utf-8")
    (target / PAGE).write_text(page(document), encoding="utf-8")


def write_rules(target: Path) -> None:
    """Write what a server of each release needs of its contract."""
    target.mkdir()
    for release in contract.RELEASES:
        rules = json.dumps(contract.rules_of(contract.load(release)), separators=(",", ":"))
        (target / f"{release}.json").write_text(rules + "\n", encoding="utf-8")


def summaries(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the content of operations.json: what clients need to know of each operation, by its id."""
    return {
        found["operationId"]: summary(document, path, method, found)
        for path, method, found in contract.operations(document)
    }


def summary(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of an operation in operations.json."""
    return {
        "summary": operation.get("summary", ""),
        "method": method.upper(),
        "path": path,
        "request_types": list(request_content(document, operation)),
        "response_types": list(answer_content(document, operation)),
        "idempotent": operation.get("x-idempotent", False),
    }


def differences(made: Path, target: Path) -> list[str]:
    """Return a line for each file that differs."""
    wanted, existing = files_of(made), files_of(target)
    return difference_lines(wanted, existing, lambda name: not filecmp.cmp(made / name, target / name, shallow=False))


def files_of(directory: Path) -> set[str]:
    """Return the products' files, relative to the directory and without Python's caches."""
    files = [path for product in PRODUCTS for path in [directory / product, *(directory / product).rglob("*")]]
    return {str(path.relative_to(directory)) for path in files if path.is_file() and "__pycache__" not in path.parts}


def report(differing: list[str], target: Path) -> int:
    """Print the differences. Returns the exit code."""
    if not differing:
        print(f"{target} is what the contract gives.")
        return 0
    print(
        f"{target} is not what the contract gives; run scripts/regenerate. {len(differing)} differences:",
        file=sys.stderr,
    )
    print("\n".join(f"  {name}" for name in differing), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
