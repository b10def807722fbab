"""Is a file written completely or not at all, with the right permissions, without replacing a file of others?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.data.snapshots import snapshot, write
from wallaroo_ext._util.files import atomic_files
from wallaroo_ext._util.files.atomic_files import (
    atomic_writer,
    create_file,
    is_temporary_name,
    leftovers,
    remove_leftovers,
    temporary_name,
    write_atomically,
    write_new,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("umask", [0, 0o027, 0o077])
def test_the_rights_are_those_that_were_asked_for_or_those_that_were_there(tmp_path: Path, umask: int) -> None:
    old = write(tmp_path / "old")
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "secret", b"", mode=0o600)
        write_atomically(tmp_path / "shown", b"", mode=0o644)
        write_atomically(tmp_path / "new", b"")
        write_atomically(old, b"new content")
        write_new(tmp_path / "only", b"")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"secret": 0o600, "shown": 0o644, "new": 0o666 & ~umask, "old": 0o640, "only": 0o600}


def test_nobody_else_can_read_what_is_being_written(tmp_path: Path) -> None:
    with atomic_writer(tmp_path / "secret", mode=0o600):
        [path] = tmp_path.iterdir()
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_fails_changes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with atomic_writer(tmp_path / "file") as file:
            file.write(b"half")
            raise error

    write(tmp_path / "file")
    before = snapshot(tmp_path / "file")
    with pytest.raises(error):
        fail()
    assert snapshot(tmp_path / "file") == before
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_whoever_reads_meanwhile_finds_a_whole_file(tmp_path: Path) -> None:
    file, contents = tmp_path / "file", {bytes([number]) * 100_000 for number in range(2)}
    write_atomically(file, min(contents))
    ended = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not ended.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in [*contents] * 50:
        write_atomically(file, content)
    ended.set()
    reader.join()
    assert seen <= contents


@pytest.mark.parametrize("write_it", [partial(write_atomically, durable=True), write_new], ids=["replaced", "new"])
def test_what_has_to_survive_a_power_failure_is_whole_when_it_goes_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_it: Callable[[Path, bytes], object]
) -> None:
    sizes: list[int] = []
    sync = os.fsync

    def note_size(number: int) -> None:
        sizes.append(os.fstat(number).st_size)
        sync(number)

    monkeypatch.setattr(os, "fsync", note_size)
    write_it(tmp_path / "file", b"content")
    assert sizes[0] == len(b"content")


@pytest.mark.parametrize("dangles", [True, False])
def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path, *, dangles: bool) -> None:
    outside = tmp_path / "outside"
    if not dangles:
        write(outside)
    (tmp_path / "file").symlink_to(outside)
    write_atomically(tmp_path / "file", b"content")
    assert not (tmp_path / "file").is_symlink()
    assert outside.exists() is not dangles
    assert dangles or outside.read_bytes() == b"somebody's own"


def test_a_planted_link_is_not_written_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not, even if somebody guessed the name."""
    monkeypatch.setattr(atomic_files, "temporary_name", dict.fromkeys(["file"], "guessed").get)
    (tmp_path / "guessed").symlink_to(write(tmp_path / "outside"))
    before = snapshot(tmp_path)
    for write_it in (write_atomically, write_new):
        with pytest.raises(FileExistsError):
            write_it(tmp_path / "file", b"secret")
    assert snapshot(tmp_path) == before
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "guessed")


def test_a_new_file_takes_nobodys_place(tmp_path: Path) -> None:
    assert write_new(tmp_path / "file", b"first")
    assert not write_new(tmp_path / "file", b"second")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert not write_new(tmp_path / "link", b"third")
    assert (tmp_path / "file").read_bytes() == b"first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_what_a_killed_process_left_is_known_by_its_name(tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from wallaroo_ext._util.files.atomic_files import atomic_writer
