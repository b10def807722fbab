"""Do the first steps of a new user work: the demo, the README, importing the package?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from pyarrow import parquet

import wallaroo_ext
from contract_tests.support.documentation import README, blocks, guide, pages
from contract_tests.support.scripts import call_main
from contract_tests.support.servers.forks import fork_server
from scripts.lib.bench.sandbox_processes import sandboxes_below
from scripts.lib.demo import run as demo
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.contract import RELEASES
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from contract_tests.support.command_line import Done

ROOT = Path(__file__).parents[3]
DEMO = [sys.executable, demo.__file__]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_demo_shows_what_it_did() -> None:
    done = subprocess.run(
        DEMO, capture_output=True, text=True, check=False, timeout=120, env=os.environ | {"COLUMNS": "120"}
    )
    assert done.returncode == 0, done.stderr
    for text in (
        "workspace 2",
        "version 1",
        "deployment breast-cancer-1, Running",
        "114 rows",
        "undeploy",
        "Next: docs/tutorial.md",
    ):
        assert text in done.stdout
    scores = re.findall(r"│ +\d │ +([\d.e-]+) │ +(\d)", done.stdout)
    assert len(scores) == 8
    for score, label in scores:
        assert round(float(score)) == int(label)
    right = re.search(r"(\d+) of 114 rows are right", done.stdout)
    assert right is not None
    assert int(right[1]) > 105


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals) -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        started: list[int] = []
        while not started and time.monotonic() < deadline:
            started = sandboxes_below(process.pid)
            time.sleep(0.02)
        assert started
        process.send_signal(number)
        _, output = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert "Traceback" not in output
    assert not any(is_alive(pid) for pid in started)


def run_demo(model: Path, data: Path) -> Done:
    """Run the demo in this process, with a sandbox in a fork."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "running", fork_server.running)
        return call_main(demo.main, "--model", str(model), "--data", str(data), COLUMNS="200")


def own_rows() -> pa.Table:
    rows = np.random.default_rng(3).normal(size=(12, 29)).astype(np.float32)
    return to_table({"dense_input": rows})


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".json", ".arrow", ".parquet", ".csv"])
def test_the_demo_takes_a_persons_own_files(
    ending: str, tmp_path: Path, model_file: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    table, data = own_rows(), tmp_path / f"own{ending}"
    vectors = np.array(table.column("dense_input").to_pylist())
    if ending == ".json":
        data.write_text(json.dumps(table.to_pylist()), encoding="utf-8")
    elif ending == ".arrow":
        data.write_bytes(to_file(table).to_pybytes())
    elif ending == ".parquet":
        cast("Any", parquet).write_table(table, data)
    else:
        np.savetxt(data, vectors, delimiter=",", header=",".join(f"c{n}" for n in range(29)), comments="")
    done = run_demo(model_file, data)
    assert done.code == 0, done.err
    assert "12 rows" in done.out
    first = re.search(r"│   0 │ +([\d.e-]+) │", done.out)
    assert first is not None
    assert float(first[1]) == pytest.approx(expected(vectors)[0, 0], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "name", "content", "excerpt"),
    [
        ("text.onnx", "own.csv", b"a\n1\n", "text.onnx is no ONNX model"),
        ("none.onnx", "own.csv", b"a\n1\n", "There is no model"),
        ("", "own.txt", b"a\n1\n", ".json, .arrow, .parquet, .csv, .jsonl, .npy files"),
        ("", "own.csv", b"", "cannot be read as a .csv file"),
        ("", "own.csv", b"a,b,c\n", "has no rows"),
        (
            "",
            "own.csv",
            b"a,b\n1,2\n",
            "has 2 columns of numbers; the model's input 'dense_input' takes rows of shape [29]",
        ),
        (
            "",
            "own.csv",
            b"a,b\nx,y\n",
            "of which the model takes rows of shape [29]. It has 'a', 'b'",
        ),
        ("", "own.json", b'{"a": 1}', "no list of records"),
        ("", "own.json", b"[", "cannot be read as a .json file"),
        ("", "own.arrow", b"ARROW1", "cannot be read as a .arrow file"),
        ("", "own.parquet", b"PAR1", "cannot be read as a .parquet file"),
        ("", "own.json", b'[{"tensor": [1.0, 2.0]}]', "rows of shape [2], the model's input 'dense_input' takes [29]"),
    ],
)
def test_files_that_do_not_fit_are_refused_in_a_sentence(
    model: str, name: str, content: bytes, excerpt: str, tmp_path: Path, model_file: Path
) -> None:
    (tmp_path / "text.onnx").write_text("no model", encoding="utf-8")
    (tmp_path / name).write_bytes(content)
    done = run_demo(tmp_path / model if model else model_file, tmp_path / name)
    assert done.code in {1, 2}
    assert excerpt in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize("release", RELEASES)
