"""Is a request understood however it is written, and does a refusal tell no secret? The same for all operations."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.conformance.testing.answer_forms import JSON
from wallaroo_ext.conformance.testing.api_calls import NOT_TAKEN, UPLOADS

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.people import Person

pytestmark = pytest.mark.thorough("requests that are written in other ways")

FORMS = ("upload_and_convert_model", "upload_model")
"""The uploads whose body is a form."""
UNKNOWN = "conformance-unknown"
"""The name of a field that no operation has: instances ignore unknown fields."""
HEADERS_TOO_LARGE = 431
DEPTH = 30
LONG = 16_384
"""How long a text in an unknown field is: some frameworks take no more than 32 KiB of JSON by default."""

TEXTS = re.compile(r'"(?:[^"\\]|\\.)*"')
"""The texts of JSON, and the names of its fields, in their quotation marks."""

Written = dict[str, Any]
"""A request, as arguments of `Api.send`."""


def with_headers(request: Written, **headers: str) -> Written:
    """Return a request with further headers, whose names are written with underscores."""
    added = {name.replace("_", "-"): value for name, value in headers.items()}
    return request | {"headers": request["headers"] | added}


def with_unknown(request: Written, value: Any) -> Written:
    """Return a request with a field that its operation does not have."""
    fields = object_of(json.loads(request["content"]))
    unknown = f"{UNKNOWN}-{len(fields)}"
    return request | {"content": json.dumps(fields | {unknown: value}, ensure_ascii=False).encode()}


def nested(depth: int) -> Any:
    """Return lists and objects in one another."""
    value: Any = "innermost"
    for _ in range(depth // 2):
        value = {UNKNOWN: [value]}
    return value


def with_escapes(request: Written) -> Written:
    """Return a request with white space, in which the names of fields and texts are written with escapes."""
    text = json.dumps(json.loads(request["content"]), indent=1, ensure_ascii=False)
    return request | {"content": f"\r\n\t {TEXTS.sub(_with_escaped_vowels, text)} \n".encode()}


def _with_escaped_vowels(found: re.Match[str]) -> str:
    has_escapes = "\\" in found[0]
    return found[0] if has_escapes else re.sub("[aeiou]", lambda vowel: f"\\u{ord(vowel[0]):04x}", found[0])


WAYS: dict[str, Callable[[Written], Written]] = {
    "a media type in capitals": lambda request: with_headers(request, Content_Type='Application/JSON; Charset="UTF-8"'),
    "several accepted types": lambda request: with_headers(request, Accept="application/json, text/plain, */*"),
    "a language and cookies": lambda request: with_headers(
        request, Accept_Language="de-CH, de;q=0.9", Cookie=f"theme=dark; session={'x' * 4200}"
    ),
    "the id of a request": lambda request: with_headers(
        request, X_Request_ID="conformance", Traceparent=f"00-{'1' * 32}-{'2' * 16}-01"
    ),
    "no compression": lambda request: with_headers(request, Accept_Encoding="gzip;q=0, identity"),
    "a query": lambda request: request | {"params": request["params"] | {UNKNOWN: "1"}},
    "an unknown field of letters beyond ASCII": lambda request: with_unknown(request, "äöü ß 模型 \U0001f511"),
    "an unknown field that is long": lambda request: with_unknown(request, "x" * LONG),
    "an unknown field that is deep": lambda request: with_unknown(request, nested(DEPTH)),
    "escapes and white space": with_escapes,
    "chunks without a length": lambda request: request | {"content": iter([request["content"]])},
}
"""Ways to write a request that mean the same."""


ON_WRITES = ("null in fields left out", "a media type in capitals", "several accepted types", "escapes and white space")
"""The ways that writes are tried with: the others have names of their own, which the instance may keep."""


def ways_of(suite: Suite, operation: str) -> dict[str, Callable[[Written], Written]]:
    """Return all ways to write a request of an operation."""
    content = suite.rules.schemas.resolve(suite.rules.request_content(operation)[JSON]["schema"])
    properties: dict[str, Any] = content.get("properties", {})
    nulls = {name: None for name, inner in properties.items() if suite.rules.schemas.validator(inner).is_valid(None)}

    def with_nulls(request: Written) -> Written:
        return request | {"content": json.dumps(nulls | object_of(json.loads(request["content"]))).encode()}

    return {"null in fields left out": with_nulls, **WAYS}


def with_all_parts(request: Written) -> Written:
    """Return a good request with headers and a body."""
    return request | {"headers": request.get("headers") or Written(), "content": request["content"] or b"{}"}


def sent_in_all(
    ways: dict[str, Callable[[Written], Written]], api: Api, operation: str, make: Callable[[], Written]
) -> httpx.Response:
    """Send a request that is written in all of these ways at once, and return the answer, which is a success.

    Args:
        ways: The ways.
        api: The operations.
        operation: The contract's `operationId`.
        make: Returns a good request, each time one that can succeed.
    """
    written = make()
    for change in ways.values():
        written = change(written)
    seen = api.send(operation, **written)
    if not seen.is_success:
        alone = {way: api.send(operation, **change(make())) for way, change in ways.items()}
        refused = {way: answer.status_code for way, answer in alone.items() if not answer.is_success}
        if set((refused or {"all of it together": seen.status_code}).values()) <= NOT_TAKEN | {HEADERS_TOO_LARGE}:
            pytest.skip(f"What is in front of this instance takes no such requests: {refused}.")
        pytest.fail(f"it refuses {', '.join(refused) or 'all of it together'}: {seen.status_code} {seen.text[:300]}")
    return seen


def test_a_request_means_the_same_however_it_is_written(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    if conformance_suite.guard.effects[operation_id].writes or not is_all_json(conformance_suite, operation_id):
        pytest.skip("It writes, or takes or answers more than JSON.")
    good = with_all_parts(conformance_suite.cases.good_request(operation_id))
    schema = conformance_suite.rules.request_content(operation_id)[JSON]["schema"]
    if "additionalProperties" in conformance_suite.rules.schemas.resolve(schema):
        pytest.skip("None of the fields of its body is unknown.")
    if not isinstance(json.loads(good["content"]), dict):
        pytest.skip("Its body is no object.")
    before = api.send(operation_id, **good)
    seen = sent_in_all(ways_of(conformance_suite, operation_id), api, operation_id, lambda: good)
    assert seen.headers.get("Content-Encoding", "identity") == "identity", "the answer is compressed in spite of q=0"
    made = made_at(before.json())
    moved = {key: [made[key], time] for key, time in made_at(seen.json()).items() if made.get(key, time) != time}
    assert not moved, "when a thing was made is another time in each answer"
    if seen.json() != before.json():
        again = api.send(operation_id, **good)
        assert again.json() != before.json(), f"it gives another answer: {seen.text[:300]}"


def test_a_write_means_the_same_however_it_is_written(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    suite = conformance_suite
    if not suite.guard.effects[operation_id].writes or list(suite.rules.request_content(operation_id)) != [JSON]:
        pytest.skip("It does not write, or takes more than JSON.")
    if not isinstance(json.loads(suite.cases.good_request(operation_id)["content"] or b"{}"), dict):
        pytest.skip("Its body is no object.")
    ways = ways_of(suite, operation_id)
    chosen = {way: ways[way] for way in ON_WRITES}
    sent_in_all(chosen, api, operation_id, lambda: with_all_parts(suite.cases.unused_request(operation_id)))


def is_all_json(suite: Suite, operation: str) -> bool:
    """Return whether an operation takes a token and JSON, and answers in nothing else."""
    answers = object_of(object_of(suite.rules.operations[operation]["responses"]).get("200")).get("content", {})
    return (
        suite.rules.takes_token(operation)
        and list(suite.rules.request_content(operation)) == [JSON]
        and list(answers) == [JSON]
    )


def made_at(value: Any, path: str = "$") -> dict[tuple[str, Any], Any]:
    """Return when the things in an answer were made, by where they stand and their ids."""
    fields = object_of(value)
    is_kept = bool(fields.get("created_at") and fields.get("id"))  # what is computed for an answer has no id
    found = {(path, fields["id"]): fields["created_at"]} if is_kept else {}
    for name, inner in fields.items():
        found |= made_at(inner, f"{path}.{name}")
    for item in list_of(value):
        found |= made_at(item, f"{path}[{next(iter(ids_of(item)), '')}]")
    return found


def ids_of(item: Any) -> list[Any]:
    """Return the id of an item of a list, or of what stands in it below the name of its kind."""
    return [each["id"] for each in (object_of(item), *map(object_of, object_of(item).values())) if "id" in each]


WAYS_TO_WRITE = (
    "a media type in capitals",
    "several accepted types",
    "escapes and white space",
    "chunks without a length",
)
"""The ways in which a request that writes is tried: those that add nothing that could name something."""


@pytest.mark.touches("create_workspace", "list_workspaces")
def test_what_is_made_is_the_same_however_it_is_written(api: Api) -> None:
    names = [api.unused_name("w") for _ in range(2)]
    made = dict[int, str]()
    for name in names:
        content = json.dumps({"workspace_name": name}).encode()
        written: Written = {"content": content, "headers": {"Content-Type": JSON}}
        for way in WAYS_TO_WRITE:
            written = WAYS[way](written)
        made[api.call("create_workspace", **written)["workspace_id"]] = name
    listed = {each["id"]: each["name"] for each in api.call("list_workspaces", {})["workspaces"]}
    assert {number: listed.get(number) for number in made} == dict(zip(made, names, strict=True))


BOUNDARY = "----=_Part_1'(2).3:4"
"""A boundary with signs that need quotation marks, as mail libraries make them."""


@pytest.mark.touches("list_model_versions", if_there=UPLOADS)
def test_a_stream_means_the_same_however_it_is_written(api: Api, fixtures: Fixtures) -> None:
    upload = "upload_model_stream"
    if not api.has(upload):
        pytest.skip("The release does not have it.")
    name, content = api.unused_name("m"), model_file(seed=371)
    fields = {"workspace_id": fixtures.workspace_id, "visibility": "private", "name": name}
    request = api.upload_of(upload, fields, "model.onnx", content)
    headers = {"Content-Type": "Application/Octet-Stream", "Accept": "application/json, text/plain, */*"}
    api.call(upload, **request | {"params": {"filename": "model.onnx", **fields}, "headers": headers})
    [version] = api.call("list_model_versions", {"model_id": name})
    assert (version["sha"], version["file_name"]) == (hashlib.sha256(content).hexdigest(), "model.onnx")


@pytest.mark.touches("list_model_versions", if_there=UPLOADS)
@pytest.mark.parametrize("upload", FORMS)
def test_a_form_means_the_same_however_it_is_written(upload: str, api: Api, fixtures: Fixtures) -> None:
    if not api.has(upload):
        pytest.skip("The release does not have it.")
    name, content = api.unused_name("m"), model_file(seed=370)
    fields = {"name": name, "visibility": "private", "workspace_id": fixtures.workspace_id}
    parts: list[tuple[str, str, bytes]] = [
        (f'name="{field}"', "text/plain; charset=utf-8", str(value).encode()) for field, value in fields.items()
    ]
    if upload == "upload_and_convert_model":
        metadata = json.dumps(fields | {"conversion": {"framework": "onnx"}}, indent=1).encode()
        parts = [('name="metadata"', f"{JSON}; charset=utf-8", metadata)]
    parts.append(('name="file"; filename="model.onnx"', "application/octet-stream", content))
    written = b"".join(
        f"--{BOUNDARY}\r\ncontent-disposition: form-data; {named}\r\nContent-Length: {len(value)}\r\n"
        f"content-type: {kind}\r\n\r\n".encode()
        + value
        + b"\r\n"
        for named, kind, value in parts
    )
    headers = {"Content-Type": f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"'}
    api.call(upload, content=written + f"--{BOUNDARY}--\r\n".encode(), headers=headers)
    [version] = api.call("list_model_versions", {"model_id": name})
    assert (version["sha"], version["file_name"]) == (hashlib.sha256(content).hexdigest(), "model.onnx")


@pytest.mark.changes_nothing
def test_a_refusal_does_not_repeat_the_token(operation_id: str, api: Api, conformance_suite: Suite) -> None:
    rules = conformance_suite.rules
    if not rules.takes_token(operation_id) or JSON not in rules.request_content(operation_id):
        pytest.skip("It takes no token, or no JSON.")
    good = conformance_suite.cases.good_request(operation_id)
    authorization = conformance_suite.authorization(operation_id)
    wrong: Written = good | {
        "content": b"{",
        "headers": {"Content-Type": JSON, "Authorization": authorization},
        "auth": None,
    }
    answer = api.send(operation_id, **wrong)
    assert authorization.partition(" ")[2] not in f"{answer.headers} {answer.text}"


@pytest.mark.touches("request_token", "invite_user")
def test_a_refusal_does_not_repeat_a_password(operation_id: str, stranger: Person, api: Api) -> None:
    wrong = f"{PASSWORD}-{operation_id}"
    if operation_id == "request_token":
        answer = stranger.sign_in(wrong)
    else:
        answer = api.send("invite_user", {"email": stranger.email, "password": wrong})
    assert not answer.is_success
    assert wrong not in f"{answer.headers} {answer.text}"