with atomic_writer(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for name in ("file", "file.json"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=False)
    [left] = leftovers(tmp_path / "file")
    assert left.read_bytes() == b"half"
    assert len(list(tmp_path.iterdir())) == 2
    write_atomically(tmp_path / "file", b"whole")
    assert leftovers(tmp_path / "file") == []
    assert len(leftovers(tmp_path / "file.json")) == 1


@pytest.mark.parametrize("name", ["a", "a.b", "ü" * 120, "x" * 255, "[a]*?"])
def test_a_name_of_any_length_has_room(tmp_path: Path, name: str) -> None:
    write_atomically(tmp_path / name, b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert is_temporary_name(temporary_name(name), name)
    assert not is_temporary_name(temporary_name(name), "another")
    assert temporary_name(name) != temporary_name(name)


class TestLeftovers:
    """The temporary file of a killed process is removed by the next writer of the same file, and nothing else is."""

    def test_those_of_the_same_name_are_removed(self, tmp_path: Path) -> None:
        for name in ("secret", "another"):
            write(tmp_path / temporary_name(name)).chmod(0o600)
        write_atomically(tmp_path / "secret", b"content", mode=0o600)
        assert [is_temporary_name(path.name, "another") for path in tmp_path.iterdir() if path.name != "secret"] == [
            True
        ]
        assert write_new(tmp_path / "another", b"content")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "secret"]

    def test_what_is_not_known_to_be_ours_stays(self, tmp_path: Path) -> None:
        made = [temporary_name("file") for _ in range(4)]
        end = len(".unfinished")
        write(tmp_path / f"{made[0][: -end - 1]}{'01'[made[0][-end - 1] == '0']}.unfinished")
        write(tmp_path / ".file.0123456789abcdef.unfinished")
        write(tmp_path / temporary_name("file.json"))
        (tmp_path / made[1]).symlink_to(write(tmp_path / "outside"))
        (tmp_path / made[2]).mkdir()
        os.mkfifo(tmp_path / made[3])
        before = snapshot(tmp_path)
        write_atomically(tmp_path / "file", b"content")
        after = snapshot(tmp_path)
        assert {path for path in before if after.get(path) != before[path]} == {str(tmp_path)}

    def test_what_is_still_being_written_stays(self, tmp_path: Path) -> None:
        """Another thread or another process writes it: each has an open file of its own."""
        with atomic_writer(tmp_path / "file") as slow:
            slow.write(b"first")
            write_atomically(tmp_path / "file", b"second")
            assert not write_new(tmp_path / "file", b"third")
            assert len(list(tmp_path.iterdir())) == 2
        assert (tmp_path / "file").read_bytes() == b"first"
        assert list(tmp_path.iterdir()) == [tmp_path / "file"]

    def test_it_stays_until_it_has_its_name_although_it_is_closed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        replace = Path.replace

        def meanwhile(temporary: Path, target: Path) -> Path:
            remove_leftovers(tmp_path / "file")
            return replace(temporary, target)

        monkeypatch.setattr(Path, "replace", meanwhile)
        write_atomically(tmp_path / "file", b"content")
        assert (tmp_path / "file").read_bytes() == b"content"

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system has no names for open files")
    def test_nothing_stays_open(self, tmp_path: Path) -> None:
        open_before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(3):
            write_atomically(tmp_path / "file", b"content")
            write_new(tmp_path / "file", b"content")
        assert len(list(Path("/proc/self/fd").iterdir())) == open_before

    def test_one_that_was_taken_for_a_leftover_before_it_was_locked_is_made_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = atomic_files.create_file

        def taken_once(path: Path, mode: int = 0o600) -> object:
            created = made(path, mode)
            monkeypatch.setattr(atomic_files, "create_file", made)
            remove_leftovers(tmp_path / "file")
            return created

        monkeypatch.setattr(atomic_files, "create_file", taken_once)
        write_atomically(tmp_path / "file", b"content")
        assert (tmp_path / "file").read_bytes() == b"content"
        assert list(tmp_path.iterdir()) == [tmp_path / "file"]
