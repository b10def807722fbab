"""Reads the code in the README, for the tests that run it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_blocks() -> list[str]:
    """Return the blocks of Python, in order."""
    return re.findall(r"```python\n(.*?)```", text(), re.DOTALL)


def workflows() -> list[str]:
    """Return the workflows of GitHub Actions, in order."""
    return [block for block in re.findall(r"```yaml\n(.*?)```", text(), re.DOTALL) if "runs-on:" in block]


def shell_lines(heading: str) -> str:
    """Return the shell lines below a heading."""
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#)", text(), re.DOTALL | re.MULTILINE)
    assert section is not None, f"the README has no section {heading!r}"
    return "".join(f"{line.strip()}\n" for line in section[1].splitlines() if line.startswith("    "))


def text() -> str:
    """Return the whole README."""
    return (ROOT / "README.md").read_text(encoding="utf-8")
