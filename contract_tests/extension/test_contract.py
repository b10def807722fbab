"""Is the contract read as its file says, and that of a release with its overlay?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext import contract
from wallaroo_ext._util.files.yaml_files import read_yaml
from wallaroo_ext.contract_overlays import OverlayError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_contract_is_what_its_file_says() -> None:
    assert contract.load() == read_yaml(contract.path())
    assert contract.load(file=contract.path()) == read_yaml(contract.path())


def test_it_is_read_from_the_clients_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(contract, "read_contract")
    assert contract.load()["openapi"] == "3.1.0"


def test_a_contract_that_was_edited_since_the_copy_was_made_is_read_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = tmp_path / "contract.yaml"
    text = contract.path().read_text(encoding="utf-8")
    edited.write_text(text.replace("title: Wallaroo MLOps API", "title: Edited", 1), encoding="utf-8")
    monkeypatch.setattr(contract, "path", lambda: edited)
    assert contract.load()["info"]["title"] == "Edited"


def test_the_contract_without_a_release_reads_no_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("wallaroo_ext.contract_overlays.read_overlay")
    assert "x-release" not in contract.load()["info"]


def test_a_client_without_the_rules_of_releases_has_them_from_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    generated = contract.load_rules("2022.4")
    monkeypatch.setattr(contract, "RULES", "nowhere")
    assert contract.load_rules("2022.4") == generated


def test_the_rules_keep_what_is_named_as_something_that_they_leave_out() -> None:
    names = ("tags", "links", "summary", "example", "description", "responses", "properties", "x-names")
    schema = {"type": "object", "properties": {name: {"type": "integer"} for name in names}}
    data = {"default": {"summary": "of data"}, "const": {"properties": {"tags": 1}}}
    schemas = dict.fromkeys(names, schema) | {"Data": data}
    document = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": schemas, "examples": {"a": {"value": 1}}}}
    described = {name: value | {"description": "It."} for name, value in schemas.items()}
    assert contract.rules_of(document)["components"] == {"schemas": schemas}
    assert contract.rules_of(document | {"components": {"schemas": described}})["components"] == {"schemas": schemas}


def test_a_release_changes_nothing_for_the_next_reader() -> None:
    before = contract.load()
    assert contract.load("2022.4") != before
    assert contract.load() == before


def test_a_release_without_an_overlay_is_an_error_that_names_those_with_one() -> None:
    with pytest.raises(ValueError, match=r"'2021\.1' has no overlay: choose one of 2022\.4, .*2025\.2"):
        contract.load("2021.1")


def test_an_overlay_is_applied_to_another_contract(tmp_path: Path) -> None:
    file = tmp_path / "contract.yaml"
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": {}}), encoding="utf-8")
    with pytest.raises(OverlayError, match=r"action 2 \(.*\): .* matches nothing"):
        contract.load("2025.2", file=file)


def read(text: str, directory: Path) -> dict[str, Any]:
    """Return a contract with some paths and components."""
    file = directory / "own.yaml"
    file.write_text(f"openapi: 3.1.0\n{text}", encoding="utf-8")
    return contract.load(file=file)


REFERRING = """
paths:
  /a~b/{c}:
    get: {operationId: a, responses: {200: {$ref: '#/paths/~1d/get/responses/4xx'}}}
  /d:
    get:
      operationId: d
      responses: {4xx: {description: It.}, 200: {$ref: '#/paths/~1a~0b~1%7Bc%7D/get/responses/200'}}
components:
  schemas:
    Room Size: {type: integer}
    Room: {properties: {size: {$ref: '#/components/schemas/Room%20Size'}, own: {$ref: '#/components/schemas/Room'}}}
    First: {$ref: '#/components/schemas/Room/properties/size'}
