"""Does each operation keep the contract, whatever it is sent? Schemathesis's checks, on good data and on bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wallaroo_ext.conformance.suite import Suite


@pytest.mark.changes_nothing(if_reading=True)
def test_examples(operation_id: str, conformance_suite: Suite) -> None:
    conformance_suite.cases.examples(operation_id)


@pytest.mark.thorough("edge cases")
@pytest.mark.changes_nothing(if_reading=True)
def test_good_edges(operation_id: str, conformance_suite: Suite) -> None:
    conformance_suite.cases.edges(operation_id, good=True)


@pytest.mark.thorough("random data")
@pytest.mark.changes_nothing(if_reading=True)
def test_good_data(operation_id: str, conformance_suite: Suite) -> None:
    conformance_suite.cases.random(operation_id, good=True, cases=conformance_suite.options.cases)


@pytest.mark.thorough("edge cases")
@pytest.mark.changes_nothing
def test_bad_edges(operation_id: str, conformance_suite: Suite) -> None:
    conformance_suite.cases.edges(operation_id, good=False)


@pytest.mark.thorough("random data")
@pytest.mark.changes_nothing
def test_bad_data(operation_id: str, conformance_suite: Suite) -> None:
    if not conformance_suite.rules.can_be_invalid(operation_id):
        pytest.skip("It takes any text in its path, and nothing else.")
    conformance_suite.cases.random(operation_id, good=False, cases=conformance_suite.options.cases)


@pytest.mark.touches("create_workspace", "create_pipeline", "deploy_pipeline", "infer_pipeline", "undeploy_pipeline")
@pytest.mark.thorough("random data")
@pytest.mark.separate
def test_links(conformance_suite: Suite) -> None:
    """From operation to operation by the contract's links: create, deploy, look, infer, undeploy."""
    conformance_suite.cases.follow_links(conformance_suite.options.cases)
