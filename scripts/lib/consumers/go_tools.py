"""The tools that need Go: two generators of clients, and a comparison of contracts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.lib.consumers.java_tools import VERSION as GENERATOR
from scripts.lib.consumers.java_tools import generate
from scripts.lib.consumers.tools import ConsumerError, Tool, Workshop
from scripts.lib.regenerate import dist

if TYPE_CHECKING:
    from pathlib import Path

CODEGEN = "2.8.2"
RUNTIME = "1.6.0"
OASDIFF = "1.37.0"

_SETTINGS = """\
package: api
generate: {models: true, client: true}
output: api/api.go
output-options:
  resolve-type-name-collisions: true # a request and an answer have one name
"""


def _go(workshop: Workshop, *command: str) -> None:
    """Run Go with caches of the clone; what it downloads is checked against Go's public list of digests."""
    workshop.run("go", *command, variables=_environment(workshop))


def _environment(workshop: Workshop) -> dict[str, str]:
    kept = workshop.kept
    caches = {"GOPATH": f"{kept / 'go'}", "GOCACHE": f"{kept / 'go-build'}", "GOBIN": f"{kept / 'go-bin'}"}
    return caches | {"GOFLAGS": "-mod=mod -modcacherw -buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _installed(workshop: Workshop, package: str, version: str) -> Path:
    """Return the program of a package, built if this version is not there yet."""
    program = workshop.kept / "go-bin" / package.rpartition("/")[2]
    built = program.with_name(f"{program.name}-{version}")
    if not built.exists():
        _go(workshop, "install", f"{package}@v{version}")
        program.replace(built)
    return built


def _call(workshop: Workshop, program: str, *modules: str) -> None:
    """Build a client's program in a module of its own, vet all of it, and let it call the sandbox."""
    (workshop.directory / "go.mod").write_text("module example.com/openapi\n\ngo 1.23\n", encoding="utf-8")
    workshop.copy(f"{program}.go", "program/main.go")
    for module in modules:
        _go(workshop, "get", module)
    _go(workshop, "build", "-o", "client", "./program")
    _go(workshop, "vet", "./...")
    workshop.scene.check(workshop.call("./client"))


def _generator(workshop: Workshop) -> str:
    generate(workshop, "go", ".", "--additional-properties", "withGoMod=false")
    _call(workshop, "openapi-generator")
    return "`OperationServers = nil` for the token; writes no part of JSON: uploads by `upload_model` only"


def _codegen(workshop: Workshop) -> str:
    (workshop.directory / "settings.yaml").write_text(_SETTINGS, encoding="utf-8")
    (workshop.directory / "api").mkdir()
    program = _installed(workshop, "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen", CODEGEN)
    workshop.run(program, "-config", "settings.yaml", workshop.contract)
    _call(workshop, "oapi-codegen", f"github.com/oapi-codegen/runtime@v{RUNTIME}")
    return "needs `resolve-type-name-collisions: true`; uploads and rows go by the functions `…WithBody`"


def _oasdiff(workshop: Workshop) -> str:
    program = _installed(workshop, "github.com/oasdiff/oasdiff", OASDIFF)
    copies = [dist.DIRECTORY / f"{dist.NAME}{ending}" for ending in (".json", ".yaml")]
    if json.loads(workshop.run(program, "changelog", "--format", "json", *copies) or "[]"):
        raise ConsumerError("oasdiff finds a difference between the copies in JSON and in YAML")
    releases = [dist.DIRECTORY / f"{dist.NAME}-{release}.json" for release in ("2022.4", "2025.2")]
    found = json.loads(workshop.run(program, "changelog", "--format", "json", *releases))
    if not any(change["id"] == "endpoint-added" for change in found):
        raise ConsumerError("oasdiff finds no new operation between the first release and the newest")
    return "finds nothing between the copies in JSON and YAML, and between two releases what differs"


TOOLS = (
    Tool("openapi-generator for Go", GENERATOR, ("go", "java", "mvn"), _generator),
    Tool("oapi-codegen", CODEGEN, ("go",), _codegen),
    Tool("oasdiff", OASDIFF, ("go",), _oasdiff),
)
