"""Is every row scored once, in order, with the right value, when requests fail and the process is killed?"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from contract_tests.support.command_line import SCRIPT, environment_of
from contract_tests.support.data.batch_faults import FAULTS, fault_rules
from contract_tests.support.data.batch_rows import inputs_of, read_output, scores_of, write_tables
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KILLS = 10
SHARE = 0.05
SIZES = (250_000, 1, 400_000, 99_999, 250_000)


def test_the_faults_are_all_there_are() -> None:
    assert {fault["kind"] for fault in FAULTS} == set(KINDS)


def run_with_kills(
    command: list[str], environment: dict[str, str], moments: list[float]
) -> tuple[int, list[dict[str, Any]]]:
    """Run a command again and again, killed after each of the given seconds, and then to its end.

    The seconds count from its first line of output, because on a busy machine Python starts slowly. Return how often
    it was killed, and the lines that it printed at last.
    """
    killed = 0
    for moment in moments:
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return killed, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_million_rows_through_failures_and_kills(
    tmp_path: Path, model_file: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    tables = write_tables(tmp_path / "in", *SIZES)
    seed = time.time_ns()
    print("seed", seed)  # noqa: T201 - pytest shows it where the test fails
    chance = random.Random(seed)  # noqa: S311 - it keeps no secret
    with (
        running(None, "--token-lifetime", "2", "--refresh-lifetime", "1") as environment,
        Sandbox(environment) as steered,
    ):
        deployed(environment, model_file, "exact")
        steered.add_faults(*fault_rules(SHARE))
        command = [*SCRIPT, "batch", str(tmp_path / "in"), str(tmp_path / "out"), "--pipeline", "exact", "--json"]
        command += ["--keys", "id", "--request-rows", "500", "--part-rows", "20000", "--max-errors", "0"]
        moments = [chance.uniform(0.0, 1.5) for _ in range(KILLS)]
        killed, lines = run_with_kills(command, environment_of(environment | {"PYTHONUNBUFFERED": "1"}), moments)
        applied = {f"{n} {rule['kind']}": rule["applied"] for n, rule in enumerate(steered.faults())}
    assert killed == KILLS
    assert all(applied.values()), applied
    last = lines[-1]
    assert (last["event"], last["rows"], last["rejected"]) == ("done", sum(SIZES), 0)
    assert last["rows_before"] > 0
    first = 0
    scored = read_output(tmp_path / "out")
    assert np.array_equal(scored.column("id").to_numpy(), np.arange(sum(SIZES)))
    values = scores_of(scored)
    for table in tables:
        wanted = expected(inputs_of(table)).reshape(-1)
        np.testing.assert_allclose(values[first : first + len(wanted)], wanted, atol=1e-5)
        first += len(wanted)
    assert not [each.name for each in (tmp_path / "out").iterdir() if each.name.startswith(".")]
