"""Is nobody blamed for what a real nginx does?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.mutants.proving.healthy_instances import NGINX
from contract_tests.support.command_line import process
from contract_tests.support.conformance.gateway import Gateway
from contract_tests.support.servers import nginx
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
    from contract_tests.extension.conformance.healthy.conftest import Look, Switched
    from contract_tests.mutants.serving import LyingInstance

pytestmark = pytest.mark.skipif(not nginx.program(), reason=nginx.MISSING)


def environment_at(url: str, served: tuple[LyingInstance, Switched]) -> dict[str, str]:
    """Return the variables of the sandbox as it is reached at another URL."""
    found = served[0].environment
    upstream = found["WALLAROO_API_URL"]
    return {name: value.replace(upstream, url) if name.endswith("_URL") else value for name, value in found.items()}


def test_it_conforms_behind_nginx(look: Look, served: tuple[LyingInstance, Switched]) -> None:
    operations = ("list_models", "infer_pipeline", "upload_model_stream", "get_pipeline_external_url")
    with nginx.nginx_before(served[0].environment["WALLAROO_API_URL"], settings=NGINX) as url:
        run = look(Gateway(), *operations, running=environment_at(url, served))
    assert run.findings == []
    assert verdict(run) is Verdict.CONFORMS
    heads = [dict(each.answer_headers) for each in run.exchanges if each.operation in operations]
    assert all("X-Content-Type-Options" in head or "x-content-type-options" in head for head in heads), "by nginx"


def test_a_body_that_nginx_lets_not_through_is_said(served: tuple[LyingInstance, Switched]) -> None:
    served[1].use(Gateway())
    small = "client_max_body_size 400;"
    with nginx.nginx_before(served[0].environment["WALLAROO_API_URL"], of_location=small) as url:
        environment = environment_at(url, served)
        done = process("conformance", "--operation", "list_models", environment=environment, kind="suite", seconds=300)
    assert done.returncode == 2, done.stdout
    assert "413 of a gateway that lets no body of this size through" in done.stdout
    assert "client_max_body_size" in done.stdout
    assert "DOES NOT CONFORM" not in done.stdout


@pytest.mark.slow
def test_an_instance_that_nginx_does_not_wait_for_is_not_blamed(
    look: Look, served: tuple[LyingInstance, Switched]
) -> None:
    slow = Gateway(seconds=1.5, about=lambda path: path == "/v1/api/models/list")
    with nginx.nginx_before(served[0].environment["WALLAROO_API_URL"], of_location="proxy_read_timeout 1s;") as url:
        run = look(slow, "list_models", "list_workspaces", running=environment_at(url, served))
    assert {(operation, what) for operation, what in run.gaps} == {("list_models", "504")}
    assert [each.check for each in run.findings] == ["an_answer_comes"], "what is never answered is the instance's"
