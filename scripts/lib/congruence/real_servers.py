"""Compares the answers of a sandbox of each release with those of real servers of it, field by field.

The recordings are other people's data: of their requests only the fields count, which get values of the sandbox, and
the page shows paths of fields and kinds of values, and no value.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from scripts.lib.congruence.field_kinds import ANSWER, FieldKinds, differences
from scripts.lib.congruence.real_servers_reasons import NO_REASON, reason_of
from scripts.lib.congruence.scene import NOBODY, NOTHING_THERE, scene_of
from scripts.lib.evidence.known_operations import source
from scripts.lib.evidence.recordings import NOTHING, VARIABLES, answer_of, inference_files, recordings, release_of
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.process import start_process

if TYPE_CHECKING:
    import httpx

    from scripts.lib.congruence.scene import Scene
    from scripts.lib.evidence.recordings import Recording
    from wallaroo_ext.sandbox.process import Starter

TABLE = Path(__file__).parents[3] / "contract_tests/sandbox/congruence-by-release.md"

INFERENCE, INFERENCE_IN_ARROW = "infer (JSON)", "infer (Arrow)"
"""How the page names inference answers, whose URL is not the same in all releases."""

REFUSED: dict[tuple[str, int], dict[str, Any]] = {
    ("get_pipeline_external_url", 404): {"pipeline_name": "nothing"},
    ("get_model_by_id", 400): {"id": NOTHING_THERE},
    ("add_workspace_user", 500): {"email": NOBODY},
    ("remove_workspace_user", 500): {"email": NOBODY},
    ("activate_user", 500): {"email": NOBODY},
    ("deactivate_user", 500): {"email": NOBODY},
}
"""The fields of a request that is refused as recorded: it names what is not there."""

ABOUT_MODELS = {
    "list_model_versions",
    "get_model",
    "get_model_by_id",
    "get_model_config_by_id",
    "get_model_version_by_id",
    "insert_model_config",
}
"""The operations that are asked about each model of the sandbox."""

NEW_NAMES = {
    ("create_workspace", "workspace_name"),
    ("create_pipeline", "pipeline_id"),
    ("copy_pipeline", "name"),
    ("create_assay", "name"),
}
"""The fields that name what a request makes."""

LAST = ("undeploy_pipeline", "deactivate_user", "activate_user", "remove_workspace_user")
"""The operations that end something, and are asked for last."""


@dataclass
class Comparison:
    """The recordings of an operation on a release with one status, and the sandbox's answers.

    Attributes:
        release: The release.
        operation: The operation.
        status: The recorded status.
        recorded: What was recorded; empty where the answers were not printed.
        here: The sandbox's answers.
        count: How many recordings there are.
        other_statuses: The statuses that the sandbox answered with instead.
    """

    release: str
    operation: str
    status: int
    recorded: list[Any] = field(default_factory=list[Any])
    here: list[Any] = field(default_factory=list[Any])
    count: int = 0
    other_statuses: set[int] = field(default_factory=set[int])

    @property
    def differences(self) -> list[tuple[str, str]]:
        """The paths that differ, and how."""
        found = [("the status", f"recorded {self.status}, here {status}") for status in sorted(self.other_statuses)]
        if not self.recorded or not self.here:
            return found
        if any(isinstance(answer, list) for answer in self.here) and not any(map(list_of, self.recorded)):
            found.append((ANSWER, "recorded object, here list"))
            items = [item for answer in self.here for item in list_of(answer) or [answer]]
            return [*found, *differences(FieldKinds(self.recorded), FieldKinds(items))]
        return [*found, *differences(FieldKinds(self.recorded), FieldKinds(self.here))]

    @property
    def reasons(self) -> list[str]:
        """Why the sandbox differs, for each difference."""
        return [reason_of(self.release, self.operation, path, how) for path, how in self.differences]


def compare_all() -> list[Comparison]:
    """Return the comparisons of all releases, in the order of the releases and of the contract's operations."""
    return [found for release in contract.RELEASES for found in compare_release(release)]


