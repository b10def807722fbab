"""Are passwords checked, and the right ones quickly?"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.sandbox.auth import users
from wallaroo_ext.sandbox.auth.users import add_user, check_password
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    """Yield a store with two users."""
    with closing(Store(tmp_path / "data")) as opened:
        with opened.transaction() as db:
            add_user(db, "a@example.com", "right")
            add_user(db, "b@example.com", "other")
        yield opened


def accepts(store: Store, name: str, password: str) -> bool:
    with store.transaction() as db:
        return check_password(db, name, password) is not None


def test_a_password_that_was_right_before_is_not_hashed_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert accepts(store, "a@example.com", "right")
    monkeypatch.delattr(users, "_hash")
    assert accepts(store, "a@example.com", "right")


@pytest.mark.parametrize(
    ("name", "password"), [("a@example.com", "wrong"), ("a@example.com", ""), ("b@example.com", "right")]
)
def test_after_a_right_one_the_others_are_wrong_still(store: Store, name: str, password: str) -> None:
    for _ in range(2):
        assert accepts(store, "a@example.com", "right")
        assert not accepts(store, name, password)


def test_a_password_that_was_changed_is_wrong_at_once(store: Store) -> None:
    assert accepts(store, "a@example.com", "right")
    with store.transaction() as db:
        row = db.execute("SELECT password_salt, password_hash FROM users WHERE email = 'b@example.com'").fetchone()
        db.execute("UPDATE users SET password_salt = ?, password_hash = ? WHERE email = 'a@example.com'", tuple(row))
    assert not accepts(store, "a@example.com", "right")
    assert accepts(store, "a@example.com", "other")


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> dict[Any, bytes]:
    """Return what is remembered of right passwords, which is nothing yet."""
    empty: dict[Any, bytes] = {}
    monkeypatch.setattr(users, "_verified", empty)
    return empty


def test_no_password_is_remembered_itself(store: Store, remembered: dict[Any, bytes]) -> None:
    assert accepts(store, "a@example.com", "right")
    [(key, mark)] = remembered.items()
    assert b"right" not in b"".join((*key, mark))


def test_what_is_remembered_is_bounded(
    store: Store, remembered: dict[Any, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "_MOST_VERIFIED", 1)
    for _ in range(2):
        assert accepts(store, "a@example.com", "right")
        assert accepts(store, "b@example.com", "other")
        assert len(remembered) == 1
