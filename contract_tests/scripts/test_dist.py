"""Do the copies of the contract for other tools say the same, in the way that other tools can read?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from contract_tests.support.browser import browsing
from scripts.lib.regenerate import dist
from scripts.lib.regenerate.contract_page import contract_page
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = [
    dist.DIRECTORY / f"{dist.NAME}.json",
    *(dist.DIRECTORY / f"{dist.NAME}-{each}.json" for each in contract.RELEASES),
]


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield object_of(value)
    for inner in [*object_of(value).values(), *list_of(value)]:
        yield from objects_in(inner)


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def copy(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_they_are_what_regenerate_writes() -> None:
    assert dist.differences() == []


def test_a_copy_that_is_changed_missing_or_left_over_is_noticed_and_mended(tmp_path: Path) -> None:
    dist.write(tmp_path)
    assert dist.differences(tmp_path) == []
    name = f"{dist.NAME}.json"
    (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / f"{dist.NAME}.yaml").unlink()
    (tmp_path / f"{dist.NAME}-2021.1.json").touch()
    (tmp_path / "README.md").touch()
    (tmp_path / dist.PAGE).write_text("", encoding="utf-8")
    assert dist.differences(tmp_path) == [
        f"{dist.NAME}.yaml is missing",
        f"{dist.NAME}-2021.1.json is not made from the contract",
        f"{dist.PAGE} differs",
        f"{name} differs",
    ]
    (tmp_path / dist.PAGE).unlink()  # as in a new clone
    assert f"{dist.PAGE} is missing" not in dist.differences(tmp_path)
    dist.write(tmp_path)
    assert dist.differences(tmp_path) == []
    assert (tmp_path / "README.md").exists()


def test_yaml_and_json_say_the_same_to_any_reader_of_yaml() -> None:
    text = (dist.DIRECTORY / f"{dist.NAME}.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == json.loads(FILES[0].read_text(encoding="utf-8"))
    for value in ("1e9", "017", "0o17", "12:30:00", "on", "null", "2022.4", "line\nbreak", " x", "0x1F", "~", "No"):
        assert yaml.safe_load(dist.as_yaml({"default": value})) == {"default": value}
    for value in ("1e9", "0o17", "12:30:00", "0x1F"):  # numbers to readers of one version of YAML or the other
        assert f"'{value}'" in dist.as_yaml({"default": value})
    shared = {"type": "string"}
    assert "&" not in dist.as_yaml({"a": shared, "b": shared})


def test_they_have_no_links_and_nothing_of_this_repositorys_own(copy: dict[str, Any]) -> None:
    for each in objects_in(copy["paths"]):
        assert not each.keys() & {"links", "x-evidence", "x-names", "x-writes", "x-always"}


def test_they_have_the_operations_and_the_fields_of_the_contract(copy: dict[str, Any]) -> None:
    release = copy["info"].get("x-release")
    whole = contract.load(release) if release in contract.RELEASES else contract.load()
    ours = {operation["operationId"] for _, _, operation in contract.operations(copy)}
    assert ours == {operation["operationId"] for _, _, operation in contract.operations(whole)}
    for name, schema in copy["components"]["schemas"].items():
        assert schema.get("properties", {}).keys() == whole["components"]["schemas"][name].get("properties", {}).keys()
    assert "links" in json.dumps(contract.load())  # the contract is not changed by its copy


def test_every_object_of_an_answer_is_open(copy: dict[str, Any]) -> None:
    count = 0
    waiting: list[Any] = [operation["responses"] for _, _, operation in contract.operations(copy)]
    seen: set[str] = set()
    while waiting:
        for each in objects_in(waiting.pop()):
            reference = each.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                waiting.append(contract.resolve(copy, each))
            if each.get("type") == "object" and "properties" in each:
                count += 1
                assert each["additionalProperties"] is True, each
    assert count > 30


def test_a_request_is_as_strict_as_it_was(copy: dict[str, Any]) -> None:
    schemas = copy["components"]["schemas"]
    assert "additionalProperties" not in schemas["CreateWorkspaceRequest"]
    assert schemas["CreateWorkspaceRequest"]["required"] == ["workspace_name"]


def test_nothing_in_them_is_unused_or_leads_nowhere(copy: dict[str, Any]) -> None:
    used = {each["$ref"] for each in objects_in(copy) if isinstance(each.get("$ref"), str)}
    for reference in used:
        assert contract.resolve(copy, {"$ref": reference})
    for kind in ("schemas", "responses", "parameters", "requestBodies"):
        for name in copy["components"][kind]:
            assert f"#/components/{kind}/{name}" in used, name


def test_a_choice_of_one_is_that_one() -> None:
    document = contract.load("2022.4")
    assert len(document["components"]["schemas"]["UndeployPipelineResponse"]["anyOf"]) == 1
    assert dist.copy_of(document)["components"]["schemas"]["UndeployPipelineResponse"]["type"] == "null"


def test_a_field_that_is_called_like_an_extension_stays() -> None:
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = {"links": {"type": "string"}, "example": {"links": {"type": "string"}}}
    schema["properties"]["constant"] = {"const": {"links": "x"}}
    schema["$defs"] = {"links": {"type": "string"}}
    answer: dict[str, Any] = {
        "content": {"application/json": {"schema": schema, "example": {"links": "x", "x-names": 1}}}
    }
    answer["headers"] = {"links": {"schema": {"type": "string"}}}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {"/x": {"get": {"operationId": "x", "responses": {"200": answer | {"links": {}}}}}},
        "components": {},
    }
    made = dist.copy_of(document)["paths"]["/x"]["get"]["responses"]["200"]
    assert "links" not in made
    media = made["content"]["application/json"]
    assert media["example"] == {"links": "x", "x-names": 1}
    assert media["schema"]["properties"].keys() == {"links", "example", "constant"}
    assert media["schema"]["properties"]["constant"] == {"const": {"links": "x"}}
    assert (media["schema"]["$defs"].keys(), made["headers"].keys()) == ({"links"}, {"links"})
    assert media["schema"]["additionalProperties"] is True


def test_the_page_holds_the_contract_and_loads_nothing() -> None:
    text = contract_page("const init = '</script><!-- x';")
    assert text.count("</script>") == text.count("<script ") == 1
    assert "<!--" not in text
    assert "infer_pipeline" in text
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|link|img)\b[^>]*(src|href)=", text)


def test_the_page_shows_the_operations_in_a_browser(tmp_path: Path) -> None:
    page = tmp_path / dist.PAGE
    page.write_text(contract_page(), encoding="utf-8")
    with browsing(tmp_path / "profile") as browser:
        browser.open(page.as_uri())
        browser.click("//*[text()='inference']")
        browser.wait_until("return document.body.innerText.includes('Score rows on a deployed pipeline')")
        complaints = browser.complaints()
    assert [each for each in complaints if "logo-mini" not in each] == []  # which the page's policy keeps away
