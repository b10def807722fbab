"""Are cached tokens used by the next program of the same user, and by nobody else?"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from contract_tests.support.fake_keycloak import API, TOKEN_URL, Keycloak
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import ConfigurationError, KeycloakAuth, contract
from wallaroo_ext._util.files import file_lock
from wallaroo_ext._util.files.file_lock import locked
from wallaroo_ext.auth import token_cache as cache_module
from wallaroo_ext.auth.token_cache import default_directory


@pytest.fixture
def keycloak() -> Keycloak:
    return Keycloak()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def the_file(directory: Path) -> Path:
    """Return the only file with tokens."""
    (file,) = directory.glob("*.json")
    return file


def change(file: Path, **fields: Any) -> None:
    """Change the content of a file."""
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_the_next_program_finds_the_token_and_its_refresh_token(keycloak: Keycloak, directory: Path) -> None:
    assert keycloak.auth(cache=directory).access_token() == "t1"
    assert keycloak.auth(cache=str(directory)).access_token() == "t1"
    change(the_file(directory), obtained_at=time.time() - 3600)
    assert keycloak.auth(cache=directory).access_token() == "t2"
    assert keycloak.auth(cache=directory).access_token() == "t2"
    assert keycloak.grants == ["password", "refresh_token"]


def test_how_old_a_cached_token_is_counts(keycloak: Keycloak, directory: Path) -> None:
    keycloak.auth(cache=directory).access_token()
    change(the_file(directory), obtained_at=time.time() - 3500)
    auth = keycloak.auth(cache=directory)
    assert auth.access_token() == "t1"
    keycloak.now += 41
    assert auth.access_token() == "t2"


def test_an_offline_refresh_token_is_kept_as_one_that_never_expires(keycloak: Keycloak, directory: Path) -> None:
    keycloak.refresh_lifetime = 0
    keycloak.auth(cache=directory, grant="offline_access").access_token()
    change(the_file(directory), obtained_at=time.time() - 10**8)
    keycloak.auth(cache=directory, grant="offline_access").access_token()
    assert keycloak.grants == ["password", "refresh_token"]


def test_a_refused_token_is_not_taken_from_the_cache_again(keycloak: Keycloak, directory: Path) -> None:
    keycloak.auth(cache=directory).access_token()
    keycloak.revoked = {"t1"}
    with keycloak.client(keycloak.auth(cache=directory)) as http:
        assert http.post("/a").status_code == 200
    assert keycloak.seen == ["t1", "t2"]


def test_what_another_program_renewed_meanwhile_is_taken_over(keycloak: Keycloak, directory: Path) -> None:
    first, second = keycloak.auth(cache=directory), keycloak.auth(cache=directory)
    assert first.access_token() == second.access_token() == "t1"
    change(the_file(directory), obtained_at=time.time() - 3600)
    keycloak.now += 3600
    assert first.access_token() == second.access_token() == "t2"


def test_only_the_owner_may_read_what_is_cached(keycloak: Keycloak, directory: Path) -> None:
    before = os.umask(0)
    try:
        keycloak.auth(cache=directory).access_token()
    finally:
        os.umask(before)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in directory.iterdir()} == {0o600}


WHO: list[dict[str, Any]] = [
    {},
    {"username": "b@example.com"},
    {"username": "A@example.com"},
    {"client_id": "other-client"},
    {"token_url": "https://keycloak.example.com/other"},
    {"token_url": "https://keycloak.example.com:8443/token"},
    {"client_id": "a|b", "username": "c"},
    {"client_id": "a", "username": "b|c"},
    {"client_id": 'a", "b', "username": "c"},
    {"client_id": "a", "username": 'b", "c'},
    {"client_id": "a\0b", "username": "c"},
    {"client_id": "a", "username": "b\0c"},
    {"grant": "offline_access"},
    {"scope": "email"},
    {"scope": "email profile"},
    {"refresh_token": "one"},
    {"refresh_token": "two"},
    {"username": None, "password": None},
    {"username": "None"},
    {"username": "null"},
    {"username": None, "password": None, "refresh_token": "one"},
    {"username": None, "password": None, "refresh_token": "two"},
    {"username": None, "password": None, "refresh_token": "two", "client_id": "other-client"},
]


def cached_auth(keycloak: Keycloak, directory: Path, who: dict[str, Any]) -> KeycloakAuth:
    usual: dict[str, Any] = {
        "token_url": TOKEN_URL,
        "api_url": API,
        "client_id": "api-client",
        "client_secret": "s",
        "username": "a@example.com",
        "password": "p",
    }
    given = usual | who
    return KeycloakAuth(
        given.pop("token_url"),
        **given,
        cache=directory,
        transport=httpx.MockTransport(keycloak.issue),
        clock=lambda: keycloak.now,
    )


def test_no_two_callers_ever_share_a_token(keycloak: Keycloak, directory: Path) -> None:
    keycloak.usable = {"one", "two"}
    tokens: list[str] = []
    for who in WHO:
        keycloak.usable |= {"one", "two"}
        tokens.append(cached_auth(keycloak, directory, who).access_token())
    assert len(set(tokens)) == len(WHO)
    keycloak.forms.clear()
    assert [cached_auth(keycloak, directory, who).access_token() for who in WHO] == tokens
    assert keycloak.forms == []
    assert len(list(directory.glob("*.json"))) == len(WHO)


def test_a_file_under_anothers_name_is_not_taken(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    auths = [cached_auth(keycloak, directory, who) for who in ({}, {"username": "b@example.com"})]
    assert [auth.access_token() for auth in auths] == ["t1", "t2"]
    first, second = directory.glob("*.json")
    first.write_bytes(second.read_bytes())
    found = {cached_auth(keycloak, directory, who).access_token() for who in ({}, {"username": "b@example.com"})}
    assert "t3" in found
    assert len(found) == 2
    assert "of another user" in caplog.text


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", b'{"access_token": "evil"}', b"x" * (2 << 20)],
    ids=["empty", "cut off", "a list", "null", "deep", "no text", "without a key", "large"],
)
def test_a_damaged_file_is_not_used_and_a_warning_says_so(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    keycloak.auth(cache=directory).access_token()
    the_file(directory).write_bytes(content)
    assert keycloak.auth(cache=directory).access_token() == "t2"
    assert "is damaged" in caplog.text
    assert keycloak.auth(cache=directory).access_token() == "t2"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"obtained_at": time.time() + 86_400}, "clock was set back"),
        ({"obtained_at": float("nan")}, "clock was set back"),
        ({"obtained_at": float("-inf")}, "clock was set back"),
        ({"obtained_at": 10**400}, "clock was set back"),
        ({"obtained_at": -(10**400)}, "clock was set back"),
        ({"obtained_at": "yesterday"}, "is damaged"),
        ({"obtained_at": True}, "is damaged"),
        ({"access_token": "a\nb"}, "has no token"),
        ({"access_token": None}, "has no token"),
    ],
)
def test_a_file_that_makes_no_sense_is_not_used(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture, fields: dict[str, Any], message: str
) -> None:
    keycloak.auth(cache=directory).access_token()
    change(the_file(directory), **fields)
    assert keycloak.auth(cache=directory).access_token() == "t2"
    assert message in caplog.text


def open_to_others(file: Path) -> None:
    file.chmod(0o640)


def a_link(file: Path) -> None:
    file.rename(file.parent.parent / "elsewhere")
    file.symlink_to(file.parent.parent / "elsewhere")


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def of_another_user(file: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(file, 12345, 12345)


@pytest.mark.parametrize("spoil", [open_to_others, a_link, a_pipe, of_another_user])
def test_a_file_that_others_may_have_made_is_not_used(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture, spoil: Any
) -> None:
    keycloak.auth(cache=directory).access_token()
    spoil(the_file(directory))
    assert keycloak.auth(cache=directory).access_token() == "t2"
    assert "is not used" in caplog.text
    assert "t1" not in caplog.text
    assert keycloak.auth(cache=directory).access_token() == "t2"  # it was replaced by one of our own


def test_a_directory_that_others_may_open_is_left_alone(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.mkdir(mode=0o755)
    keycloak.auth(cache=directory).access_token()
    assert "chmod" in caplog.text
    assert list(directory.iterdir()) == []


def test_a_directory_of_another_user_is_left_alone(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert keycloak.auth(cache=directory).access_token() == "t1"
    assert "belongs to another user" in caplog.text
    assert list(directory.iterdir()) == []


def test_without_a_place_for_files_it_works_without_a_cache(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory.write_text("a file")
    assert keycloak.auth(cache=directory).access_token() == "t1"
    assert "is not used" in caplog.text


def test_a_file_that_cannot_be_written_is_a_warning(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    assert keycloak.auth(cache=directory).access_token() == "t1"
    assert "No space left" in caplog.text
    assert [file.suffix for file in directory.iterdir()] == [".lock"]


def test_a_lock_that_others_hold_for_too_long_is_not_waited_for(
    keycloak: Keycloak, directory: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    keycloak.auth(cache=directory).access_token()
    monkeypatch.setattr(cache_module, "_LOCK_SECONDS", 0.01)
    with locked(the_file(directory).with_suffix(".lock"), 1):
        assert keycloak.auth(cache=directory).access_token() == "t2"
    assert "others hold the lock" in caplog.text


def test_a_lock_is_waited_for_as_long_as_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    # Of the module alone: the event loops of servers in other threads go by the time as well.
    monkeypatch.setattr(file_lock, "time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    with locked(tmp_path / "a.lock", 1), pytest.raises(TimeoutError), locked(tmp_path / "a.lock", 5):
        pass
    assert 1005 <= now < 1006


def test_forget_deletes_the_file(keycloak: Keycloak, directory: Path) -> None:
    auth = keycloak.auth(cache=directory)
    auth.forget()
    auth.access_token()
    auth.forget()
    assert list(directory.glob("*.json")) == []
    assert auth.access_token() == "t2"
    assert keycloak.grants == ["password", "password"]


@pytest.mark.parametrize("place", ["a file", "a file/below", "x" * 300, "a\0b", "a link to itself"])
def test_where_no_file_can_be_nothing_is_cached_and_nothing_is_left_to_forget(
    keycloak: Keycloak, tmp_path: Path, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "a link to itself").symlink_to("a link to itself")
    auth = keycloak.auth(cache=tmp_path / place)
    assert auth.access_token() == "t1"
    assert "is not used" in caplog.text
    auth.forget()
    assert auth.access_token() == "t2"


def test_a_cached_token_that_cannot_be_deleted_is_said(
    keycloak: Keycloak, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = keycloak.auth(cache=directory)
    auth.access_token()

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(
        ConfigurationError, match=r"The cached token .*\.json cannot be deleted: Operation not permitted"
    ):
        auth.forget()


KILLED = """
import os, signal, sys
from pathlib import Path
from contract_tests.support.fake_keycloak import Keycloak
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Keycloak().auth(cache=sys.argv[1]).access_token()
"""


def killed_while_it_wrote(directory: Path) -> Path:
    """Return the temporary file of a process that was killed between writing a token and renaming the file."""
    here = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert subprocess.run([sys.executable, "-c", KILLED, str(directory)], env=here, check=False).returncode == -9
    [left] = [file for file in directory.iterdir() if file.suffix != ".lock"]
    assert '"t1"' in left.read_text()
    return left


@pytest.mark.parametrize("end", ["use", "forget"])
def test_what_a_killed_process_left_is_removed(keycloak: Keycloak, directory: Path, end: str) -> None:
    left = killed_while_it_wrote(directory)
    auth = keycloak.auth(cache=directory)
    auth.forget() if end == "forget" else auth.access_token()
    assert not left.exists()


def test_what_another_process_is_writing_is_not_removed(keycloak: Keycloak, directory: Path) -> None:
    mine = killed_while_it_wrote(directory)
    young = directory / f".{'0' * 64}.json.{'0' * 16}.unfinished"
    old = directory / f".{'1' * 64}.json.{'0' * 16}.unfinished"
    for file in (young, old):
        file.write_text("{")
    os.utime(old, (1, 1))
    auth = keycloak.auth(cache=directory)
    lock = directory / mine.name[1:].replace(".json", ".lock", 1).split(".lock")[0]
    with locked(lock.with_suffix(".lock"), 1):
        auth.forget()
        assert mine.exists()
    auth.forget()
    assert [mine.exists(), young.exists(), old.exists()] == [False, True, False]


@pytest.mark.parametrize("refused", ["iterdir", "unlink"])
def test_what_cannot_be_found_or_removed_is_not_in_the_way(
    keycloak: Keycloak, directory: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    killed_while_it_wrote(directory)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, refused, refuse)
    assert keycloak.auth(cache=directory).access_token() == "t1"
    assert keycloak.auth(cache=directory).access_token() == "t1"
    assert len(keycloak.grants) == 1


def test_without_being_asked_for_nothing_is_cached(
    keycloak: Keycloak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    keycloak.auth().access_token()
    assert list(tmp_path.iterdir()) == []
    keycloak.auth(cache=True).access_token()
    assert the_file(tmp_path / "wallaroo-ext" / "tokens").exists()


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "/home/a/.cache"),
        ("linux", {"XDG_CACHE_HOME": "/fast"}, "/fast"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/a/.cache"),
        ("darwin", {"XDG_CACHE_HOME": "/fast"}, "/home/a/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local"),
        ("win32", {}, "/home/a/AppData/Local"),
    ],
)
def test_the_users_cache_is_where_the_platform_has_it(
    platform: str, environment: dict[str, str], expected: str
) -> None:
    assert default_directory(environment, platform, Path("/home/a")) == Path(expected) / "wallaroo-ext" / "tokens"


def test_a_user_without_a_home_is_told_to_name_a_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    with pytest.raises(ConfigurationError, match="cache="):
        default_directory({})


PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from wallaroo_ext import KeycloakAuth
url, options = json.load(sys.stdin)
auth = KeycloakAuth(url, **options)
with ThreadPoolExecutor(8) as pool:
    assert len(set(pool.map(lambda _: auth.access_token(), range(8)))) == 1
"""


