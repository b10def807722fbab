"""Shows that the suite can fail: runs it on instances that lie in one way each, and on healthy ones in many conditions.

Without arguments, it tries all mutants and writes contract_tests/mutants/mutants.md. `.proof/` keeps the verdicts until
the suite, the sandbox, the contract or the mutants change, so that a whole run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import fnmatch
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from math import gcd
from pathlib import Path
from typing import TYPE_CHECKING

from contract_tests.mutants.catalogue import mutants
from contract_tests.mutants.edits.client_edits import client_edits
from contract_tests.mutants.proving.healthy_instances import SURROUNDINGS
from contract_tests.mutants.proving.judging import RELEASE, Verdict
from contract_tests.mutants.proving.proof import FEW_CASES, Trial, verdicts
from contract_tests.mutants.survivors import REASONS
from contract_tests.mutants.table import FILE, page
from contract_tests.support.servers import nginx
from scripts.lib.called_from import called_path
from scripts.lib.proof.kept_results import KeptResults, digest
from wallaroo_ext._util.files.atomic_files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contract_tests.mutants.edits.client_edits import ClientEdit

    Results = list[tuple[Trial, Verdict]]

ROOT = Path(__file__).parents[3]
GENERATED = ROOT / "generated"
DECISIVE = (
    *("contract_tests/instance", "contract_tests/mutants", "contract_tests/support"),
    *("generated", "openapi", "scripts/requirements", "wallaroo_ext"),
    *(":!contract_tests/mutants/survivors.py", ":!*.md"),
)
"""The paths of what a verdict depends on, and of what it does not, as git writes them."""

FIRST_SEED = 29
LEAST_KILLED = 0.95


def main() -> int:
    """Try the chosen mutants and seeds. Returns 1 if the suite missed a lie or raised a false alarm."""
    options = parse_arguments()
    if options.report:
        return write_mutant_report(options.report, options.names)
    if options.contract or options.client:
        return try_edits(contract=options.contract)
    names = choose(options.names, options.sample) if options.names or options.sample or not options.seeds else []
    if options.list:
        print("\n".join(names))
        return 0
    if options.seeds and not nginx.program():
        print(f"No run is behind nginx. {nginx.MISSING}")
    trials = healthy_trials(options.seeds, options.cases)
    trials += [Trial(name, FIRST_SEED, cases=options.cases) for name in names]
    started = time.monotonic()
    is_whole = names == list(mutants())
    results = run_trials(trials, options.jobs, kept_verdicts(trials) if is_whole else None)
    if options.json:
        rows = [asdict(trial) | asdict(verdict) for trial, verdict in results]
        write_atomically(options.json.resolve(), json.dumps(rows, indent=1).encode())
    if is_whole:
        FILE.write_text(page({trial.mutant: verdict.check for trial, verdict in results if verdict.is_kill}), "utf-8")
    return print_summary(results, time.monotonic() - started, LEAST_KILLED if is_whole else 0.0)


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/prove", description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants, as shell patterns such as 'list_models.*'; all by default")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="N mutants of all kinds, the same each time")
    parser.add_argument(
        "--seeds",
        type=int,
        default=0,
        metavar="N",
        help="N healthy instances with a seed each: fresh and used, of each release, behind gateways, in turn",
    )
    parser.add_argument("--cases", type=int, default=FEW_CASES, metavar="N", help="random requests of each operation")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at a time")
    parser.add_argument("--json", type=called_path, metavar="FILE", help="write the verdicts there, too")
    parser.add_argument("--list", action="store_true", help="print the names of the mutants, and try none")
    parser.add_argument(
        "--report", type=called_path, metavar="DIR", help="write the suite's report of one mutant there"
    )
    parser.add_argument("--contract", action="store_true", help="edit the contract: do its rules and the suite notice?")
    parser.add_argument("--client", action="store_true", help="edit the generated client: does --check notice?")
    return parser.parse_args()


def choose(patterns: list[str], sample: int) -> list[str]:
    """Return the names of the mutants to try.

    Args:
        patterns: Shell patterns, one of which has to match the name; all names if there are none.
        sample: How many of them, the same each time and of every kind of lie; 0 for all.

    Raises:
        SystemExit: A pattern matches no name.
    """
    if unknown := [pattern for pattern in patterns if not fnmatch.filter(mutants(), pattern)]:
        raise SystemExit(f"No mutant is named like {', '.join(map(repr, unknown))}: --list prints their names.")
    names = [name for name in mutants() if not patterns or any(fnmatch.fnmatch(name, each) for each in patterns)]
    return stratify(names, sample) if sample else names


def stratify(names: list[str], most: int) -> list[str]:
    """Return at most `most` names, taken from the kinds of lies in turn, and within a kind from distant operations."""
    of_kind: dict[str, list[str]] = {}
    for name in names:
        of_kind.setdefault(mutants()[name].kind, []).append(name)
    taken: dict[str, None] = {}
    for turn in range(len(names)):
        for number, candidates in enumerate(of_kind.values()):
            if len(taken) < most:
                taken[candidates[(number * 7 + turn * _step(len(candidates))) % len(candidates)]] = None
    return list(taken)


def _step(size: int) -> int:
    """Return a step to distant ones by which a turn comes to each of so many: it has no divisor in common with them."""
    return next(step for step in itertools.count(11) if gcd(step, size) == 1)


def healthy_trials(number: int, cases: int) -> list[Trial]:
    """Return so many trials of healthy instances, of which each has another seed and the next surroundings."""
    names = list(SURROUNDINGS)
    return [Trial("", FIRST_SEED + turn, names[turn % len(names)], cases) for turn in range(number)]


def kept_verdicts(trials: list[Trial]) -> KeptResults:
    """Return the verdicts that are known of these trials, and keep further ones."""
    name = digest([str(trial) for trial in trials], *DECISIVE)
    return KeptResults(ROOT / ".proof" / f"{name}.jsonl")


def run_trials(trials: list[Trial], jobs: int, kept: KeptResults | None) -> Results:
    """Run the trials whose verdicts are not kept, and print the verdict of each. Returns all verdicts."""
    results: Results = [
        (Trial(**line["trial"]), Verdict(**line["verdict"])) for line in (kept.results if kept is not None else [])
    ]
    known = {trial for trial, _ in results}
    if known:
        print(f"{len(known)} of {len(trials)} verdicts are kept from a run that was stopped.")
    waiting = [trial for trial in trials if trial not in known]
    for number, (trial, verdict) in enumerate(verdicts(waiting, jobs), len(known) + 1):
        print(f"[{number}/{len(trials)}] {describe(trial, verdict)}", flush=True)
        results.append((trial, verdict))
        if kept is not None:
            kept.add({"trial": asdict(trial), "verdict": asdict(verdict)})
    return results


def describe(trial: Trial, verdict: Verdict) -> str:
    """Return the verdict of a trial as one line."""
    if not trial.mutant:
        word = (
            f"FALSE ALARM by {verdict.check}: {verdict.crash or verdict.message}" if is_alarm(verdict) else "no alarm"
        )
        return f"healthy, {trial.surroundings}, seed {trial.seed}: {word} ({verdict.seconds:.0f} s)"
    if verdict.crash:
        word = f"CRASH {verdict.crash}"
    elif not verdict.lies:
        alarm = f", and yet: {verdict.check}: {' '.join(verdict.message.split())[:300]}" if verdict.noticed else ""
        word = f"NEVER LIED{alarm}"
    else:
        word = f"killed by {verdict.check}" if verdict.noticed else "SURVIVED"
    return f"{trial.mutant}: {word} ({verdict.seconds:.1f} s)"


def is_alarm(verdict: Verdict) -> bool:
    """Return whether the suite reported anything."""
    return verdict.noticed or bool(verdict.crash)


def print_summary(results: Results, seconds: float, least_killed: float) -> int:
    """Print the figures. Returns the exit code.

    Args:
        results: The verdicts of the trials.
        seconds: How long they took.
        least_killed: The share of mutants that has to be killed, 0 for a few mutants, whose share says little. Each
            survivor needs a known reason in any case.
    """
    lying = {trial.mutant: verdict for trial, verdict in results if trial.mutant}
    healthy = [(trial, verdict) for trial, verdict in results if not trial.mutant]
    alarms = [describe(trial, verdict) for trial, verdict in healthy if is_alarm(verdict)]
    survivors = [name for name, verdict in lying.items() if not verdict.is_kill]
    print_kinds(lying)
    for name in survivors:
        print(f"not killed: {name}: {REASONS.get(name, 'NO REASON IS KNOWN')}")
    print(*alarms, sep="\n", end="\n" if alarms else "")
    killed = len(lying) - len(survivors)
    share = killed / len(lying) if lying else 1.0
    noticed = [f"{killed} of {len(lying)} mutants killed ({share:.1%})"] if lying else []
    raised = [f"{len(alarms)} false alarms in {len(healthy)} healthy runs"] if healthy else []
    print("; ".join([*noticed, *raised]) + ".")
    print(f"{seconds:.0f} s")
    return int(bool(alarms) or share < least_killed or any(name not in REASONS for name in survivors))


def print_kinds(lying: Mapping[str, Verdict]) -> None:
    """Print how many mutants of each kind were killed."""
    of_kind: dict[str, list[bool]] = {}
    for name, verdict in lying.items():
        of_kind.setdefault(mutants()[name].kind, []).append(verdict.is_kill)
    for kind, kills in of_kind.items():
        print(f"{kind}: {sum(kills)} of {len(kills)} killed ({sum(kills) / len(kills):.0%})")


def try_edits(*, contract: bool) -> int:
    """Try the edits of the contract or of the generated client. Returns 1 if one is missed without a known reason."""
    from contract_tests.mutants.edits import contract_judging

    results: Iterable[tuple[contract_judging.Edit | ClientEdit, str]]
    results = contract_judging.noticed() if contract else noticed_client_edits()
    missed: list[str] = []
    count = 0
    for edit, by in results:
        count += 1
        print(f"[{count}] {edit.name}: {by or REASONS.get(edit.name, 'NOT NOTICED')}", flush=True)
        missed += [] if by else [edit.name]
    print(f"{count - len(missed)} of {count} edits noticed.")
    return int(any(name not in REASONS for name in missed))


def noticed_client_edits() -> Iterator[tuple[ClientEdit, str]]:
    """Yield each edit of the generated client with the difference that `scripts/regenerate --check` found."""
    for edit in client_edits(GENERATED):
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory) / "generated"
            shutil.copytree(GENERATED, copy, ignore=shutil.ignore_patterns("__pycache__"))
            edit.make(copy)
            command = [str(ROOT / "scripts/regenerate"), "--check", "--output", str(copy)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        yield edit, done.stderr.strip().splitlines()[-1].strip() if done.returncode == 1 else ""


def write_mutant_report(directory: Path, names: list[str]) -> int:
    """Write the suite's report of one mutant, as it would be of a real instance. Returns the exit code."""
    from contract_tests.mutants.serving import lying_instance
    from wallaroo_ext.conformance.command import run_suite
    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.report import ReportDirectoryError, check_report_directory, write_report

    try:
        check_report_directory(directory)
    except ReportDirectoryError as error:
        print(error, file=sys.stderr)
        return 2
    if len(names) != 1 or names[0] not in mutants():
        print("--report takes the name of one mutant; scripts/prove --list prints them.", file=sys.stderr)
        return 2
    mutant = mutants()[names[0]]
    with lying_instance() as instance:
        instance.become(mutant)
        options = SuiteOptions(running=instance.environment, release=RELEASE, operations=(mutant.operation,))
        run = run_suite(options, lambda _, __: None)
    write_report(run, directory)
    print(f"{mutant.name}: {mutant.text} The report is in {directory}: {len(run.findings)} findings.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
