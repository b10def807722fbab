"""Is each answer one message of HTTP, with nothing behind it that the next one on its connection would be read from?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.conformance.guard.interceptor import Incoming
from wallaroo_ext.conformance.testing.framing import send_alone

if TYPE_CHECKING:
    import httpx

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.framing import Message

pytestmark = pytest.mark.thorough("the framing of answers")

JSON, MULTIPART = "application/json", "multipart/form-data"


@pytest.mark.changes_nothing
def test_nothing_comes_behind_an_answer(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    if conformance_suite.guard.effects[operation_id].writes or not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It writes, or gives tokens.")
    good = conformance_suite.cases.good_request(operation_id)
    requests = {
        "": api.build(operation_id, **good),
        "HEAD": api.build(operation_id, "HEAD", path=good["path"]),
        "OPTIONS": api.build(operation_id, "OPTIONS", path=good["path"]),
    }
    del requests[""].headers["Accept"]  # without it, any form is as good
    requests[""].headers["Accept-Encoding"] = "identity"
    for name, request in requests.items():
        answer = send_alone(conformance_suite, request)
        if not name:
            assert answer.body or not conformance_suite.rules.answer_schema(operation_id), "the answer is empty"
            check_good(conformance_suite, operation_id, answer)
        assert not answer.behind, f"behind {answer.status} to {name or operation_id}: {answer.behind[:200]!r}"


def check_good(suite: Suite, operation: str, answer: Message) -> None:
    """Check that an answer is a success by the contract."""
    assert answer.status == suite.rules.success(operation), f"{answer.status} {answer.body[:300]!r}"
    codings = {value for name, value in answer.headers if name.lower() == "content-encoding"}
    assert codings <= {"identity"}, "the answer is compressed, and nobody takes it so"
    kind = Incoming(answer.status, answer.headers, answer.body).content_type
    found = suite.rules.violations(operation, answer.status, kind, answer.body)
    assert [violation.message for violation in found] == []


@pytest.mark.changes_nothing
def test_nothing_comes_behind_a_refusal(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    answers = [send_alone(conformance_suite, bad) for bad in bad_requests(operation_id, api, conformance_suite)]
    for answer in answers:
        assert answer.status not in range(300), "a bad request is answered as if it was good"
        assert not answer.behind, f"behind {answer.status}: {answer.behind[:200]!r}"


def bad_requests(operation: str, api: Api, suite: Suite) -> list[httpx.Request]:
    """Return requests that an instance has to refuse, whatever they would do: without a token, and without sense."""
    good, content = suite.cases.unused_request(operation), suite.rules.request_content(operation)
    found: list[httpx.Request] = []
    if suite.rules.takes_token(operation):
        found.append(api.build(operation, **good))
        del found[0].headers["Authorization"]
    media_type = f"{MULTIPART}; boundary=x" if MULTIPART in content else JSON
    if media_type.partition(";")[0] in content:
        senseless = b"--x--\r\n" if MULTIPART in content else b"{"
        headers = {"Content-Type": media_type}
        found.append(api.build(operation, path=good["path"], content=senseless, headers=headers))
    return found
