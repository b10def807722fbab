"""Is nobody blamed for what a gateway does, and is the instance still blamed behind one?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typing_extensions import override

from contract_tests.mutants.proving.healthy_instances import ROWS_AT, rows_host
from contract_tests.support.command_line import process
from contract_tests.support.conformance.gateway import HTML, TOO_LARGE, TROUBLES, WANTS_BASIC, Gateway
from wallaroo_ext.conformance.results import Verdict, verdict
from wallaroo_ext.conformance.rules import ANSWERED
from wallaroo_ext.conformance.suite import NoFixturesError
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from contract_tests.extension.conformance.healthy.conftest import Look, Switched
    from contract_tests.mutants.serving import LyingInstance

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


@dataclass
class Counting(Gateway):
    """A gateway that counts what it is asked for."""

    paths: Counter[str] = field(default_factory=Counter[str])

    @override
    def around(self, app: ASGIApp) -> ASGIApp:
        behind = super().around(app)

        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            self.paths[scope["path"]] += 1
            await behind(scope, receive, send)

        return counting


class Leading(Gateway):
    """A gateway whose redirects lead to a page that is there."""

    @override
    def around(self, app: ASGIApp) -> ASGIApp:
        behind = super().around(app)

        async def leading(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["path"] == self.location:
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", HTML)]})
                await send({"type": "http.response.body", "body": b"<html></html>"})
            else:
                await behind(scope, receive, send)

        return leading


def test_every_request_is_in_the_report(served: tuple[LyingInstance, Switched], tmp_path: Path) -> None:
    """What is sent past it is neither sent again after trouble, nor guarded."""
    instance, switched = served
    gateway = Counting()
    switched.use(gateway)
    operations = ["--operation", "request_token", "--operation", "list_models"]
    arguments = [*operations, "--release", DEFAULT_OPTIONS.release, "--report", str(tmp_path)]
    done = process("conformance", *arguments, environment=dict(instance.environment), kind="suite", seconds=300)
    assert done.returncode == 0, done.stdout
    reported: Any = json.loads((tmp_path / "report.har").read_text(encoding="utf-8"))["log"]["entries"]
    urls: list[str] = [each["request"]["url"] for each in reported]
    assert Counter(httpx.URL(url).path for url in urls) == gateway.paths


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_much_trouble_is_no_finding_either(share: float, look: Look) -> None:
    """Of requests that may be sent only once, six in a row have trouble somewhere; that is the gateway's as well."""
    run = look(Gateway(trouble=share, seed=5), "list_models", "create_workspace", "create_pipeline", cases=30)
    assert run.findings == []
    assert verdict(run) in {Verdict.CONFORMS, Verdict.COULD_NOT_RUN}


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


@pytest.mark.parametrize(
    "gateway",
    [
        Gateway(user="ann:secret"),
        Gateway(trouble=1, kinds=(WANTS_BASIC,), about=lambda path: path.startswith("/v1/")),
    ],
    ids=["before all", "before the API alone"],
)
def test_a_gateway_that_wants_a_password_of_its_own_ends_the_run(
    gateway: Gateway, served: tuple[LyingInstance, Switched]
) -> None:
    instance, switched = served
    switched.use(gateway)
    environment = dict(instance.environment)
    done = process("conformance", "--operation", "list_models", environment=environment, kind="suite", seconds=300)
    assert done.returncode == 2, done.stdout
    assert "A gateway in front wants a user and a password of its own by HTTP Basic." in done.stdout
    assert "DOES NOT CONFORM" not in done.stdout


def test_rows_go_to_the_host_that_is_named_for_them(look: Look, served: tuple[LyingInstance, Switched]) -> None:
    gateway = Gateway(rows_at=ROWS_AT)
    host = rows_host(served[0].environment, gateway)
    run = look(gateway, "infer_pipeline", "infer_deployment", "get_pipeline_logs", inference_hosts=(host,))
    assert run.findings == []
    assert verdict(run) is Verdict.CONFORMS
    for operation in ("infer_pipeline", "infer_deployment"):
        urls = [each.url for each in run.exchanges if each.operation == operation and each.status == 200]
        assert len(urls) >= 3
        assert all(url.startswith(f"http://{host}/scoring/v2/v1/api/pipelines/infer/") for url in urls)
    assert not any(host in each.url for each in run.exchanges if not each.operation.startswith("infer_"))


def test_no_token_goes_to_a_host_that_is_not_named(look: Look, served: tuple[LyingInstance, Switched]) -> None:
    gateway = Gateway(rows_at=ROWS_AT)
    host = rows_host(served[0].environment, gateway)
    with pytest.raises(NoFixturesError):
        look(gateway, "infer_pipeline")
    instance, switched = served
    switched.use(gateway)
    environment = dict(instance.environment)
    done = process("conformance", "--operation", "infer_pipeline", environment=environment, kind="suite", seconds=300)
    assert done.returncode == 2, done.stdout
    assert f"give --inference-host {host}." in done.stdout
    assert "DOES NOT CONFORM" not in done.stdout


def test_what_a_gateway_wants_for_one_operation_is_said(look: Look) -> None:
    run = look(Gateway(trouble=1, kinds=(WANTS_BASIC,), about=lambda path: path == LIST), "list_models", "get_model")
    assert run.findings == []
    assert verdict(run) is Verdict.COULD_NOT_RUN
    assert list(run.unanswered) == ["list_models"]
    assert "HTTP Basic" in run.could_not_run
    assert any(exchange.operation == "get_model" and exchange.status == 200 for exchange in run.exchanges)


def test_what_is_too_large_for_a_gateway_is_said_and_sent_once(look: Look) -> None:
    run = look(Gateway(trouble=1, kinds=(TOO_LARGE,), about=lambda path: path == LIST), "list_models")
    assert run.findings == []
    assert verdict(run) is Verdict.COULD_NOT_RUN
    assert "client_max_body_size" in run.could_not_run
    bodies = [(each.test, each.request.content) for each in run.exchanges if each.operation == "list_models"]
    assert len(bodies) == sum(run.gaps.values())


def test_a_gateway_answers_other_methods_itself(look: Look) -> None:
    for methods, allow in (
        ({"GET": 405, "HEAD": 405, "TRACE": 405, "OPTIONS": 204}, True),
        ({"GET": 501, "HEAD": 200, "TRACE": 405, "OPTIONS": 501}, False),
    ):
        run = look(Gateway(methods=methods, allow=allow), "list_models")
        assert run.findings == []
        assert {exchange.method for exchange in run.exchanges} == {"POST", *methods}


@pytest.mark.parametrize("location", ["/login", "https://login.example.com/"], ids=["here", "elsewhere"])
def test_a_gateway_that_leads_other_methods_to_a_page_refuses_them(location: str, look: Look) -> None:
    run = look(Leading(methods={"GET": 302}, location=location), "list_models")
    assert run.findings == []
    assert run.withheld == Counter()
    assert {each.status for each in run.exchanges if each.method == "GET"} == {302}
    assert run.passed["list_models", "unsupported_method"]


def test_cookies_that_a_gateway_gives_are_sent_back(look: Look) -> None:
    run = look(Gateway(rewrites=True), "list_models", "upload_and_convert_model")
    assert run.findings == []
    assert verdict(run) is Verdict.CONFORMS
    assert "cookie" not in str(run.withheld_because)
    named = [
        dict(each.request_headers).get("cookie", dict(each.request_headers).get("Cookie")) for each in run.exchanges
    ]
    assert sum(value is not None for value in named) > len(named) / 2


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
