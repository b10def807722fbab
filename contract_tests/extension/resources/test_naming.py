"""Does an error of a name that an instance refuses say what names may be, and one that would do?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext import InvalidRequestError, contract, deploy_pipeline, find_workspace, upload_model
from wallaroo_ext.resources.naming import Named, explained_names, possible_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

MODEL = Path(__file__).parents[3] / "scripts/samples/breast-cancer.onnx"
PATTERNS: dict[Named, str] = {
    "model": r"^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$",
    "pipeline": r"^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$",
    "workspace": r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
}


def test_each_function_that_names_something_says_what_names_may_be(client: Client) -> None:
    model = upload_model(client, MODEL, name="named")
    making: dict[str, Callable[[], Any]] = {
        "model": lambda: upload_model(client, MODEL, name="My_model 1"),
        "pipeline": lambda: deploy_pipeline(client, "My_model 1", model),
        "workspace": lambda: find_workspace(client, "My_model 1", create=True),
    }
    for what, make in making.items():
        with pytest.raises(
            InvalidRequestError, match="letters, digits and dashes, and no dash at either end"
        ) as raised:
            make()
        better = "my-model-1" if what == "workspace" else "My-model-1"
        assert raised.value.advice.startswith(f"The name of a {what} has ")
        assert raised.value.advice.endswith(f": {better!r} is one.")


def test_the_patterns_are_the_contracts() -> None:
    assert set(PATTERNS.values()) <= set(re.findall(r"'pattern': '([^']*)'", str(contract.load())))


@pytest.mark.parametrize("what", ["model", "pipeline", "workspace"])
@pytest.mark.parametrize("name", ["My_model 1", "-a-", "a" * 80, "größe", "a.b/c", "a--b", f"{'a' * 62}_b"])
def test_what_it_proposes_is_a_name_by_the_contract(what: Named, name: str) -> None:
    assert re.search(PATTERNS[what], possible_name(what, name))


def test_a_name_of_which_nothing_is_left_gets_no_proposal() -> None:
    error = InvalidRequestError("no", operation="create_pipeline", status=400)
    with pytest.raises(InvalidRequestError) as raised, explained_names("pipeline", "__"):
        raise error
    assert raised.value.advice.endswith("no dash at either end.")


@pytest.mark.parametrize("name", ["a", "tumours-1"])
def test_the_error_of_a_good_name_is_as_it_was(name: str) -> None:
    error = InvalidRequestError("taken", operation="create_workspace", status=400, advice="Take another.")
    with pytest.raises(InvalidRequestError) as raised, explained_names("workspace", name):
        raise error
    assert raised.value.advice == "Take another."
