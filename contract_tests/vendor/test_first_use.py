"""Does the guide's example with the vendor's SDK run, with both of its releases?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.documentation import blocks, guide
from contract_tests.support.servers.forks.fork_server import running
from contract_tests.vendor.environments import ROOT, SANDBOXES, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("release", SANDBOXES)
def test_the_guides_example_with_the_vendors_sdk_runs(release: str, tmp_path: Path) -> None:
    [program] = blocks(guide("vendor-sdk"), "python")
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    with running(None, "--release", SANDBOXES[release]) as environment:
        done = run(release, ["-c", program.code], environment, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"0 +\[0\.0\d*\]\n1 +\[0\.00119\d*\]\n2 +\[(1\.0|0\.99999\d*)\]\n", done.stdout), done.stdout
    assert "114 rows in the log" in done.stdout
