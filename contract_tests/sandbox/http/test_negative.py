"""Does an instance answer requests that violate the contract as the contract says, and stay healthy?

The cases are schemathesis's, of a fixed seed. `NEGATIVE_CASES` says how many there are, `NEGATIVE_SEED` which:

    NEGATIVE_CASES=100000 .venv/bin/pytest contract_tests/sandbox/http/test_negative.py
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis import checks as schemathesis_checks
from schemathesis.core.failures import FailureGroup

from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.callers import user_token
from scripts.lib.bench.sandbox_processes import memory_mib, sandboxes_below
from wallaroo_ext import contract
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.conformance.rules import Rules
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow  # it sends 1,500 requests

CASES = int(os.environ.get("NEGATIVE_CASES", "1500"))
SEED = int(os.environ.get("NEGATIVE_SEED", "29"))
WARM_UP = max(CASES // 5, 400)
"""How many cases are sent before memory is measured; after fewer, some libraries are not loaded yet."""
AT_ONCE = 500
PATIENCE_SECONDS = 20
GROWTH = 1.10
DOCUMENT = contract.load(DEFAULT_OPTIONS.release)
"""The contract of the sandbox's release, which takes some requests that not all releases take."""

RULES = Rules(DOCUMENT)
OPERATIONS = [operation for operation in RULES.operations if RULES.can_be_invalid(operation)]
ARROW = to_file(to_table({"tensor": np.zeros((3, 29), np.float32)})).to_pybytes()
RECORDS, ARROW_TYPE = contract.operation("infer_pipeline").request_types
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


MAY_BE_GOOD = {"infer_deployment", "infer_pipeline", "upload_model"}
"""Operations whose bad data can be good when it is sent.

Rows with a few other bytes are still rows, a query has no other null than the word, and an empty list in a form is no
part at all.
"""


def names_the_missing_workspace(_: Any, response: Any, __: Any) -> None:
    """Fail for an error of the server, unless it is the recorded answer to an upload to an unknown workspace."""
    assert response.status_code < 500 or re.search("There is no workspace [0-9]+ to upload to", response.text)


def broken_arrow() -> st.SearchStrategy[bytes]:
    """Return a strategy for Arrow files with some wrong bytes, or without their end."""
    wrong = st.lists(st.tuples(st.integers(0, len(ARROW) - 1), st.integers(0, 255)), min_size=1, max_size=8)
    return st.builds(_broken, wrong, st.integers(0, len(ARROW)))


def _broken(wrong: list[tuple[int, int]], end: int) -> bytes:
    content = bytearray(ARROW)
    for position, value in wrong:
        content[position] = value
    return bytes(content if end % 2 else content[:end])


@dataclass(slots=True)
class Outcome:
    """The outcome of all cases.

    Attributes:
        sent: How many cases were sent, by operation.
        statuses: How often each status was answered.
        wrong: What was wrong with answers, by operation.
        before_mib: The memory of the sandbox when it was warm, in MiB.
        after_mib: Its memory after all cases.
    """

    sent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OPERATIONS, 0))
    statuses: Counter[int] = field(default_factory=Counter[int])
    wrong: dict[str, list[str]] = field(default_factory=lambda: {operation: [] for operation in OPERATIONS})
    before_mib: float = 0
    after_mib: float = 0