"""


def test_references_are_followed_wherever_they_lead_and_however_they_are_escaped(tmp_path: Path) -> None:
    document = read(REFERRING, tmp_path)
    assert document["paths"]["/a~b/{c}"]["get"]["responses"] == {"200": {"description": "It."}}
    assert document["paths"]["/d"]["get"]["responses"] == {
        "4XX": {"description": "It."},
        "200": {"description": "It."},
    }
    size = {"$ref": "#/components/schemas/Room_Size"}
    assert document["components"]["schemas"] == {
        "Room_Size": {"type": "integer"},
        "Room": {"properties": {"size": size, "own": {"$ref": "#/components/schemas/Room"}}},
        "First": size,
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{type: string, nullable: true}", {"type": ["string", "null"]}),
        ("{type: string, nullable: false}", {"type": "string"}),
        ("{type: [string, 'null'], nullable: true}", {"type": ["string", "null"]}),
        ("{type: string, enum: [a], nullable: true}", {"type": ["string", "null"], "enum": ["a", None]}),
        (
            "{allOf: [{type: string}], nullable: true, description: It.}",
            {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}], "description": "It."},
        ),
        ("{minimum: 1, exclusiveMinimum: true}", {"exclusiveMinimum": 1}),
        ("{maximum: 1, exclusiveMaximum: false}", {"maximum": 1}),
        ("{properties: {nullable: {type: string}}}", {"properties": {"nullable": {"type": "string"}}}),
        ("{default: {nullable: true}}", {"default": {"nullable": True}}),
    ],
)
def test_what_only_3_0_has_is_written_as_in_3_1(written: str, meant: dict[str, Any], tmp_path: Path) -> None:
    document = read(f"paths: {{}}\ncomponents: {{schemas: {{A: {written}}}}}\n", tmp_path)
    assert document["components"]["schemas"]["A"] == meant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("paths: []", "line 2, #/paths: it is no OpenAPI document, its `paths` is no object"),
        ("paths:\n  /a: []", "line 3, #/paths/~1a: `/a` is no object"),
        ("paths: {}\ncomponents: []", "line 3, #/components: its `components` is no object"),
        ("paths:\n  a: {}", "line 3, #/paths/a: the path `a` does not begin with a slash"),
        (
            "paths:\n  /a:\n    get: {operationId: a}",
            "line 4, #/paths/~1a/get: GET /a has no `responses`, to which an answer could be held",
        ),
        (
            "paths:\n  /a:\n    get:\n      operationId: a\n      parameters: [{}]\n      responses: {200: {}}",
            "line 6, #/paths/~1a/get/parameters/0: parameter 1 of #/paths/~1a/get lacks its `name`",
        ),
        (
            "paths: {}\ncomponents: {schemas: {A: {$ref: 'b.yaml'}}}",
            "line 3, #/components/schemas/A refers to 'b.yaml'",
        ),
        (
            "paths: {}\ncomponents: {schemas: {A: {items: {$ref: '#/components/schemas/B'}}}}",
            "line 3, #/components/schemas/A/items refers to #/components/schemas/B: nothing is there",
        ),
        (
            "paths: {}\ncomponents: {schemas: {A: {oneOf: [{$ref: '#/components/schemas/A'}]}}}",
            "line 3, #/components/schemas/A consists of itself",
        ),
        (
            "paths: {}\ncomponents: {schemas: {A: {not: {$ref: '#/components/schemas/A'}}}}",
            "line 3, #/components/schemas/A consists of itself",
        ),
        (
            "paths: {}\ncomponents: {schemas: {A: {items: {items: {$ref: '#/components/schemas/A/items'}}}}}",
            "which it is a part of",
        ),
        ("paths: {}\ncomponents: {schemas: {A B: {}, A_B: {}}}", "has the name of another, A_B"),
    ],
)
def test_what_nobody_can_work_with_is_refused_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line") as caught:
        read(text, tmp_path)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "parameter", ["{$ref: '#/components/parameters/X'}", "{name: n, in: [query]}", "{name: n, in: {}}", "true"]
)
def test_a_parameter_of_any_form_is_refused_with_its_place(parameter: str, tmp_path: Path) -> None:
    operation = f"{{operationId: a, responses: {{200: {{}}}}, parameters: [{parameter}]}}"
    with pytest.raises(ValueError, match=r"line 3, #/paths/~1a/get/parameters/0: parameter 1 of .* lacks its `name`, "):
        read(f"paths:\n  /a: {{get: {operation}}}\ncomponents: {{parameters: {{X: true}}}}", tmp_path)


def test_a_contract_of_ones_own_that_was_edited_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = tmp_path / "contract.yaml"
    edited.write_text("openapi: 3.1.0\npaths: {/a: {get: {}}}\n", encoding="utf-8")
    monkeypatch.setattr(contract, "path", lambda: edited)
    with pytest.raises(ValueError, match="line 2, #/paths/~1a/get: GET /a has no operationId"):
        contract.load()
