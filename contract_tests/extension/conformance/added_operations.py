"""A contract with further operations, as a user may add them, and an instance that has them and keeps its requests.

Each of them could end things of others: named by an id or a name, in every part of a request.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from contract_tests.mutants.serving import lying_instance
from wallaroo_ext import call, connect, contract, deploy_pipeline, upload_model
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.samples import model_file

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
ID: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 2147483647}
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
FILE: dict[str, Any] = {"type": "string", "format": "binary"}


def fields(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object that needs all of its fields."""
    return {"type": "object", "required": list(properties), "properties": properties}


def listed(items: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list."""
    return {"type": "array", "items": items, "minItems": 1}


@dataclass(frozen=True, slots=True)
class Added:
    """An operation that a user adds to the contract.

    Attributes:
        method: Its method, in lower case.
        path: Its path.
        writes: Its `x-writes`.
        names: Its `x-names`.
        body: The schema of its body; None where it has none.
        media_type: The body's media type.
        parameters: Its parameters: `in`, the name, and the schema of each.
        example: An example of its body, with things of others.
    """

    method: str
    path: str
    writes: tuple[str, ...]
    names: dict[str, str]
    body: dict[str, Any] | None = None
    media_type: str = JSON
    parameters: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    example: Any = None

    def as_openapi(self, name: str) -> dict[str, Any]:
        """Return the operation as OpenAPI writes it."""
        empty = {"description": "It is done.", "content": {JSON: {"schema": {"type": "object"}}}}
        refused = {"description": "It is refused."}
        found: dict[str, Any] = {
            "operationId": name,
            "tags": ["models"],
            "summary": name.replace("_", " "),
            "x-idempotent": True,
            "x-writes": list(self.writes),
            "x-names": dict(self.names),
            "parameters": [
                {"in": where, "name": parameter, "required": True, "schema": schema, "example": 1}
                for where, parameter, schema in self.parameters
            ],
            "responses": {"200": empty, "400": refused, "401": refused, "404": refused, "405": refused, "415": refused},
        }
        if self.body is not None:
            media: dict[str, Any] = {"schema": self.body}
            if self.example is not None:
                media["examples"] = {"others": {"value": self.example}}
            found["requestBody"] = {"required": True, "content": {self.media_type: media}}
        return found


ADDED: dict[str, Added] = {
    "purge_model": Added(
        "post",
        "/v1/api/models/purge",
        ("model",),
        {"$request.body#/model_id": "model id"},
        fields(model_id=ID),
        example={"model_id": 1},
    ),
    "delete_model_by_name": Added(
        "delete",
        "/v1/api/models/by_name/{which}",
        ("model",),
        {"$request.path.which": "model name"},
        parameters=(("path", "which", TEXT),),
    ),
    "drop_model": Added(
        "post",
        "/v1/api/models/drop",
        ("model",),
        {"$request.query.target": "model id"},
        parameters=(("query", "target", ID),),
    ),
    "purge_models": Added(
        "post",
        "/v1/api/models/purge_many",
        ("model",),
        {"$request.body#/which/*": "model id"},
        fields(which=listed(ID)),
        example={"which": [1, 2, 3]},
    ),
    "erase_pipeline": Added(
        "put",
        "/v1/api/pipelines/erase",
        ("pipeline",),
        {"$request.body#/target/pipeline/id": "pipeline id"},
        fields(target=fields(pipeline=fields(id=ID))),
        example={"target": {"pipeline": {"id": 1}}},
    ),
    "forget_model": Added(
        "delete",
        "/v1/api/models/current",
        ("model",),
        {"$request.header.X-Model": "model id"},
        parameters=(("header", "X-Model", ID),),
    ),
    "wipe_workspace": Added(
        "post",
        "/v1/api/workspaces/wipe",
        ("workspace", "model"),
        {"$request.body#/workspace": "workspace id", "$request.body#/what": "nothing"},
        fields(workspace=ID, what={"type": "string", "enum": ["models", "pipelines"]}),
        FORM,
        example={"workspace": 1, "what": "models"},
    ),
    "replace_model": Added(
        "post",
        "/v1/api/models/replace",
        ("model version",),
        {"$request.body#/which": "model name", "$request.body#/file": "nothing"},
        fields(which=TEXT, file=FILE),
        PARTS,
    ),
    "forget_assay": Added(
        "get",
        "/v1/api/assays/forget",
        ("assay",),
        {"$request.query.assay": "assay id"},
        parameters=(("query", "assay", ID),),
    ),
    "rename_workspace": Added(
        "patch",
        "/v1/api/workspaces/{workspace}",
        ("workspace",),
        {"$request.path.workspace": "workspace id", "$request.body#/title": "unused workspace name"},
        fields(title=TEXT),
        parameters=(("path", "workspace", ID),),
        example={"title": "production"},
    ),
    "purge_pipelines": Added(
        "post",
        "/v1/api/pipelines/purge",
        ("pipeline", "deployment"),
        {"$request.body#/*/pipeline": "pipeline id", "$request.body#/*/force": "nothing"},
        listed(fields(pipeline=ID, force={"type": "string"})),
        example=[{"pipeline": 1, "force": "yes"}],
    ),
    "end_session": Added(
        "delete",
        "/v1/api/users/session",
        ("user",),
        {"$request.cookie.person": "user email"},
        parameters=(("cookie", "person", TEXT),),
    ),
}
"""Operations that write, each described in full."""
READS: dict[str, Added] = {
    "search_models": Added(
        "post",
        "/v1/api/models/search",
        (),
        {"$request.body#/model_id": "model id"},
        fields(model_id=ID),
        example={"model_id": 1},
    ),
    "show_model": Added(
        "get",
        "/v1/api/models/shown/{model}",
        (),
        {"$request.path.model": "model id"},
        parameters=(("path", "model", ID),),
    ),
}
"""Operations that read."""


def extended(changes: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the contract with all of these operations.

    Args:
        changes: Other parts of some of them, by their names; a part that is None is left out.
    """
    document = copy.deepcopy(contract.load())
    for name, added in (ADDED | READS).items():
        whole = added.as_openapi(name) | (changes or {}).get(name, {})
        item = document["paths"].setdefault(added.path, {})
        item[added.method] = {part: value for part, value in whole.items() if value is not None}
    return document


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request that reached the instance.

    Attributes:
        method: Its method.
        path: Its path, decoded.
        texts: Everything in it that could be taken for an id or a name.
    """

    method: str
    path: str
    texts: frozenset[str]


@dataclass(slots=True)
class Counting:
    """An ASGI layer that has the added operations, and keeps all requests."""

    app: ASGIApp
    arrived: list[Arrived] = field(default_factory=list[Arrived])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep a request, and answer it where it is one of an added operation."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = b""
        messages: list[Any] = []
        while True:
            message = await receive()
            messages.append(message)
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.arrived.append(_arrived(scope, body))
        if is_added(scope["path"]):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", JSON.encode())]})
            await send({"type": "http.response.body", "body": b"{}"})
            return
        rest = iter(messages)

        async def again() -> Any:
            return next(rest, None) or await receive()

        await self.app(scope, again, send)

    def at(self, name: str) -> list[Arrived]:
        """Return the requests at an added operation's path, whatever their method."""
        template = (ADDED | READS)[name].path
        return [each for each in self.arrived if _fits(template, each.path)]


def _fits(template: str, path: str) -> bool:
    steps, wanted = path.strip("/").split("/"), template.strip("/").split("/")
    own = [added.path.strip("/").split("/") for added in (ADDED | READS).values()]
    if "{" in template and steps in own:
        return False
    known = {found.path for _, found in contract_operations()}
    if "{" in template and path in known:
        return False
    return len(steps) == len(wanted) and all(
        want in ("*", step) or want.startswith("{") for want, step in zip(wanted, steps, strict=True)
    )


def contract_operations() -> Iterator[tuple[str, contract.OperationInfo]]:
    """Yield the operations of the contract that comes with the package."""
    yield from ((name, contract.operation(name)) for name in contract.operation_ids())


def is_added(path: str) -> bool:
    """Return whether a path is one of an added operation."""
    return any(_fits(added.path, path) for added in (ADDED | READS).values())


def _arrived(scope: Scope, body: bytes) -> Arrived:
    texts = set(unquote(scope["raw_path"].decode()).strip("/").split("/"))
    for _, value in parse_qsl(scope["query_string"].decode(), keep_blank_values=True):
        texts |= {value, *value.split(",")}
    for name, value in scope["headers"]:
        if name.startswith(b"x-model"):
            texts.add(value.decode("latin-1"))
        if name == b"cookie":
            texts |= {item.partition("=")[2].strip() for item in value.decode("latin-1").split(";")}
    return Arrived(scope["method"], scope["path"], frozenset(texts | _in_body(body)))


def _in_body(body: bytes) -> set[str]:
    """Return every text and number in a body, read as whatever it can be read as."""
    try:
        return set(_leaves(json.loads(body, object_pairs_hook=list)))
    except (ValueError, RecursionError):
        pass
    text = body.decode("utf-8", errors="replace")
    found = {value for _, value in parse_qsl(text, keep_blank_values=True)}
    return found | {line.strip() for part in text.split("--") for line in part.split("\r\n")}


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for inner in list_of(list(value)):  # pyright: ignore[reportUnknownArgumentType] - it is JSON
            yield from _leaves(inner)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif value is not None and value is not False:
        yield "1" if value is True else str(value)


@dataclass(slots=True)
class Others:
    """The things of other people on the instance: ids by kind, and names, as texts."""

    ids: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    names: set[str] = field(default_factory=set[str])


@contextmanager
def counted_instance() -> Generator[tuple[dict[str, str], Counting, Others]]:
    """Run an instance with the added operations, full of other people's things.

    Yields:
        Its environment, the layer that keeps its requests, and the things of others.
    """
    layers: list[Counting] = []

    def around(app: ASGIApp) -> ASGIApp:
        layers.append(Counting(app))
        return layers[0]

    with lying_instance(around) as instance:
        others = _made_by_others(instance.environment)
        layers[0].arrived.clear()
        yield instance.environment, layers[0], others


def _made_by_others(environment: dict[str, str]) -> Others:
    from wallaroo_mlops_client.api.users import invite_user
    from wallaroo_mlops_client.api.workspaces import create_workspace, list_workspaces
    from wallaroo_mlops_client.models import CreateWorkspaceRequest, InviteUserRequest, ListWorkspacesRequest

    emails = [f"person{number}@example.com" for number in range(3)]
    with connect(environment=environment) as client:
        for name in ("production", "research"):
            workspace = call(create_workspace, client=client, body=CreateWorkspaceRequest(workspace_name=name))
            for number in range(3):
                upload_model(client, model_file(), name=f"{name}-{number}", workspace=workspace.workspace_id)
        version = upload_model(client, model_file(), name="tumor", workspace=workspace.workspace_id)
        deployment = deploy_pipeline(client, "tumor", version)
        people = [call(invite_user, client=client, body=InviteUserRequest(email=email)).id for email in emails]
        listed_ones = call(list_workspaces, client=client, body=ListWorkspacesRequest()).to_dict()["workspaces"]
    found = [object_of(workspace) for workspace in listed_ones]
    ids = {
        "workspace": {str(workspace["id"]) for workspace in found},
        "model": {str(number) for workspace in found for number in workspace["models"]},
        "pipeline": {str(number) for workspace in found for number in workspace["pipelines"]},
        "user": set(people),
    }
    names = {"production", "research", "tumor", deployment.name, *emails}
    return Others(ids, names | {f"{name}-{number}" for name in ("production", "research") for number in range(3)})
