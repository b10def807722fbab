"""Fixtures of all tests: one sandbox for the run, clients of it, small models, and the contract."""

from __future__ import annotations

import gc
import logging
import signal
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs] - it has none

from contract_tests.support.servers.callers import user_token, with_token
from contract_tests.support.servers.forks.few_signing_keys import FewSigningKeys
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import call, connect, contract
from wallaroo_ext.sandbox.auth import signing_keys
from wallaroo_ext.sandbox.http.logs.log_writer import LOGGERS
from wallaroo_ext.transport.connections.tls import shared_tls_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

WIDTH = 29
_IN_ONE_PROCESS = ("contract_tests/instance/", "contract_tests/real_keycloak/")
"""Directories whose tests one process runs: their fixtures count requests over all files, or start a Keycloak."""

_IN_ANY_PROCESS = ("contract_tests/extension/conformance/test_command.py",)
"""Files of tests that share nothing and take long, because each runs the suite."""

_LOGGERS = [logging.getLogger(name) for name in {"wallaroo_ext", "httpx", *LOGGERS}]

_SECONDS, _SLOW_SECONDS = 0.1, 10.0
"""Roughly what a test takes, and one that is marked slow."""


def _group(nodeid: str) -> str:
    """Return the directory of `_IN_ONE_PROCESS` that has a test, or else its file."""
    return next((found for found in _IN_ONE_PROCESS if nodeid.startswith(found)), nodeid.partition("::")[0])


class _ByFile(LoadScopeScheduling):
    """Gives all tests of a file to one process, and all tests of some directories, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        group = _group(nodeid)
        return nodeid if group in _IN_ANY_PROCESS else group


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let several processes begin with the tests that take long, so that none is left alone with one at the end."""
    if not hasattr(config, "workerinput"):  # the process is no worker of pytest-xdist
        return
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        seconds[_group(item.nodeid)] += _SLOW_SECONDS if item.get_closest_marker("slow") else _SECONDS
    items.sort(key=lambda item: (_group(item.nodeid) not in _IN_ONE_PROCESS, -seconds[_group(item.nodeid)]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return the scheduler that distributes the tests of `scripts/test` to processes."""
    config.option.loadscopereorder = False  # pytest_collection_modifyitems has ordered them
    return _ByFile(config, log)


def pytest_collection_finish() -> None:
    """Leave what was collected to itself, and look for garbage less often, which took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _default_signals() -> None:
    """Restore the default signal handlers, so that Ctrl-C ends programs of the tests even if a parent ignores it."""
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:  # a run of the contract suite has handlers of its own
            signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def _shared_tls_context() -> Generator[None]:
    """Share a TLS context: each bare client of httpx would read all certificates again, which takes 30 ms."""

    def context(verify: ssl.SSLContext | bool = True, *arguments: Any, **options: Any) -> ssl.SSLContext:  # noqa: FBT001, FBT002 - httpx's own
        return shared_tls_context(verify=True) if verify is True else create(verify, *arguments, **options)

    create = httpx.create_ssl_context
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", context)
        yield


@pytest.fixture(scope="session", autouse=True)
def _few_signing_keys() -> Generator[None]:
    """Give the sandboxes of this process eight keys in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing_keys, "rsa", FewSigningKeys().as_rsa())
        yield


@pytest.fixture(autouse=True)
def _unchanged_loggers() -> Generator[None]:
    """Undo what `--verbose` and a sandbox in this process change of loggers, which later tests would notice."""
    before = [(logger, logger.level, logger.propagate, list(logger.handlers)) for logger in _LOGGERS]
    yield
    for logger, level, propagate, handlers in before:
        if logger.level != level:  # to set it takes longer
            logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """Return the contract."""
    return contract.load()


@pytest.fixture(scope="session")
def sandbox() -> Generator[dict[str, str]]:
    """Yield the environment of a sandbox that lives as long as the run."""
    with running() as environment:
        yield environment


@pytest.fixture
def client(sandbox: dict[str, str]) -> Generator[Client]:
    """Yield a connected client of the sandbox."""
    with connect(environment=sandbox) as connected:
        yield connected


@pytest.fixture
def token(sandbox: dict[str, str]) -> str:
    """Return a new access token of the default user."""
    return user_token(sandbox)


@pytest.fixture
def http(sandbox: dict[str, str], token: str) -> Generator[httpx.Client]:
    """Yield an HTTP client with a good token, for requests that our own clients would not send."""
    with with_token(sandbox, token) as plain:
        yield plain


@pytest.fixture(scope="session")
def weights() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the weights of the small model, which it multiplies a row with."""
    return np.random.default_rng(29).normal(size=(WIDTH, 1)).astype(np.float32)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory, weights: np.ndarray[Any, Any]) -> Path:
    """Return the file of a small model with the documents' shape: `dense_input` float32 [N, 29] to `dense_1` [N, 1]."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["dense_input", "w"], ["sum"]), helper.make_node("Sigmoid", ["sum"], ["dense_1"])],
        "shape-of-ccfraud",
        [helper.make_tensor_value_info("dense_input", TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info("dense_1", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path_factory.mktemp("models") / "shape-of-ccfraud.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def expected(weights: np.ndarray[Any, Any]) -> Callable[[Any], np.ndarray[Any, Any]]:
    """Return a function that computes the small model's outputs without it."""

    def compute(rows: Any) -> np.ndarray[Any, Any]:
        return 1 / (1 + np.exp(-(np.asarray(rows, np.float32).astype(np.float64) @ weights)))

    return compute


@pytest.fixture(scope="session")
def documents_row(document: dict[str, Any]) -> list[float]:
    """Return the row that the documents score."""
    body = document["components"]["requestBodies"]["Inference"]["content"]
    return body["application/json; format=pandas-records"]["examples"]["tensor"]["value"][0]["tensor"]


@pytest.fixture
def workspace_id(client: Client) -> int:
    """Return the default user's own workspace."""
    from wallaroo_mlops_client.api.workspaces import list_workspaces
    from wallaroo_mlops_client.models import ListWorkspacesRequest

    return call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces[0].id


@pytest.fixture
def deploy(client: Client, workspace_id: int) -> Callable[..., tuple[str, str]]:
    """Return a function that deploys models under a name, and returns the deployment's name and URL."""
    from wallaroo_mlops_client.api.deployments import get_pipeline_external_url
    from wallaroo_mlops_client.api.pipelines import create_pipeline, deploy_pipeline
    from wallaroo_mlops_client.models import (
        CreatePipelineRequest,
        DeployPipelineRequest,
        GetPipelineExternalUrlRequest,
        PipelineDefinition,
    )

    def run(name: str, *version_ids: int) -> tuple[str, str]:
        pipeline = call(
            create_pipeline,
            client=client,
            body=CreatePipelineRequest(pipeline_id=name, workspace_id=workspace_id, definition=PipelineDefinition()),
        )
        request = DeployPipelineRequest(
            deploy_id=name,
            pipeline_id=pipeline.pipeline_pk_id,
            pipeline_version_pk_id=pipeline.pipeline_variant_pk_id,
            model_ids=list(version_ids),
        )
        deployment = call(deploy_pipeline, client=client, body=request)
        url_request = GetPipelineExternalUrlRequest(workspace_id=workspace_id, pipeline_name=name)
        url = call(get_pipeline_external_url, client=client, body=url_request).url
        return f"{name}-{deployment.id}", url

    return run
