"""The generators of Python code, whose clients run in an environment of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scripts.lib.consumers.java_tools import VERSION as GENERATOR
from scripts.lib.consumers.java_tools import generate
from scripts.lib.consumers.tools import HERE, Tool, Workshop

if TYPE_CHECKING:
    from pathlib import Path

_ROOT = HERE.parents[2]
_BIN = _ROOT / ".venv-consumers/bin"
_LOCK = _ROOT / "scripts/requirements/consumers.txt"


def _version(package: str) -> str:
    """Return the version of a package that the lock pins."""
    found = re.search(rf"^{package}==(\S+)", _LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def _run(workshop: Workshop, program: str) -> None:
    workshop.copy(program)
    workshop.scene.check(workshop.call(_BIN / "python", program))


def _load(workshop: Workshop, package: Path) -> None:
    """Compile a generated package, and load all of it."""
    workshop.run(_BIN / "python", "-m", "compileall", "-q", package)
    workshop.run(_BIN / "python", "-c", f"import {package.stem}")


def _generator(workshop: Workshop) -> str:
    generate(workshop, "python", ".")
    _load(workshop, workshop.directory / "openapi_client")
    _run(workshop, "openapi_generator.py")
    return "`_content_type` for rows; `ignore_operation_servers` for the token"


def _datamodel(workshop: Workshop) -> str:
    options = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel", "--output", "models.py")
    workshop.run(_BIN / "datamodel-codegen", "--input", workshop.contract, *options)
    _load(workshop, workshop.directory / "models.py")
    _run(workshop, "datamodel.py")
    return "makes models only; passwords and tokens are pydantic's `SecretStr`"


TOOLS = (
    Tool("openapi-generator for Python", GENERATOR, ("java", "mvn"), _generator),
    Tool("datamodel-code-generator", _version("datamodel-code-generator"), ("python3",), _datamodel),
)
