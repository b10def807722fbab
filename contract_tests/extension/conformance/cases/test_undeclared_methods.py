"""Is a refusal of a method what HTTP has for it, and nothing else?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.openapi.checks import AllowHeaderMismatch, UnsupportedMethodResponse

from wallaroo_ext.conformance.cases.undeclared_methods import (
    allow_header_conformance,
    is_refusal,
    not_a_server_error,
    unsupported_method,
)

HTML, JSON = "text/html", "application/json"


@pytest.mark.parametrize("method", ["GET", "TRACE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 413, 501])
def test_a_refusal_may_have_any_of_these_statuses(method: str, status: int) -> None:
    assert is_refusal(method, status, HTML)


@pytest.mark.parametrize(
    ("method", "status", "kind"), [("HEAD", 200, JSON), ("OPTIONS", 200, ""), ("OPTIONS", 204, "")]
)
def test_servers_answer_these_for_any_path(method: str, status: int, kind: str) -> None:
    assert is_refusal(method, status, kind)


def test_a_request_may_be_traced_as_http_says() -> None:
    assert is_refusal("TRACE", 200, "message/http")
    assert not is_refusal("TRACE", 200, JSON)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_an_error_of_the_server_is_no_refusal(method: str) -> None:
    assert not is_refusal(method, 500, JSON)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_to_do_it_is_no_refusal(status: int) -> None:
    assert not is_refusal("GET", status, JSON)


def check_refused(
    status: int, kind: str, scenario: CoverageScenario = CoverageScenario.UNSPECIFIED_HTTP_METHOD, **headers: list[str]
) -> bool | None:
    """Check an answer to PUT for a path with a POST."""
    request = SimpleNamespace(method="PUT")
    response = SimpleNamespace(headers={"content-type": [kind]} | headers, request=request, status_code=status)
    data = CoveragePhaseData(scenario, "", None, None, None)
    case = SimpleNamespace(
        operation=SimpleNamespace(label="POST /a", path="/a", schema={"/a": {"post": {}}}),
        meta=SimpleNamespace(phase=SimpleNamespace(data=data)),
    )
    return unsupported_method(None, response, case)


def test_a_405_of_the_api_itself_lists_what_is_allowed() -> None:
    check_refused(405, JSON, allow=["POST"])
    check_refused(405, JSON, allow=["GET, post"])
    with pytest.raises(UnsupportedMethodResponse, match="405 to PUT has no `Allow`"):
        check_refused(405, JSON)
    with pytest.raises(UnsupportedMethodResponse, match="405 to PUT has no POST in `Allow`"):
        check_refused(405, JSON, allow=["GET, HEAD"])


def test_a_405_of_a_gateway_need_not() -> None:
    check_refused(405, HTML)


def check_allowed(listed: str, method: str = "OPTIONS") -> bool | None:
    """Check an answer that lists methods, for a path with a POST."""
    response: Any = SimpleNamespace(headers={"allow": [listed]}, request=SimpleNamespace(method=method))
    operation = SimpleNamespace(label="POST /a", path="/a", schema={"/a": {"post": {}, "parameters": []}})
    return allow_header_conformance(None, response, SimpleNamespace(operation=operation))


@pytest.mark.parametrize("listed", ["OPTIONS", "GET, HEAD, OPTIONS", "", "OPTIONS, POST", "post"])
def test_a_gateway_may_list_what_it_answers_itself(listed: str) -> None:
    check_allowed(listed)


def test_who_lists_other_methods_lists_those_of_the_contract() -> None:
    with pytest.raises(AllowHeaderMismatch, match="`Allow: OPTIONS, PUT` lacks POST, which the contract has"):
        check_allowed("OPTIONS, PUT")


def test_what_is_not_looked_at_counts_for_nothing() -> None:
    """Schemathesis takes only what is true for a check that was not made."""
    assert check_refused(405, JSON, allow=["POST"]) is None
    assert check_refused(200, JSON, CoverageScenario.MISSING_PARAMETER) is True
    assert check_allowed("POST") is None
    for listed, method in (("POST", "POST"), ("", "OPTIONS"), ("GET, HEAD, OPTIONS", "OPTIONS")):
        assert check_allowed(listed, method) is True
    case = SimpleNamespace(method="PUT", operation=SimpleNamespace(method="post"))
    assert not_a_server_error(None, SimpleNamespace(status_code=501), case) is True