def test_the_first_example_of_the_readme_runs_on_every_release(
    release: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    [program] = blocks(README, "python")
    with fork_server.running(None, "--release", release) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        exec(compile(program.code, "README.md", "exec"), {})  # noqa: S102 - it is our own text
    shown = capsys.readouterr().out.splitlines()
    assert [line.split() for line in shown[1:4]] == [
        ["0", "0", "0.000000"],
        ["1", "0", "0.001199"],
        ["2", "1", "1.000000"],
    ]


def code_of_the_documentation() -> str:
    return "".join(block.code for page in (README, *pages()) for block in blocks(page))


def test_what_the_documentation_lets_people_write_is_not_committed() -> None:
    """Least of all credentials."""
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()}
    code = code_of_the_documentation()
    written = set(re.findall(r"--(?:env-file|output|report) ([\w./-]+)", code))
    written |= set(re.findall(r"(?:to_parquet|save)\(\"([^\"]+)\"", code))
    written |= set(re.findall(r"\.parquet\", \"(\w+)\"", code)) | set(
        re.findall(r"wallaroo-ext batch \S+ ([\w-]+)", code)
    )
    assert {"wallaroo.env", "keycloak.env", "patients.parquet", "scored", "drift.png", "report"} <= written
    assert written - ignored - {"my-client"} == set()


def test_no_two_runs_of_the_documentation_write_to_one_place() -> None:
    code = code_of_the_documentation()
    places = set(re.findall(r"\.parquet\", \"(\w+)\"", code)) | set(re.findall(r"wallaroo-ext batch \S+ (\S+)", code))
    assert places == {"scored", "scored-patients", "scored-shell"}
    assert len(re.findall(r"wallaroo-ext batch \S+ scored-shell", code)) == 1


def test_the_guide_lists_the_sandboxs_gaps() -> None:
    assert "does not imitate" in guide("sandbox").read_text(encoding="utf-8")


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import sys, wallaroo_ext; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "wallaroo_ext" in loaded
    heavy = {
        "httpx",
        "wallaroo_mlops_client",
        "pyarrow",
        "pandas",
        "numpy",
        "yaml",
        "wallaroo_ext.sandbox",
        "cyclopts",
        "starlette",
    }
    assert not heavy & set(loaded)


def test_the_public_names_are_sorted_and_there() -> None:
    names = wallaroo_ext.__all__
    assert names == sorted(names)
    assert set(names) <= set(dir(wallaroo_ext))
    with pytest.raises(AttributeError, match="no attribute 'conect'") as raised:
        _ = cast("Any", wallaroo_ext).conect
    assert (raised.value.name, raised.value.obj) == ("conect", wallaroo_ext)  # by which Python proposes `connect`
    for name in names:
        assert getattr(wallaroo_ext, name).__doc__


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `site`, in which the wheel is unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    builder = "import hatchling.build as build; print(build.build_wheel(__import__('sys').argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", builder, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(folder / made), str(folder / "site")], check=True)
    return folder


def run_from(wheel: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with what the wheel has; the checkout's own packages come from a .pth file after PYTHONPATH."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=wheel,
        env=own | {"PYTHONPATH": str(wheel / "site")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_an_installed_wheel_runs_a_sandbox_and_carries_the_contract(wheel: Path) -> None:
    program = (
        "import pathlib, wallaroo_ext, wallaroo_mlops_client\n"
        "from wallaroo_ext import contract, connect\n"
        "from wallaroo_ext.sandbox.process import running\n"
        "here = pathlib.Path.cwd() / 'site'\n"
        "for found in (wallaroo_ext.__file__, wallaroo_mlops_client.__file__, contract.path()):\n"
        "    assert here in pathlib.Path(found).parents, found\n"
        "assert len(contract.load()['paths']) > 10\n"
        "assert all(contract.load(each)['info']['x-release'] == each for each in contract.RELEASES)\n"
        "with running() as environment, connect(environment=environment) as client:\n"
        "    from wallaroo_mlops_client.api.workspaces import list_workspaces\n"
        "    from wallaroo_mlops_client.models import ListWorkspacesRequest\n"
        "    print(list_workspaces.sync(client=client, body=ListWorkspacesRequest()))\n"
    )
    done = run_from(wheel, "-c", program)
    assert done.returncode == 0, done.stderr
    assert "Default Workspace" in done.stdout
    assert len(list((wheel / "site").glob("*/py.typed"))) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("sandbox", "--operation", "list_models"), ("recorded",)], ids=["sandbox", "recorded"]
)
def test_an_installed_wheel_carries_the_contract_suite(arguments: tuple[str, ...], wheel: Path) -> None:
    command = ["-m", "wallaroo_ext.cli", "conformance", "--report", "report", "--instance", *arguments]
    done = run_from(wheel, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((wheel / "report/report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "conforms"
    assert (wheel / "report/report.html").stat().st_size > 10_000
