"""Replays recorded exchanges on a sandbox, and compares its answers with the recorded ones.

Each document is replayed in its order on a sandbox of its own with the document's release, after the things that the
document assumes to exist were made. Ids, UUIDs and digests of the recording are mapped to those of the sandbox as
answers show them. Answers are compared by status, keys, types and nulls.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.lib.bench.model import model_content
from scripts.lib.congruence import real_servers
from scripts.lib.congruence.house_prices import log_house_prices
from scripts.lib.evidence.known_operations import OF_DOCUMENTS
from scripts.lib.evidence.recordings import VARIABLE, recordings_directory
from scripts.lib.polling import polled
from scripts.lib.written_tables import parse_arguments, write_or_check
from wallaroo_ext import call, connect, contract, upload_model, wait_until_running
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.process import running, start_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from wallaroo_mlops_client import Client

    from wallaroo_ext.sandbox.process import Starter

ROOT = Path(__file__).parents[3]
RECORDINGS = ROOT / "contract_tests/documents/recordings"
TABLE = ROOT / "contract_tests/sandbox/congruence.md"
FIRST_USERS = ("ca7d7043-8e94-42d5-9f3a-8f55c2e42814", "028c8b48-c39b-4578-9110-0b5bdd3824da")
DOCUMENTS_SHA = "bc85ce596945f876256f41515c7501c399fd97ebcb9ab3dd41bf03f8937b4507"
PATIENCE_SECONDS = 30.0
ASSAYS = {"api-essentials-guide": (4, 4), "mlops-api-tutorial": (5, 1)}
"""The ids of the workspace and the pipeline that a document's assays belong to."""

LOGGED_MODELS = ("housepricemodel", "houseprice-model-yns")

# The kind of thing that a field of a request or an answer identifies; its values are mapped.
FIELDS = {
    "workspace_id": "workspace",
    "pipeline_pk_id": "pipeline",
    "source_pipeline": "pipeline",
    "pipeline_variant_pk_id": "variant",
    "pipeline_version_pk_id": "variant",
    "deployment_id": "deployment",
    "models_pk_id": "model",
    "assay_id": "assay",
    "version": "text",
    "model_version": "text",
    "sha": "text",
    "user_id": "text",
    "user_ids": "text",
}
IDS = {
    "upload_and_convert_model": "model",
    "upload_model": "model",
    "upload_model_stream": "model",
    "list_models": "model",
    "list_model_versions": "model",
    "get_model": "model",
    "get_model_by_id": "model",
    "get_model_config_by_id": "model",
    "list_workspaces": "workspace",
    "deploy_pipeline": "deployment",
    "list_assays": "assay",
    "set_assay_active": "assay",
    "run_interactive_assay": "assay",
    "run_interactive_assay_baseline": "assay",
}

# Why the sandbox differs, by operation and path in the answer; a difference without a reason fails the test.
REASONS = {
    ("query_users", "users.*.firstName"): "the sandbox's users have no names",
    ("query_users", "users.*.lastName"): "the sandbox's users have no names",
    ("list_assays", "[].last_run"): "the sandbox has run what is due by the time that it is listed",
    ("infer_pipeline", "[].in"): "a cell that the document's table cuts off, left out of the recording",
    ("infer_pipeline", "[].metadata"): "a cell that the document's table cuts off, left out of the recording",
}

# Answers that a document does not print although its later requests use their values: by operation, the possible
# answers.
UNPRINTED: dict[str, dict[str, list[Any]]] = {
    "pipeline-management-guide": {
        "list_model_versions": [[{"model_version": "bdfc8c60-b5bc-4c0e-aa87-157cd52895b6", "sha": DOCUMENTS_SHA}]],
    },
    "pipeline-management-tutorial": {
        "list_model_versions": [[{"model_version": "bdfc8c60-b5bc-4c0e-aa87-157cd52895b6", "sha": DOCUMENTS_SHA}]],
    },
    "api-essentials-guide": {"create_assay": [{"assay_id": 8}, {"assay_id": 3}]},
}


