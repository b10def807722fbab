"""openapi-generator, which comes through Maven and needs Java, with its clients for Java and for TypeScript."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from scripts.lib.consumers.node_tools import make_project, type_check_and_call
from scripts.lib.consumers.tools import ConsumerError, Tool, Workshop

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "7.25.0"
SHA256 = "41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae"
_ARTIFACT = f"org.openapitools:openapi-generator-cli:{VERSION}"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_QUIET = ("--batch-mode", "--quiet")
_NO_DOCUMENTS = "apiDocs=false,modelDocs=false,apiTests=false,modelTests=false"


def generate(workshop: Workshop, language: str, target: str, *options: str) -> None:
    """Generate a client into a directory below the tool's own; the contract is validated before.

    Raises:
        ConsumerError: openapi-generator cannot be had, or refuses the contract.
    """
    jar = _generator(workshop)
    command = ("generate", "--input-spec", workshop.contract, "--generator-name", language, "--output", target)
    workshop.run("java", "-jar", jar, *command, "--global-property", _NO_DOCUMENTS, *options)


def _generator(workshop: Workshop) -> Path:
    """Return the program's file, which is downloaded once and has to be the pinned one."""
    jar = workshop.kept / f"openapi-generator-cli-{VERSION}.jar"
    if not jar.exists():
        directory = workshop.directory / "downloaded"
        workshop.run(
            "mvn",
            *_QUIET,
            _repository(workshop),
            f"{_PLUGIN}:copy",
            f"-Dartifact={_ARTIFACT}",
            f"-DoutputDirectory={directory}",
        )
        (directory / jar.name).replace(jar)
    with jar.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        jar.unlink()
        raise ConsumerError(f"what Maven gave as {_ARTIFACT} has the SHA-256 {digest} and not {SHA256}: it was removed")
    return jar


def _repository(workshop: Workshop) -> str:
    return f"-Dmaven.repo.local={workshop.kept / 'maven'}"


def _java(workshop: Workshop) -> str:
    generate(workshop, "java", ".", "--additional-properties", "hideGenerationTimestamp=true")
    workshop.copy("Main.java", "src/main/java/Main.java")
    skipped = ("-Dmaven.test.skip", "-Dmaven.javadoc.skip", "-Dmaven.source.skip")
    classpath = (f"{_PLUGIN}:build-classpath", "-Dmdep.outputFile=classpath.txt")
    workshop.run("mvn", *_QUIET, _repository(workshop), *skipped, "compile", *classpath)
    libraries = (workshop.directory / "classpath.txt").read_text(encoding="utf-8").strip()
    workshop.scene.check(workshop.call("java", "-classpath", f"target/classes:{libraries}", "Main"))
    return "the default library, `okhttp-gson`; `setCustomBaseUrl` for the token; `native` does not compile"


def _typescript(workshop: Workshop) -> str:
    make_project(workshop)
    options = ("--additional-properties", "importFileExtension=.js,modelPropertyNaming=original")
    generate(workshop, "typescript-fetch", "generated/openapi-generator", *options)
    type_check_and_call(workshop, "openapi-generator")
    return "`importFileExtension=.js` for modules of Node, `modelPropertyNaming=original` for the API's own names"


TOOLS = (
    Tool("openapi-generator for Java", VERSION, ("java", "mvn"), _java),
    Tool("openapi-generator for TypeScript", VERSION, ("java", "mvn", "node", "npm"), _typescript),
)
