"""Downloads the Keycloak of the tests through Maven, once, and verifies it whenever it is unpacked."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from wallaroo_ext._util.files.file_lock import locked
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
    """This machine cannot run a Keycloak; the message says in one sentence what it lacks."""


def java() -> str:
    """Return the path of Java, found as Keycloak's own script finds it.

    Raises:
        KeycloakUnavailableError: Java is missing or too old.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(os.environ.get("JAVA") or (str(Path(home, "bin", "java")) if home else "java"))
    if found is None:
        raise KeycloakUnavailableError(_NEEDS.format("there is no Java"))
    output = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', output)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise KeycloakUnavailableError(_NEEDS.format(f"this is {output.partition(chr(10))[0] or 'no Java'}"))
    return found


def cache() -> Path:
    """Return the user's cache directory for Keycloak, which is made if it is missing."""
    directory = default_directory().parent / "keycloak"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def unpack(target: Path) -> None:
    """Unpack Keycloak into a directory that does not exist yet, and download it before if necessary.

    Raises:
        KeycloakUnavailableError: The download failed, or gave something else, or another one does not end.
    """
    try:
        with locked(cache() / "lock", _DOWNLOAD_SECONDS):
            archive = _archive()
            _check(archive)
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(target.parent)
    except TimeoutError as error:
        raise KeycloakUnavailableError(f"Another program has been getting Keycloak for too long: {error}") from error
    (target.parent / f"keycloak-{VERSION}").rename(target)


def _archive() -> Path:
    """Return the archive in a Maven repository of its own, downloaded if it is missing."""
    repository = cache() / "maven"
    archive = repository / "org/keycloak/keycloak-quarkus-dist" / VERSION / f"{_NAME}.zip"
    if not archive.exists():
        _download(repository)
    return archive


def _download(repository: Path) -> None:
    """Download the archive with Maven, from where this machine's settings say."""
    maven = shutil.which("mvn")
    if maven is None:
        raise KeycloakUnavailableError(_NEEDS.format("there is no Maven"))
    goal = [f"{_PLUGIN}:get", f"-Dartifact={_ARTIFACT}", "-Dtransitive=false", f"-Dmaven.repo.local={repository}"]
    command = [maven, "--batch-mode", "--quiet", *goal]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_DOWNLOAD_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise KeycloakUnavailableError(f"Maven did not get {_ARTIFACT} in {_DOWNLOAD_SECONDS:.0f} s.") from None
    if done.returncode:
        reason = re.search(r"^\[ERROR\] (.*)", done.stdout, re.MULTILINE)
        raise KeycloakUnavailableError(f"Maven cannot get {_ARTIFACT}: {reason[1] if reason else done.stderr.strip()}")


def _check(archive: Path) -> None:
    """Check that the archive is the pinned one; any other is removed, so that the next run downloads it again."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        archive.unlink()
        raise KeycloakUnavailableError(
            f"What Maven gave as {_ARTIFACT} has the SHA-256 {digest} and not {SHA256}: it was removed."
        )
