"""Is a file that is written there as a whole or not at all, for whom it should be, and in nobody else's place?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from snapshots import snapshot, write

from wallaroo_ext._util import atomic_files
from wallaroo_ext._util.atomic_files import (
    create,
    is_unfinished,
    leftovers,
    replacing,
    unfinished_name,
    write_new,
    write_whole,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("umask", [0, 0o027, 0o077])
def test_the_rights_are_those_that_were_asked_for_or_those_that_were_there(tmp_path: Path, umask: int) -> None:
    old = write(tmp_path / "old")
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "secret", b"", mode=0o600)
        write_whole(tmp_path / "shown", b"", mode=0o644)
        write_whole(tmp_path / "new", b"")
        write_whole(old, b"new content")
        write_new(tmp_path / "only", b"")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"secret": 0o600, "shown": 0o644, "new": 0o666 & ~umask, "old": 0o640, "only": 0o600}


def test_nobody_else_can_read_what_is_being_written(tmp_path: Path) -> None:
    with replacing(tmp_path / "secret", mode=0o600):
        [path] = tmp_path.iterdir()
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_fails_changes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def fail() -> None:
        with replacing(tmp_path / "file") as file:
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
    write_whole(file, min(contents))
    ended = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not ended.is_set():
            seen.add(file.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in [*contents] * 50:
        write_whole(file, content)
    ended.set()
    reader.join()
    assert seen <= contents


@pytest.mark.parametrize("dangles", [True, False])
def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path, *, dangles: bool) -> None:
    outside = tmp_path / "outside"
    if not dangles:
        write(outside)
    (tmp_path / "file").symlink_to(outside)
    write_whole(tmp_path / "file", b"content")
    assert not (tmp_path / "file").is_symlink()
    assert outside.exists() is not dangles
    assert dangles or outside.read_bytes() == b"somebody's own"


def test_a_planted_link_is_not_written_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if somebody guessed the name."""
    monkeypatch.setattr(atomic_files, "unfinished_name", dict.fromkeys(["file"], "guessed").get)
    (tmp_path / "guessed").symlink_to(write(tmp_path / "outside"))
    before = snapshot(tmp_path)
    for write_it in (write_whole, write_new):
        with pytest.raises(FileExistsError):
            write_it(tmp_path / "file", b"secret")
    assert snapshot(tmp_path) == before
    with pytest.raises(FileExistsError):
        create(tmp_path / "guessed")


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
from wallaroo_ext._util.atomic_files import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for name in ("file", "file.json"):
        subprocess.run([sys.executable, "-c", program, str(tmp_path / name)], check=False)
    [left] = leftovers(tmp_path / "file")
    assert left.read_bytes() == b"half"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["a", "a.b", "ü" * 120, "x" * 255, "[a]*?"])
def test_a_name_of_any_length_has_room(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert is_unfinished(unfinished_name(name), name)
    assert not is_unfinished(unfinished_name(name), "another")
    assert unfinished_name(name) != unfinished_name(name)
