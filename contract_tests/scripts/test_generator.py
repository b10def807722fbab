"""Is what openapi-python-client gets wrong by itself right in the clients that are made here?"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scripts.lib.generator.given import given_document
from scripts.lib.generator.running import run_generator
from scripts.lib.regenerate.api_page import page

if TYPE_CHECKING:
    from pathlib import Path

TEXT, WHOLE, TRUE = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
NAMES = (
    "to_dict", "from_dict", "additional_properties", "d", "cls", "field_dict", "prop_name", "cast", "class", "list",
    "a-b", "a_b", "tags_item", "tags_item_data", "src_dict", "room",
)  # fmt: skip
TAGS: dict[str, Any] = {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}}
SCHEMAS: dict[str, Any] = {
    "Tag": {"type": "object", "properties": {"name": TEXT}},
    "Room": {"type": "object", "properties": {"tags": TAGS} | dict.fromkeys(NAMES, TEXT)},
    "Defaults": {
        "type": "object",
        "properties": {
            "path": {"type": "string", "default": 'C:\\dir\n"it\'s"'},
            "kind": {"const": "a\\b"},
            "size": {"anyOf": [TEXT, WHOLE], "default": 5},
            "many": {"type": "array", "items": TEXT, "default": ["a"]},
        },
    },
    "Mode": {"type": "string", "enum": ["a-b", "a_b", "A b", "+", ""]},
    "Part": {"type": "object", "properties": {"all": TRUE, "kind": {"const": 5}}, "additionalProperties": True},
    "Hall": {"allOf": [{"$ref": "#/components/schemas/Tag"}], "properties": {"seats": WHOLE}, "required": ["seats"]},
}


def parameter(name: str, place: str, schema: Any, **parts: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema} | parts


TEXTS, NUMBERS = {"type": "array", "items": TEXT}, {"type": "array", "items": WHOLE}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Rooms", "version": "1.0"},
    "paths": {
        "/rooms/{headers}/{open}/{day}/{ids}": {
            "get": {
                "operationId": "get-room",
                "tags": ["Our Rooms"],
                "parameters": [
                    parameter("headers", "path", TEXT),
                    parameter("open", "path", TRUE),
                    parameter("day", "path", TEXT | {"format": "date"}),
                    parameter("ids", "path", TEXTS),
                    parameter("commas", "query", TEXTS, explode=False),
                    parameter("bars", "query", NUMBERS, style="pipeDelimited", explode=False),
                    parameter("repeated", "query", TEXTS),
                    parameter("params", "query", TEXT),
                    parameter("X-Size", "header", {"type": "number"}),
                    parameter("X-Open", "header", {"anyOf": [TRUE, {"type": "null"}]}),
                    parameter("Accept", "header", TEXT),
                    parameter("all", "cookie", TRUE),
                ],
                "responses": {"200": {"description": "It."}, "4XX": {"description": "Not it."}},
            }
        }
    },
    "components": {"schemas": SCHEMAS},
}
PROGRAM = """
import datetime, json, sys
sys.path.insert(0, sys.argv[1])
from rooms.api.our_rooms import get_room
from rooms.models import Defaults, Hall, Mode, Part, Room, Tag
import inspect
kwargs = get_room._get_kwargs(
    "a/b", True, datetime.date(2023, 1, 2), ["x,y", "z"], commas=["a", "b"], bars=[1, 2], repeated=["a", "b"],
    params_="p",
    x_size=1.5, x_open=False, all_=True,
)
names = json.loads(sys.argv[2])
body = {"tags": [{"name": "t"}], **{name: name.upper() for name in names}}
room = Room.from_dict(body)
print(json.dumps({
    "kwargs": kwargs,
    "round": room.to_dict() == body and room.additional_properties == {} and room.tags[0].name == "t",
    "defaults": Defaults().to_dict(),
    "const": Defaults(kind="a\\\\b").to_dict()["kind"],
    "mode": [each.value for each in Mode],
    "hall": Hall.from_dict({"seats": 1, "name": "n"}).seats,
    "parameters": list(inspect.signature(get_room.sync_detailed).parameters),
}))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a client does that is made of the document."""
    directory: Path = tmp_path_factory.mktemp("client")
    run_generator(DOCUMENT, directory / "rooms")
    command = [sys.executable, "-c", PROGRAM, str(directory), json.dumps(NAMES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_path_is_written_as_json_writes_values(made: dict[str, Any]) -> None:
    assert made["kwargs"]["url"] == "/rooms/a%2Fb/true/2023-01-02/x%2Cy,z"


def test_a_list_in_the_query_is_written_in_its_style(made: dict[str, Any]) -> None:
    assert made["kwargs"]["params"] == {"commas": "a,b", "bars": "1|2", "repeated": ["a", "b"], "params": "p"}


def test_headers_and_cookies_are_texts(made: dict[str, Any]) -> None:
    assert made["kwargs"]["headers"] == {"X-Size": "1.5", "X-Open": "false"}
    assert made["kwargs"]["cookies"] == {"all": "true"}


def test_a_header_that_openapi_ignores_is_no_parameter(made: dict[str, Any]) -> None:
    assert "accept" not in made["parameters"]


def test_fields_may_have_names_that_the_code_uses(made: dict[str, Any]) -> None:
    assert made["round"]


def test_defaults_and_constants_are_what_the_contract_says(made: dict[str, Any]) -> None:
    assert made["defaults"] == {"path": 'C:\\dir\n"it\'s"'}, "5 would be a text"
    assert made["const"] == "a\\b"


def test_each_value_of_an_enumeration_has_a_name(made: dict[str, Any]) -> None:
    assert made["mode"] == ["a-b", "a_b", "A b", "+", ""]


def test_fields_beside_a_part_are_kept(made: dict[str, Any]) -> None:
    assert made["hall"] == 1


def test_a_default_that_code_cannot_have_is_described() -> None:
    given = given_document(DOCUMENT)["components"]["schemas"]["Defaults"]["properties"]["many"]
    assert "default" not in given
    assert given["description"] == 'Without it, the instance takes ["a"].'


def test_the_page_names_the_modules_as_they_are() -> None:
    assert "`wallaroo_mlops_client.api.our_rooms.get_room`" in page(DOCUMENT)
    untagged: dict[str, Any] = {"operationId": "a", "tags": [], "responses": {"200": {"description": "It."}}}
    assert "api.default.a`" in page(DOCUMENT | {"paths": {"/a": {"get": untagged}}})
