"""Are the names that are near a wrong one found, in capitals or not?"""

from __future__ import annotations

import pytest

from wallaroo_ext._util.near_names import MISTYPED, near_names, near_or_first


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("credit-cart", ["credit-card", "houses"], ["credit-card"]),
        ("CREDIT-CARD", ["credit-card"], ["credit-card"]),
        ("credit", ["Credit", "CREDIT", "credo"], ["Credit", "CREDIT", "credo"]),
        ("a", ["b", "c"], []),
        ("a", [], []),
    ],
)
def test_near_names_are_found_whatever_their_case(name: str, known: list[str], near: list[str]) -> None:
    assert near_names(name, known) == near


def test_a_name_that_was_mistyped_is_nearer_than_one_that_is_similar() -> None:
    assert near_names("onx", ["onnx", "xgboost"], least=MISTYPED) == ["onnx"]
    assert near_names("credit", ["credo"]) == ["credo"]
    assert near_names("credit", ["credo"], least=MISTYPED) == []


def test_without_a_near_name_the_first_ones_are_said() -> None:
    known = [f"column_{number}" for number in range(12)]
    assert near_or_first("x", known) == ", ".join([*known[:10], "…"])
    assert near_or_first("x", known[:10]) == ", ".join(known[:10])
    assert near_or_first("Column_11", known).startswith("column_11, ")
