"""Runs commands of the command line, and their completion."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("wallaroo-ext")


def run(*arguments: str) -> str:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


name = sys.argv[1]
assert "upload" in run("--help")
for command in ("upload", "infer", "batch", "sandbox", "conformance", "call"):
    assert command in run(command, "--help")
assert run("--version").strip()
assert run("doctor")
run("upload", "breast-cancer.onnx", "--name", name)
run("deploy", name, "--model", name)
assert name in {found["pipeline"] for found in json.loads(run("list", "deployments", "--json"))}
assert json.loads(run("call", "list_models", "--data", '{"workspace_id": 1}', "--json"))
run("undeploy", name)
