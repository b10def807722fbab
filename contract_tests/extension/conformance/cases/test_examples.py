"""What the example tests are made of: does the look at answers see what breaks the contract?"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from wallaroo_ext import contract
from wallaroo_ext.conformance.cases.examples import INPUT, OUTPUT, AnswerChecker, eventually, scored, small_model
from wallaroo_ext.conformance.recordings.pytest_hooks import InstantClock
from wallaroo_ext.conformance.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Callable

CREATE = contract.operation("create_workspace").path


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(contract.load())


def answered(rules: Rules, respond: Callable[[httpx.Request], httpx.Response], path: str = CREATE) -> AnswerChecker:
    """Return what is known after one request."""
    answers = AnswerChecker(rules)
    with httpx.Client(base_url="http://a", transport=httpx.MockTransport(respond)) as client:
        with answers.checking(client):
            client.post(path, json={})
        assert client.event_hooks["response"] == []
    return answers


def test_an_answer_by_the_contract_is_a_success(rules: Rules) -> None:
    answers = answered(rules, lambda _: httpx.Response(200, json={"workspace_id": 1}))
    assert answers.succeeded == {"create_workspace"}


def test_a_refusal_by_the_contract_is_none(rules: Rules) -> None:
    answers = answered(rules, lambda _: httpx.Response(400, json={"code": 400, "msg": "No."}))
    assert answers.succeeded == set()


def test_what_the_release_does_not_have_is_not_judged(rules: Rules) -> None:
    path = contract.operation("get_model_version_by_id").path
    refuse = httpx.Response(404, text="Not Found")
    with pytest.raises(AssertionError, match="status_code_conformance"):
        answered(rules, lambda _: refuse, path)
    assert answered(Rules(contract.load("2022.4")), lambda _: refuse, path).succeeded == set()


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({"status_code": 200, "json": {"workspace_id": "1"}}, "response_schema_conformance"),
        ({"status_code": 200, "json": {}}, "response_schema_conformance"),
        ({"status_code": 200, "text": "{}"}, "content_type_conformance"),
        ({"status_code": 418, "json": {}}, "status_code_conformance"),
    ],
)
def test_an_answer_that_breaks_it_is_an_error(rules: Rules, response: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=f"of create_workspace breaks the contract: {message}"):
        answered(rules, lambda _: httpx.Response(**response))


def test_a_field_that_every_recording_has_is_missed(rules: Rules) -> None:
    path = contract.operation("list_workspaces").path
    listed = {"workspaces": [{"id": 1, "name": "a"}]}
    with pytest.raises(AssertionError, match="x_always"):
        answered(rules, lambda _: httpx.Response(200, json=listed), path)


def test_what_is_no_operation_is_an_error(rules: Rules) -> None:
    with pytest.raises(AssertionError, match="/nowhere is no operation of the contract"):
        answered(rules, lambda _: httpx.Response(200), "/nowhere")


def test_an_error_has_no_secret(rules: Rules) -> None:
    path = contract.operation("invite_user").path
    with pytest.raises(AssertionError) as caught:
        answered(rules, lambda _: httpx.Response(200, json={"password": "hush"}), path)
    assert "hush" not in str(caught.value)


def test_the_small_model_is_what_it_says_and_always_the_same() -> None:
    # The digest stands in the cassettes: where it changes, with a release of onnx, they have to be recorded again.
    assert hashlib.sha256(small_model()).hexdigest().startswith("cd568b8944bae4af")
    rows = np.array([[1, 2], [3, 5]], np.float32)
    model: Any = ReferenceEvaluator(onnx.load_from_string(small_model()))
    [result] = model.run([OUTPUT], {INPUT: rows})
    assert np.asarray(result).ravel().tolist() == [scored(row) for row in rows.tolist()]


def test_waiting_ends_with_an_answer_or_with_the_time() -> None:
    answers = iter([[], [], [1]])
    clock = InstantClock()
    begin = clock.now()
    assert eventually(lambda: next(answers), clock) == [1]
    assert 2 <= clock.now() - begin < 3
    assert eventually(list, clock, seconds=5) == []
    assert 7 <= clock.now() - begin < 9
