"""Does the example workflow do what it says? Its steps run here as GitHub runs them, in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
WORKFLOW = ".github/workflows/contract-change.yml"
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""How GitHub runs the steps of `shell: bash`."""

STUB = """\
#!/bin/sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
WALLAROO_EXT_CALLED_FROM=$PWD
CDPATH='' cd -- "$root"
use_environment() { :; }
"""
"""In place of `environment.sh`: the environment of the tests serves, and nothing is installed."""


@dataclass
class Run:
    """A run of the workflow in a copy of the repository.

    Attributes:
        copy: The copy, on a branch with a change of the contract.
        files: A directory for what GitHub's runner gives.
        values: The values of expressions.
        log: The output of each step, by its name.
    """

    copy: Path
    files: Path
    values: dict[str, str]
    log: dict[str, str] = field(default_factory=dict[str, str])

    def value(self, text: str) -> str:
        """Return a text with the values of its expressions; an unknown one is an error."""
        return EXPRESSION.sub(lambda found: self.values[found[1]], text)

    def is_wanted(self, condition: str) -> bool:
        """Return whether a step runs, by its `if`."""
        if condition in {"", "${{ !cancelled() }}"}:
            return True
        name, _, wanted = condition.partition(" == ")
        return self.values.get(name) == wanted.strip("'")

    def step(self, step: dict[str, Any], environment: dict[str, str]) -> None:
        """Run a step, and read what it gives to the next ones."""
        output = self.files / "output"
        output.write_text("", encoding="utf-8")
        given = {name: self.value(text) for name, text in object_of(step.get("env")).items()}
        done = subprocess.run(
            [*SHELL, "-c", step["run"]],
            cwd=self.copy,
            env=environment | given | {"GITHUB_OUTPUT": str(output)},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{step['name']}: {done.stdout}{done.stderr}"
        self.log[step["name"]] = done.stdout
        for line in output.read_text(encoding="utf-8").splitlines():
            name, _, text = line.partition("=")
            self.values[f"steps.{step['id']}.outputs.{name}"] = text


def steps(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the steps of the workflow that are commands, those of the action in its place."""
    workflow = yaml.safe_load((run.copy / WORKFLOW).read_text(encoding="utf-8"))
    for step in workflow["jobs"]["contract-change"]["steps"]:
        uses = str(step.get("uses", ""))
        if uses.startswith("./"):
            action = yaml.safe_load((run.copy / uses / "action.yml").read_text(encoding="utf-8"))
            for name, field_ in object_of(action["inputs"]).items():
                given = object_of(step.get("with")).get(name, field_.get("default"))
                run.values.setdefault(f"inputs.{name}", run.value(given))
            yield from list_of(action["runs"]["steps"])
        elif "run" in step:
            yield step


def git(directory: Path, *arguments: str) -> str:
    options = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main")
    command = [shutil.which("git") or "git", *options, *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout


def program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository, on a branch whose contract has one field more and one less."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("This is no clone, or there is no git.")
    if "document_file" not in (ROOT / "wallaroo_ext/conformance/drift/fetching.py").read_text(encoding="utf-8"):
        pytest.skip("wallaroo-ext drift does not read documents from files yet.")
    copy, origin = tmp_path_factory.mktemp("workflow") / "copy", tmp_path_factory.mktemp("origin")
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / "scripts/lib/environment.sh").write_text(STUB, encoding="utf-8")
    git(origin, "init", "--bare", "--quiet")
    for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "-m", "x")):
        git(copy, *command)
    git(copy, "remote", "add", "origin", str(origin))
    git(copy, "push", "--quiet", "origin", "main")
    git(copy, "switch", "--quiet", "--create", "a-change")
    change(copy / "openapi/wallaroo-mlops.yaml")
    git(copy, "commit", "--quiet", "--all", "-m", "x")
    program(copy / ".venv/bin/wallaroo-ext", '#!/bin/sh\nexec python -m wallaroo_ext.cli "$@"\n')
    program(copy / ".venv/bin/gh", '#!/bin/sh\necho "gh $*"\n')
    return copy


def change(contract: Path) -> None:
    """Give the features a colour, and take their number away from `affected_rows`' answer."""
    text = contract.read_text(encoding="utf-8")
    before = "        is_auth_enabled:\n          type: boolean\n"
    assert text.count(before) == 1
    more = "        colour:\n          type: string\n          description: The instance's colour.\n"
    text = text.replace(before, more + before)
    required = "      required: [affected_rows]\n"
    assert text.count(required) == 1
    contract.write_text(text.replace(required, ""), encoding="utf-8")


@pytest.mark.slow
def test_the_steps_generate_compare_check_and_write_a_pull_request(copy: Path, tmp_path: Path) -> None:
    run = Run(
        copy,
        tmp_path,
        {
            "github.event.repository.default_branch": "main",
            "github.ref_name": "a-change",
            "github.token": "x",
            "inputs.suite": "--operation list_features --cases 1",
        },
    )
    path = f"{copy / '.venv/bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        "PATH": path,
        "HOME": str(tmp_path),
        "PYTHONPATH": f"{copy}{os.pathsep}{copy / 'generated'}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    for step in steps(run):
        if run.is_wanted(step.get("if", "")):
            run.step(step, environment)

    results = copy / "contract-change"
    assert run.values["steps.contract.outputs.breaking"] == "true"
    assert run.values["steps.commit.outputs.changed"] == "true"
    contract = (results / "contract.txt").read_text(encoding="utf-8")
    assert "colour" in contract
    assert "affected_rows" in contract
    client = (results / "client.txt").read_text(encoding="utf-8")
    assert "changed  generated/wallaroo_mlops_client/models/list_features_response.py" in client
    assert "colour" in (copy / "generated/wallaroo_mlops_client/models/list_features_response.py").read_text("utf-8")
    assert "+  " in (results / "client.patch").read_text(encoding="utf-8")
    text = (results / "pull-request.md").read_text(encoding="utf-8")
    assert "**This breaks callers.**" in text
    assert all(f"## The {part}" in text for part in ("contract", "client", "suite"))
    assert "CONFORMS" in text.upper()
    assert "This was not reached" not in text
    assert (tmp_path / "summary").read_text(encoding="utf-8") == text
    made = git(copy, "show", "--stat", "origin/generated/a-change")
    assert "list_features_response.py" in made
    assert "openapi/dist/wallaroo-mlops.json" in made
    assert run.log["Open a pull request"].startswith("gh pr create --base a-change --head generated/a-change")


def test_no_step_has_an_expression_in_its_command() -> None:
    """What a person names, such as a branch, reaches a shell by its environment only."""
    for file in (ROOT / WORKFLOW, ROOT / ".github/actions/contract-change/action.yml"):
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
        found = [*object_of(read.get("jobs")).get("contract-change", {}).get("steps", ())]
        found += list_of(object_of(read.get("runs")).get("steps"))
        assert len(found) > 4
        for step in found:
            assert "${{" not in step.get("run", ""), step
            assert "run" not in step or "jobs" in read or step["shell"] == "bash", step
