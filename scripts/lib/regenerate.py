"""Makes the low-level client from the contract: `generated/`, or `DIR` from a contract of one's own."""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from wallaroo_ext import contract
from wallaroo_ext.json_values import object_of

ROOT = Path(__file__).parents[2]
PACKAGE = "wallaroo_mlops_client"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def main() -> int:
    """Generate, or compare; exit with 1 on a difference and with 2 when nothing can be generated."""
    options = parse_arguments()
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory) / PACKAGE
        try:
            generate(options.contract, made)
        except (OSError, ValueError, GenerationError) as error:
            print(f"No client can be made from {options.contract}: {error}", file=sys.stderr)
            return 2
        target = options.output / PACKAGE
        if options.check:
            return report(differences(made, target), target)
        replace(made, target)
        print(f"{target} holds {sum(1 for _ in target.rglob('*.py'))} modules.")
        return 0


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/regenerate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, and exit with 1 where anything differs")
    parser.add_argument("--contract", type=Path, default=contract.path(), metavar="FILE", help="an OpenAPI 3.1 file")
    parser.add_argument("--output", type=Path, default=ROOT / "generated", metavar="DIR", help="where the package goes")
    return parser.parse_args()


class GenerationError(Exception):
    """The generator refused the contract, or had something to warn of."""


def generate(source: Path, target: Path) -> None:
    """Run openapi-python-client, and add what it does not write."""
    table = operations(contract.load(source))
    command = [
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--path",
        str(source),
        "--output-path",
        str(target),
    ]
    command += ["--config", str(ROOT / "openapi/generator.yaml"), "--meta", "none", "--fail-on-warning"]
    command += ["--custom-template-path", str(ROOT / "openapi/templates")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # the pinned ruff before any other
    environment = os.environ | {"PATH": path, "RUFF_NO_CACHE": "true", "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise GenerationError(f"{done.stdout}{done.stderr}".strip())
    (target / "py.typed").touch()
    (target / "operations.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def operations(document: Any) -> dict[str, dict[str, Any]]:
    """What clients need to know of each operation, by its id."""
    root = object_of(document)
    if "paths" not in root:
        raise ValueError("it is no OpenAPI document, it has no paths.")
    table: dict[str, dict[str, Any]] = {}
    for path, item in root["paths"].items():
        for method in METHODS:
            if method in item:
                table[item[method]["operationId"]] = summary(root, path, item[method])
    return table


def summary(document: dict[str, Any], path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """One row of operations.json."""
    body = resolve(document, operation.get("requestBody", {}))
    success = [resolve(document, answer) for status, answer in operation["responses"].items() if status.startswith("2")]
    return {
        "path": path,
        "request_types": list(body.get("content", {})),
        "response_types": list(dict.fromkeys(kind for answer in success for kind in answer.get("content", {}))),
        "idempotent": operation.get("x-idempotent", False),
    }


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for; the value itself where it is none."""
    while "$ref" in value:
        reference: str = value["$ref"]
        value = document
        for key in reference.removeprefix("#/").split("/"):
            value = value[key]
    return value


def differences(made: Path, target: Path) -> list[str]:
    """The files that differ, in names relative to the package."""
    wanted, found = files_of(made), files_of(target)
    changed = [name for name in sorted(wanted & found) if not filecmp.cmp(made / name, target / name, shallow=False)]
    return [
        *(f"{name} is missing" for name in sorted(wanted - found)),
        *(f"{name} is not made from the contract" for name in sorted(found - wanted)),
        *(f"{name} differs" for name in changed),
    ]


def files_of(directory: Path) -> set[str]:
    """The names of the package's files; Python's caches are none of them."""
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def report(found: list[str], target: Path) -> int:
    """Say what differs."""
    if not found:
        print(f"{target} is what the contract gives.")
        return 0
    print(
        f"{target} is not what the contract gives; run scripts/regenerate. {len(found)} differences:", file=sys.stderr
    )
    print("\n".join(f"  {name}" for name in found), file=sys.stderr)
    return 1


def replace(made: Path, target: Path) -> None:
    """Put the new package in the place of the old one, so that it is never half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(made, fresh)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
