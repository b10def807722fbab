"""Tries the tools that others read the contract with, on its copies and on a sandbox, and writes a table."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.lib.consumers import go_tools, java_tools, node_tools, python_tools
from scripts.lib.consumers.scene import scene
from scripts.lib.consumers.tools import HERE, ConsumerError, Tool, Workshop
from scripts.lib.regenerate import dist

if TYPE_CHECKING:
    from scripts.lib.consumers.scene import Scene

ROOT = Path(__file__).parents[3]
KEPT = ROOT / ".consumers"
TABLE = dist.DIRECTORY / "consumers.md"
NODE_AND_JAVA = (*node_tools.TOOLS, *java_tools.TOOLS)
ALL = (*NODE_AND_JAVA, *go_tools.TOOLS, *python_tools.TOOLS)
_ABOUT = """\
# What other tools make of the contract

Written by `scripts/consumers`, which lets each tool read the copy of the contract in this directory. What it generates
is compiled or type-checked, and calls a sandbox: it signs in, lists workspaces, uploads a model, scores a row and reads
a row of a baseline whole. What to know of a tool is in [README.md](README.md).

"""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what a tool made of the contract, and what a user has to know or what went wrong."""

    tool: str
    version: str
    verdict: str
    reason: str

    @property
    def line(self) -> str:
        """The row as a line of Markdown."""
        return f"| {self.tool} | {self.version} | {self.verdict} | {self.reason} |"


def main() -> int:
    """Try the tools. Returns 0 if all of them work that are here, 1 if one fails or the table says something else."""
    options = parse_arguments()
    install_node_modules()
    rows = try_out([each for each in chosen(options) if not options.tool or options.tool in each.name])
    written = table(rows)
    if options.check:
        is_current = TABLE.exists() and TABLE.read_text(encoding="utf-8") == written
        print(f"{TABLE} is {'up to date' if is_current else 'out of date: run scripts/consumers'}.")
    else:
        TABLE.write_text(written, encoding="utf-8", newline="\n")
        is_current = True
    return int(not is_current or any(row.verdict == "fails" for row in rows))


def parse_arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/consumers", description=__doc__)
    parser.add_argument("--node-and-java", action="store_true", help="only those that need no more than Node and Java")
    parser.add_argument("--tool", metavar="NAME", help="only those whose names have this in them")
    parser.add_argument("--check", action="store_true", help="change no file, and exit with 1 where the table differs")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> tuple[Tool, ...]:
    """Return the tools that the command line asks for."""
    return NODE_AND_JAVA if options.node_and_java else ALL


def install_node_modules() -> None:
    """Install what the lock beside this module pins, if npm is here and it is not installed yet."""
    if shutil.which("npm"):
        program = ROOT / "scripts/lib/set_up.py"
        subprocess.run([sys.executable, "-I", program, "node", ROOT, HERE.relative_to(ROOT)], check=True)


def try_out(tools: list[Tool]) -> list[Row]:
    """Return the rows of some tools, each tried on one sandbox, and print them as they come."""
    KEPT.mkdir(exist_ok=True)
    rows: list[Row] = []
    with scene() as made:
        for tool in tools:
            rows.append(row_of(tool, made))
            print(f"{rows[-1].verdict:8} {tool.name} {tool.version}: {rows[-1].reason}", flush=True)
    return rows


def row_of(tool: Tool, made: Scene) -> Row:
    """Return the row of a tool, in whose directory nothing is left of it."""
    if tool.lacks:
        return Row(tool.name, tool.version, "skipped", f"this machine has no {' and no '.join(tool.lacks)}")
    with tempfile.TemporaryDirectory(dir=KEPT) as directory:
        try:
            reason = tool.try_out(Workshop(Path(directory), KEPT, made))
        except ConsumerError as error:
            return Row(tool.name, tool.version, "fails", _in_a_cell(str(error)))
        except Exception as error:  # noqa: BLE001 - one tool's failure, whatever it is, is that tool's row
            traceback.print_exc()
            return Row(tool.name, tool.version, "fails", _in_a_cell(f"{type(error).__name__}: {error}"))
    return Row(tool.name, tool.version, "works", reason)


def _in_a_cell(text: str) -> str:
    """Return a text without what ends a cell or a row of a table."""
    return " ".join(text.replace("|", "/").split())


def table(rows: list[Row]) -> str:
    """Return the table: of a tool that was not tried here, the row that it has."""
    before = TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []
    kept = {line.split(" | ")[0].removeprefix("| "): line for line in before if line.startswith("| ")}
    tried = {row.tool: row.line for row in rows if row.verdict != "skipped" or row.tool not in kept}
    names = [tool.name for tool in ALL]
    lines = [(kept | tried)[name] for name in names if name in kept | tried]
    return f"{_ABOUT}| tool | version | verdict | reason |\n| --- | --- | --- | --- |\n{chr(10).join(lines)}\n"


if __name__ == "__main__":
    sys.exit(main())
