"""Is each answer one message of HTTP, with nothing behind it that the next one on its connection would be read from?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance.testing.framing import send_alone

if TYPE_CHECKING:
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("the framing of answers")


def test_nothing_comes_behind_an_answer(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    if conformance_suite.guard.effects[operation_id].writes or not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It writes, or gives tokens.")
    good = conformance_suite.cases.good_request(operation_id)
    answer = send_alone(conformance_suite, api.build(operation_id, **good))
    assert answer.body or not conformance_suite.rules.answer_schema(operation_id), "the answer is empty"
    for method in ("", "HEAD", "OPTIONS"):
        if method:
            answer = send_alone(conformance_suite, api.build(operation_id, method, path=good["path"]))
        assert not answer.behind, (
            f"behind the answer {answer.status} to {method or operation_id}: {answer.behind[:200]!r}"
        )
