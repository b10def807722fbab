"""Do the links of the contract find no fault in an instance that takes its time, and one in an instance that lies?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.servers.fork_server import running
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.suite import Suite
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Generator

INFERENCE = {"infer_pipeline", "infer_deployment"}
SCENARIOS = 3


@pytest.fixture
def served() -> Generator[tuple[Suite, Sandbox]]:
    """Yield the suite on a sandbox of its own, with what it makes first, and what steers the sandbox."""
    with running() as environment, Sandbox(environment) as control:
        suite = Suite(SuiteOptions(running=environment))
        try:
            assert suite.fixtures.spare is not None
            yield suite, control
        finally:
            suite.close()


def found_in_inference(suite: Suite) -> list[Any]:
    before = len(suite.run.exchanges)
    cases: Any = suite.cases
    cases._good = cases._good.include(operation_id=["deploy_pipeline", *INFERENCE])  # all links would rarely end there
    cases.follow_links(SCENARIOS)
    statuses = [each.status for each in suite.run.exchanges[before:] if each.operation in INFERENCE]
    assert 503 in statuses
    return [finding for finding in suite.run.findings if finding.operation in INFERENCE]


def unavailable(**more: Any) -> list[dict[str, Any]]:
    return [{"operation": operation, "kind": "service-unavailable", **more} for operation in INFERENCE]


def test_rows_wait_for_a_deployment_that_a_link_started_again(served: tuple[Suite, Sandbox]) -> None:
    suite, control = served
    control.add_faults(*unavailable(count=1))  # as where the deployment is still starting
    assert found_in_inference(suite) == []


def test_an_instance_that_never_takes_rows_is_found(served: tuple[Suite, Sandbox]) -> None:
    suite, control = served
    control.add_faults(*unavailable())
    assert found_in_inference(suite)