@dataclass
class Names:
    """Maps the recording's ids and names to those of the sandbox."""

    known: dict[tuple[str, Any], Any] = field(default_factory=dict[tuple[str, Any], Any])

    def of(self, kind: str, value: Any) -> Any:
        """Return the sandbox's name for a recorded one; the recorded one if no other is known."""
        return self.known.get((kind, value), value)

    def in_request(self, operation: str, value: Any, name: str = "") -> Any:
        """Return a recorded request with the recorded names replaced."""
        if isinstance(value, dict):
            return {key: self.in_request(operation, inner, key) for key, inner in object_of(value).items()}
        if isinstance(value, list):
            return [self.in_request(operation, inner, name) for inner in list_of(value)]
        if operation == "get_deployment_status" and name == "name":
            return self.deployment(value)
        kind = kind_of(operation, name, value)
        return self.of(kind, value) if kind else value

    def deployment(self, name: str) -> str:
        """Return the sandbox's name of a deployment, in which the number is replaced."""
        deploy_id, _, number = name.rpartition("-")
        return f"{deploy_id}-{self.of('deployment', int(number))}"

    def learn(self, operation: str, recorded: Any, actual: Any, name: str = "") -> None:
        """Map the names in a recorded answer to those at the same positions of the sandbox's answer."""
        for key in object_of(recorded).keys() & object_of(actual).keys():
            self.learn(operation, recorded[key], actual[key], key)
        for before, after in zip(list_of(recorded), list_of(actual), strict=False):
            self.learn(operation, before, after, name)
        kind = kind_of(operation, name, recorded)
        if kind and isinstance(recorded, int | str) and isinstance(actual, int | str):
            self.known[kind, recorded] = actual


def kind_of(operation: str, name: str, value: Any) -> str | None:
    """Return the kind of thing that a field identifies; None for other fields and for names of models and pipelines."""
    if name == "id":
        return IDS.get(operation)
    if name == "model_id" and isinstance(value, int):
        return "model"
    if name == "pipeline_id" and isinstance(value, int):
        return "pipeline"
    return FIELDS.get(name)


@dataclass(frozen=True)
class Compared:
    """An exchange, and how the sandbox's answer compares with the recorded one."""

    exchange: str
    operation: str
    result: str
    reasons: tuple[str, ...] = ()

    @property
    def is_explained(self) -> bool:
        """Whether each difference has a reason."""
        return "no reason" not in self.reasons


