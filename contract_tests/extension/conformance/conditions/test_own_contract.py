"""Is a contract that the suite cannot use refused with a sentence, before anything is sent?"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from contract_tests.support.conformance.rewriting import as_3_0, inlined
from wallaroo_ext import contract
from wallaroo_ext.conformance.conditions.own_contract import UnusableContractError, check_contract
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.suite import Suite, suite_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATH = contract.operation("list_models").path
WRITTEN = {
    "HTML": "<html><head><title>Sign in</title></head></html>",
    "nothing": "",
    "a list": "- a\n- b\n",
    "a text": "contract",
    "no YAML": "a:\n\t- b\n",
    "an alias of nothing": "a: *x\n",
    "Swagger": "swagger: '2.0'\ninfo: {title: x, version: '1'}\npaths: {}\n",
    "no paths": "openapi: 3.1.0\ninfo: {title: x, version: '1'}\n",
    "empty paths": "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {}\n",
}


def _operation(document: dict[str, Any]) -> dict[str, Any]:
    return document["paths"][PATH]["post"]


def _workspace(document: dict[str, Any]) -> dict[str, Any]:
    return document["components"]["schemas"]["Workspace"]


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no operationId": (lambda d: _operation(d).pop("operationId"), f"POST {PATH} has no operationId"),
    "an operationId that is no text": (
        lambda d: _operation(d).update(operationId=7),
        f"POST {PATH} has no operationId",
    ),
    "an operationId twice": (lambda d: _operation(d).update(operationId="list_workspaces"), "each needs its own"),
    "no answers": (lambda d: _operation(d).pop("responses"), "has no `responses`"),
    "an operation that is null": (lambda d: d["paths"][PATH].update(post=None), "has no operationId"),
    "a path that is a list": (lambda d: d["paths"].update({PATH: ["post"]}), f"`{PATH}` is no object"),
    "a path that refers to nothing": (
        lambda d: d["paths"].update({PATH: {"$ref": "#/components/pathItems/Models"}}),
        f"`{PATH}` refers to #/components/pathItems/Models: nothing is there",
    ),
    "a dangling answer": (
        lambda d: _operation(d)["responses"].update({"200": {"$ref": "#/components/responses/Nothing"}}),
        "refers to #/components/responses/Nothing: nothing is there",
    ),
    "a dangling schema": (
        lambda d: _workspace(d)["properties"].update(colour={"$ref": "#/components/schemas/Colour"}),
        "#/components/schemas/Workspace/properties/colour refers to #/components/schemas/Colour: nothing is there",
    ),
    "a reference to itself": (
        lambda d: d["components"]["schemas"].update(Colour={"$ref": "#/components/schemas/Colour"}),
        "leads to itself",
    ),
    "a reference to another file": (
        lambda d: _workspace(d)["properties"].update(colour={"$ref": "colours.yaml#/Red"}),
        "only what begins with `#/` is followed",
    ),
    "a type that there is not": (lambda d: _workspace(d).update(type="thing"), "is no schema"),
    "a pattern that is none": (lambda d: _workspace(d).update(pattern="("), "is no schema"),
    "a schema that is a text": (lambda d: d["components"]["schemas"].update(Colour="red"), "Colour is no schema"),
    "data that looks like a reference": (
        lambda d: _workspace(d).update(examples=[{"$ref": "#/nowhere"}]),
        "has `$ref` in its data",
    ),
    "no title": (lambda d: d.update(info=None), "its `info` is missing"),
}


@pytest.mark.parametrize(("edit", "message"), EDITS.values(), ids=EDITS)
def test_what_is_wrong_is_said_with_its_place(
    document: dict[str, Any], edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    own = copy.deepcopy(document)
    edit(own)
    with pytest.raises(UnusableContractError) as caught:
        check_contract(own)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("instance", ["sandbox", "live"])
def test_a_file_that_is_no_contract_starts_nothing(tmp_path: Path, instance: Any, text: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    nobody = {"WALLAROO_API_URL": "http://127.0.0.1:9", "WALLAROO_TOKEN": "none"}
    with pytest.raises(ValueError, match=r"it is no YAML|it is no OpenAPI document|its `paths` is missing"):
        suite_for(SuiteOptions(instance=instance, contract=file, environment=nobody))


@pytest.mark.parametrize("release", [None, *contract.RELEASES])
def test_the_contract_and_its_releases_are_good(release: str | None) -> None:
    check_contract(contract.load(release))


def test_a_contract_in_another_form_is_good(document: dict[str, Any]) -> None:
    check_contract(inlined(document))
    check_contract(as_3_0(document))


def test_what_is_data_is_no_reference(document: dict[str, Any], tmp_path: Path) -> None:
    own = copy.deepcopy(document)
    _operation(own)["requestBody"] = {"content": {"application/json": {"example": {"$ref": "#/nowhere"}}}}
    own["components"]["schemas"]["Anything"] = True
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")
    assert Suite(SuiteOptions(contract=file)).rules.operations.keys() == set(contract.operation_ids())
