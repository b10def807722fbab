"""The Keycloak that the tests run: one release, got through Maven once, and checked whenever it is unpacked."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from wallaroo_ext._util.file_lock import locked
from wallaroo_ext.auth.token_cache import default_directory

VERSION = "26.7.3"  # a release that runs on Java 17
SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
OLDEST_JAVA = 17

_NAME = f"keycloak-quarkus-dist-{VERSION}"
_ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_DOWNLOAD_SECONDS = 600.0
_NEEDS = (
    f"A real Keycloak needs Java {OLDEST_JAVA} or newer and Maven, and {{}}: install default-jre-headless and maven, "
    f"as Debian calls them."
)


class KeycloakUnavailableError(Exception):
    """This machine cannot have a Keycloak; the message says in one sentence what it lacks."""


def java() -> str:
    """Return the program that runs Java, as Keycloak's own script looks for it.

    Raises:
        KeycloakUnavailableError: There is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(os.environ.get("JAVA") or (str(Path(home, "bin", "java")) if home else "java"))
    if found is None:
        raise KeycloakUnavailableError(_NEEDS.format("there is no Java"))
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise KeycloakUnavailableError(_NEEDS.format(f"this is {said.partition(chr(10))[0] or 'no Java'}"))
    return found


def cache() -> Path:
    """Return the directory of the user's cache for Keycloak; it is made where it is missing."""
    directory = default_directory().parent / "keycloak"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def unpack(target: Path) -> None:
    """Unpack Keycloak into a directory that is not there yet, and get it through Maven before where that is necessary.

    Raises:
        KeycloakUnavailableError: It cannot be had, or what was got is something else.
    """
    with locked(cache() / "lock", _DOWNLOAD_SECONDS):
        archive = _archive()
        _check(archive)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(target.parent)
    (target.parent / f"keycloak-{VERSION}").rename(target)


def _archive() -> Path:
    """Return the archive, in a repository of Maven's form that has nothing else to do."""
    repository = cache() / "maven"
    archive = repository / "org/keycloak/keycloak-quarkus-dist" / VERSION / f"{_NAME}.zip"
    if not archive.exists():
        _get(repository)
    return archive


def _get(repository: Path) -> None:
    """Let Maven get the archive from wherever this machine's settings say."""
    maven = shutil.which("mvn")
    if maven is None:
        raise KeycloakUnavailableError(_NEEDS.format("there is no Maven"))
    goal = [f"{_PLUGIN}:get", f"-Dartifact={_ARTIFACT}", "-Dtransitive=false", f"-Dmaven.repo.local={repository}"]
    command = [maven, "--batch-mode", "--quiet", *goal]
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_DOWNLOAD_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise KeycloakUnavailableError(f"Maven did not get {_ARTIFACT} in {_DOWNLOAD_SECONDS:.0f} s.") from None
    if said.returncode:
        reason = re.search(r"^\[ERROR\] (.*)", said.stdout, re.MULTILINE)
        raise KeycloakUnavailableError(f"Maven cannot get {_ARTIFACT}: {reason[1] if reason else said.stderr.strip()}")


def _check(archive: Path) -> None:
    """See that the archive is the one that was pinned; another one is removed, so that the next run gets it anew."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        archive.unlink()
        raise KeycloakUnavailableError(
            f"What Maven gave as {_ARTIFACT} has the SHA-256 {digest} and not {SHA256}: it was removed."
        )
