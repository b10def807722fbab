"""Is a working day done from the shell: upload, deploy, status, infer, undeploy, and what an assay found?"""

from __future__ import annotations

import base64
import csv
import gzip
import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from wallaroo_mlops_client.api.models import list_models
from wallaroo_mlops_client.models import ListModelsRequest

from contract_tests.support.command_line import SCRIPT, Done, environment_of, on_terminal, process
from contract_tests.support.documentation import blocks, guide
from contract_tests.support.sandbox.steering import assay, day, done, seed_pipeline, seed_rows, wait_for
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import call, connect
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext._util.quantities import format_size
from wallaroo_ext.cli.commands.upload import read_schema
from wallaroo_ext.cli.printing import tables
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.output_rows import json_records, to_json_value
from wallaroo_ext.cli.reading import input_rows
from wallaroo_ext.inference.inputs.rows import columns_to_send, to_table
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import httpx

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "scripts/samples/breast-cancer.onnx"
ROWS = ROOT / "scripts/samples/breast-cancer.csv"
VECTOR = ("--vector", "--drop", "malignant")
NUMBER_OF_ROWS = 114


@pytest.fixture(scope="module")
def deployed(sandbox: dict[str, str]) -> str:
    """Return the name of a pipeline that runs the sample model."""
    from contract_tests.support.sandbox.deployments import deployed

    deployed(sandbox, MODEL, "cli-work")
    return "cli-work"


@contextmanager
def transitions(sandbox: dict[str, str], **deployments: Any) -> Generator[None]:
    """Make deployments that start in the block end in the given state."""
    with Sandbox(sandbox) as control:
        control.set_transitions(deployments=deployments)
        try:
            yield
        finally:
            control.set_transitions(deployments={"seconds": 0})


def answer_of(finished: Done) -> Any:
    """Return the answer of a command with --json, after checking that it is one line."""
    assert (finished.code, finished.err) == (0, "")
    [line] = finished.out.splitlines()
    return json.loads(line)


def write_parquet(table: pa.Table, file: Path) -> None:
    parquet: Any = import_module("pyarrow.parquet")
    parquet.write_table(table, file)


def large_files(directory: Path) -> set[Path]:
    """Return the files below a directory that are a MiB or larger."""
    found: set[Path] = set()
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_size >= 1 << 20:
                found.add(path)
    return found


def terminal_lines(shown: Done) -> list[str]:
    """Return the lines that a terminal shows at the end, without overwritten or deleted ones."""
    kept = re.sub(r"[^\n]*\n(?:\x1b\[\?25h)?\r?\x1b\[1A\x1b\[2K", "", shown.out)
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", kept)
    return [line.rpartition("\r")[2].rstrip() for line in text.splitlines()]


