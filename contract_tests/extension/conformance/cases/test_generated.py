"""Do generated requests have the names that an instance accepts?"""

from __future__ import annotations

from typing import Any

import pytest

from wallaroo_ext.conformance.cases.generated import _with_value  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "taken", "id": 1}, {"name": "unused", "id": 1}),
        ({"id": 1}, {"id": 1}),
        ([1], [1]),
        (b"content", b"content"),
    ],
    ids=["with a name", "without the name, which may be left out", "no object", "bytes"],
)
def test_a_name_that_is_sent_becomes_an_unused_one_and_all_else_stays(body: Any, expected: Any) -> None:
    assert _with_value(body, ["name"], "unused") == expected
    assert _with_value({"of": body, "n": 1}, ["of", "name"], "unused") == {"of": expected, "n": 1}
