"""The pipelines that score rows for the tests of several files, and the two kinds of inference URL."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.samples import (
    MINUEND,
    SUBTRAHEND,
    model_file,
    subtracting_model_file,
    typed_model_file,
    typed_rows,
)
from wallaroo_ext.conformance.testing.inference.scoring import (
    OPERATIONS,
    RUN_SEED,
    TWIN_SEED,
    Scoring,
    deploy,
    uploaded,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_ext.conformance.testing.api_calls import Api

    Columns = Mapping[str, np.ndarray[Any, Any]]
    Scorings = dict[str, Scoring | None]

SCORINGS = pytest.StashKey[dict[str, Scoring | None]]()


@pytest.fixture
def scorings(request: pytest.FixtureRequest, api: Api) -> Scorings:
    """Return the pipelines of this folder's tests, which are made when they are first needed.

    They are undeployed after the last of these tests: of pytest's scopes, a module would end too early for what several
    files use, and the session too late.
    """
    folder: pytest.Directory = request.node.getparent(pytest.Directory)
    if SCORINGS not in folder.stash:
        folder.stash[SCORINGS] = {}
        folder.addfinalizer(partial(undeploy, api, folder))
    return folder.stash[SCORINGS]


def undeploy(api: Api, folder: pytest.Directory) -> None:
    """Undeploy the pipelines of a folder's tests."""
    for scoring in folder.stash[SCORINGS].values():
        if scoring is not None:
            api.send("undeploy_pipeline", {"deployment_id": scoring.deployment_id})
    del folder.stash[SCORINGS]


@pytest.fixture
def weighted(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model as the run's."""
    return with_weights(api, separate_workspace, scorings, RUN_SEED)


@pytest.fixture
def typed(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model that has inputs and outputs of many types."""
    if "typed" not in scorings:
        scorings["typed"] = tried(api, separate_workspace, typed_model_file(), typed_rows(1))
    scoring = scorings["typed"]
    if scoring is None:
        pytest.skip("This instance does not run a model with inputs of six types.")
    return scoring


@pytest.fixture
def twin(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model that has the fields of the run's model, and other weights."""
    return with_weights(api, separate_workspace, scorings, TWIN_SEED)


@pytest.fixture
def subtracting(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model whose inputs are of one type and shape."""
    if "subtracting" not in scorings:
        rows = {name: np.ones((1, 2), np.float32) for name in (MINUEND, SUBTRAHEND)}
        scorings["subtracting"] = tried(api, separate_workspace, subtracting_model_file(), rows)
    scoring = scorings["subtracting"]
    if scoring is None:
        pytest.skip("This instance does not run a model with two inputs.")
    return scoring


def with_weights(api: Api, workspace_id: int, scorings: Scorings, seed: int) -> Scoring:
    """Return a pipeline with a model that has the fields of the run's model; make it where it is needed first."""
    name = f"weights of {seed}"
    if name not in scorings:
        model = uploaded(api, api.unused_name("m"), model_file(seed), workspace_id)
        scorings[name] = deploy(api, api.unused_name("p"), workspace_id, model)
    scoring = scorings[name]
    assert scoring is not None, "the model did not come to run"
    return scoring


def tried(api: Api, workspace_id: int, content: bytes, rows: Columns) -> Scoring | None:
    """Return a pipeline with a model; None if the instance does not run the model, or does not take its rows."""
    model = uploaded(api, api.unused_name("m"), content, workspace_id)
    scoring = deploy(api, api.unused_name("p"), workspace_id, model)
    is_taken = scoring is not None and scoring.send(api, OPERATIONS[0], rows).is_success
    return scoring if is_taken else None


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> str:
    """Return one kind of inference URL after the other."""
    return request.param