def compare_release(release: str, start: Starter = start_process) -> list[Comparison]:
    """Return the comparisons of a release, in the order of the contract's operations.

    Args:
        release: The release.
        start: Starts the program of a sandbox; by default in a new process.
    """
    found = [each for each in recordings() if each.release == release]
    with tempfile.TemporaryDirectory() as temporary, scene_of(release, Path(temporary) / "data", start) as scene:
        comparisons = {**_inferences(scene), **_exchanges(scene, found)}
    order = [*contract.operation_ids(), INFERENCE, INFERENCE_IN_ARROW]
    return sorted(comparisons.values(), key=lambda each: (order.index(each.operation), each.status))


def _exchanges(scene: Scene, found: list[Recording]) -> dict[Any, Comparison]:
    """Return the comparisons of recorded exchanges, by operation and status."""
    comparisons: dict[Any, Comparison] = {}
    forms: dict[Any, dict[str, Any]] = defaultdict(dict)
    for each in found:
        key = operation_at(each.path), each.status
        compared = comparisons.setdefault(key, Comparison(scene.release, *key))
        compared.count += 1
        answer = answer_of(each)
        compared.recorded += [] if answer is NOTHING else [answer]
        request = _request_of(key[0], found) if each.request is NOTHING else each.request
        forms[key].setdefault(json.dumps(_form(request)), request)
    for operation, status in sorted(forms, key=lambda key: (key[0] in LAST and LAST.index(key[0]) + 1, key)):
        for request in forms[operation, status].values():
            for answer in _answers(scene, operation, status, request):
                note(comparisons[operation, status], answer)
        comparisons[operation, status].here += scene.early.get(operation, [])
    return comparisons


@cache
def operation_at(path: str) -> str:
    """Return the operation of a path."""
    found = contract.operation_at(path)
    assert found is not None, path  # noqa: S101 - the contract has all recorded paths, by another test
    return found


def _request_of(operation: str, found: list[Recording]) -> Any:
    """Return a request of an operation where a recording has none: that of another recording, of any release."""
    others = [each for each in [*found, *recordings()] if operation_at(each.path) == operation]
    nothing: dict[str, Any] = {}
    return next((each.request for each in others if each.request is not NOTHING), nothing)


def _form(value: Any) -> Any:
    """Return the fields of a request, without values."""
    if isinstance(value, dict):
        return {name: _form(inner) for name, inner in sorted(object_of(value).items())}
    return [_form(item) for item in list_of(value)[:1]] if isinstance(value, list) else value is None


def note(compared: Comparison, answer: httpx.Response) -> None:
    """Add an answer of the sandbox to a comparison; one that is no JSON counts as a text, which a recording may be."""
    if answer.status_code != compared.status:
        compared.other_statuses.add(answer.status_code)
        return
    is_json = "json" in answer.headers.get("content-type", "")
    compared.here.append(answer.json() if is_json else answer.text)


def _answers(scene: Scene, operation: str, status: int, request: Any) -> list[httpx.Response]:
    """Send a request of a recorded form, with values of the sandbox, and return the answers."""
    if operation.startswith("upload"):
        return [scene.upload(operation)]
    _prepare(scene, operation, status)
    refused = REFUSED.get((operation, status))
    answers: list[httpx.Response] = []
    for model in scene.models if operation in ABOUT_MODELS and refused is None else [{}]:
        body = filled(scene, operation, request, scene.known | model)
        if operation == "insert_model_config":
            body["tensor_fields"] = body.get("tensor_fields") or ["tensor"]
        answers.append(scene.send(operation, body | refused if refused else body))
    return answers


def _prepare(scene: Scene, operation: str, status: int) -> None:
    """Make what a request changes, so that it can be sent."""
    if operation == "add_workspace_user" and status == 200:  # noqa: PLR2004 - HTTP's
        scene.send("remove_workspace_user", {name: scene.known[name] for name in ("workspace_id", "email")})