class Replay:
    """Replays a document on a sandbox.

    Args:
        client: A client of the sandbox.
        environment: The variables to sign in with.
        model: The file that is uploaded in place of the document's own.
    """

    def __init__(self, client: Client, environment: dict[str, str], model: bytes) -> None:
        self._http = client.get_httpx_client()
        self._client = client
        self._environment = environment
        self._model = model
        self._spec = ContractSpec(contract.load())
        self.names = Names()
        self.unprinted: dict[str, list[Any]] = {}

    def run(self, exchange: dict[str, Any]) -> Compared:
        """Send the request of an exchange. Returns how the answer compares."""
        operation = exchange["operation"]
        request = self._request(exchange)
        if request is None:
            return Compared(exchange["id"], operation, "not replayed", ("the rows that were sent are not printed",))
        answer = self._answer(operation, request)
        expected = exchange["status"] or self._spec.operations[operation].success
        if answer.status_code != expected:
            return Compared(exchange["id"], operation, f"status {answer.status_code}", (answer.text[:200], "no reason"))
        if "body" not in exchange["response"]:
            for unprinted in self.unprinted.get(operation, []):
                self.names.learn(operation, unprinted, _json(answer))
            return Compared(exchange["id"], operation, "status as recorded", ("the answer is not printed whole",))
        recorded, actual = exchange["response"]["body"], answer.json()
        self.names.learn(operation, recorded, actual)
        found = sorted(set(differences(shape(recorded), shape(actual))))
        reasons = tuple(reason_of(operation, path) for path, _ in found)
        result = "; ".join(f"`{path}`: {difference}" for path, difference in found)
        return Compared(exchange["id"], operation, result or "same keys, types and nulls", reasons)

    def _answer(self, operation: str, request: dict[str, Any]) -> httpx.Response:
        """Send a request until it is not refused for now, and a deployment is not `Starting`. Returns the answer."""
        is_of_status = operation == "get_deployment_status" and "empty" not in str(request["json"])

        def is_awaited(answer: httpx.Response) -> bool:
            if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                return False
            return not is_of_status or object_of(answer.json()).get("status") != "Starting"

        return polled(lambda: self._http.request(**request), is_awaited, seconds=PATIENCE_SECONDS)

    def _request(self, exchange: dict[str, Any]) -> dict[str, Any] | None:
        """Return arguments for httpx's `request`; None if the recording does not have the body."""
        operation, sent = exchange["operation"], exchange["request"]
        path = self._spec.operations[operation].path
        if "path_parameters" in sent:
            path = path.format(**sent["path_parameters"] | {"deployment": self._deployment(sent)})
        request: dict[str, Any] = {"method": "POST", "url": path}
        if operation == "request_token":
            return self._token_request(request, sent)
        if "parts" in sent:
            return request | {"files": self._files(operation, sent["parts"])}
        if "query" in sent:
            query = self.names.in_request(operation, sent["query"])
            headers = {"Content-Type": sent["content_type"]}
            return request | {"params": query, "content": self._model, "headers": headers}
        if "body" not in sent:
            return None
        body = self.names.in_request(operation, sent["body"])
        headers = {"Content-Type": sent["content_type"]}
        return request | {"json": body, "headers": headers}

    def _deployment(self, sent: dict[str, Any]) -> str:
        return self.names.deployment(sent["path_parameters"]["deployment"])

    def _token_request(self, request: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        """Return a token request with the credentials of the sandbox's user."""
        credentials = {
            "username": self._environment["WALLAROO_USER"],
            "password": self._environment["WALLAROO_PASSWORD"],
            "refresh_token": self._refresh_token(request["url"]),
        }
        form = {name: credentials.get(name, value) for name, value in sent["body"].items()}
        return request | {"data": form, "auth": self._client_basic}

    @property
    def _client_basic(self) -> tuple[str, str]:
        return self._environment["WALLAROO_CLIENT_ID"], self._environment["WALLAROO_CLIENT_SECRET"]

    def _refresh_token(self, path: str) -> str:
        form = {
            "grant_type": "password",
            "username": self._environment["WALLAROO_USER"],
            "password": self._environment["WALLAROO_PASSWORD"],
        }
        return self._http.post(path, data=form, auth=self._client_basic).json()["refresh_token"]

    def _files(self, operation: str, parts: dict[str, Any]) -> list[tuple[str, Any]]:
        """Return the parts of an upload, with the model in place of the document's file."""
        files: list[tuple[str, Any]] = []
        for name, value in parts.items():
            if name == "file":
                files.append(
                    (name, (value["filename"], self._model, value["content_type"] or "application/octet-stream"))
                )
            elif isinstance(value, dict):
                metadata = self.names.in_request(operation, value)
                files.append((name, (None, json.dumps(metadata), "application/json")))
            else:
                files.append((name, (None, str(self.names.in_request(operation, value, name)))))
        return files


def _json(answer: httpx.Response) -> Any:
    return answer.json() if "json" in answer.headers.get("Content-Type", "") else None


def shape(value: Any) -> Any:
    """Return a value's keys, types and nulls: UUIDs as keys become `*`, and a list becomes what its elements share."""
    if isinstance(value, dict):
        fields: dict[str, Any] = {}
        for name, inner in object_of(value).items():
            key = "*" if re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", name) else name
            fields[key] = merged(fields[key], shape(inner)) if key in fields else shape(inner)
        return fields
    if isinstance(value, list):
        combined: Any = None
        for number, item in enumerate(list_of(value)):
            combined = shape(item) if number == 0 else merged(combined, shape(item))
        return [] if value == [] else [combined]
    if value is None or isinstance(value, bool | str):
        return {type(None): "null", bool: "boolean", str: "string"}[type(value)]
    return "number"


def merged(left: Any, right: Any) -> Any:
    """Return the shape of two elements of a list, combined."""
    mine, other = object_of(left), object_of(right)
    if mine and other:
        return {
            name: merged(mine[name], other[name]) if name in mine and name in other else mine.get(name, other.get(name))
            for name in mine | other
        }
    if isinstance(left, list) and isinstance(right, list):
        return merged_lists(list_of(left), list_of(right))
    left, right = _text(left), _text(right)
    return left if left == right else "|".join(sorted({*left.split("|"), *right.split("|")}))


def _text(part: Any) -> str:
    return part if isinstance(part, str) else json.dumps(part)


def merged_lists(left: list[Any], right: list[Any]) -> list[Any]:
    """Return the shapes of two lists, combined; an empty one adds nothing."""
    return [merged(left[0], right[0])] if left and right else left or right


def differences(recorded: Any, actual: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the paths where two shapes differ, and how; the elements of a list are not compared with an empty one."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        mine, other = object_of(recorded), object_of(actual)
        for name in mine | other:
            inner = f"{path}.{name}".lstrip(".")
            if name not in other:
                yield inner, "recorded only"
            elif name not in mine:
                yield inner, "on the sandbox only"
            else:
                yield from differences(mine[name], other[name], inner)
    elif isinstance(recorded, list) and isinstance(actual, list):
        if recorded and actual:
            yield from differences(recorded[0], actual[0], f"{path}[]")
    elif not kinds_of(actual) <= kinds_of(recorded):
        yield path or "the answer", f"recorded {recorded}, here {actual}"


def kinds_of(value_shape: Any) -> set[str]:
    """Return the types of a shape; if several were recorded, the sandbox may answer with any of them."""
    return set(value_shape.split("|")) if isinstance(value_shape, str) else {type(value_shape).__name__}


def reason_of(operation: str, path: str) -> str:
    """Return why the sandbox's answer differs at a path."""
    return REASONS.get((operation, path), "no reason")


def prepare(client: Client, document: str, names: Names, model: bytes) -> None:
    """Make the things that a document assumes to exist, and map their names."""
    if document.startswith("pipeline-management"):
        names.known["workspace", 10] = workspace(client, "given")
    if document == "external-inference-url-tutorial":
        names.known["workspace", 16] = workspace(client, "urldemoworkspace")
        given = names.known["workspace", 16]
        version = upload_model(client, model, name="urldemomodel", workspace=given, endpoint="upload")
        pipeline_id, variant_id = pipeline(client, "urldemopipeline", names.known["workspace", 16])
        wait_until_running(client, deployment(client, "urldemopipeline", pipeline_id, variant_id, version.id))
    if document in ASSAYS:
        recorded_workspace, recorded_pipeline = ASSAYS[document]
        workspace_id = workspace(client, "housepricedrift")
        names.known["workspace", recorded_workspace] = workspace_id
        names.known["pipeline", recorded_pipeline], _ = pipeline(client, "housepricepipe", workspace_id)


def workspace(client: Client, name: str) -> int:
    """Create a workspace. Returns its id."""
    from wallaroo_mlops_client.api.workspaces import create_workspace
    from wallaroo_mlops_client.models import CreateWorkspaceRequest

    request = CreateWorkspaceRequest(workspace_name=name)
    return call(create_workspace, client=client, body=request).workspace_id


def pipeline(client: Client, name: str, workspace_id: int) -> tuple[int, int]:
    """Create a pipeline. Returns its id and its version's."""
    from wallaroo_mlops_client.api.pipelines import create_pipeline
    from wallaroo_mlops_client.models import CreatePipelineRequest, PipelineDefinition

    request = CreatePipelineRequest(pipeline_id=name, workspace_id=workspace_id, definition=PipelineDefinition())
    made = call(create_pipeline, client=client, body=request)
    return made.pipeline_pk_id, made.pipeline_variant_pk_id


def deployment(client: Client, name: str, pipeline_id: int, variant_id: int, version_id: int) -> str:
    """Deploy a pipeline. Returns the deployment's name."""
    from wallaroo_mlops_client.api.pipelines import deploy_pipeline
    from wallaroo_mlops_client.models import DeployPipelineRequest

    request = DeployPipelineRequest(
        deploy_id=name, pipeline_id=pipeline_id, pipeline_version_pk_id=variant_id, model_ids=[version_id]
    )
    return f"{name}-{call(deploy_pipeline, client=client, body=request).id}"


def replay(document: str, model: bytes, start: Starter) -> list[Compared]:
    """Replay a document. Returns how each of its exchanges compares."""
    recording = json.loads((RECORDINGS / f"{document}.json").read_text(encoding="utf-8"))
    release = OF_DOCUMENTS[document]
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        names = Names()
        with (
            running(directory, "--release", release, start=start) as environment,
            connect(environment=environment) as client,
        ):
            prepare(client, document, names, model)
        for kind, recorded in list(names.known):
            if kind == "pipeline":
                log_house_prices(directory, names.known[kind, recorded], dict.fromkeys(LOGGED_MODELS, "test_version"))
        with ExitStack() as stack:
            environment = stack.enter_context(running(directory, "--release", release, start=start))
            client = stack.enter_context(connect(environment=environment))
            run = Replay(client, environment, model)
            run.names, run.unprinted = names, UNPRINTED.get(document, {})
            map_first_user(run, client)
            return [run.run(exchange) for exchange in recording["exchanges"]]


def map_first_user(run: Replay, client: Client) -> None:
    """Map the documents' first user to the sandbox's own."""
    answer = client.get_httpx_client().post(contract.operation("query_users").path, json={}).json()
    for recorded in FIRST_USERS:
        run.names.known["text", recorded] = next(iter(answer["users"]))


def compare_all(start: Starter = start_process) -> list[Compared]:
    """Replay all documents. Returns how each exchange compares.

    Args:
        start: Starts the program of a sandbox; by default in a new process.
    """
    model = model_content()  # it has the inputs and outputs of the documents' model
    return [row for file in sorted(RECORDINGS.glob("*.json")) for row in replay(file.stem, model, start)]


def page(rows: list[Compared]) -> str:
    """Return the page with the table of all exchanges."""
    lines = [
        "# Congruence of the sandbox with what was recorded",
        "",
        "Written by `scripts/congruence`. Every recorded exchange is sent to a sandbox, with its ids mapped, and the",
        "answers are compared by status, keys, types and nulls.",
        "",
        "| exchange | operation | answer | reason |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        reasons = "; ".join(dict.fromkeys(row.reasons))
        lines.append(f"| {row.exchange} | `{row.operation}` | {row.result} | {reasons} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write both tables, or check them with `--check`. Returns 1 if a difference has no reason or a table differs."""
    check = parse_arguments("scripts/congruence", __doc__).check
    rows = compare_all()
    unexplained = [f"{row.exchange}: {row.result} {row.reasons}" for row in rows if not row.is_explained]
    failed = write_or_check(TABLE, page(rows), unexplained, script="scripts/congruence", check=check)
    if recordings_directory() is None:
        print(f"Without recordings of real servers ({VARIABLE}), {real_servers.TABLE} is left as it is.")
        return failed
    found = real_servers.compare_all()
    lines = real_servers.unexplained(found)
    page_of_servers = real_servers.page(found)
    return failed | write_or_check(real_servers.TABLE, page_of_servers, lines, script="scripts/congruence", check=check)


if __name__ == "__main__":
    sys.exit(main())
