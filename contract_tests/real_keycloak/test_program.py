"""Does `scripts/keycloak` run and end as it should, and what does it say on a machine that cannot run it?"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from contract_tests.support.documentation import ROOT, blocks, guide
from contract_tests.support.real_keycloak import REQUIRED
from scripts.lib.keycloak import archive
from scripts.lib.keycloak.archive import SHA256, VERSION, KeycloakUnavailableError
from wallaroo_ext._util.files.file_lock import locked
from wallaroo_ext.sandbox.process import read_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

PROGRAMS = ("keycloak/run.py", "congruence/tokens.py")
JAVA = "echo 'openjdk version \"{}\" 2026-01-01' >&2"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return a function that makes the environment of a machine with only some programs and an empty cache."""
    directory = tmp_path / "bin"
    directory.mkdir()

    def make(**programs: str) -> dict[str, str]:
        for name, script in programs.items():
            (directory / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (directory / name).chmod(0o755)
        left_out = {"JAVA", "JAVA_HOME", REQUIRED}
        outside = {name: value for name, value in os.environ.items() if name not in left_out}
        return outside | {"PATH": str(directory), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    return make


def sentence(program: str, environment: dict[str, str], *arguments: str, code: int = 2) -> str:
    """Run a program that has to end with a code. Returns the line that it printed on standard error."""
    command = [sys.executable, str(ROOT / "scripts" / "lib" / program), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (code, ""), done
    [line] = [line for line in done.stderr.splitlines() if line.strip()]
    return line


@pytest.mark.parametrize("program", PROGRAMS)
class TestAMachineWithout:
    def test_java(self, program: str, machine: Callable[..., dict[str, str]]) -> None:
        line = sentence(program, machine())
        assert line.startswith("A real Keycloak needs Java 17 or newer and Maven, and there is no Java: install ")

    @pytest.mark.parametrize("version", ["11.0.2", "1.8.0_292"])
    def test_a_java_that_is_new_enough(
        self, program: str, machine: Callable[..., dict[str, str]], version: str
    ) -> None:
        line = sentence(program, machine(java=JAVA.format(version)))
        assert f'and this is openjdk version "{version}" 2026-01-01: install ' in line

    def test_maven(self, program: str, machine: Callable[..., dict[str, str]]) -> None:
        assert "and there is no Maven: install " in sentence(program, machine(java=JAVA.format("17.0.1")))


def test_a_port_that_is_taken_and_one_that_is_none(machine: Callable[..., dict[str, str]]) -> None:
    environment = machine(java=JAVA.format("17.0.1"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        line = sentence(PROGRAMS[0], environment, "--port", str(port), code=1)
    assert line == f"Keycloak cannot listen on port {port}: Address already in use."
    line = sentence(PROGRAMS[0], environment, "--port", "65536", code=1)
    assert line == "Keycloak cannot listen on port 65536: it is not a port."


class TestAnArchive:
    def test_that_maven_cannot_get(self, machine: Callable[..., dict[str, str]]) -> None:
        maven = "echo '[ERROR] Nothing is to be had.'; echo '[ERROR] more'; exit 1"
        line = sentence(PROGRAMS[0], machine(java=JAVA.format("21"), mvn=maven))
        artifact = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
        assert line == f"Maven cannot get {artifact}: Nothing is to be had."

    def test_that_is_another_one_is_not_unpacked_and_not_kept(
        self, machine: Callable[..., dict[str, str]], tmp_path: Path
    ) -> None:
        place = tmp_path / "cache/wallaroo-ext/keycloak/maven/org/keycloak/keycloak-quarkus-dist" / VERSION
        file = place / f"keycloak-quarkus-dist-{VERSION}.zip"
        place.mkdir(parents=True)
        maven = f"printf x > {file}"
        line = sentence(PROGRAMS[0], machine(java=JAVA.format("17.0.1"), mvn=maven))
        x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        assert f"has the SHA-256 {x} and not {SHA256}: it was removed." in line
        assert not file.exists()

    def test_that_another_program_is_getting_for_too_long(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "cache", lambda: tmp_path)
        monkeypatch.setattr(archive, "_DOWNLOAD_SECONDS", 0.1)
        held = pytest.raises(KeycloakUnavailableError, match="Another program has been getting Keycloak for too long")
        with locked(tmp_path / "lock", 1), held:
            archive.unpack(tmp_path / "keycloak")


@pytest.mark.slow
class TestTheTests:
    """The tests of this directory on a machine without a Keycloak."""

    TEST = "contract_tests/real_keycloak/test_token_endpoint.py"

    def run(self, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", self.TEST]
        return subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )

    def test_they_are_skipped_with_the_sentence(self, machine: Callable[..., dict[str, str]]) -> None:
        done = self.run(machine())
        assert done.returncode == 0
        assert "1 skipped" in done.stdout
        assert "there is no Java: install default-jre-headless and maven" in done.stdout

    def test_they_fail_where_it_is_required(self, machine: Callable[..., dict[str, str]]) -> None:
        done = self.run(machine() | {REQUIRED: "1"})
        assert done.returncode == 1
        assert "1 error" in done.stdout
        assert "there is no Java: install default-jre-headless and maven" in done.stdout


@contextmanager
def started(line: str, temporary: Path, file: Path) -> Generator[subprocess.Popen[str]]:
    """Run a shell line until it has written a file. Yields the process, which gets Ctrl-C at the end of the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")}
    with subprocess.Popen(
        ["/bin/sh", "-c", line],
        cwd=ROOT,
        env=environment | {"TMPDIR": str(temporary), "KC_HTTP_RELATIVE_PATH": "/elsewhere"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _wait_for(file, process)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)


def _wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while not file.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("keycloak")  # so that this test is skipped where there is none
def test_the_lines_of_the_guide_run_and_leave_nothing(tmp_path: Path) -> None:
    temporary, env_file = tmp_path / "temporary", tmp_path / "keycloak.env"
    temporary.mkdir()
    [block] = [block for block in blocks(guide("sign-in"), "sh") if "keycloak.env" in block.code]
    first, second, third = re.sub(r"(?:\./)?(\w+\.env)", rf"{tmp_path}/\1", block.code).splitlines()
    with (
        started(f"exec {first}", temporary, env_file) as keycloak,
        started(second, tmp_path, tmp_path / "wallaroo.env"),
    ):
        assert env_file.stat().st_mode & 0o077 == 0
        done = subprocess.run(
            ["/bin/sh", "-c", f"{third} --json"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
        report = json.loads(done.stdout)
        assert report["ok"], report
        assert {check["name"]: check["state"] for check in report["checks"]}["token"] == "ok"
    assert keycloak.returncode == 0
    url = read_environment(env_file)["WALLAROO_AUTH_URL"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    assert list(temporary.iterdir()) == []
