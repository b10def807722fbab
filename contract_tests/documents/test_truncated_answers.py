"""Is an answer of which only the beginning was printed read as far as it was printed?"""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.support.recorded import recorded_answer


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('[{"a": [1, 2, 3', [{"a": [1, 2]}]),
        (r'[{"a[": "x\"]{", "b": [1, 2', [{"a[": 'x"]{', "b": [1]}]),
        (r'[{"a": "\\", "b]": [1, 2', [{"a": "\\", "b]": [1]}]),
    ],
)
def test_brackets_in_texts_are_none(text: str, read: Any) -> None:
    assert recorded_answer({"response": {"truncated_text": text}}) == read
