"""Was every operation really tried? Checks of successes say nothing of an operation that always refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wallaroo_ext.conformance.suite import Suite


@pytest.mark.last
def test_it_succeeded_often_enough(operation_id: str, conformance_suite: Suite) -> None:
    if conformance_suite.interceptor.is_unanswered(operation_id):
        pytest.skip("Requests of it stayed without an answer of the instance, which is reported by itself.")
    rules = conformance_suite.rules
    sent = [exchange for exchange in conformance_suite.run.exchanges if exchange.operation == operation_id]
    succeeded = sum(rules.is_success(operation_id, exchange.status) for exchange in sent)
    assert succeeded >= conformance_suite.options.least_successes, (
        f"{operation_id} succeeded {succeeded} times of {len(sent)}"
    )
