"""The tools from npm: clients in TypeScript, a mock, a proxy and a linter."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from scripts.lib.consumers.tools import BIN, HERE, ConsumerError, Tool, Workshop
from scripts.lib.regenerate import dist

if TYPE_CHECKING:
    from collections.abc import Generator

_NEEDS = ("node", "npm")
_TYPE = "rows need the header `Content-Type: application/json; format=pandas-records`"
_PARTS = "an upload needs a serializer that gives the part `metadata` its own media type"
_START_SECONDS = 60.0


def _version(package: str) -> str:
    return json.loads((HERE / "package.json").read_text(encoding="utf-8"))["devDependencies"][package]


def type_check_and_call(workshop: Workshop, program: str) -> None:
    """Compile a client's program with the compiler of TypeScript, strictly, and let it call the sandbox."""
    workshop.copy(f"{program}.ts")
    workshop.run(BIN / "tsc", "-p", ".")
    workshop.scene.check(workshop.call("node", f"built/{program}.js"))


def make_project(workshop: Workshop) -> None:
    """Make the tool's directory a project of modules in TypeScript, which a generator may look at."""
    workshop.copy("tsconfig.json")
    workshop.copy("../package.json", "package.json")
    (workshop.directory / "node_modules").symlink_to(HERE / "node_modules")


def _openapi_typescript(workshop: Workshop) -> str:
    make_project(workshop)
    workshop.run(BIN / "openapi-typescript", workshop.contract, "-o", "generated/openapi-typescript.ts")
    type_check_and_call(workshop, "openapi-fetch")
    return f"{_TYPE}; {_PARTS}"


def _hey_api(workshop: Workshop) -> str:
    make_project(workshop)
    output = {"path": "generated/hey-api", "module": {"extension": ".js"}}
    options = {"input": str(workshop.contract), "output": output, "plugins": ["@hey-api/client-fetch"]}
    settings = f"export default {json.dumps(options)}\n"
    (workshop.directory / "openapi-ts.config.mjs").write_text(settings, encoding="utf-8")
    workshop.run(BIN / "openapi-ts", "--file", "openapi-ts.config.mjs", "--no-log-file")
    type_check_and_call(workshop, "hey-api")
    return f"{_TYPE}; {_PARTS}"


_RULES = """\
extends: [[spectral:oas, recommended]]
rules:
  info-contact: off # there is nobody to write to
"""


def _spectral(workshop: Workshop) -> str:
    (workshop.directory / ".spectral.yaml").write_text(_RULES, encoding="utf-8")
    names = sorted(dist.DIRECTORY.glob(f"{dist.NAME}*.json"))
    workshop.run(BIN / "spectral", "lint", "--fail-severity", "hint", "--ruleset", ".spectral.yaml", *names)
    return "nothing to say of the contract and those of the releases, but that there is no contact"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def _prism(workshop: Workshop, command: str, *arguments: str) -> Generator[str]:
    """Run Prism for the duration of a `with` block, and yield its URL."""
    port = _free_port()
    log = workshop.directory / f"{command}.log"
    line = [str(BIN / "prism"), command, str(workshop.contract), *arguments, "--port", str(port), "--host", "127.0.0.1"]
    with (
        log.open("wb") as output,
        subprocess.Popen(line, stdout=output, stderr=output, stdin=subprocess.DEVNULL) as started,
    ):
        try:
            _wait_for(port, started)
            yield f"http://127.0.0.1:{port}"
        finally:
            started.terminate()


def _wait_for(port: int, started: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and started.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ConsumerError("Prism did not start")


def _expect(answer: httpx.Response, status: int) -> Any:
    if answer.status_code != status:
        raise ConsumerError(f"{answer.request.url.path} was answered with {answer.status_code}: {answer.text[:300]}")
    return answer.json()


def _mock(workshop: Workshop) -> str:
    with _prism(workshop, "mock") as url, httpx.Client(base_url=url, headers={"Authorization": "Bearer x"}) as client:
        found = _expect(client.post("/v1/api/workspaces/list", json={}), 200)
        if not found["workspaces"]:
            raise ConsumerError("the mock answers no workspaces")
        _expect(client.post("/v1/api/pipelines/create", json={"pipeline_id": 7}), 400)
        _expect(client.post("/v1/api/workspaces/list", json={}, headers={"Authorization": ""}), 401)
        _expect(client.post("/v1/api/pipelines/infer/a-1/a", json=[{"tensor": [1]}]), 200)  # 415 at an instance
    return (
        "answers with the contract's examples; ignores parameters of media types: takes rows as `application/json`, too"
    )


def _proxy(workshop: Workshop) -> str:
    api = workshop.scene.variables["WALLAROO_API_URL"]
    token = _token(workshop)
    with _prism(workshop, "proxy", api, "--errors") as url, httpx.Client(base_url=url, headers=token) as client:
        found = _expect(client.post("/v1/api/workspaces/list", json={}), 200)
        if workshop.scene.variables["WORKSPACE"] not in [each["name"] for each in found["workspaces"]]:
            raise ConsumerError("the proxy answers other workspaces than the sandbox")
        body = {"workspace_id": int(workshop.scene.variables["WORKSPACE_ID"]), "pipeline_name": "tumours", "limit": 1}
        [row] = _expect(client.post("/v1/api/assays/get_baseline", json=body), 200)
        if "in.tensor" not in row:
            raise ConsumerError(f"the proxy gives {row}")
        _expect(client.post("/v1/api/pipelines/create", json={"pipeline_id": 7}), 422)
    return "holds requests and answers to the contract with `--errors`"


def _token(workshop: Workshop) -> dict[str, str]:
    """Return the header of a request with a token of the sandbox."""
    variables = workshop.scene.variables
    answer = httpx.post(
        f"{variables['WALLAROO_AUTH_URL']}/auth/realms/master/protocol/openid-connect/token",
        auth=(variables["WALLAROO_CLIENT_ID"], variables["WALLAROO_CLIENT_SECRET"]),
        data={
            "grant_type": "password",
            "username": variables["WALLAROO_USER"],
            "password": variables["WALLAROO_PASSWORD"],
        },
    )
    return {"Authorization": f"Bearer {_expect(answer, 200)['access_token']}"}


TOOLS = (
    Tool("openapi-typescript with openapi-fetch", _version("openapi-typescript"), _NEEDS, _openapi_typescript),
    Tool("@hey-api/openapi-ts", _version("@hey-api/openapi-ts"), _NEEDS, _hey_api),
    Tool("Prism as mock", _version("@stoplight/prism-cli"), _NEEDS, _mock),
    Tool("Prism as proxy", _version("@stoplight/prism-cli"), _NEEDS, _proxy),
    Tool("Spectral", _version("@stoplight/spectral-cli"), _NEEDS, _spectral),
)
