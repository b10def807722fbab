"""Do the extension, the generated client and the command line work without what only POSIX systems have?

The sandbox needs a POSIX system; it runs in another process here. The names are those that Python's documentation
marks as "Availability: Unix"; the standard library and other packages, which know their platform, are loaded before
they are hidden.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "scripts/samples"

ROWS = "import numpy, pandas, pyarrow.csv, pyarrow.dataset, pyarrow.json, pyarrow.parquet\n"
EXTRAS = "import aiohttp, httpx_aiohttp, matplotlib.pyplot, opentelemetry.instrumentation.httpx\n"

HIDE = """
import argparse, asyncio, asyncio.unix_events, concurrent.futures, ctypes, decimal, fsspec, gzip, importlib.metadata
import importlib.resources, json, logging.handlers, lzma, multiprocessing, os, pathlib, platform, select, shutil, signal
import socket, ssl, subprocess, sys, tempfile, threading, uuid, webbrowser, zipfile
import anyio._backends._asyncio, attrs, cyclopts, httpx, rich.console, rich.markdown, rich.progress, rich.spinner
import rich.table

MODULES = "fcntl grp posix pty pwd resource syslog termios tty".split()
OF = {
    os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK WNOHANG chown fchmod fchown fork forkpty getegid geteuid getgid "
    "getpgid getuid killpg lchown mkfifo nice openpty pipe2 posix_spawn pread pwrite register_at_fork "
    "sched_getaffinity setsid statvfs sysconf uname wait4 waitid".split(),
    signal: "SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGUSR1 SIGUSR2 alarm pause "
    "pthread_sigmask setitimer sigwait".split(),
    select: ["epoll", "poll"],
}


class Locks:
    # what `msvcrt` has for locks

    LK_NBLCK, LK_UNLCK = 2, 0

    @staticmethod
    def locking(descriptor, mode, count):
        assert (descriptor > 2, mode in {0, 2}, count) == (True, True, 1)


sys.modules["msvcrt"] = Locks
sys.platform = "win32"
for module in MODULES:
    sys.modules[module] = None
for module, names in OF.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
"""

IMPORTED = """
import importlib, pkgutil
import wallaroo_ext, wallaroo_mlops_client

WITHOUT = ("wallaroo_ext.sandbox", "wallaroo_ext.engines", "wallaroo_ext.conformance", "wallaroo_ext.pytest_plugin",
    "wallaroo_ext._repository", "wallaroo_ext.cli.__main__")
names = [found.name for package in (wallaroo_ext, wallaroo_mlops_client)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=str)
    if not found.name.startswith(WITHOUT)]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

USED = """
import json
import wallaroo_ext
from wallaroo_ext import aio
from wallaroo_ext.cli.main import build_app, run as run_command

model, rows = sys.argv[1:]
table = pandas.read_csv(rows).drop(columns="malignant").astype("float32")
with wallaroo_ext.connect(cache="tokens") as client:
    workspace = wallaroo_ext.find_workspace(client, "elsewhere", create=True)
    version = wallaroo_ext.upload_model(client, model, name="elsewhere", workspace=workspace.id)
    with wallaroo_ext.deploy_pipeline(client, "elsewhere", version, workspace=workspace.id) as deployment:
        scored = wallaroo_ext.infer(client, deployment, table, vector=True)
        done = wallaroo_ext.infer_dataset(client, deployment, rows, "scored", keys=["malignant"], vector=True)
        commands = [
            ["list", "deployments"],
            ["status", "elsewhere"],
            ["infer", "elsewhere", rows, "--vector", "--drop", "malignant", "--output", "scored.csv"],
            ["batch", rows, "again", "--pipeline", "elsewhere", "--vector", "--drop", "malignant"],
            ["call", "list_workspaces", "--output", "workspaces.json"],
            ["call", "create_workspace", "--example"],
            ["operations"],
            ["doctor"],
        ]
        for command in commands:
            try:
                run_command(build_app(command), command)
            except SystemExit as end:
                assert not end.code, (command, end.code)
        logged = wallaroo_ext.pipeline_logs(client, "elsewhere", limit=5, workspace=workspace.id)

async def listed():
    async with wallaroo_ext.connect(cache="tokens") as client:
        return "elsewhere" in {model.name for model in await aio.list_models(client)}

print(json.dumps([scored.num_rows, done.rows, logged.num_rows, asyncio.run(listed())]))
"""


SANDBOX = """
from wallaroo_ext.cli.main import build_app, run
run(build_app(["sandbox"]), ["sandbox"])
"""
HIDDEN = """
print(hasattr(os, "fork"), hasattr(signal, "SIGHUP"))
try:
    import fcntl
except ImportError:
    print("none")
"""


def run(program: str, *arguments: str, before: str = "", directory: Path, environment: Mapping[str, str]) -> str:
    """Run a program in an interpreter of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", before + HIDE + program, *arguments],
        cwd=directory,
        env={name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")} | dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_names_are_hidden(tmp_path: Path) -> None:
    assert run(HIDDEN, directory=tmp_path, environment={}).split() == ["False", "False", "none"]


def test_every_module_but_those_of_the_sandbox_can_be_imported(tmp_path: Path) -> None:
    count = run(IMPORTED, before=ROWS + EXTRAS, directory=tmp_path, environment={})
    assert int(count) > 300


def test_the_main_paths_run(sandbox: dict[str, str], tmp_path: Path) -> None:
    files = (str(SAMPLES / "breast-cancer.onnx"), str(SAMPLES / "breast-cancer.csv"))
    shown = run(USED, *files, before=ROWS, directory=tmp_path, environment=sandbox)
    assert json.loads(shown.splitlines()[-1]) == [114, 114, 5, True]


def test_the_sandbox_says_what_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HIDE + SANDBOX], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "The sandbox needs a POSIX system, such as Linux or macOS; on Windows, run it in WSL.\n"
