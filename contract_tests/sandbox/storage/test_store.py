"""Is a transaction stored as a whole or not at all, and does the store work after one that failed?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    with closing(Store(tmp_path / "data")) as opened:
        yield opened


def add_orphan(db: sqlite3.Connection) -> None:
    """Add a version of a model that does not exist, which fails at the commit."""
    db.execute(
        "INSERT INTO model_versions (model_id, version, sha, file_name, metadata, status, created_at) "
        "VALUES (1000, 'v', '', '', '', '', '')"
    )


def test_a_transaction_that_cannot_be_stored_leaves_nothing_and_the_next_one_is_stored(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        add_orphan(db)
    store.change_setting("b", "2")
    with store.reading() as db:
        assert db.execute("SELECT 1 FROM model_versions").fetchone() is None
    assert store.setting("b", str) == "2"


def test_what_is_to_be_done_after_a_transaction_is_done_when_it_is_stored(store: Store) -> None:
    seen: list[str] = []

    def look() -> None:
        with store.reading() as db:
            assert not db.in_transaction
        seen.append(store.setting("a", str))

    with store.transaction() as db:
        store.after_commit(look)
        store.after_commit(look)
        db.execute("INSERT INTO settings VALUES ('a', '1')")
        assert seen == []
    store.change_setting("a", "2")
    assert seen == ["1", "1"]


def test_it_is_not_done_where_nothing_was_stored(store: Store) -> None:
    seen: list[str] = []

    def fail() -> None:
        with store.transaction() as db:
            store.after_commit(lambda: seen.append("of the one that failed"))
            add_orphan(db)

    with pytest.raises(sqlite3.IntegrityError):
        fail()
    store.change_setting("a", "1")
    assert seen == []


@pytest.mark.parametrize("fails", [True, False])
def test_a_placed_file_stays_only_where_its_row_does(store: Store, *, fails: bool) -> None:
    staged = store.staging / "staged"
    staged.write_bytes(b"content")
    try:
        with store.add_model_file(staged, "version"), store.transaction() as db:
            assert store.model_file("version").exists()
            if fails:
                add_orphan(db)
    except sqlite3.IntegrityError:
        assert fails
    assert store.model_file("version").exists() is not fails
    assert not staged.exists()
