"""Runs the contract suite on a sandbox of its own, and a test with the fixtures of the pytest plugin."""

import subprocess
import sys
from pathlib import Path

TEST = """
from wallaroo_ext import find_workspace

def test_a_workspace(wallaroo_sandbox, wallaroo_client):
    wallaroo_sandbox.seed(workspaces=[{"name": "fraud"}])
    assert find_workspace(wallaroo_client, "fraud").name == "fraud"
"""
PROGRAM = Path(sys.executable).with_name("wallaroo-ext")
SUITE = ("conformance", "--instance", "sandbox", "--operation", "create_workspace", "--report", "report")

Path("test_mine.py").write_text(TEST, encoding="utf-8")
for command in ([sys.executable, "-m", "pytest", "-q", "test_mine.py"], [PROGRAM, *SUITE]):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
assert Path("report", "report.html").exists()
