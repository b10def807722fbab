"""The edits: what a person changes, and whether right code or a sentence comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from contract_tests.edits.base import CREATE, LIST, base

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of the contract of `base`.

    Attributes:
        name: What is changed, in a few words.
        make: Returns the edited contract's file; it takes a while, so that it is made for who reads it only.
        says: What the sentence that refuses it has in it; empty where code is made of it.
        breaks: Whether it breaks clients of the contract as it was; None where nothing is compared.
    """

    name: str
    make: Callable[[], bytes]
    says: str = ""
    breaks: bool | None = None

    @property
    def content(self) -> bytes:
        """The edited contract's file."""
        return self.make()


def edits() -> list[Edit]:
    """Return all edits."""
    found = [_of_document(name, change, says, breaks) for name, (change, says, breaks) in _DOCUMENTS.items()]
    return [*found, *_of_texts(), *_of_files()]


def text_of(document: dict[str, Any]) -> str:
    """Return a contract in YAML, as the files of this project are written."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # the first writes the same, in a sixth of the time
    return yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)


@cache
def _base_text() -> str:
    return text_of(base())


def _of_document(name: str, change: Change, says: str, breaks: bool | None) -> Edit:  # noqa: FBT001 - it is a row of a table
    def make() -> bytes:
        document = base()
        change(document)
        return text_of(document).encode()

    return Edit(name, make, says, breaks)


def _of_file(name: str, content: bytes, says: str = "", *, breaks: bool | None = None) -> Edit:
    return Edit(name, lambda: content, says, breaks)


def _schemas(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]


def _workspace(**fields: Any) -> Change:
    """Return a change that gives workspaces, which are answers, further fields."""
    return lambda document: _schemas(document)["Workspace"]["properties"].update(fields)


def _request(**fields: Any) -> Change:
    """Return a change that gives the request that creates a workspace further fields."""
    return lambda document: _schemas(document)["CreateWorkspaceRequest"]["properties"].update(fields)


def _named(**schemas: Any) -> Change:
    """Return a change that adds schemas, and a field of workspaces for each."""

    def change(document: dict[str, Any]) -> None:
        _schemas(document).update(schemas)
        fields = {f"its_{name}": {"$ref": f"#/components/schemas/{name}"} for name in schemas}
        _workspace(**fields)(document)

    return change


def _operation(document: dict[str, Any], path: str = LIST) -> dict[str, Any]:
    return document["paths"][path]["post"]


def _get(name: str = "get_room", **parts: Any) -> dict[str, Any]:
    """Return an operation for a path of one's own."""
    answer = {"description": "Read.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"operationId": name, "summary": "Read", "tags": ["rooms"], "responses": {"200": answer}} | parts


def _added(path: str = "/v1/api/rooms/list", method: str = "get", **parts: Any) -> Change:
    """Return a change that adds an operation."""
    return lambda document: document["paths"].setdefault(path, {}).update({method: _get(**parts)})


def _parameter(name: str, place: str, schema: Any, **parts: Any) -> Change:
    """Return a change that adds an operation with a parameter."""
    path = f"/v1/api/rooms/{{{name}}}" if place == "path" else "/v1/api/rooms/list"
    entry = {"name": name, "in": place, "required": place == "path", "schema": schema} | parts
    return _added(path, parameters=[{key: value for key, value in entry.items() if value is not None}])


def _body(kind: str, schema: Any, **others: Any) -> Change:
    """Return a change that adds an operation with a body."""
    content = {kind: {"schema": schema}} | {name: {"schema": inner} for name, inner in others.items()}
    return _added(method="post", requestBody={"required": True, "content": content})


def _answer(status: str, content: Any = None) -> Change:
    """Return a change that gives an operation an answer."""
    answer = {"description": "It."} | ({} if content is None else {"content": content})
    return lambda document: _operation(document)["responses"].update({status: answer})


def _together(*changes: Change) -> Change:
    def change(document: dict[str, Any]) -> None:
        for each in changes:
            each(document)

    return change


def _renamed_path(document: dict[str, Any]) -> None:
    document["paths"]["/v1/api/rooms/create"] = document["paths"].pop(CREATE)


def _other_method(document: dict[str, Any]) -> None:
    document["paths"][CREATE] = {"put": document["paths"][CREATE]["post"]}


def _moved_item(document: dict[str, Any]) -> None:
    document["components"]["pathItems"] = {"Create": document["paths"][CREATE]}
    document["paths"][CREATE] = {"$ref": "#/components/pathItems/Create"}


def _renamed_field(document: dict[str, Any]) -> None:
    fields = _schemas(document)["Workspace"]["properties"]
    fields["title"] = fields.pop("name")
    _schemas(document)["Workspace"]["required"] = ["id", "title"]


def _moved_schema(document: dict[str, Any]) -> None:
    fields = _schemas(document)["Workspace"]["properties"]
    _schemas(document)["Ids"] = fields["models"]
    fields["models"] = {"$ref": "#/components/schemas/Ids"}


def _inlined_schema(document: dict[str, Any]) -> None:
    media = _operation(document)["responses"]["200"]["content"]["application/json"]
    media["schema"] = _schemas(document)["ListWorkspacesResponse"]


def _escaped_name(document: dict[str, Any]) -> None:
    _schemas(document)["Room Size"] = {"type": "object", "properties": {"size": {"type": "integer"}}}
    _workspace(size={"$ref": "#/components/schemas/Room%20Size"})(document)


def _reference_into_a_path(document: dict[str, Any]) -> None:
    where = f"#/paths/{LIST.replace('/', '~1')}/post/responses/200/content/application~1json/schema"
    content = {"application/json": {"schema": {"$ref": where}}}
    _added(responses={"200": {"description": "Read.", "content": content}})(document)


def _chain_of_answers(document: dict[str, Any]) -> None:
    answers = document["components"]["responses"]
    answers["Teapot"] = {"description": "A teapot."}
    answers["Pot"] = {"$ref": "#/components/responses/Teapot"}
    _operation(document)["responses"]["418"] = {"$ref": "#/components/responses/Pot"}


def _moved_body(document: dict[str, Any]) -> None:
    document["components"]["requestBodies"] = {"Create": _operation(document, CREATE)["requestBody"]}
    _operation(document, CREATE)["requestBody"] = {"$ref": "#/components/requestBodies/Create"}


def _moved_parameter(document: dict[str, Any]) -> None:
    document["components"]["parameters"] = {"Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}}
    _added(parameters=[{"$ref": "#/components/parameters/Page"}])(document)


def _parameters_of_a_path(document: dict[str, Any]) -> None:
    entry = {"name": "room", "in": "path", "required": True, "schema": {"type": "string"}}
    document["paths"]["/v1/api/rooms/{room}"] = {"parameters": [entry], "get": _get(), "delete": _get("delete_room")}


def _as_3_0(document: dict[str, Any]) -> None:
    document["openapi"] = "3.0.3"
    _workspace(created_by={"type": "string", "nullable": True})(document)


_TEXT: dict[str, Any] = {"type": "string"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_LIST_OF_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_CAT: dict[str, Any] = {"type": "object", "required": ["meow"], "properties": {"meow": _TEXT}}
_DOG: dict[str, Any] = {"type": "object", "required": ["bark"], "properties": {"bark": _TEXT}}
_ROOM: dict[str, Any] = {"type": "object", "required": ["size"], "properties": {"size": _WHOLE}}
_BYTES: dict[str, Any] = {"type": "string", "format": "binary"}
_TO_ROOM = {"$ref": "#/components/schemas/Room"}
_SELF = {"$ref": "#/components/schemas/Node"}
_NAMES_OF_CODE = (
    "to_dict", "from_dict", "additional_properties", "additional_keys", "field_dict", "class", "self", "d", "cls",
    "None", "prop_name", "cast", "src_dict", "fooBar", "foo_bar", "a-b", "@type", "1st", "$ref_", "größe", "list",
    "workspace",
)  # fmt: skip
_MANY = dict.fromkeys(_NAMES_OF_CODE, _TEXT)
_PAGE: dict[str, Any] = {"name": "page", "in": "query", "schema": _WHOLE}
_CSV = "text/csv"
_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"

_DOCUMENTS: dict[str, tuple[Change, str, bool | None]] = {
    "an operation is added": (_added(), "", False),
    "an operation is added without an id": (_added(operationId=None), "has no operationId", None),
    "an operation is removed": (lambda d: d["paths"].pop(CREATE), "", True),
    "an operation is renamed": (lambda d: _operation(d).update(operationId="listRooms"), "", False),
    "a path is renamed": (_renamed_path, "", True),
    "a method is changed": (_other_method, "", True),
    "two operations have one id": (_added(operationId="list_workspaces"), "each needs its own", None),
    "two operations have one id after renaming": (
        _added(operationId="listWorkspaces"),
        "list_workspaces and listWorkspaces would both be the module list_workspaces",
        None,
    ),
    "an operation has no answers": (lambda d: _operation(d).pop("responses"), "has no `responses`", None),
    "an operation has no tags": (lambda d: _operation(d).pop("tags"), "", False),
    "a tag has a space and capitals": (lambda d: _operation(d).update(tags=["Our Rooms"]), "", False),
    "an id has dashes and dots": (_added(operationId="rooms.list-all"), "", False),
    "an id is a word of Python": (_added(operationId="import"), "", False),
    "a path's operations are moved to the components": (_moved_item, "", False),
    "parameters stand above the operations": (_parameters_of_a_path, "", False),
    "an operation is deprecated": (lambda d: _operation(d).update(deprecated=True), "", False),
    "an optional field of a request is added": (_request(colour=_TEXT), "", False),
    "a required field of a request is added": (
        _together(
            _request(colour=_TEXT),
            lambda d: _schemas(d)["CreateWorkspaceRequest"].update(required=["workspace_name", "colour"]),
        ),
        "",
        True,
    ),
    "a field of an answer is removed": (lambda d: _schemas(d)["Workspace"]["properties"].pop("archived"), "", True),
    "a field of an answer is renamed": (_renamed_field, "", True),
    "a field of an answer gets another type": (_workspace(id=_TEXT), "", True),
    "fields have names that code uses": (_workspace(**_MANY), "", False),
    "fields of a request have names that code uses": (_request(**_MANY), "", False),
    "a field's name has a sign that nobody sees": (_workspace(**{"a\u200bb": _TEXT}), "a sign that nobody sees", None),
    "a list and its item have one name": (
        _workspace(tags={"type": "array", "items": _CAT}, tags_item=_TEXT, tags_item_data=_TEXT),
        "",
        False,
    ),
    "a default has backslashes and quotes": (
        _request(directory={"type": "string", "default": "C:\\dir"}, quoted={"type": "string", "default": "a\"b'c\n"}),
        "",
        False,
    ),
    "a default is of another type": (
        _request(colour={"type": "string", "default": 5}),
        "the default 5 does not fit its own schema",
        None,
    ),
    "a default is a list": (_request(colours=_LIST_OF_TEXTS | {"default": ["red"]}), "", False),
    "a default is an object": (_request(colour={"type": "object", "default": {"red": 1}}), "", False),
    "a default is one of several types": (_request(size={"anyOf": [_TEXT, _WHOLE], "default": 5}), "", False),
    "a default is on a reference": (
        _together(
            _named(Size={"type": "string", "enum": ["S", "M"]}),
            _request(size={"$ref": "#/components/schemas/Size", "default": "S"}),
        ),
        "",
        False,
    ),
    "values have one name in Python": (_workspace(mode={"enum": ["a-b", "a_b", "A b", "+", "-", ""]}), "", False),
    "values have null among them": (_workspace(mode={"type": ["string", "null"], "enum": ["a", None]}), "", False),
    "values are of several types": (_workspace(mode={"enum": [1, "a"]}), "all texts or all whole numbers", None),
    "a constant has a backslash": (_workspace(mode={"const": "C:\\dir"}), "", False),
    "a constant is a number with a fraction": (_workspace(mode={"const": 1.5}), "no type for a `const`", None),
    "a field may be null as in 3.0": (_as_3_0, "", False),
    "a reference may be null as in 3.0": (
        _workspace(cat={"allOf": [{"$ref": "#/components/schemas/Timestamp"}], "nullable": True}),
        "",
        False,
    ),
    "a limit is exclusive as in 3.0": (
        _workspace(size={"type": "integer", "minimum": 0, "exclusiveMinimum": True}),
        "",
        False,
    ),
    "a field is of several types": (_workspace(size={"type": ["integer", "string", "null"]}), "", False),
    "a field is a model or null": (
        _workspace(cat={"anyOf": [{"$ref": "#/components/schemas/Timestamp"}, {"type": "null"}]}),
        "",
        False,
    ),
    "a field is one of two models": (_workspace(pet={"oneOf": [_CAT, _DOG]}), "", False),
    "a field has a discriminator": (
        _workspace(pet={"oneOf": [_CAT, _DOG], "discriminator": {"propertyName": "kind"}}),
        "does not follow a `discriminator`",
        None,
    ),
    "a model extends another, fields beside": (
        _named(Room=_ROOM, Hall={"allOf": [{"$ref": "#/components/schemas/Room"}], "properties": {"seats": _WHOLE}}),
        "",
        False,
    ),
    "a model extends another, fields inside": (
        _named(Room=_ROOM, Hall={"allOf": [{"$ref": "#/components/schemas/Room"}, {"properties": {"seats": _WHOLE}}]}),
        "",
        False,
    ),
    "one of two fields is required": (
        lambda d: _schemas(d)["Workspace"].update(oneOf=[{"required": ["created_at"]}, {"required": ["created_by"]}]),
        "",
        None,
    ),
    "fields stand beside several models": (
        _workspace(pet={"properties": {"age": _WHOLE}, "oneOf": [_CAT, _DOG]}),
        "drops `properties` beside `oneOf`",
        None,
    ),
    "a model has itself as a field": (_named(Node={"type": "object", "properties": {"next": _SELF}}), "", False),
    "a model has a list of itself": (
        _named(Node={"type": "object", "properties": {"inner": {"type": "array", "items": _SELF}}}),
        "",
        False,
    ),
    "a list has itself as items": (_named(Node={"type": "array", "items": _SELF}), "cannot make code of it", None),
    "a schema refers to itself": (_named(Node=_SELF), "leads to itself", None),
    "two schemas refer to each other": (
        _named(Node={"$ref": "#/components/schemas/Other"}, Other=_SELF),
        "leads to itself",
        None,
    ),
    "a schema is a part of itself": (_named(Node={"allOf": [_SELF, _CAT]}), "consists of itself", None),
    "further fields have a type": (
        _workspace(sizes={"type": "object", "additionalProperties": _WHOLE}),
        "",
        False,
    ),
    "texts have formats": (
        _workspace(
            key=_TEXT | {"format": "uuid"}, day=_TEXT | {"format": "date"}, moment=_TEXT | {"format": "date-time"}
        ),
        "",
        False,
    ),
    "a schema is moved to the components": (_moved_schema, "", False),
    "a schema is moved from the components": (_inlined_schema, "", False),
    "a schema's name needs an escape": (_escaped_name, "", False),
    "a reference leads into a path": (_reference_into_a_path, "", False),
    "a reference leads to another file": (
        _workspace(size={"$ref": "sizes.yaml#/Size"}),
        "only what begins with `#/` is followed",
        None,
    ),
    "a reference leads nowhere": (_workspace(size={"$ref": "#/components/schemas/Size"}), "nothing is there", None),
    "a schema has the name of a class of the client": (_named(Response=_ROOM), "one of the client's own", None),
    "two schemas have one name in Python": (_named(FooBar=_CAT, Foo_Bar=_DOG), "FooBar", None),
    "two schemas have one module in Python": (_named(FooBAR=_CAT, FooBar=_DOG), "module foo_bar", None),
    "a schema is true": (_workspace(anything=True), "", False),
    "a parameter of the query is added": (
        lambda d: _operation(d).update(parameters=[_PAGE]),
        "",
        False,
    ),
    "a required parameter of the query is added": (
        lambda d: _operation(d).update(parameters=[_PAGE | {"required": True}]),
        "",
        True,
    ),
    "a parameter is true or false": (_parameter("all", "query", {"type": "boolean"}), "", False),
    "a parameter is one of some values": (_parameter("order", "query", {"enum": ["up", "down"]}), "", False),
    "a list in the query is repeated": (_parameter("ids", "query", _LIST_OF_TEXTS), "", False),
    "a list in the query has commas": (_parameter("ids", "query", _LIST_OF_TEXTS, explode=False), "", False),
    "a list in the query has bars": (
        _parameter("ids", "query", {"type": "array", "items": _WHOLE}, style="pipeDelimited", explode=False),
        "",
        False,
    ),
    "an object in the query is deep": (
        _parameter("room", "query", _ROOM, style="deepObject"),
        "the style deepObject, which the generator does not know",
        None,
    ),
    "a parameter is a header": (_parameter("X-Room", "header", _WHOLE), "", False),
    "a parameter is a header that OpenAPI ignores": (_parameter("Authorization", "header", _TEXT), "", False),
    "a parameter is a cookie": (_parameter("room", "cookie", {"type": "boolean"}), "", False),
    "a parameter of the path is true or false": (_parameter("open", "path", {"type": "boolean"}), "", False),
    "a parameter of the path is a date": (_parameter("day", "path", _TEXT | {"format": "date"}), "", False),
    "a parameter of the path is a list": (_parameter("ids", "path", _LIST_OF_TEXTS), "", False),
    "a parameter has no schema, and content": (
        _parameter("room", "query", None, content={"application/json": {"schema": _ROOM}}),
        "give it a `schema`",
        None,
    ),
    "parameters have names that code uses": (
        _added(
            "/v1/api/rooms/{headers}",
            method="post",
            parameters=[
                {"name": "headers", "in": "path", "required": True, "schema": _TEXT},
                *({"name": name, "in": "query", "schema": _TEXT} for name in ("params", "body", "client", "class")),
                *({"name": name, "in": "header", "schema": _TEXT} for name in ("response", "url", "sync_detailed")),
            ],
            requestBody={"content": {"application/json": {"schema": _ROOM}}},
        ),
        "",
        False,
    ),
    "a parameter of the path is not in it": (
        _added(parameters=[{"name": "room", "in": "path", "required": True, "schema": _TEXT}]),
        "Incorrect path templating",
        None,
    ),
    "a parameter is moved to the components": (_moved_parameter, "", False),
    "a body is CSV": (_body(_CSV, _TEXT), "Unsupported content type text/csv", None),
    "a body is bytes": (_body("application/octet-stream", _BYTES), "", False),
    "a body is a form": (_body(_FORM, _ROOM), "", False),
    "a body is a form with an object": (
        _body(_FORM, {"type": "object", "properties": {"room": _ROOM}}),
        "of a form is an object",
        None,
    ),
    "a body has parts": (
        _body(_PARTS, {"type": "object", "properties": {"file": _BYTES, "all": {"type": "boolean"}, "room": _ROOM}}),
        "",
        False,
    ),
    "a body is a patch": (_body("application/merge-patch+json", _ROOM), "", False),
    "a body is of one type as two media types": (
        _together(
            _named(Room=_ROOM),
            _body("application/json", _TO_ROOM, **{"application/x+json": _TO_ROOM}),
        ),
        "have bodies of one type",
        None,
    ),
    "a body is moved to the components": (_moved_body, "", False),
    "a body is no longer required": (lambda d: _operation(d, CREATE)["requestBody"].pop("required"), "", False),
    "an answer is 4XX": (_answer("4XX"), "", False),
    "an answer is 4xx": (_answer("4xx"), "", False),
    "an answer is default": (_answer("default", {"application/json": {"schema": _ROOM}}), "", False),
    "an answer is empty": (lambda d: _operation(d)["responses"].update({"200": {"description": "Done."}}), "", None),
    "an answer is another success": (_answer("201", {"application/json": {"schema": _ROOM}}), "", True),
    "an answer is a text": (_added(responses={"200": {"description": "It", "content": {"text/plain": {}}}}), "", False),
    "an answer is CSV only": (
        _added(responses={"200": {"description": "It.", "content": {"application/zip": {"schema": _BYTES}}}}),
        "Unsupported content_type application/zip",
        None,
    ),
    "an answer has a status that there is not": (_answer("499"), "499 is no status of HTTP", None),
    "an answer is a chain of references": (_chain_of_answers, "", False),
    "the title is missing": (lambda d: d["info"].pop("title"), "title is missing", None),
    "there are no components": (lambda d: d.update(components={}), "nothing is there", None),
}  # fmt: skip


def _of_texts() -> list[Edit]:
    """Return the edits of the text, which YAML 1.1 would read otherwise."""
    text = _base_text()
    mark = "        archived:\n"

    def field(schema: str) -> str:
        return text.replace(mark, f"        mode: {schema}\n{mark}", 1)

    rocket = json.dumps(base()).replace('"title": "Wallaroo', '"title": "\\ud83d\\ude80 Wallaroo', 1)
    twice = text.replace("  /v1/api/workspaces/create:\n", f"  {LIST}:\n", 1)
    found = {
        "values are on and off": (field("{type: string, enum: [on, off, auto, yes, no]}"), "", False),
        "a default is a time": (field("{type: string, default: 12:30:00}"), "", False),
        "a default has an exponent": (field("{type: number, default: 1e9}"), "", False),
        "a default has a nought before it": (field("{type: integer, default: 017}"), "", False),
        "a default is a date": (field("{type: string, default: 2023-01-01}"), "", False),
        "a default is not finite": (field("{type: number, default: .inf}"), "no number of JSON", None),
        "a status is not in quotes": (text.replace("        '200':", "        200:"), "", False),
        "an anchor is merged": (field("{<<: &text {type: string}, description: It.}"), "", False),
        "an anchor is in itself": (field("&x {type: object, properties: {x: *x}}"), "an alias stands for what", None),
        "a key is there twice": (twice, "is there twice", None),
        "a tab stands before a field": (text.replace("  title:", "\ttitle:", 1), "it is no YAML, line", None),
        "the file is cut off": (text[: len(text) // 3] + "\n  x: [", "it is no YAML, line", None),
        "the version is not in quotes": (
            text.replace(f"version: {base()['info']['version']}", "version: 1.0", 1),
            "version is missing or no text",
            None,
        ),
        "OpenAPI's version is a number": (text.replace("openapi: 3.1.0", "openapi: 3.1", 1), "openapi: 3.1.0", None),
        "it is Swagger": (
            text.replace("openapi: 3.1.0", "swagger: '2.0'", 1),
            "no OpenAPI document of version 3",
            None,
        ),
        "it is JSON with a pair of surrogates": (rocket, "", False),
        "it is JSON with half of a pair": (rocket.replace("\\ude80", ""), "half of a surrogate pair", None),
        "it is JSON with a comma too many": (json.dumps(base())[:-1] + ",,}", "it is no JSON, line 1", None),
    }
    assert all(edited != text for edited, _, _ in found.values())
    return [_of_file(name, edited.encode(), says, breaks=breaks) for name, (edited, says, breaks) in found.items()]


def _of_files() -> list[Edit]:
    """Return the edits that editors make when they save a file."""
    text = _base_text()
    bomb = "".join(f"x-{n}: &x{n} [{', '.join(['*x' + str(n - 1)] * 10)}]\n" for n in range(1, 9))
    return [
        _of_file("its lines end as on Windows", text.replace("\n", "\r\n").encode(), breaks=False),
        _of_file("it begins with a byte order mark", b"\xef\xbb\xbf" + text.encode(), breaks=False),
        _of_file("it is in UTF-16", text.encode("utf-16"), breaks=False),
        _of_file(
            "it is in Latin-1", text.replace("  title: W", "  title: ÄW", 1).encode("latin-1"), "no text in UTF-8"
        ),
        _of_file(
            "its aliases grow without end", f"x-0: &x0 [{', '.join('x' * 10)}]\n{bomb}{text}".encode(), "too large"
        ),
        _of_file("it is nested without end", b"openapi: " + b"[" * 100_000, "nested too deeply"),
        _of_file("it is empty", b"", "no OpenAPI document"),
    ]
