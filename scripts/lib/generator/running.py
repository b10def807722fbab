"""Runs openapi-python-client in this process, on a contract that it understands, and checks what it made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from jinja2 import BytecodeCache
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.strings import PythonIdentifier

from scripts.lib.generator.checks import check_given, check_parsed, kinds_of
from scripts.lib.generator.given import given_document
from scripts.lib.generator.mending import mend
from wallaroo_ext import contract
from wallaroo_ext.contract_checks import ContractError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from jinja2.bccache import Bucket

ROOT = Path(__file__).parents[3]
_OPERATION = re.compile(r"(?:parsing|parse) ([A-Z]+) (\S+) within")
_SCHEMA = re.compile(r"/components/schemas/([^\s/]+)|Unable to process schema /?(?:components/schemas/)?([^\s:]+)")
_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_IMPORTS = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
package = importlib.import_module(sys.argv[2])
for found in pkgutil.walk_packages(package.__path__, sys.argv[2] + "."):
    importlib.import_module(found.name)
"""


class GenerationError(Exception):
    """The generator refused the contract, or had something to warn of."""


class _CompiledTemplates(BytecodeCache):
    """Keeps the generator's templates compiled, for further clients that this process makes."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template's code, if its source was compiled before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's code."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_TEMPLATES = _CompiledTemplates()


def run_generator(document: dict[str, Any], target: Path) -> None:
    """Make the package of a contract.

    Args:
        document: The contract, as `contract.load` returns it.
        target: The package's directory, which is made.

    Raises:
        ContractError: The generator would drop a part of the contract, or get it wrong, or refuses it.
        GenerationError: It failed otherwise, or what it made cannot be imported.
    """
    check_given(document)
    given = given_document(document)
    file = ConfigFile.load_from_path(ROOT / "openapi/generator.yaml")
    config = Config.from_sources(
        file, MetaType.NONE, Path("contract.json"), "utf-8", overwrite=False, output_path=target
    )
    try:
        parsed = GeneratorData.from_dict(given, config=config)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise GenerationError(f"openapi-python-client fails at it: {_one_line(str(error))}") from None
    if isinstance(parsed, GeneratorError):
        raise GenerationError(_one_line(f"{parsed.header}: {parsed.detail}"))
    _raise_first(
        given, [*parsed.errors, *(e for c in parsed.endpoint_collections_by_tag.values() for e in c.parse_errors)]
    )
    mend(parsed, config)
    check_parsed(parsed, given)
    project = Project(
        openapi=parsed, config=evolve(config, post_hooks=[]), custom_template_path=ROOT / "openapi/templates"
    )
    project.env.globals.update(delimiters=delimiters_of(given))  # pyright: ignore[reportUnknownMemberType] - jinja2's
    project.env.bytecode_cache = _TEMPLATES
    with redirect_stdout(StringIO()):
        errors = project.build()
    _raise_first(given, errors)
    for command in config.post_hooks:
        _run(command.split(), target)
    _run([sys.executable, "-I", "-c", _IMPORTS, str(target.parent), target.name], target)


def delimiters_of(given: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return what stands between the values of lists in the query that are one text, by operation and parameter."""
    found: dict[str, dict[str, str]] = {}
    for path, _, operation in contract.operations(given):
        name = str(PythonIdentifier(operation["operationId"], "field_"))
        for each in (*given["paths"][path].get("parameters", ()), *operation.get("parameters", ())):
            style = each.get("style", "form")
            is_list = each["in"] == "query" and "array" in kinds_of(given, each["schema"])
            if is_list and not each.get("explode", style == "form"):
                found.setdefault(name, {})[each["name"]] = _DELIMITERS[style]
            else:
                found.get(name, {}).pop(each["name"], None)
    return found


def _raise_first(given: dict[str, Any], errors: Sequence[GeneratorError]) -> None:
    """Raise the first of the generator's errors, with its place where it names one."""
    for error in errors:
        text = _one_line(f"{error.header} {error.detail or ''}")
        raise ContractError(_keys(given, text), f"openapi-python-client cannot make code of it: {text}")


def _keys(given: dict[str, Any], text: str) -> tuple[str, ...]:
    if found := _OPERATION.search(text):
        return "paths", found[2], found[1].lower()
    schemas = given.get("components", {}).get("schemas", {})
    names = [one or other for one, other in _SCHEMA.findall(text)]
    return next((("components", "schemas", name) for name in names if name in schemas), ())


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _run(command: list[str], directory: Path) -> None:
    """Run a command on the made package, with the pinned ruff before any other.

    Raises:
        GenerationError: It failed.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = os.environ | {"PATH": path, "RUFF_NO_CACHE": "true", "NO_COLOR": "1"}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
    if command[0] == "ruff":
        command = [str(Path(sys.executable).parent / "ruff"), *command[1:]]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise GenerationError(f"What openapi-python-client made of it is no good code: {_one_line(' '.join(last))}")
