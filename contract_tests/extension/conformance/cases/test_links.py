"""Do links find no fault in a slow instance, one in an instance that lies, and change nothing that tests need?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest
from wallaroo_mlops_client.api.deployments import get_deployment_status
from wallaroo_mlops_client.models import GetDeploymentStatusRequest

from contract_tests.extension.conformance.healthy.conftest import suite_of
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import call
from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.conformance.guard.write_guard import WithheldError
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


def test_rows_wait_for_deployments_that_start_slowly() -> None:
    """A real deployment takes half a minute, which is longer than a request is repeated; here, pauses take no time."""
    with (
        running() as environment,
        Sandbox(environment) as control,
        suite_of(SuiteOptions(running=environment)) as suite,
    ):
        assert suite.fixtures.deployment is not None
        before = len(suite.run.exchanges)
        control.set_transitions(deployments={"seconds": 1.5})
        cases: Any = suite.cases
        cases._good = cases._good.include(operation_id=["deploy_pipeline", *INFERENCE])
        cases.follow_links(SCENARIOS)
        asked = [each.url for each in suite.run.exchanges[before:] if each.operation in INFERENCE]
        assert any(suite.fixtures.deployment.name not in url for url in asked), "a deployment that a link had started"
        assert suite.run.findings == []
        assert suite.run.gaps == Counter()


def test_an_instance_that_never_takes_rows_is_found(served: tuple[Suite, Sandbox]) -> None:
    suite, control = served
    control.add_faults(*unavailable())
    assert found_in_inference(suite)


def test_a_link_leads_to_nothing_that_later_tests_need(served: tuple[Suite, Sandbox]) -> None:
    suite, _ = served
    fixtures, cases = suite.fixtures, cast("Any", suite.cases)
    cases._good = cases._good.include(operation_id=["get_pipeline_by_name", "undeploy_pipeline"])
    cases.follow_links(SCENARIOS)
    assert any("later tests" in reason for reason in suite.run.withheld_because["undeploy_pipeline"])
    assert fixtures.deployment is not None
    assert call(
        get_deployment_status, client=suite.client, body=GetDeploymentStatusRequest(name=fixtures.deployment.name)
    )


def test_answers_that_differ_from_scenario_to_scenario_are_no_fault(
    served: tuple[Suite, Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hypothesis begins scenarios alike, and expects the same answers to the same requests."""
    suite, _ = served
    interceptor, sent = suite.interceptor, Counter[str]()
    admit = interceptor.admit

    def unlike(method: str, url: str, *arguments: Any) -> Any:
        sent[url] += 1
        if sent[url] % 3 == 2:
            raise WithheldError("Every third request to a URL is withheld, whichever scenario it is of.")
        return admit(method, url, *arguments)

    monkeypatch.setattr(interceptor, "admit", unlike)
    before = len(suite.run.exchanges)
    suite.cases.follow_links(4 * SCENARIOS)
    assert len(suite.run.exchanges) - before > 8 * SCENARIOS, "all scenarios went on"
    assert suite.run.findings == []


def test_a_checks_own_request_may_stay_without_an_answer(served: tuple[Suite, Sandbox]) -> None:
    suite, _ = served
    cases: Any = suite.cases
    asked = list[str]()

    def unanswered(response: Any, case: Any, recorder: Any) -> None:  # noqa: ARG001 - as it is called
        asked.append(case.operation.label)
        raise NoAnswerError("list_workspaces", "503", may_be_repeated=False)

    cases._check_step = unanswered
    cases.follow_links(1)
    assert asked
    assert suite.run.findings == []
    assert suite.run.unanswered == {"list_workspaces": "503"}


@pytest.mark.parametrize(
    ("operation", "path", "field"),
    [
        ("undeploy_pipeline", "/v1/api/pipelines/undeploy", "pipeline_id"),
        ("set_assay_active", "/v1/api/assays/set_active", "id"),
        ("deactivate_user", "/v1/api/users/deactivate", "email"),
    ],
)
def test_what_operations_may_change_has_a_second_one(
    served: tuple[Suite, Sandbox], operation: str, path: str, field: str
) -> None:
    suite, _ = served
    effects, cases = suite.guard.effects[operation], cast("Any", suite.cases)
    [thing] = [name.thing for name in effects.names if name.location == ("body", field)]
    needed, given = suite.fixtures.spared_by(effects)[thing], suite.fixtures.things_for(effects)[thing]
    assert [needed] != given
    headers = {"Authorization": suite.user_authorization()}
    with pytest.raises(WithheldError, match="later tests"):
        cases._session.post(f"{suite.instance.settings.api_url}{path}", json={field: needed}, headers=headers)
