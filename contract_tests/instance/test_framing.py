"""Is each answer one message of HTTP, with nothing behind it that the next one on its connection would be read from?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    requests = {
        "": api.build(operation_id, **good),
        "HEAD": api.build(operation_id, "HEAD", path=good["path"]),
        "OPTIONS": api.build(operation_id, "OPTIONS", path=good["path"]),
        "a request without a token": api.build(operation_id, **good),
    }
    del requests["a request without a token"].headers["Authorization"]
    if conformance_suite.rules.request_content(operation_id):
        broken: dict[str, Any] = good | {"content": b"{"}
        requests["a body that breaks off"] = api.build(operation_id, **broken)
    for name, request in requests.items():
        answer = send_alone(conformance_suite, request)
        if not name:
            assert answer.body or not conformance_suite.rules.answer_schema(operation_id), "the answer is empty"
        assert not answer.behind, f"behind {answer.status} to {name or operation_id}: {answer.behind[:200]!r}"
