"""Is an instance held to as much of a contract as there is?"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from contract_tests.support.conformance.gateway import Gateway
from wallaroo_ext import contract
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
    from pathlib import Path

    from contract_tests.extension.conformance.healthy.conftest import Look


def with_operations(file: Path, *names: str) -> Path:
    """Write a contract that has only these operations."""
    document = copy.deepcopy(contract.load())
    for path, method, operation in list(contract.operations(document)):
        if operation["operationId"] not in names:
            del document["paths"][path][method]
    return _written(file, document)


def _written(file: Path, document: dict[str, Any]) -> Path:
    file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "names",
    [("list_workspaces",), ("list_features", "query_users"), ("create_workspace", "list_workspaces", "list_models")],
    ids=" ".join,
)
def test_a_few_operations_are_enough(names: tuple[str, ...], look: Look, tmp_path: Path) -> None:
    tried = [name for name in names if name != "list_models"]
    run = look(Gateway(), *tried, contract=with_operations(tmp_path / "own.yaml", *names), release=None)
    assert run.findings == []
    assert verdict(run) is Verdict.CONFORMS
    for name in tried:
        assert sum(each.operation == name and each.status == 200 for each in run.exchanges) >= 3


def test_what_needs_the_others_is_not_tried_and_said(look: Look, tmp_path: Path) -> None:
    file = with_operations(tmp_path / "own.yaml", "infer_pipeline")
    with pytest.raises(WithheldError, match="needs `pipeline`"):
        look(Gateway(), "infer_pipeline", contract=file, release=None)


@pytest.mark.slow
def test_statuses_in_other_words_change_nothing(look: Look, tmp_path: Path) -> None:
    document = copy.deepcopy(contract.load())
    responses = document["paths"]["/v1/api/workspaces/list"]["post"]["responses"]
    bad, good = responses["400"], responses["200"]
    for written in ({200: good, "4XX": bad}, {"2XX": good, "default": bad}):
        document["paths"]["/v1/api/workspaces/list"]["post"]["responses"] = written
        file = _written(tmp_path / "own.yaml", document)
        assert look(Gateway(), "list_workspaces", contract=file, release=None).findings == []