class Attack:
    """Sends cases to one sandbox.

    Args:
        environment: How to reach it.
        url: Where a deployment of it infers, so that bad rows get as far as its engine.
    """

    def __init__(self, environment: dict[str, str], url: str) -> None:
        self.outcome = Outcome()
        self._base_url = environment["WALLAROO_API_URL"]
        self._session = requests.Session()
        token = user_token(environment)
        self._headers = {"Authorization": f"Bearer {token}"}
        deployment, pipeline = url.split("/")[-2:]
        self._real = {
            "infer_deployment": {"deployment": deployment},
            "infer_pipeline": {"deployment": deployment, "pipeline": pipeline},
        }
        schemathesis_checks.load_all_checks()
        schemathesis.openapi.media_type(ARROW_TYPE, broken_arrow())
        schema: Any = schemathesis.openapi.from_dict(DOCUMENT)
        # Bad tokens are tested elsewhere; here they would hide almost all other bad data.
        schema.config.generation.update(with_security_parameters=False)
        self._operations: dict[str, Any] = {
            found.definition.raw["operationId"]: found for found in (item.ok() for item in schema.get_all_operations())
        }

    def score_good_rows(self, url: str) -> None:
        """Send rows in each format, so that the sandbox loads its libraries."""
        for kind, content in {RECORDS: f'[{{"tensor": {[0.5] * 29}}}]'.encode(), ARROW_TYPE: ARROW}.items():
            answer = self._session.post(url, data=content, headers=self._headers | {"Content-Type": kind})
            answer.raise_for_status()

    def send(self, cases: int, first_seed: int) -> None:
        """Send about this many cases, the same number to each operation."""
        for operation in OPERATIONS:
            for path in (None, self._real[operation]) if operation in self._real else (None,):
                self._send(operation, path, max(1, cases // (len(OPERATIONS) + len(self._real))), first_seed)

    def _send(self, operation: str, path: dict[str, str] | None, cases: int, first_seed: int) -> None:
        strategy = self._operations[operation].as_strategy(
            generation_mode=GenerationMode.NEGATIVE, **({} if path is None else {"path_parameters": path})
        )
        wanted = self.outcome.sent[operation] + cases
        for number in count(first_seed):
            missing = wanted - self.outcome.sent[operation]
            if missing <= 0:
                return
            self._sender(operation, strategy, min(missing, AT_ONCE), number)()

    def _sender(self, operation: str, strategy: Any, cases: int, number: int) -> Callable[[], None]:
        names = CHECKS if operation in MAY_BE_GOOD else (*CHECKS, "negative_data_rejection")
        checks = [cast("Any", schemathesis_checks).CHECKS.get_one(name) for name in names]
        if operation.startswith("upload_"):
            checks[0] = names_the_missing_workspace

        @seed(number)
        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(cast("Any", HealthCheck)),
        )
        @given(case=strategy)
        def send(case: Any) -> None:
            self.outcome.sent[operation] += 1
            try:
                answer = case.call_and_validate(
                    base_url=self._base_url,
                    session=self._session,
                    headers=dict(self._headers),
                    checks=checks,
                    timeout=PATIENCE_SECONDS,
                )
            except (FailureGroup, requests.RequestException) as error:
                self.outcome.wrong[operation].append(str(error))
            else:
                self.outcome.statuses[answer.status_code] += 1

        return cast("Callable[[], None]", send)


@pytest.fixture(scope="module")
def outcome(model_file: Path) -> Outcome:
    others = set(sandboxes_below(os.getpid()))
    with running(None, "--token-lifetime", "86400") as environment:
        [process] = set(sandboxes_below(os.getpid())) - others
        url = deployed(environment, model_file)
        attack = Attack(environment, url)
        attack.score_good_rows(url)
        attack.send(WARM_UP, SEED)
        attack.outcome.before_mib = memory_mib(process, "VmRSS")
        attack.send(CASES - WARM_UP, SEED + 1_000_000)
        attack.outcome.after_mib = memory_mib(process, "VmRSS")
    return attack.outcome


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_breaks_the_contract_is_refused_as_the_contract_says(operation: str, outcome: Outcome) -> None:
    wrong = outcome.wrong[operation]
    assert not wrong, f"{len(wrong)} of {outcome.sent[operation]} answers are wrong, the first one so:\n{wrong[0]}"
    assert outcome.sent[operation] >= CASES // len(OPERATIONS) // 2


def test_nearly_all_cases_are_refused_and_few_for_their_path_alone(outcome: Outcome) -> None:
    sent = sum(outcome.sent.values())
    assert sum(count for status, count in outcome.statuses.items() if status in {400, 413, 415}) > 0.8 * sent
    assert set(outcome.statuses) <= {200, 202, 400, 401, 404, 413, 415, 500}


def test_memory_is_as_it_was_before(outcome: Outcome, record_testsuite_property: Callable[[str, object], None]) -> None:
    """The figures of the run are written to the file of `--junitxml`."""
    for name, value in {
        "sent": sum(outcome.sent.values()),
        "statuses": dict(outcome.statuses),
        "before_mib": outcome.before_mib,
        "after_mib": outcome.after_mib,
    }.items():
        record_testsuite_property(name, value)
    assert outcome.after_mib <= outcome.before_mib * GROWTH
