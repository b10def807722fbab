"""What `scripts/prove` runs: the suite on instances that lie in one way each, and on honest ones with many seeds."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from fnmatch import fnmatch
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "contract_tests")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "contract_tests"), os.environ.get("PYTHONPATH", "")])

from mutants.catalogue import mutants  # noqa: E402 - the tests are no package
from mutants.proof import Trial, verdicts  # noqa: E402
from mutants.survivors import REASONS  # noqa: E402

if TYPE_CHECKING:
    from mutants.judging import Verdict

FIRST_SEED = 29
LEAST_KILLED = 0.95


def chosen(patterns: list[str], sample: int) -> list[str]:
    """The names of the mutants to try.

    Args:
        patterns: Shell patterns of names, of which one has to fit; all where there are none.
        sample: How many of them, the same each time and from every kind of lie; 0 for all.
    """
    names = [name for name in mutants() if not patterns or any(fnmatch(name, pattern) for pattern in patterns)]
    return stratified(names, sample) if sample else names


def stratified(names: list[str], most: int) -> list[str]:
    """So many names, taken in turn from the kinds of lies, and of a kind from operations that are far apart."""
    of_kind = {
        kind: list(found)
        for kind, found in groupby(
            sorted(names, key=lambda name: mutants()[name].kind), key=lambda name: mutants()[name].kind
        )
    }
    taken: list[str] = []
    for turn in range(len(names)):
        for number, found in enumerate(of_kind.values()):
            if turn < len(found) and len(taken) < most:
                taken.append(found[(number * 7 + turn * 11) % len(found)])
    return list(dict.fromkeys(taken))


def line(trial: Trial, verdict: Verdict) -> str:
    """What became of a trial, as one line."""
    if not trial.mutant:
        word = f"FALSE ALARM by {verdict.check}: {verdict.message}" if verdict.noticed or verdict.crash else "no alarm"
        return f"honest, seed {trial.seed}: {word} ({verdict.seconds:.0f} s)"
    if verdict.crash:
        word = f"CRASH {verdict.crash}"
    elif not verdict.lies:
        word = "NEVER LIED"
    else:
        word = f"killed by {verdict.check}" if verdict.noticed else "SURVIVED"
    return f"{trial.mutant}: {word} ({verdict.seconds:.1f} s)"


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/prove", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="which mutants, as shell patterns such as 'list_models.*'; all by default"
    )
    parser.add_argument(
        "--sample", type=int, default=0, metavar="N", help="N mutants from all kinds, the same each time"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=0,
        metavar="N",
        help="the honest sandbox with N seeds, and no mutants unless they are named",
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found there, too")
    parser.add_argument("--list", action="store_true", help="print the names of the mutants")
    return parser.parse_args()


def main() -> int:
    """Try what was asked for; 1 where the suite missed something that it should have noticed, or cried wolf."""
    wanted = arguments()
    names = chosen(wanted.names, wanted.sample) if wanted.names or wanted.sample or not wanted.seeds else []
    if wanted.list:
        print("\n".join(names))
        return 0
    trials = [Trial("", FIRST_SEED + number) for number in range(wanted.seeds)]
    trials += [Trial(name, FIRST_SEED) for name in names]
    found: list[tuple[Trial, Verdict]] = []
    started = time.monotonic()
    for number, (trial, verdict) in enumerate(verdicts(trials, wanted.jobs), 1):
        print(f"[{number}/{len(trials)}] {line(trial, verdict)}", flush=True)
        found.append((trial, verdict))
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(trial) | asdict(verdict) for trial, verdict in found], indent=1))
    return summary(found, time.monotonic() - started)


def summary(found: list[tuple[Trial, Verdict]], seconds: float) -> int:
    """Print the figures; the exit code."""
    lying = {trial.mutant: verdict for trial, verdict in found if trial.mutant}
    alarms = [trial.seed for trial, verdict in found if not trial.mutant and (verdict.noticed or verdict.crash)]
    survivors = [name for name, verdict in lying.items() if not verdict.is_kill]
    for name in survivors:
        print(f"not killed: {name}: {REASONS.get(name, 'no reason is known')}")
    killed = len(lying) - len(survivors)
    share = killed / len(lying) if lying else 1.0
    honest = len(found) - len(lying)
    print(
        f"{killed} of {len(lying)} mutants killed ({share:.1%}), {len(alarms)} false alarms in {honest} honest runs, {seconds:.0f} s"
    )
    return int(bool(alarms) or share < LEAST_KILLED or any(name not in REASONS for name in survivors))


if __name__ == "__main__":
    sys.exit(main())