def filled(scene: Scene, operation: str, value: Any, known: dict[Any, Any], name: str = "") -> Any:
    """Return a recorded request with values of the sandbox where it names something or has a variable."""
    if (operation, name) in NEW_NAMES or (operation, name) == ("invite_user", "email"):
        return scene.new_name() + ("@example.com" if name == "email" else "")
    for key in ((operation, name), name):
        if key in known and value is not None and name:
            return known[key]
    if isinstance(value, dict):
        fields = object_of(value)
        if {"name", "version", "sha"} <= fields.keys():
            return known["model reference"]
        return {key: filled(scene, operation, inner, known, key) for key, inner in fields.items()}
    if isinstance(value, list):
        return [filled(scene, operation, item, known) for item in list_of(value)]
    return scene.new_name() if value in VARIABLES or value == 7 else value  # noqa: PLR2004 - a variable's value


def _inferences(scene: Scene) -> dict[Any, Comparison]:
    """Return the comparisons of recorded answers of inferences, by what the page calls them."""
    found: dict[Any, Comparison] = {}
    for file in inference_files(""):
        if release_of(file.stem) != scene.release:
            continue
        is_arrow = file.suffix == ".arrow"
        key = INFERENCE_IN_ARROW if is_arrow else INFERENCE
        compared = found.setdefault(key, Comparison(scene.release, key, 200))
        compared.count += 1
        if is_arrow:
            compared.recorded.append(fields_of(pa.ipc.open_file(file.read_bytes()).schema))
            compared.here.append(fields_of(pa.ipc.open_file(scene.infer_in_arrow().content).schema))
        else:
            compared.recorded.append(json.loads(file.read_text(encoding="utf-8")))
            compared.here.append(scene.infer().json())
    return found


def fields_of(schema: Any) -> dict[str, Any]:
    """Return the fields of an Arrow schema, each with a field that is named by its type and by its metadata."""
    found: dict[str, Any] = {}
    for each in schema:
        metadata: dict[bytes, bytes] = each.metadata or {}
        shown = "".join(f" with {name.decode()}" for name in metadata)
        inner = {} if pa.types.is_struct(each.type) else {f"{each.type}{shown}".replace(".", "/"): True}
        found[each.name] = fields_of(each.type) if pa.types.is_struct(each.type) else inner
    return found


def unexplained(comparisons: list[Comparison]) -> list[str]:
    """Return a line for each difference that has no reason."""
    return [
        f"{each.release} {each.operation} {each.status}: {path}: {how}"
        for each in comparisons
        for (path, how), reason in zip(each.differences, each.reasons, strict=True)
        if reason == NO_REASON
    ]


def page(comparisons: list[Comparison]) -> str:
    """Return the page with the table of all comparisons."""
    lines = [
        "# Congruence of the sandbox of each release with real servers",
        "",
        "Written by `scripts/congruence`. Each request that was recorded with a real server is sent in its form to a",
        "sandbox of its release, and the kinds of all fields of the answers are compared: absent, null, or of a type.",
        "",
        "| release | operation | status | recordings | answers | reason |",
        "| --- | --- | --- | --- | --- | --- |",
        *map(row, comparisons),
        "",
        source(),
    ]
    return "\n".join(lines) + "\n"


def row(compared: Comparison) -> str:
    """Return the line of a table for a comparison."""
    shown = "; ".join(f"`{path}`: {how}".replace("|", " or ") for path, how in compared.differences)
    agreed = "same fields, types and nulls" if compared.recorded and compared.here else "status as recorded"
    reasons = "; ".join(dict.fromkeys(compared.reasons))
    cells = (compared.release, f"`{compared.operation}`", compared.status, compared.count, shown or agreed, reasons)
    return f"| {' | '.join(map(str, cells))} |"
