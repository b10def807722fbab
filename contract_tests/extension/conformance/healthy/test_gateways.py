"""Is nobody blamed for what a gateway does, and is the instance still blamed behind one?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.support.conformance.gateway import TROUBLES, Gateway
from wallaroo_ext.conformance.guard.interceptor import ANSWERED
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
    from contract_tests.extension.conformance.healthy.conftest import Look

LIST = "/v1/api/models/list"


def test_trouble_now_and_then_is_counted_and_no_finding(look: Look) -> None:
    gateway = Gateway(trouble=0.2, seed=3)
    run = look(gateway, "list_models", "create_workspace")
    assert run.findings == []
    assert verdict(run) is Verdict.CONFORMS
    assert set(gateway.counts) == set(TROUBLES)
    assert 0 <= gateway.counts.total() - sum(run.gaps.values()) <= 2, "what breaks off after the head of HEAD is whole"
    assert all("times" in notice.text for notice in run.notices)
    assert {notice.operation for notice in run.notices} == {operation for operation, _ in run.gaps}


@pytest.mark.parametrize(
    ("trouble", "operation"),
    [
        ("503", "list_models"),
        ("broken off", "list_models"),
        ("504", "create_workspace"),
        ("dropped", "create_workspace"),
    ],
)
def test_what_is_never_answered_is_a_finding(trouble: str, operation: str, look: Look) -> None:
    path = {"list_models": LIST, "create_workspace": "/v1/api/workspaces/create"}[operation]
    seen: list[str] = []

    def later(asked: str) -> bool:
        seen.append(asked)
        return asked == path and seen.count(path) > 3

    run = look(Gateway(trouble=1, kinds=(trouble,), about=later), operation)
    assert [(each.operation, each.check) for each in run.findings] == [(operation, ANSWERED)]
    assert verdict(run) is Verdict.DOES_NOT_CONFORM


def test_a_limit_that_is_never_lifted_is_said(look: Look) -> None:
    run = look(Gateway(trouble=1, kinds=("429",), about=lambda path: path == LIST), "list_models")
    assert run.findings == []
    assert verdict(run) is Verdict.COULD_NOT_RUN
    assert "list_models: 429" in run.could_not_run
    assert "--rate" in run.could_not_run


def test_a_gateway_answers_other_methods_itself(look: Look) -> None:
    for methods, allow in (
        ({"GET": 405, "HEAD": 405, "TRACE": 405, "OPTIONS": 204}, True),
        ({"GET": 501, "HEAD": 200, "TRACE": 405, "OPTIONS": 501}, False),
    ):
        run = look(Gateway(methods=methods, allow=allow), "list_models")
        assert run.findings == []
        assert {exchange.method for exchange in run.exchanges} == {"POST", *methods}


def test_another_method_that_does_what_post_does_is_a_finding(look: Look) -> None:
    run = look(Gateway(methods={"GET": 200}), "list_models")
    assert {each.check for each in run.findings} == {"unsupported_method"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "gateway",
    [Gateway(compresses=True), Gateway(rewrites=True, compresses=True, prefix="/ml/production")],
    ids=["gzip", "all of it below a prefix"],
)
def test_what_a_gateway_does_to_answers_is_no_finding(gateway: Gateway, look: Look) -> None:
    run = look(gateway, "infer_pipeline", "get_pipeline_external_url")
    assert run.findings == []
    assert any(exchange.status == 200 for exchange in run.exchanges if exchange.operation == "infer_pipeline")