class TestTheWholePath:
    def test_with_json(self, wallaroo: Callable[..., Done]) -> None:
        uploaded = answer_of(wallaroo("upload", str(MODEL), "--name", "path", "--json"))
        assert (uploaded["model"], uploaded["status"], len(uploaded["sha256"])) == ("path", "ready", 64)
        started = answer_of(wallaroo("deploy", "path", "--model", f"path@{uploaded['version']}", "--json"))
        assert (started["status"], started["pipeline"]) == ("Running", "path")
        status = answer_of(wallaroo("status", "path", "--json"))
        assert (status["name"], status["url"], status["status"]) == (started["name"], started["url"], "Running")
        assert status["engines"][0]["model_statuses"]["models"][0]["sha"] == uploaded["sha256"]
        for where in ("path", started["url"]):
            scored = wallaroo("infer", where, str(ROWS), *VECTOR, "--json")
            records = [json.loads(line) for line in scored.out.splitlines()]
            assert (scored.code, scored.err, len(records)) == (0, "", NUMBER_OF_ROWS)
            assert set(records[0]) == {"time", "in.tensor", "out.malignant", "anomaly.count"}
            assert records[0]["in.tensor"][0] == 11.6
        assert answer_of(wallaroo("undeploy", "path", "--json")) == {"undeployed": started["name"]}
        assert answer_of(wallaroo("undeploy", "path", "--json")) == {"undeployed": None}
        gone = wallaroo("status", "path")
        assert gone.sentence.startswith("No pipeline 'path' is deployed")
        assert gone.code == 1

    def test_as_the_guide_does_it_in_a_shell(self, sandbox: dict[str, str], tmp_path: Path) -> None:
        command = tmp_path / "wallaroo-ext"
        command.write_text(f'#!/bin/sh\nexec {" ".join(SCRIPT)} "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        (tmp_path / "scripts").symlink_to(ROOT / "scripts")
        variables = environment_of(sandbox) | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
        [lines] = blocks(guide("shell"), "sh")
        ended = subprocess.run(
            ["/bin/sh", "-e", "-c", lines.code],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        assert "shell is Running." in ended.stderr
        assert re.search(r"^status +ready$", ended.stdout, re.MULTILINE)
        assert re.search(r"^shell-\d+ is undeployed\.$", ended.stdout, re.MULTILINE)
        assert "114 rows in 1 file in scored-shell, in " in ended.stderr
        with (tmp_path / "scored.csv").open(encoding="utf-8", newline="") as opened:
            scored = list(csv.DictReader(opened))
        with ROWS.open(encoding="utf-8", newline="") as opened:
            known = [float(row["malignant"]) for row in csv.DictReader(opened)]
        right = sum(round(float(row["out.malignant"])) == label for row, label in zip(scored, known, strict=True))
        assert right > 0.9 * NUMBER_OF_ROWS


class TestUpload:
    def test_how_far_it_is_is_told_beside_the_answer(self, wallaroo: Callable[..., Done]) -> None:
        finished = wallaroo("upload", str(MODEL), "--name", "lines")
        assert finished.err.splitlines() == [
            "Sending lines of 1.6 KiB.",
            "1.6 KiB of 1.6 KiB sent.",
            "Waiting for the instance to make lines ready.",
        ]
        facts = dict(line.split(maxsplit=1) for line in finished.out.splitlines())
        assert list(facts) == ["model", "id", "version", "sha256", "status", "workspace"]

    def test_a_bar_is_shown_on_a_terminal(self, sandbox: dict[str, str]) -> None:
        shown = on_terminal("upload", str(MODEL), "--name", "bar", environment=sandbox)
        assert shown.code == 0
        assert "━━━━" in shown.out
        assert "1.6/1.6 KiB" in shown.out
        assert terminal_lines(shown)[-1].split() == ["workspace", "1"]

    def test_the_standard_input_is_a_model_too(self, wallaroo: Callable[..., Done]) -> None:
        sent = wallaroo("upload", "-", "--name", "stdin", "--json", stdin=MODEL.read_bytes())
        kept = wallaroo("upload", str(MODEL), "--name", "stdin", "--json")
        assert answer_of(sent)["sha256"] == answer_of(kept)["sha256"]

    def test_a_workspace_is_named_by_its_name_or_its_id(self, wallaroo: Callable[..., Done]) -> None:
        own = json.loads(wallaroo("call", "list_workspaces").out)["workspaces"][0]
        for workspace in (own["name"], str(own["id"])):
            uploaded = wallaroo("upload", str(MODEL), "--name", "named", "--workspace", workspace, "--json")
            assert answer_of(uploaded)["workspace_id"] == own["id"]

    def test_a_conversion_that_fails_is_said_in_a_sentence(self, wallaroo: Callable[..., Done]) -> None:
        failed = wallaroo("upload", str(ROWS), "--name", "no-model", "--json")
        assert failed.code == 1
        error = json.loads(failed.sentence)["error"]
        assert error["kind"] == "ConversionError"
        assert error["message"].startswith("The model no-model was not converted: ")

    def test_ctrl_c_stores_nothing_and_ends_with_130(self, tmp_path: Path) -> None:
        with running(tmp_path) as environment:
            before = large_files(tmp_path)
            command = [*SCRIPT, "upload", "-", "--name", "broken-off"]
            with subprocess.Popen(
                command,
                env=environment_of(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as started:
                assert started.stdin is not None
                assert started.stderr is not None
                assert started.stderr.readline() == "Sending broken-off.\n"
                started.stdin.write("x" * (3 << 20))
                started.stdin.flush()
                started.send_signal(signal.SIGINT)
                out, stderr = started.communicate(timeout=30)
            assert (started.returncode, out, stderr) == (130, "", "")
            with connect(environment=environment) as client:
                assert call(list_models, client=client, body=ListModelsRequest(workspace_id=1)).models == []
            wait_for(lambda: large_files(tmp_path) == before)


class TestDeploy:
    def test_a_model_is_named_by_the_beginning_of_its_sha(self, wallaroo: Callable[..., Done]) -> None:
        sha = answer_of(wallaroo("upload", str(MODEL), "--name", "by-sha", "--json"))["sha256"]
        started = answer_of(wallaroo("deploy", "by-sha", "--model", f"by-sha#{sha[:8]}", "--json"))
        assert started["engines"][0]["model_statuses"]["models"][0]["sha"] == sha

    def test_one_that_stays_in_error_says_why_and_is_undeployed(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], deployed: str
    ) -> None:
        with transitions(sandbox, status="Error", reason="the [node] pool has no room"):
            failed = wallaroo("deploy", "no-room", "--model", deployed, "--error-grace", "0.1")
        assert failed.code == 1
        assert failed.out == ""
        assert re.search(r"^no-room is Error: .*the \[node\] pool has no room", failed.err, re.MULTILINE)
        assert re.search(r"The deployment no-room-\d+ is in Error after .*the \[node\] pool has no room", failed.err)
        assert wallaroo("status", "no-room").code == 1

    def test_a_terminal_is_told_what_is_waited_for(self, sandbox: dict[str, str], deployed: str) -> None:
        with transitions(sandbox, seconds=1):
            shown = on_terminal("deploy", "slowly", "--model", deployed, environment=sandbox)
        assert shown.code == 0
        assert "slowly is Starting" in shown.out
        lines = terminal_lines(shown)
        assert any(re.fullmatch(r"status +Running", line) for line in lines)
        assert not any("slowly is" in line for line in lines)

    def test_ctrl_c_undeploys_and_ends_with_130(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], deployed: str
    ) -> None:
        with transitions(sandbox, status="Starting"):
            command = [*SCRIPT, "deploy", "stopped", "--model", deployed]
            with subprocess.Popen(
                command, env=environment_of(sandbox), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as started:
                assert started.stderr is not None
                assert started.stderr.readline() == "Deploying stopped.\n"
                assert started.stderr.readline().startswith("stopped is Starting")
                started.send_signal(signal.SIGINT)
                out, stderr = started.communicate(timeout=30)
        assert (started.returncode, out, stderr) == (130, "", "")
        assert wallaroo("status", "stopped").code == 1

    def test_one_that_nobody_waits_for_is_looked_at_by_status(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], deployed: str
    ) -> None:
        with transitions(sandbox, status="Error", reason="the node pool has no room"):
            begun = wallaroo("deploy", "left", "--model", deployed, "--no-wait")
        assert begun.code == 0
        assert "`wallaroo-ext status left`" in begun.err
        wait_for(lambda: wallaroo("status", "left").code == 1)
        status = wallaroo("status", "left")
        assert re.search(r"^status +Error$", status.out, re.MULTILINE)
        assert "the node pool has no room" in status.out
        machine = wallaroo("status", "left", "--json")
        assert (machine.code, json.loads(machine.out)["status"]) == (1, "Error")
        name = json.loads(machine.out)["name"]
        assert wallaroo("undeploy", name).out == f"{name} is undeployed.\n"

    def test_what_takes_too_long_is_said_with_its_state(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], deployed: str
    ) -> None:
        with transitions(sandbox, status="Starting"):
            late = wallaroo("deploy", "never", "--model", deployed, "--wait-timeout", "0.1", "--json")
        assert late.code == 1
        assert json.loads(late.sentence)["error"]["kind"] == "WaitTimeoutError"


class TestStatus:
    def test_a_deployment_is_found_by_its_own_name_too(self, wallaroo: Callable[..., Done], deployed: str) -> None:
        by_pipeline = answer_of(wallaroo("status", deployed, "--json"))
        by_name = answer_of(wallaroo("status", by_pipeline["name"], "--json"))
        assert by_name == by_pipeline

    @pytest.mark.parametrize("columns", [60, 80, 160])
    def test_tables_fit_the_terminal(self, sandbox: dict[str, str], deployed: str, columns: int) -> None:
        shown = on_terminal("status", deployed, environment=sandbox, columns=columns)
        assert shown.code == 0
        lines = terminal_lines(shown)
        assert max(len(line) for line in lines if not line.startswith("url")) <= columns
        [heading] = [line for line in lines if line.startswith("model ")]
        version = lines[lines.index(heading) + 1].split()[1]
        assert ("…" in version) == (columns == 60)
        assert len(version) == 36 or columns == 60

    def test_a_pipe_gets_everything_whole_and_without_colour(self, sandbox: dict[str, str], deployed: str) -> None:
        shown = process("status", deployed, environment=sandbox | {"COLUMNS": "40"})
        assert "…" not in shown.stdout
        assert "\x1b" not in shown.stdout + shown.stderr

    def test_a_model_has_its_status(self, wallaroo: Callable[..., Done], deployed: str) -> None:
        lines = wallaroo("status", deployed).out.splitlines()
        [heading] = [number for number, line in enumerate(lines) if line.startswith("model ")]
        assert (lines[heading].split()[-1], lines[heading + 1].split()[-1]) == ("status", "Running")


class TestInfer:
    @pytest.mark.parametrize("ending", ["csv", "json", "arrow", "parquet"])
    def test_rows_go_to_files_of_each_kind_and_can_be_scored_again(
        self, wallaroo: Callable[..., Done], deployed: str, tmp_path: Path, ending: str
    ) -> None:
        file = tmp_path / f"scored.{ending}"
        finished = wallaroo("infer", deployed, str(ROWS), *VECTOR, "--output", str(file))
        assert (finished.code, finished.out) == (0, "")
        assert re.fullmatch(rf"Scored 114 rows in \d+\.\d s, to {re.escape(str(file))}\.\n", finished.err)
        assert [path.name for path in tmp_path.iterdir()] == [file.name]
        table = columns_to_send(file, ["time", "out.malignant", "anomaly.count"])
        assert table.num_rows == NUMBER_OF_ROWS
        again = wallaroo("infer", deployed, str(file), "--output", str(file), "--json")
        if ending == "csv":  # where a vector is a text
            with file.open(encoding="utf-8", newline="") as opened:
                assert json.loads(next(csv.DictReader(opened))["in.tensor"])[:2] == [11.6, 24.49]
            assert again.code == 2
            assert "export the logs as .parquet, .arrow or .jsonl" in again.err
            return
        assert answer_of(again) == {"output": str(file), "rows": NUMBER_OF_ROWS}

    @pytest.mark.parametrize("kind", ["csv", "arrow", "parquet", "json"])
    def test_the_standard_input_may_be_of_each_kind(
        self, wallaroo: Callable[..., Done], deployed: str, tmp_path: Path, kind: str
    ) -> None:
        table = to_table(ROWS).slice(0, 3)
        if kind == "parquet":
            write_parquet(table, tmp_path / "rows")
            content = (tmp_path / "rows").read_bytes()
        elif kind == "arrow":
            content = to_file(table).to_pybytes()
        elif kind == "json":
            content = json.dumps(table.to_pylist()).encode()
        else:
            content = b"".join(ROWS.read_bytes().splitlines(keepends=True)[:4])
        finished = wallaroo("infer", deployed, "-", *VECTOR, stdin=content)
        assert (finished.code, len(finished.out.splitlines())) == (0, 3)

    def test_the_standard_input_may_be_compressed_and_as_another_country_writes_it(
        self, wallaroo: Callable[..., Done], deployed: str
    ) -> None:
        plain = b"".join(ROWS.read_bytes().splitlines(keepends=True)[:4])
        elsewhere = plain.decode().replace(",", ";").replace(".", ",").encode("utf-16")
        answers = [
            wallaroo("infer", deployed, "-", *VECTOR, *options, "--dataset", "out", stdin=content)
            for content, options in ((plain, ()), (gzip.compress(elsewhere), ("--decimal", ",")))
        ]
        assert answers[0].code == 0
        assert answers[0] == answers[1]

    def test_a_column_too_many_is_named(self, wallaroo: Callable[..., Done], deployed: str, tmp_path: Path) -> None:
        done = wallaroo("infer", deployed, str(ROWS), "--vector")
        assert done.code == 1
        assert done.err.splitlines()[-1] == "Likely no inputs of the model: --drop malignant leaves them out."
        named = tmp_path / "named.csv"
        named.write_bytes(ROWS.read_bytes().replace(b"malignant", b"label", 1))
        done = wallaroo("batch", str(named), str(tmp_path / "scored"), "--pipeline", deployed, "--vector")
        assert done.err.splitlines()[-1] == "Likely no inputs of the model: --drop label leaves them out."

    def test_a_terminal_shows_the_first_rows(self, sandbox: dict[str, str], deployed: str) -> None:
        shown = on_terminal("infer", deployed, str(ROWS), *VECTOR, environment=sandbox)
        lines = [line for line in terminal_lines(shown) if line]
        assert shown.code == 0
        [heading] = [place for place, line in enumerate(lines) if line.split()[0] == "row"]
        assert lines[heading].split() == ["row", "out.malignant", "anomaly.count"]
        assert [line.split()[0] for line in lines[heading + 1 : heading + 11]] == [str(row) for row in range(10)]
        assert len({line.index(".") for line in lines[heading + 1 : heading + 11]}) == 1
        assert "104 more rows" in lines[heading + 11]
        assert max(map(len, lines)) <= 80

    def test_rows_are_sent_in_pieces_and_stay_in_order(
        self, wallaroo: Callable[..., Done], deployed: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = [
            json.loads(line) for line in wallaroo("infer", deployed, str(ROWS), *VECTOR, "--json").out.splitlines()
        ]
        monkeypatch.setattr(input_rows, "_REQUEST_BYTES", 1000)
        vectors = input_rows.complete_rows(to_table(ROWS), vector=True, missing="reject")
        assert len(list(input_rows.split_into_requests(vectors))) > 10
        parts = [
            json.loads(line) for line in wallaroo("infer", deployed, str(ROWS), *VECTOR, "--json").out.splitlines()
        ]
        assert [row["in.tensor"] for row in parts] == [row["in.tensor"] for row in whole]
        assert len(parts) == NUMBER_OF_ROWS

    def test_columns_that_are_one_input_are_advised_to_be_sent_as_one(
        self, wallaroo: Callable[..., Done], deployed: str
    ) -> None:
        refused = wallaroo("infer", deployed, str(ROWS))
        assert refused.code == 1
        assert refused.sentence.endswith("send them as one: vector=True (--vector on the command line).")

    def test_a_broken_csv_is_said_in_a_sentence(
        self, wallaroo: Callable[..., Done], deployed: str, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.csv"
        broken.write_text("a,b\n1,2\n3\n", encoding="utf-8")
        finished = wallaroo("infer", deployed, str(broken))
        assert finished.code == 2
        assert finished.sentence.startswith(f"{broken} cannot be read as a .csv file: ")
        finished = wallaroo("infer", deployed, "-", stdin=broken.read_bytes())
        assert finished.sentence.startswith("The standard input cannot be read as a .csv file: ")

    def test_a_closed_pipe_ends_it_in_silence(self, sandbox: dict[str, str], deployed: str) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with subprocess.Popen(
            [*SCRIPT, "infer", deployed, str(ROWS), *VECTOR],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env=environment_of(sandbox),
        ) as started:
            os.close(writing)
            _, stderr = started.communicate(timeout=60)
        assert (started.returncode, stderr) == (141, "")


class TestWrongCalls:
    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (("upload", "no-such.onnx", "--name", "a"), 2, "no-such.onnx: No such file or directory."),
            (("upload", ".", "--name", "a"), 2, "is a directory"),
            (("upload", str(MODEL)), 2, "--name"),
            (("upload", str(MODEL), "--name", "a", "--workspace", "nobodys"), 1, "no workspace 'nobodys'"),
            (("upload", str(MODEL), "--name", "a", "--workspace", "999"), 1, "no workspace 999"),
            (("upload", str(MODEL), "--name", "a", "--arch", "z80"), 2, "arch"),
            (("upload", str(MODEL), "--name", "a", "--input-schema", str(ROWS)), 2, "no Arrow schema in"),
            (("deploy", "a"), 2, "--model"),
            (("deploy", "a", "--model", "@1"), 2, "NAME@VERSION"),
            (("deploy", "a", "--model", "b", "--engine-config", "[]"), 2, "a JSON object"),
            (("status",), 2, "`wallaroo-ext list deployments` lists what is deployed"),
            (("status", "nobody"), 1, "No pipeline 'nobody' is deployed"),
            (("status", "nobody-7"), 1, "No pipeline 'nobody-7' is deployed"),
            (("undeploy", "a", "--workspace", "nobodys"), 1, "no workspace 'nobodys'"),
            (("infer", "nobody", str(ROWS)), 1, "No pipeline 'nobody' is deployed"),
            (("infer", "nobody", "no-such.csv"), 2, "no-such.csv: No such file or directory."),
            (("infer", "nobody", str(MODEL)), 2, "rows are read from"),
            (("infer", "nobody", "-"), 2, "The standard input is empty"),
            (("infer", "nobody", str(ROWS), "--output", "rows.xls"), 2, "end in .arrow, .parquet, .csv, .json"),
            (("infer", "nobody", str(ROWS), "--output", "/no/such/rows.csv"), 2, "no directory /no/such"),
            (("infer", "nobody", str(ROWS), "--drop", "malign"), 2, "no column 'malign' in the rows, but malignant"),
            (("infer", "https://evil.example.com/v1/api/pipelines/infer/a-1", str(ROWS)), 2, "another origin"),
            (("assay", "results", "999"), 1, "no assay 999"),
            (("open", "sandbox"), 2, "'sandbox': there is no argument for this. `wallaroo-ext open --help` says"),
            (("--verison",), 2, "Did you mean --version?"),
            (("assay", "results", "x"), 2, "a number or a UUID, not 'x'"),
            (("assay", "results", "1", "--start", "soon"), 2, "not 'soon'"),
            (("assay", "chart", "1", "--output", "chart.gif"), 2, "end in .png, .svg, .pdf"),
        ],
    )
    def test_each_is_said_in_a_sentence(
        self, wallaroo: Callable[..., Done], arguments: tuple[str, ...], code: int, message: str
    ) -> None:
        finished = wallaroo(*arguments)
        assert message in finished.sentence
        assert finished.code == code

    def test_a_model_that_is_not_there_is_named_with_near_ones(
        self, wallaroo: Callable[..., Done], deployed: str
    ) -> None:
        finished = wallaroo("deploy", "a", "--model", f"{deployed}s", "--json")
        assert finished.code == 1
        assert f"'{deployed}'" in json.loads(finished.sentence)["error"]["message"]

    @pytest.mark.parametrize("command", ["upload", "deploy", "status", "infer", "undeploy", "assay results", "sandbox"])
    def test_help_has_an_example(self, wallaroo: Callable[..., Done], command: str) -> None:
        shown = wallaroo(*command.split(), "--help").out
        assert f"For example: wallaroo-ext {command}" in shown


@pytest.fixture(scope="module")
def watched() -> Generator[tuple[dict[str, str], int]]:
    """Yield a sandbox with an assay of seven days, and its id."""
    with running() as environment, connect(environment=environment) as client:
        http: httpx.Client = client.get_httpx_client()
        pipeline_id = seed_pipeline(http)
        for number in range(1, 9):
            seed_rows(http, pipeline_id, day(number, *np.linspace(number, number + 10, 50).tolist()))
        yield environment, done(http, "create_assay", assay(pipeline_id))["assay_id"]


class TestAssay:
    def test_results_are_a_table_and_json(
        self, wallaroo: Callable[..., Done], watched: tuple[dict[str, str], int]
    ) -> None:
        environment, number = watched
        arguments = ("assay", "results", str(number), "--end", "2023-01-09")
        lines = wallaroo(*arguments, environment=environment).out.splitlines()
        assert lines[0].split() == ["window", "(UTC)", "values", "score", "warning", "alert", "status"]
        assert [line.split()[0] for line in lines[1:]] == [f"2023-01-0{day}" for day in range(2, 9)]
        windows = answer_of(wallaroo(*arguments, "--json", environment=environment))
        assert windows[0]["window_start"] == "2023-01-02T00:00:00.000Z"
        assert [f"{window['score']:.3f}" for window in windows] == [
            f"{float(line.split()[2]):.3f}" for line in lines[1:]
        ]
        none = wallaroo("assay", "results", str(number), "--end", "2022-01-01", environment=environment)
        assert (none.code, none.out, none.err) == (0, "", "The assay has no windows in this time.\n")

    @pytest.mark.parametrize(("paths", "shown"), [(["in x 0", "out y 0"], True), (["in x 0"] * 2, False)])
    def test_each_row_names_its_field_where_there_are_several(
        self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, paths: list[str], *, shown: bool
    ) -> None:
        noon = datetime(2023, 1, 2, 12)  # noqa: DTZ001 - as Arrow has it
        numbers = {name: [0.5, 0.25] for name in ("score", "warning_threshold", "alert_threshold")}
        rows: Any = {"window_start": [noon] * 2, "window_count": [50] * 2, "iopath": paths, "status": ["Ok"] * 2}
        table = pa.table(rows | numbers)

        def found(*_: object) -> Any:
            return table

        monkeypatch.setattr("wallaroo_ext.assays.results.assay_results", found)
        titles, *lines = wallaroo("assay", "results", "5").out.splitlines()
        assert ("field" in titles) is shown
        assert ["in x 0" in lines[0], "out y 0" in lines[1]] == [shown, shown]

    def test_a_chart_is_drawn(
        self, wallaroo: Callable[..., Done], watched: tuple[dict[str, str], int], tmp_path: Path
    ) -> None:
        pytest.importorskip("matplotlib")
        environment, number = watched
        file = tmp_path / "chart.png"
        arguments = ("assay", "chart", str(number), "--end", "2023-01-09", "--output", str(file))
        assert answer_of(wallaroo(*arguments, "--json", environment=environment)) == {"output": str(file), "windows": 7}
        assert file.read_bytes().startswith(b"\x89PNG")
        message = wallaroo(*arguments, environment=environment).err
        assert message == f"The chart of 7 windows is in {file}.\n"


class TestTables:
    @pytest.mark.parametrize(
        ("text", "width", "short"),
        [("engine", 6, "engine"), ("engine-1234", 7, "eng…234"), ("abcdef", 4, "ab…f"), ("日本語日本語", 7, "日本…語")],
    )
    def test_long_texts_lose_their_middle(self, text: str, width: int, short: str) -> None:
        assert tables.shorten(text, width) == short

    @pytest.mark.parametrize(
        ("values", "texts"),
        [
            ([0.5, 12.25, None], ["0.50", "12.25", "-"]),
            ([1.0, 2.0], ["1", "2"]),
            ([1e-9, 1.0], ["1e-09", "1"]),
            ([float("nan"), 1.5], ["nan", "1.5"]),
            ([0.00119862, 0.2], ["0.001199", "0.200000"]),
        ],
    )
    def test_numbers_have_their_points_below_each_other(self, values: list[float | None], texts: list[str]) -> None:
        assert tables.format_numbers(values) == texts

    def test_times_lose_what_is_zero_in_all(self) -> None:
        midnight, later = datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
        assert tables.format_times([midnight, None]) == ["2023-01-02", "-"]
        assert tables.format_times([midnight, later.replace(second=0)]) == ["2023-01-02 00:00", "2023-01-02 03:04"]
        assert tables.format_times([later]) == ["2023-01-02 03:04:05"]

    def test_an_instance_cannot_steer_the_terminal(self) -> None:
        assert tables.printable("a\x1b[2Jb\u202e") == "a\\x1b[2Jb\\u202e"

    @pytest.mark.parametrize(("count", "text"), [(17, "17 bytes"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB")])
    def test_sizes(self, count: int, text: str) -> None:
        assert format_size(count) == text

    @pytest.mark.parametrize("columns", [60, 80, 160])
    def test_columns_without_room_are_said_to_be_left_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
    ) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr("wallaroo_ext.cli.printing.output.is_terminal", lambda: True)
        tables.show_table([tables.Column(f"out.number{place}", ["0.123456"], right=True) for place in range(20)])
        heading, row = capsys.readouterr().out.splitlines()
        assert (heading[-1], row[-1]) == ("…", "…")
        assert len(heading) == len(row)
        assert columns - 15 < len(heading) <= columns

    def test_states_have_colours_where_they_are_wanted(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        column = tables.Column("status", ["Running", "Error"], states=True)
        monkeypatch.setattr("wallaroo_ext.cli.printing.output.is_terminal", lambda: True)
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm")
        tables.show_table([column])
        assert "\x1b[32mRunning\x1b[0m" in capsys.readouterr().out
        monkeypatch.setenv("NO_COLOR", "1")
        tables.show_table([column])
        assert "\x1b" not in capsys.readouterr().out


class TestRows:
    def test_columns_are_chosen_by_name(self) -> None:
        table = pa.table({"a": [1], "b,c": [2], "d": [3]})
        assert input_rows.select_columns(table, ["d,a"], []).column_names == ["d", "a"]
        assert input_rows.select_columns(table, ["b,c", "a"], []).column_names == ["b,c", "a"]
        assert input_rows.select_columns(table, [], ["a", "d"]).column_names == ["b,c"]
        with pytest.raises(UsageError, match="No column is left"):
            input_rows.select_columns(table, ["a"], ["a"])

    @pytest.mark.parametrize(("values", "message"), [(["x"], "--drop b"), ([None], "'b'")])
    def test_a_vector_has_numbers_only(self, values: list[Any], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            input_rows.complete_rows(pa.table({"a": [1.0], "b": pa.array(values)}), vector=True, missing="reject")

    def test_no_rows_are_one_piece(self) -> None:
        [piece] = input_rows.split_into_requests(pa.table({"a": pa.array([], pa.float32())}))
        assert piece.num_rows == 0

    def test_json_has_no_value_for_what_it_cannot_say(self) -> None:
        value = {"a": [float("nan"), b"\xff", datetime(2023, 1, 2, tzinfo=UTC), True, None]}
        assert to_json_value(value) == {"a": [None, "/w==", "2023-01-02T00:00:00.000Z", True, None]}

    def test_json_has_times_with_all_their_digits_and_their_zone(self) -> None:
        table: Any = pa.table(
            {
                "time": pa.array([1], pa.timestamp("ms")),
                "a": pa.array([1], pa.timestamp("us")),
                "b": pa.array([1], pa.timestamp("ns")),
                "c": pa.array([1], pa.timestamp("us", "Europe/Berlin")),
                "d": pa.array([1], pa.time64("us")),
                "e": pa.array([10**15], pa.timestamp("ms")),
            }
        )
        assert json.loads(next(json_records(table))) == {
            "time": "1970-01-01T00:00:00.001Z",
            "a": "1970-01-01T00:00:00.000001Z",
            "b": "1970-01-01T00:00:00.000000001Z",
            "c": "1970-01-01T01:00:00.000001+01:00",
            "d": "00:00:00.000001",
            "e": "<value out of range: 1000000000000000>",
        }


class TestSchemas:
    def test_they_are_read_from_files_of_each_kind(self, tmp_path: Path) -> None:
        schema = pa.schema([("a", pa.list_(pa.float32(), 3)), ("b", pa.string())])
        serialised = schema.serialize().to_pybytes()
        arrow, parquet, message, text = (tmp_path / name for name in ("a.arrow", "a.parquet", "a.bin", "a.txt"))
        arrow.write_bytes(to_file(schema.empty_table()).to_pybytes())
        write_parquet(schema.empty_table(), parquet)
        message.write_bytes(serialised)
        text.write_bytes(base64.encodebytes(serialised))
        for file in (arrow, parquet, message, text):
            found = read_schema(file)
            assert found is not None
            assert found.names == schema.names
            assert found.equals(schema) or file is parquet
        assert read_schema(None) is None

    @pytest.mark.parametrize("content", [b"", b"text", b"QUJD", b"ARROW1 broken", b"PAR1 broken"])
    def test_what_is_none_is_refused(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "schema"
        file.write_bytes(content)
        with pytest.raises(UsageError, match="There is no Arrow schema in"):
            read_schema(file)
