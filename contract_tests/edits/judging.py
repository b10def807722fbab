"""Takes each edited contract through all that reads it, and writes what became of it as a table."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from unittest.mock import patch

from contract_tests.edits.base import base
from contract_tests.edits.corpus import Edit, edits, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).parent / "edits.md"
SECONDS = 30
"""How long an edit may take, apart from the type checker, which takes all of them at once."""
_PYRIGHT = ROOT / "scripts/requirements/node_modules/.bin/pyright"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an edit.

    Attributes:
        edit: Its name.
        refusal: The sentence that refused it, without the file's name; empty where a client was made.
        suite: The check of the suite that failed on a sandbox of the contract; empty where none did.
        changed: The number of differences that `drift` finds.
        breaking: How many of them break clients.
        fault: What is wrong with this: a traceback, a wrong verdict, or the end of the time; empty where nothing is.
    """

    edit: str
    refusal: str = ""
    suite: str = ""
    changed: int = 0
    breaking: int = 0
    fault: str = ""


def judge(edit: Edit, directory: Path) -> Verdict:
    """Return what becomes of an edit; a client is left in the directory, for the type checker.

    Args:
        edit: The edit.
        directory: An empty directory.
    """
    from scripts.lib.regenerate.run import main

    file = directory / "edited.yaml"
    file.write_bytes(edit.content)
    command = ["regenerate", "--contract", str(file), "--output", str(directory / "client")]
    with (
        patch.object(sys, "argv", command),
        redirect_stderr(io.StringIO()) as errors,
        redirect_stdout(io.StringIO()),
    ):
        code = main()
    refusal = errors.getvalue().strip().partition("edited.yaml: ")[2]
    if code == 2 and edit.says:
        fault = "" if edit.says in refusal and not (directory / "client").exists() else "refused for another reason"
        return Verdict(edit.name, refusal, fault=fault)
    if code != 0 or edit.says:
        return Verdict(edit.name, refusal, fault=f"exit code {code}")
    suite, (changed, breaking) = _by_suite(file), _by_drift(file)
    fault = "" if edit.breaks in {None, breaking > 0} else "drift is wrong about what breaks"
    return Verdict(edit.name, "", suite, changed, breaking, fault)


def _by_suite(file: Path) -> str:
    """Return the check of the suite that fails on a sandbox of a contract; empty where none does."""
    from contract_tests.mutants.proving.suite_runs import NOT_WAITING, run
    from contract_tests.mutants.serving import lying_instance
    from wallaroo_ext import contract
    from wallaroo_ext.conformance.options import SuiteOptions

    with lying_instance(document=contract.load(file=file)) as honest:
        options = SuiteOptions(running=honest.environment, contract=file, cases=1)
        _, check, _, crash, _ = run(options, NOT_WAITING)
    return crash or check


def _by_drift(file: Path) -> tuple[int, int]:
    """Return the number of differences from the contract before the edit, and how many of them break clients."""
    from wallaroo_ext import contract
    from wallaroo_ext.conformance.drift.sources import drift_of

    before = file.with_name("before.yaml")
    before.write_text(text_of(base()), encoding="utf-8")
    found = drift_of(contract.load(file=before), url=str(file))
    return len(found.changes), len(found.breaking)


def _in_process(number: int, directory: Path, results: multiprocessing.Queue[Verdict]) -> None:
    edit = edits()[number]
    try:
        verdict = judge(edit, directory)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is a fault
        verdict = Verdict(edit.name, fault=f"{type(error).__name__}: {error}")
    results.put(verdict)
    results.close()
    results.join_thread()
    os._exit(0)


def verdicts(every: int = 1) -> list[Verdict]:
    """Return what becomes of each edit, in a process of its own, and what the type checker finds in the clients.

    Args:
        every: 1 for all edits, 2 for every second one, and so on.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["contract_tests.mutants.proving.preloaded", "scripts.lib.regenerate.run"])
    found: list[tuple[int, Verdict]] = []
    with TemporaryDirectory(prefix="wallaroo-edits-") as name:
        root = Path(name)
        for number, edit in list(enumerate(edits()))[::every]:
            directory = root / f"edit{number}"
            directory.mkdir()
            results: multiprocessing.Queue[Verdict] = context.Queue()
            process = context.Process(target=_in_process, args=(number, directory, results))
            process.start()
            try:
                verdict = results.get(timeout=SECONDS)
            except Empty:
                process.kill()
                verdict = Verdict(edit.name, fault=f"it takes more than {SECONDS} s")
            found.append((number, verdict))
            process.join()
        wrong = _types(root)
    return [_with_fault(verdict, wrong[number]) if number in wrong else verdict for number, verdict in found]


def _with_fault(verdict: Verdict, fault: str) -> Verdict:
    return replace(verdict, fault=verdict.fault or fault)


def _types(root: Path) -> dict[int, str]:
    """Return the first error of the type checker in each client that has one, by the number of its edit."""
    if not _PYRIGHT.exists():
        raise FileNotFoundError("scripts/check installs the type checker, which is not there yet.")
    command = [str(_PYRIGHT), "--pythonpath", sys.executable, "--outputjson", *map(str, _new_files(root))]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    wrong: dict[int, str] = {}
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        if each["severity"] == "error":
            path = Path(each["file"]).relative_to(root.resolve())
            wrong.setdefault(int(path.parts[0].removeprefix("edit")), f"{path.name}: {each['message'].splitlines()[0]}")
    return wrong


def _new_files(root: Path) -> Iterator[Path]:
    """Yield the modules of all clients, those that are as in an earlier client only once."""
    seen: set[tuple[str, bytes]] = set()
    for client in sorted(root.glob("*/client")):
        for module in sorted(client.rglob("*.py")):
            known = str(module.relative_to(client)), module.read_bytes()
            if known not in seen:
                seen.add(known)
                yield module


def page(found: Iterable[Verdict]) -> str:
    """Return the table of what became of the edits."""
    lines = [
        "# Edits of the contract",
        "",
        "Written by `python -m contract_tests.edits.judging`. Each edit of a contract of few operations is taken",
        "through `scripts/regenerate`, the import of the client, the type checker, the suite on a sandbox of the",
        "edited contract, and `wallaroo-ext drift` against the contract before the edit.",
        "",
        "| edit | client | suite | drift |",
        "| --- | --- | --- | --- |",
    ]
    for each in found:
        client = _cell((each.fault and f"**{each.fault}**") or each.refusal) or "made"
        suite, drift = ("", "") if each.refusal or each.fault else (each.suite or "passes", _drift(each))
        lines.append(f"| {each.edit} | {client} | {_cell(suite)} | {drift} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\u200b", "\\u200b")


def _drift(verdict: Verdict) -> str:
    if not verdict.changed:
        return "the same"
    return f"{verdict.changed} changed, {verdict.breaking or 'none'} breaking"


if __name__ == "__main__":
    FILE.write_text(page(verdicts()), encoding="utf-8")
