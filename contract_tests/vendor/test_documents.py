"""Does the five documents' own code run on a sandbox of their release, with the vendor's SDK behind `wl`?"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from contract_tests.support.servers.forks.fork_server import running
from contract_tests.vendor.day.calls import OLD
from contract_tests.vendor.documents.cells import cells, document
from contract_tests.vendor.documents.repairs import REPAIRS
from contract_tests.vendor.environments import python, run
from scripts.lib.evidence.known_operations import OF_DOCUMENTS
from wallaroo_ext import connect, deploy_pipeline, upload_model
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HOUR = 3_600_000
NEW_YEAR_2022, NEW_YEAR_2023 = 1_640_995_200_000, 1_672_531_200_000
"""The first moments of these years, in milliseconds since 1970; the documents' assays begin on these days."""


def nothing(control: Sandbox, model: Path) -> None:
    """Leave the sandbox as it is."""


def ten_workspaces(control: Sandbox, model: Path) -> None:
    """Make the workspaces up to the tenth, which the document says to be there."""
    del model
    control.seed(workspaces=[{"name": f"workspace-{number}"} for number in range(2, 11)])


def house_prices(control: Sandbox, model: Path) -> None:
    """Make what the documents had: a second user, a fourth workspace, a fourth pipeline, and its inferences."""
    del model
    control.seed(users=[{"email": "admin@example.com", "password": "a password"}])
    names = ["workspace-3", "housepricedrift"]  # each user has one
    ids = control.seed(workspaces=[{"name": name} for name in names])["workspaces"]
    others = [{"name": f"pipeline-{number}", "workspace_id": ids[0]} for number in (1, 2, 3)]
    made = control.seed(pipelines=[*others, {"name": "housepricepipe", "workspace_id": ids[-1]}])
    assert (ids[-1], made["pipelines"][-1]) == (4, 4)
    for year, field in ((NEW_YEAR_2022, "in.0"), (NEW_YEAR_2023, "in.tensor")):
        rows = {"time": year + HOUR * np.arange(96), field: np.arange(192.0).reshape(-1, 2) % 24}
        outputs = {"out.dense_2": np.arange(96.0).reshape(-1, 1) % 24}
        control.seed_rows(rows | outputs, pipeline_id=4, model_name="housepricemodel")


def deployed_pipeline(control: Sandbox, model: Path) -> None:
    """Deploy the pipeline in its workspace, which another tutorial does."""
    control.seed(workspaces=[{"name": "urldemoworkspace"}])
    with connect(environment=control.environment) as client:
        version = upload_model(client, model, name="urldemomodel", workspace="urldemoworkspace")
        deploy_pipeline(client, "urldemopipeline", version, workspace="urldemoworkspace")


RUNNABLE: dict[str, tuple[Callable[[Sandbox, Path], None], int]] = {
    "external-inference-url-tutorial.md": (deployed_pipeline, 4),
    "api-essentials-guide.txt": (house_prices, 40),
    "mlops-api-tutorial.md": (house_prices, 40),
    "pipeline-management-tutorial.md": (ten_workspaces, 17),
    "pipeline-management-guide.txt": (ten_workspaces, 14),
}
"""What a document wants to be there before, and how many requests its code sends at least."""


def files(directory: Path, model: Path, environment: Mapping[str, str]) -> None:
    """Write the files that the documents' code reads."""
    for folder in ("models", "data"):
        (directory / folder).mkdir()
    for name in ("ccfraud.onnx", "models/ccfraud.onnx"):
        shutil.copy(model, directory / name)
    rows = np.random.default_rng(5).normal(size=(10, 29)).round(4).tolist()
    (directory / "data-1k.json").write_text(json.dumps({"tensor": rows}), encoding="utf-8")
    records = [{"tensor": row} for row in rows]
    (directory / "data/cc_data_1k.df.json").write_text(json.dumps(records), encoding="utf-8")
    credentials = {
        "username": environment["WALLAROO_USER"],
        "password": environment["WALLAROO_PASSWORD"],
        "email": environment["WALLAROO_USER"],
        "confidentialClient": environment["WALLAROO_CLIENT_ID"],
        "confidentialPassword": environment["WALLAROO_CLIENT_SECRET"],
    }
    (directory / "creds.json").write_text(json.dumps(credentials), encoding="utf-8")


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_documents_code_runs(name: str, tmp_path: Path, model_file: Path) -> None:
    python(OLD)  # of the two, it is of the documents' time, and comes with the library that they send requests with
    prepare, least = RUNNABLE[name]
    given = cells(name)
    log, directory = tmp_path / "log", tmp_path / "work"
    directory.mkdir()
    (tmp_path / "cells").write_text(json.dumps(given), encoding="utf-8")
    release = OF_DOCUMENTS[name.partition(".")[0]]
    with running(None, "--release", release, log=log, log_format="json") as environment:
        with Sandbox(environment) as control:
            prepare(control, model_file)
        files(directory, model_file, environment)
        before = len(requests(log))
        program = ["-m", "contract_tests.vendor.documents.notebook", str(tmp_path / "cells")]
        done = run(OLD, program, environment, directory)
        sent = requests(log)[before:]
    assert done.returncode == 0, done.stderr
    assert [entry for entry in sent if entry["status"] >= 400] == []
    assert json.loads(done.stdout) == {"ran": len(given)}
    assert len(sent) >= least, Counter(entry.get("operation") for entry in sent)


def requests(log: Path) -> list[dict[str, Any]]:
    """Return the requests in a sandbox's log."""
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    return [entry for entry in map(json.loads, lines) if "status" in entry]


def test_a_document_that_lost_lines_of_its_code_has_no_others_than_the_tutorial() -> None:
    tutorial = {line.strip().removeprefix("!") for line in document("pipeline-management-tutorial.md").splitlines()}
    guide = document("pipeline-management-guide.txt")
    code = [
        line.strip() for line in guide.splitlines() if "wl." in line or "requests.post" in line or "data = " in line
    ]
    assert len(code) > 30
    assert [line for line in code if line not in tutorial] == []


@pytest.mark.parametrize("name", REPAIRS)
def test_repairs_are_in_order_and_within_the_documents(name: str) -> None:
    last = 0
    for repair in REPAIRS[name]:
        assert last < repair.first <= repair.last
        assert repair.why
        last = repair.last
    assert last <= len(document(name).splitlines())
