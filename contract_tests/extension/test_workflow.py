"""May the workflow that the documentation shows do no more than it has to?"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from contract_tests.support.documentation import blocks, guide

WORKFLOWS = [block.code for block in blocks(guide("conformance"), "yaml")]
PINNED = re.compile(r"uses: +[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def steps(text: str) -> list[dict[str, Any]]:
    jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_there_is_one() -> None:
    assert WORKFLOWS


@pytest.mark.parametrize("text", WORKFLOWS)
class TestWorkflow:
    def test_its_actions_are_pinned_to_commits_and_say_which_release_that_is(self, text: str) -> None:
        used = [line for line in text.splitlines() if "uses:" in line]
        assert len(used) == sum("uses" in step for step in steps(text)) > 0
        assert [line for line in used if not PINNED.search(line)] == []

    def test_it_may_read_the_repository_and_nothing_else(self, text: str) -> None:
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {"contents": "read"}
        assert not [job for job in workflow["jobs"].values() if "permissions" in job]

    def test_the_checkout_leaves_no_token(self, text: str) -> None:
        [checkout] = [step for step in steps(text) if step.get("uses", "").startswith("actions/checkout@")]
        assert checkout["with"]["persist-credentials"] is False

    def test_secrets_are_for_the_step_that_needs_them(self, text: str) -> None:
        workflow = yaml.safe_load(text)
        assert "env" not in workflow
        assert not [job for job in workflow["jobs"].values() if "env" in job]
        holders = [step for step in steps(text) if "secrets." in str(step)]
        assert [step["run"].split()[0] for step in holders] == ["scripts/conformance"]
        assert all("secrets." not in step["run"] for step in holders), "a secret in a command line is seen by everybody"