@pytest.mark.slow
def test_processes_that_renew_at_once_use_a_refresh_token_once(directory: Path, tmp_path: Path) -> None:
    """The programs have a wrong password, so they fail if a refresh token is lost."""
    log = tmp_path / "log"
    with running(None, "--refresh-lifetime", "7200", log=log, log_format="json") as environment:
        url = environment["WALLAROO_AUTH_URL"] + contract.operation("request_token").path
        options = {
            "api_url": environment["WALLAROO_API_URL"],
            "client_id": environment["WALLAROO_CLIENT_ID"],
            "client_secret": environment["WALLAROO_CLIENT_SECRET"],
            "username": environment["WALLAROO_USER"],
            "cache": str(directory),
        }
        KeycloakAuth(url, password=environment["WALLAROO_PASSWORD"], **options).access_token()  # pyright: ignore[reportArgumentType] - all are texts
        change(the_file(directory), obtained_at=time.time() - 3600)
        programs = [
            subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        for program in programs:
            assert program.stdin is not None
            json.dump((url, options | {"password": "wrong"}), program.stdin)
            program.stdin.close()
        for program in programs:
            assert program.stderr is not None
            assert (program.stderr.read(), program.wait(60)) == ("", 0)
            program.stderr.close()
    assert log.read_text(encoding="utf-8").count('"request_token"') == 2
