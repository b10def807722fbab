"""Does an instance have to refuse all that is bad by the bound contract, and nothing that is good by the contract?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.hypothesis import examples as generation
from wallaroo_mlops_client.api.assays import create_assay
from wallaroo_mlops_client.models import AssayRequest

from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import call
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.resources.fixtures import assay_request
from wallaroo_ext.conformance.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Generator

CHECK = "negative_data_rejection"
STREAM = {"name": "conformance-m", "filename": "m.onnx", "workspace_id": 1}


@pytest.fixture(scope="module")
def suite() -> Generator[Suite]:
    """Yield the suite on a sandbox of its own, with what a run makes first."""
    with running() as environment:
        suite = Suite(SuiteOptions(running=environment))
        try:
            assert suite.fixtures.assay_id is not None
            yield suite
        finally:
            suite.close()


def bad_case(suite: Suite, operation: str, part: ParameterLocation) -> Any:
    """Return a case of an operation that writes, which is bad in one part by the names that the run may give."""
    cases: Any = suite.cases
    strategy = cases._operation(cases._bad_writes, operation).as_strategy(generation_mode=GenerationMode.NEGATIVE)

    def is_bad_there(case: Any) -> bool:
        return {location for location, each in case.meta.components.items() if each.mode.is_negative} == {part}

    return cast("Any", generation).generate_one(strategy.filter(is_bad_there))


def checks_of(suite: Suite, case: Any) -> set[str]:
    cases: Any = suite.cases
    return {check.__name__ for check in cases._checks(case)}


def test_another_thing_of_the_run_is_taken_rightly(suite: Suite) -> None:
    body = AssayRequest.from_dict(assay_request(suite.fixtures, name=f"{suite.guard.owned.name_prefix}-another"))
    another = call(create_assay, client=suite.client, body=body).assay_id
    case = bad_case(suite, "set_assay_active", ParameterLocation.BODY)
    case.media_type, case.body = "application/json", {"id": another, "active": True}
    before = len(suite.run.exchanges)
    suite.cases.send(case)
    assert (suite.run.exchanges[before].status, suite.run.findings) == (200, [])


@pytest.mark.parametrize(
    "body",
    [{"id": "5", "active": True}, {"id": 5}, {"id": 5, "active": "yes"}, {"id": 2**63, "active": True}, [], b"{"],
)
def test_what_is_bad_by_the_contract_has_to_be_refused(suite: Suite, body: Any) -> None:
    case = bad_case(suite, "set_assay_active", ParameterLocation.BODY)
    case.media_type, case.body = "application/json", body
    assert CHECK in checks_of(suite, case)


@pytest.mark.parametrize(
    ("changes", "is_allowed"), [({}, True), ({"workspace_id": "one"}, False), ({"name": ["m", "n"]}, False)]
)
def test_a_query_is_bad_or_good_as_a_body_is(suite: Suite, changes: dict[str, Any], *, is_allowed: bool) -> None:
    case = bad_case(suite, "upload_model_stream", ParameterLocation.QUERY)
    case.query = STREAM | changes
    assert (CHECK not in checks_of(suite, case)) is is_allowed


def test_all_that_is_bad_in_a_request_that_only_reads_has_to_be_refused(suite: Suite) -> None:
    cases: Any = suite.cases
    operation = cases._operation(cases._bad, "list_models")
    case = cast("Any", generation).generate_one(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    assert CHECK in checks_of(suite, case)


def test_another_media_type_has_to_be_refused(suite: Suite) -> None:
    case = bad_case(suite, "set_assay_active", ParameterLocation.BODY)
    case.media_type, case.body = "text/plain", {"id": 5, "active": True}
    assert CHECK in checks_of(suite, case)


def test_tokens_that_are_ignored_are_looked_for_once_an_operation(suite: Suite) -> None:
    cases: Any = suite.cases
    case = bad_case(suite, "deploy_pipeline", ParameterLocation.BODY)
    assert "ignored_auth" in checks_of(suite, case)
    cases._probed.add("deploy_pipeline")
    assert "ignored_auth" not in checks_of(suite, case)
