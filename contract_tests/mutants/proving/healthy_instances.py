"""Healthy instances in the surroundings that real ones have, none of which may be blamed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract_tests.mutants.proving.suite_runs import NOT_WAITING, run
from contract_tests.mutants.serving import lying_instance
from contract_tests.support.conformance.gateway import Gateway
from contract_tests.support.servers import nginx
from wallaroo_ext import connect, contract, upload_model
from wallaroo_ext.conformance.instance import SANDBOX_TOKEN_SECONDS
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contract_tests.mutants.serving import LyingInstance

_WORKSPACES, _PIPELINES, _MODELS = 1000, 300, 30
_HIGHEST_ID = 2_000_000_000
_HOUR, _MINUTES = 3600, 150
_TROUBLE = 0.03
RELEASE = DEFAULT_OPTIONS.release


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a healthy instance is and has been through.

    Attributes:
        prepare: What happened to it before.
        gateway: Makes the gateway in front of it.
        release: Its release.
        nginx: The settings of an nginx in front of it; None for none.
        operations: The operations that are looked at; empty for all.
        tests: The tests that are run, as pytest's `-k` has them; empty for all.
        token_seconds: The lifetime of its tokens.
    """

    prepare: Callable[[LyingInstance], None] = lambda _: None
    gateway: Callable[[], Gateway] = Gateway
    release: str = RELEASE
    nginx: str | None = None
    operations: tuple[str, ...] = ()
    tests: str = ""
    token_seconds: int = SANDBOX_TOKEN_SECONDS


def fill(instance: LyingInstance) -> None:
    """Make many things of others."""
    workspaces = [{"name": f"of-others-{number}"} for number in range(_WORKSPACES)]
    with Sandbox(instance.environment) as control:
        made = control.seed(workspaces=workspaces)["workspaces"]
        control.seed(
            pipelines=[
                {"name": f"of-others-{number}", "workspace_id": made[number % 7]} for number in range(_PIPELINES)
            ]
        )
    with connect(environment=instance.environment) as client:
        for number in range(_MODELS):
            upload_model(client, model_file(seed=number), name=f"of-others-{number}", workspace=made[number % 7])


def use(instance: LyingInstance) -> None:
    """Let the suite run once, which leaves behind what it made."""
    run(_options(instance, cases=1, seed=1), NOT_WAITING)


WAITED_FOR = ("copy_pipeline",)
"""The operations that a slow instance is tried with: few, and of those that the suite waits for."""
WAITING_TESTS = "a_copy or a_pipeline_that_scored_nothing or an_accepted_write or an_older_version"
"""The tests that it is tried with: those of them that deploy, score or read back, which take a minute each."""
ROWS_AT = "localhost/scoring/v2"
NGINX = """
    client_max_body_size 16m; client_body_buffer_size 8k; proxy_buffers 4 4k; proxy_buffer_size 4k;
    gzip on; gzip_min_length 20; gzip_proxied any; gzip_types application/json; gunzip on;
    underscores_in_headers off; proxy_http_version 1.1; proxy_read_timeout 60s; charset utf-8;
    add_header X-Content-Type-Options nosniff always; proxy_hide_header Server;
"""
"""Settings of an nginx: small buffers, so that bodies go through files, packed answers, other headers."""

SURROUNDINGS: dict[str, Surroundings] = {
    "a fresh sandbox": Surroundings(),
    "a second run": Surroundings(use),
    "with things of others": Surroundings(fill),
    "ids far apart and high": Surroundings(lambda instance: instance.raise_ids(_HIGHEST_ID)),
    "an hour ahead": Surroundings(
        lambda instance: instance.advance_clock(_HOUR), gateway=lambda: Gateway(ahead_seconds=_HOUR)
    ),
    "an hour behind": Surroundings(
        lambda instance: instance.advance_clock(-_HOUR), gateway=lambda: Gateway(ahead_seconds=-_HOUR)
    ),
    "some minutes ahead of its gateway": Surroundings(lambda instance: instance.advance_clock(_MINUTES)),
    "an hour behind its gateway": Surroundings(lambda instance: instance.advance_clock(-_HOUR)),
    "behind a gateway that is an hour ahead": Surroundings(gateway=lambda: Gateway(ahead_seconds=_HOUR)),
    "behind a gateway with trouble": Surroundings(gateway=lambda: Gateway(trouble=_TROUBLE)),
    "behind a gateway that rewrites": Surroundings(
        gateway=lambda: Gateway(
            rewrites=True, rewords=True, compresses=True, prefix="/ml", methods={"TRACE": 405, "HEAD": 200}
        )
    ),
    "slow": Surroundings(
        gateway=lambda: Gateway(seconds=2.5), operations=WAITED_FOR, tests=WAITING_TESTS, token_seconds=60
    ),
    "rows on another host": Surroundings(gateway=lambda: Gateway(rows_at=ROWS_AT)),
    **({"behind nginx": Surroundings(nginx=NGINX)} if nginx.program() else {}),
    **{f"release {release}": Surroundings(release=release) for release in contract.RELEASES if release != RELEASE},
}


@contextmanager
def healthy_instance(name: str, *, cases: int, seed: int) -> Generator[SuiteOptions]:
    """Yield the options of a run on an instance in some surroundings, as on one that others use.

    Args:
        name: The name of the surroundings.
        cases: The number of random requests of each operation and kind.
        seed: The seed of random data.
    """
    chosen = SURROUNDINGS[name]
    gateway = chosen.gateway()
    with ExitStack() as stack:
        instance = stack.enter_context(
            lying_instance(
                gateway.around,
                chosen.release,
                token_seconds=chosen.token_seconds,
                has_date=not gateway.ahead_seconds,
            )
        )
        chosen.prepare(instance)
        few = 1 if chosen.operations else cases
        options = _options(instance, cases=few, seed=seed, release=chosen.release, prefix=gateway.prefix)
        options = replace(options, operations=chosen.operations)
        if gateway.rows_at:
            options = replace(options, inference_hosts=(rows_host(instance.environment, gateway),))
        if chosen.nginx is not None:
            options = stack.enter_context(behind_nginx(options, chosen.nginx))
        yield options


def rows_host(environment: dict[str, str], gateway: Gateway) -> str:
    """Return the host at which a gateway takes rows, with the port."""
    return f"{gateway.rows_at.partition('/')[0]}:{urlsplit(environment['WALLAROO_API_URL']).port}"


@contextmanager
def behind_nginx(options: SuiteOptions, settings: str) -> Generator[SuiteOptions]:
    """Yield the options of a run on the same instance behind an nginx with these settings."""
    environment = options.environment or {}
    url = environment["WALLAROO_API_URL"]
    with nginx.nginx_before(url, settings=settings) as front:
        changed = {
            name: value.replace(url, front) if name.endswith("_URL") else value for name, value in environment.items()
        }
        yield replace(options, environment=changed)


def _options(
    instance: LyingInstance, *, cases: int, seed: int, release: str = RELEASE, prefix: str = ""
) -> SuiteOptions:
    environment = {
        name: value + prefix if name.endswith("_URL") else value for name, value in instance.environment.items()
    }
    return SuiteOptions(
        instance="live",
        environment=environment,
        allow_user_changes=True,
        release=release,
        cases=cases,
        seed=seed,
    )
