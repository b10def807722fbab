"""Does the command do what it says, on good and on bad instances, and end every error with one clear sentence?"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.command_line import SCRIPT, Done, environment_of, on_terminal, process
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import connect, contract, deploy_pipeline, find_workspace, upload_model
from wallaroo_ext._util.arrow.files import from_file, to_file
from wallaroo_ext.cli import checks as command_checks
from wallaroo_ext.cli import completion
from wallaroo_ext.cli.checks import decode_claims
from wallaroo_ext.cli.options import Options
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.sandbox.server.serve import listening
from wallaroo_ext.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Generator[str]:
    """Yield the URL of a server that answers every POST by the given function."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()


def page(handler: BaseHTTPRequestHandler) -> None:
    """Answer any request with a web page."""
    body = b"<html><title>Sign in</title></html>"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TestToken:
    def test_it_is_good_and_alone_on_its_line(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        done = wallaroo("token")
        assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
        url = sandbox["WALLAROO_API_URL"] + contract.operation("list_workspaces").path
        assert httpx.post(url, json={}, headers={"Authorization": f"Bearer {done.out.strip()}"}).status_code == 200

    def test_json_has_its_lifetime(self, wallaroo: Callable[..., Done]) -> None:
        answer = json.loads(wallaroo("token", "--json").out)
        assert answer.keys() == {"access_token", "token_type", "expires_in"}
        assert 3000 < answer["expires_in"] <= 3600

    def test_a_given_token_is_given_back_without_one(self, wallaroo: Callable[..., Done]) -> None:
        given = {"WALLAROO_API_URL": "http://api.example.com", "WALLAROO_TOKEN": "given"}
        assert json.loads(wallaroo("token", "--json", environment=given).out) == {
            "access_token": "given",
            "token_type": "Bearer",
        }

    def test_a_terminal_is_warned(self, sandbox: dict[str, str]) -> None:
        first, second = on_terminal("token", environment=sandbox).out.splitlines()
        assert "secret" in first
        assert decode_claims(second)["exp"]


class TestOperations:
    def test_all_are_listed_in_80_columns(self, wallaroo: Callable[..., Done]) -> None:
        lines = wallaroo("operations").out.splitlines()
        assert [line.split()[0] for line in lines] == contract.operation_ids()
        assert max(map(len, lines)) <= 80

    def test_json_has_the_paths(self, wallaroo: Callable[..., Done]) -> None:
        rows = {row["operation"]: row for row in json.loads(wallaroo("operations", "--json").out)}
        assert rows["list_workspaces"]["path"] == contract.operation("list_workspaces").path
        assert rows["list_workspaces"]["method"] == "POST"


class TestCall:
    @pytest.mark.parametrize("name", ["list_workspaces", "list-workspaces", "/v1/api/workspaces/list"])
    def test_an_operation_is_found_by_its_id_and_its_path(self, wallaroo: Callable[..., Done], name: str) -> None:
        done = wallaroo("call", name)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out)["workspaces"]

    def test_data_is_a_text_a_file_or_the_standard_input(self, wallaroo: Callable[..., Done], tmp_path: Path) -> None:
        body = '{"workspace_id": 1}'
        (tmp_path / "body.json").write_text(body, encoding="utf-8")
        answers = [
            wallaroo("call", "list_models", "--data", body),
            wallaroo("call", "list_models", "--data", f"@{tmp_path / 'body.json'}"),
            wallaroo("call", "list_models", "--data", "-", stdin=body.encode()),
        ]
        assert len({json.dumps(json.loads(done.out)) for done in answers}) == 1

    def test_models_are_uploaded_as_parts_and_as_a_stream(
        self, wallaroo: Callable[..., Done], model_file: Path
    ) -> None:
        metadata: dict[str, Any] = {
            "name": "cli-parts",
            "visibility": "private",
            "workspace_id": 1,
            "conversion": {"framework": "onnx", "requirements": []},
        }
        parts = ("--part", f"metadata={json.dumps(metadata)}", "--part", f"file=@{model_file}")
        assert json.loads(wallaroo("call", "upload_and_convert_model", *parts).out)["insert_models"]
        options = ("name=cli-stream", "filename=m.onnx", "workspace_id=1")
        query = [word for option in options for word in ("--query", option)]
        done = wallaroo("call", "upload_model_stream", "--data", f"@{model_file}", *query)
        assert json.loads(done.out)["insert_models"]

    def test_rows_are_scored_as_records_and_as_arrow(
        self,
        wallaroo: Callable[..., Done],
        model_file: Path,
        tmp_path: Path,
        sandbox: dict[str, str],
        documents_row: list[float],
    ) -> None:
        from contract_tests.support.sandbox.deployments import deployed

        url = deployed(sandbox, model_file, "cli-scores")
        name = httpx.URL(url).path.split("/")
        place = ("--path", f"deployment={name[5]}", "--path", f"pipeline={name[6]}")
        done = wallaroo("call", "infer_pipeline", *place, "--data", json.dumps([{"tensor": documents_row}]))
        records = json.loads(done.out)
        assert len(records) == 1
        rows, scored = tmp_path / "rows.arrow", tmp_path / "scored.arrow"
        rows.write_bytes(to_file(to_table({"tensor": [documents_row] * 3})).to_pybytes())
        done = wallaroo("call", "infer_pipeline", *place, "--data", f"@{rows}", "--output", str(scored))
        assert (done.code, done.out) == (0, "")
        assert str(scored) in done.err
        assert from_file(scored.read_bytes()).num_rows == 3
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
        shown = on_terminal("call", "infer_pipeline", *place, "--data", f"@{rows}", environment=sandbox)
        assert shown.code == 2
        assert "--output FILE" in shown.out

    def test_the_output_file_is_whole_or_not_there(self, wallaroo: Callable[..., Done], tmp_path: Path) -> None:
        kept = tmp_path / "kept.json"
        kept.write_text("before", encoding="utf-8")
        body = ("--data", '{"workspace_id": 999}', "--output", str(kept))
        assert wallaroo("call", "list_models", *body).code == 1
        assert kept.read_text(encoding="utf-8") == "before"
        done = wallaroo("call", "list_workspaces", "--output", str(kept), "--json")
        report = json.loads(done.out)
        assert report == {"output": str(kept), "bytes": kept.stat().st_size, "content_type": "application/json"}
        assert json.loads(kept.read_bytes())["workspaces"]

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
    def test_an_answer_is_json_in_any_encoding(self, encoding: str) -> None:
        text = '{"workspaces": [], "note": "\u00fc\u0085\U0001f680"}'

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(text.encode())))
            handler.end_headers()
            handler.wfile.write(text.encode())

        with server(answer) as url:
            given = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "given", "PYTHONIOENCODING": encoding}
            command = [*SCRIPT, "call", "list_workspaces"]
            done = subprocess.run(command, env=environment_of(given), capture_output=True, check=True)
        assert json.loads(done.stdout.decode(encoding)) == json.loads(text)

    def test_an_operation_without_a_body_is_called_by_what_its_path_takes(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("call", "get_topic_partitions", "--path", "topic=nobody's topic")
        assert (done.code, "nobody's topic" in done.err) == (1, True)

    def test_json_is_over_several_lines_on_a_terminal_only(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str]
    ) -> None:
        shown = on_terminal("call", "list_workspaces", environment=sandbox)
        assert shown.out.startswith('{\n  "workspaces": [\n')
        assert len(wallaroo("call", "list_workspaces").out.splitlines()) == 1
        assert len(on_terminal("call", "list_workspaces", "--json", environment=sandbox).out.splitlines()) == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("list_workspace",), "Did you mean list_workspaces or"),
            (("frobnicate",), "`wallaroo-ext operations`"),
            (("request_token",), "wallaroo-ext token"),
            (("list_models", "--data", "{"), "The body is no JSON"),
            (("list_models", "--data", "@no-such-file"), "no-such-file cannot be read: No such file"),
            (("list_models", "--data", "@."), "Is a directory"),
            (("list_models", "--part", "a=b"), "takes no parts"),
            (("get_topic_partitions", "--path", "topic=a", "--data", "{}"), "takes no body"),
            (("get_topic_partitions", "--path", "topic=a", "--part", "a=b"), "takes no body"),
            (("list_models", "--output", "/no/such/directory/file"), "There is no directory /no/such/directory"),
            (("upload_model", "--data", "{}"), "--part file=@model.onnx"),
            (("upload_model_stream",), "--data @FILE"),
            (("infer_pipeline",), "--path deployment=… and --path pipeline=…"),
            (("infer_pipeline", "--path", "deployment"), "--path takes NAME=VALUE"),
            (("list_models", "--path", "a=b"), "needs no --path"),
            ((), "OPERATION requires an argument"),
            (("list_models", "--frob"), "--frob"),
            (("list_models", "--timeout", "soon"), "--timeout"),
            (("list_models", "--timeout", "0"), "--timeout"),
            (("list_workspaces", "--suffix", ""), "The instance is not named"),
        ],
    )
    def test_a_wrong_call_is_said_in_a_sentence(
        self, wallaroo: Callable[..., Done], arguments: tuple[str, ...], message: str
    ) -> None:
        done = wallaroo("call", *arguments)
        assert message in done.sentence
        assert done.code == 2

    def test_what_the_instance_refuses_is_said_in_a_sentence(self, wallaroo: Callable[..., Done]) -> None:
        arguments = ("call", "list_models", "--data", '{"workspace_id": 999}')
        done = wallaroo(*arguments)
        assert done.sentence.startswith("list_models: 400, There is no workspace 999.")
        assert done.code == 1
        [error] = json.loads(wallaroo(*arguments, "--json").sentence).values()
        assert (error["kind"], error["status"], error["code"]) == ("InvalidRequestError", 400, 400)
        assert error["attempts"][0]["outcome"] == "400"
        assert error["message"].endswith(error["advice"])

    def test_an_instance_that_is_not_there(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("call", "list_workspaces", "--api-url", f"http://127.0.0.1:{unused_port()}")
        assert done.code in {1, 2}
        assert "127.0.0.1" in done.sentence

    def test_a_page_is_no_answer(self, wallaroo: Callable[..., Done]) -> None:
        with server(page) as url:
            given = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "given"}
            done = wallaroo("call", "list_workspaces", environment=given)
        assert "'Sign in'" in done.sentence
        assert done.code == 1


@pytest.fixture(scope="module")
def used(sandbox: dict[str, str], model_file: Path) -> str:
    """Return the name of a pipeline that is deployed, and of its model and workspace."""
    with connect(environment=sandbox) as client:
        workspace = find_workspace(client, "near-names", create=True)
        model = upload_model(client, model_file, name="near-names", workspace=workspace.id)
        return deploy_pipeline(client, "near-names", model, workspace=workspace.id).pipeline


class TestWhatIsNotFound:
    @pytest.mark.parametrize(
        "command",
        [
            "status near-name",
            "undeploy near-name",
            "infer near-name rows.csv",
            "logs near-name",
            "logs near-name --workspace near-names",
            "batch rows.csv scored --pipeline near-name",
            "deploy new --model near-name --workspace near-names",
            "upload rows.csv --name new --workspace near-name",
            "deploy new --model near-names --workspace near-name",
            "list models near-name --workspace near-name",
            "list pipelines naer-names",
            "list deployments naer-names",
            "list workspaces naer-names",
        ],
    )
    def test_near_names_are_said(
        self,
        used: str,
        wallaroo: Callable[..., Done],
        command: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
        done = wallaroo(*command.split())
        last = (done.err or done.out).splitlines()[-1]
        assert re.search(rf"Near names: '?{used}'?", last), last

    @pytest.mark.parametrize(
        "command",
        [
            "upload model.onxn --name a",
            "upload model.onnx --name a --input-schema model.onxn",
            "infer p model.onxn",
            "batch model.onxn scored --pipeline p",
            "call list_models --data @model.onxn",
            "call upload_model --part file=@model.onxn",
            "conformance --contract model.onxn",
        ],
    )
    def test_near_files_are_said(
        self, wallaroo: Callable[..., Done], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "model.onnx").write_bytes(b"")
        done = wallaroo(*command.split())
        assert done.code == 2
        assert "'model.onnx'" in done.err.splitlines()[-1]

    def test_a_model_is_no_url(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("upload", "s3://bucket/m.onnx", "--name", "m")
        assert (done.code, done.err.splitlines()[-1].partition(",")[0]) == (2, "s3://bucket/m.onnx is a URL")

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ("lst", "Did you mean list? `wallaroo-ext --help` lists all commands."),
            ("list model", 'Did you mean "models"?'),
            ("frobnicate", "`wallaroo-ext --help` lists all commands."),
            ("drift --frobnicate", "`wallaroo-ext drift --help` says what it takes."),
            ("infer", "`wallaroo-ext infer --help` says what it takes."),
            ("infer a b --vectro", "--vector"),
            ("conformance --operation list_model", "did you mean list_models"),
        ],
    )
    def test_words_that_are_none_lead_to_those_that_are(
        self, wallaroo: Callable[..., Done], words: str, message: str
    ) -> None:
        done = wallaroo(*words.split())
        assert done.code == 2
        assert message in (done.out + done.err).splitlines()[-1]


class TestOpen:
    def test_the_url_of_the_page_is_printed_without_signing_in(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str]
    ) -> None:
        url = sandbox["WALLAROO_API_URL"]
        wrong = sandbox | {"WALLAROO_PASSWORD": "wrong"}
        done = wallaroo("open", environment=wrong)
        assert (done.code, done.out) == (0, f"{url}/v1/api/docs\n")
        assert httpx.get(done.out.strip()).status_code == 200
        assert json.loads(wallaroo("open", "--json").out) == {"url": f"{url}/v1/api/docs"}

    def test_a_browser_is_opened_on_demand(
        self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def open_nothing(_: str) -> bool:
            return False

        monkeypatch.setattr("webbrowser.open", open_nothing)
        assert wallaroo("open").code == 0
        assert "open the URL by yourself" in wallaroo("open", "--browser").err

    def test_an_instance_without_the_page_leads_to_the_operations(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str]
    ) -> None:
        done = wallaroo("open", "--api-url", f"{sandbox['WALLAROO_API_URL']}/elsewhere")
        assert (done.code, "`wallaroo-ext operations`" in done.sentence) == (1, True)


class TestOptions:
    def test_the_credentials_file_wins_over_the_environment(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], tmp_path: Path
    ) -> None:
        file = tmp_path / "creds.json"
        names = {
            "username": "WALLAROO_USER",
            "password": "WALLAROO_PASSWORD",
            "confidentialClient": "WALLAROO_CLIENT_ID",
            "confidentialPassword": "WALLAROO_CLIENT_SECRET",
        }
        file.write_text(json.dumps({name: sandbox[variable] for name, variable in names.items()}), encoding="utf-8")
        wrong = sandbox | {"WALLAROO_PASSWORD": "wrong", "WALLAROO_TOKEN": "wrong"}
        assert wallaroo("call", "list_workspaces", environment=wrong).code == 1
        assert wallaroo("call", "list_workspaces", "--credentials", str(file), environment=wrong).code == 0

    def test_an_option_wins_over_the_environment(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        elsewhere = sandbox | {"WALLAROO_SUFFIX": "x.invalid", "WALLAROO_TOKEN": "wrong"}
        options = ("--api-url", sandbox["WALLAROO_API_URL"], "--user", sandbox["WALLAROO_USER"])
        assert wallaroo("call", "list_workspaces", *options, environment=elsewhere).code == 0
        variables = Options(suffix="x.invalid", prefix="a").environment()
        assert Settings.resolve(variables).api_url == "https://a.api.x.invalid"

    def test_a_prefix_wins_over_the_urls_of_the_environment(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in (sandbox | {"WALLAROO_SUFFIX": "x.invalid"}).items():
            monkeypatch.setenv(name, value)
        assert Settings.resolve(Options(prefix="a").environment()).api_url == "https://a.api.x.invalid"
        done = wallaroo("undeploy", "tumours", "--prefix", "staging.")
        assert (done.code, "set WALLAROO_SUFFIX" in done.sentence) == (2, True)

    @pytest.mark.parametrize("option", ["--password", "--token", "--client-secret"])
    @pytest.mark.parametrize("form", ["{} hunter2", "{}=hunter2"])
    def test_a_secret_is_no_argument_and_is_not_repeated(
        self, wallaroo: Callable[..., Done], option: str, form: str
    ) -> None:
        done = wallaroo("token", *form.format(option).split())
        assert "WALLAROO_" in done.sentence
        assert "hunter2" not in done.sentence
        assert done.code == 2

    def test_verbose_shows_logs_and_where_an_error_came_from_without_secrets(self, sandbox: dict[str, str]) -> None:
        arguments = ("call", "list_models", "--data", '{"workspace_id": 999}', "--verbose")
        done = process(*arguments, environment=sandbox)
        assert "Traceback" in done.stderr
        assert "list_models" in done.stderr
        assert done.returncode == 1
        secrets = {sandbox["WALLAROO_PASSWORD"], sandbox["WALLAROO_CLIENT_SECRET"], "eyJ"}
        assert not [secret for secret in secrets if secret in done.stdout + done.stderr]

    @pytest.mark.parametrize("arguments", [(), ("frob",), ("--frob",), ("doctor", "extra"), ("sandbox", "--port", "x")])
    def test_what_is_no_command(self, wallaroo: Callable[..., Done], arguments: tuple[str, ...]) -> None:
        done = wallaroo(*arguments)
        assert done.code == 2 if arguments else done.out
        assert "Traceback" not in done.err

    @pytest.mark.parametrize("option", ["sandbox --port", "logs p --limit", "status p --id", "conformance --seed"])
    def test_a_fraction_is_no_whole_number(self, wallaroo: Callable[..., Done], option: str) -> None:
        """The parser rounds it: `--port 1.5` was port 2."""
        done = wallaroo(*option.split(), "1.5")
        assert (done.code, done.sentence) == (2, f"{option.rpartition(' ')[2]} takes a whole number, not '1.5'.")

    @pytest.mark.parametrize("option", ["--token-lifetime", "--refresh-lifetime", "--log-limit", "--model-memory"])
    def test_a_sandbox_takes_no_number_that_it_cannot_count_with(
        self, wallaroo: Callable[..., Done], option: str
    ) -> None:
        done = wallaroo("sandbox", option, "9" * 25)
        assert done.code == 2
        assert f"for {option}. Must be <= 2147483647." in done.sentence

    def test_the_version_is_told(self, wallaroo: Callable[..., Done]) -> None:
        assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", wallaroo("--version").out)

    @pytest.mark.parametrize(
        "command", ["token", "operations", "call", "doctor", "upload", "deploy", "status", "infer", "undeploy"]
    )
    def test_help_fits_into_80_columns(self, command: str) -> None:
        shown = on_terminal(command, "--help", environment={})
        assert shown.code == 0
        assert "--api-url" in shown.out
        assert max(len(line) for line in re.sub(r"\x1b\[[\d;]*m", "", shown.out).splitlines()) <= 80

    def test_errors_without_settings_say_what_to_set(self, wallaroo: Callable[..., Done]) -> None:
        done = wallaroo("token", environment={})
        assert "WALLAROO_API_URL" in done.sentence
        assert done.code == 2


class TestEnds:
    def test_ctrl_c_ends_it_in_silence(self, sandbox: dict[str, str]) -> None:
        asked, end = threading.Event(), threading.Event()

        def silence(_: BaseHTTPRequestHandler) -> None:
            asked.set()
            end.wait(30)

        with server(silence) as url:
            given = environment_of({"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "given"})
            command = [*SCRIPT, "call", "list_workspaces"]
            with subprocess.Popen(
                command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as started:
                assert asked.wait(30)
                started.send_signal(signal.SIGINT)
                output = started.communicate(timeout=30)
            end.set()
        assert sandbox
        assert (started.returncode, *output) == (130, "", "")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_leaves_no_unfinished_file(self, tmp_path: Path, number: signal.Signals) -> None:
        end = threading.Event()

        def begin(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"{")
            end.wait(30)

        with server(begin) as url:
            given = environment_of({"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "given"})
            command = [*SCRIPT, "call", "list_workspaces", "--output", str(tmp_path / "big.json")]
            with subprocess.Popen(command, env=given) as started:
                while not list(tmp_path.iterdir()):
                    assert started.poll() is None
                    time.sleep(0.05)
                started.send_signal(number)
                started.wait(30)
            end.set()
        assert (started.returncode, list(tmp_path.iterdir())) == (128 + number, [])

    def test_a_closed_pipe_ends_it_in_silence(self) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with subprocess.Popen([*SCRIPT, "operations"], stdout=writing, stderr=subprocess.PIPE, text=True) as started:
            os.close(writing)
            _, stderr = started.communicate(timeout=30)
        assert (started.returncode, stderr) == (141, "")


def test_a_missing_extra_is_said_in_a_sentence() -> None:
    program = "import sys; sys.modules['cyclopts'] = None; from wallaroo_ext.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == "The command needs more packages (cyclopts is missing): pip install 'wallaroo-ext[cli]'.\n"
    assert done.returncode == 2


def test_a_sandbox_keeps_nothing_of_the_other_commands_in_memory() -> None:
    program = """
import sys
from wallaroo_ext.cli.main import build_app

build_app(["sandbox"])["sandbox"]
import wallaroo_ext.sandbox.server.serve

print(*{"httpx", "rich", "wallaroo_ext.batch", "wallaroo_ext.cli.commands.sandbox"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "wallaroo_ext.cli.commands.sandbox\n"


class TestWhereASandboxListens:
    @pytest.mark.parametrize("host", ["\u009b31mx", "\udcff", "\u202e.example", ""])
    @pytest.mark.parametrize("options", [(), ("--tls",), ("--port", "0")])
    def test_a_host_that_is_none_is_refused(
        self, wallaroo: Callable[..., Done], options: tuple[str, ...], host: str
    ) -> None:
        done = wallaroo("sandbox", *options, "--host", host)
        assert done.code == 2
        assert done.sentence.startswith("The sandbox cannot run on ")
        assert done.sentence.isprintable()

    @pytest.mark.parametrize(
        ("host", "advice"),
        [
            ("[::1]", "--host ::1"),
            ("localhost:8080", "--host localhost --port 8080"),
            ("http://127.0.0.1", "--host 127.0.0.1"),
            ("https://[::1]:99/", "--host ::1 --port 99"),
        ],
    )
    def test_what_is_more_than_a_host_is_advised(self, wallaroo: Callable[..., Done], host: str, advice: str) -> None:
        done = wallaroo("sandbox", "--host", host)
        assert done.code == 2
        assert done.sentence == f"--host takes the name or the address of a host alone: {advice}."

    def test_without_threads_it_ends_with_a_sentence(
        self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none_left(*_: Any) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("wallaroo_ext.sandbox.server.serve.serve", none_left)
        done = wallaroo("sandbox")
        assert (done.code, "ulimit -u" in done.sentence) == (2, True)

    def test_a_port_is_taken_before_the_sandbox_accepts(self) -> None:
        with ExitStack() as opened:
            first = opened.enter_context(listening("127.0.0.1", 0))
            with pytest.raises(OSError, match="in use"):
                opened.enter_context(listening("127.0.0.1", first.getsockname()[1]))


COMPLETED = """
source "$(find "$HOME" -type f -path '*completions*')"
complete -p wallaroo-ext > /dev/null || exit 1
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
_wallaroo_ext
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home directory of a user who has installed the completion for bash."""
    directory = tmp_path_factory.mktemp("home")
    done = process("--install-completion", environment={"HOME": str(directory), "SHELL": "/bin/bash"})
    assert done.returncode == 0, done.stderr
    return directory


def complete(home: Path, words: list[str], directory: Path, **variables: str) -> set[str]:
    """Return what bash completes in a directory, with a variable of the environment for each name."""
    command = directory / "bin" / "wallaroo-ext"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {" ".join(SCRIPT)} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    own = {"HOME": str(home), "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", **variables}
    shell = ["/bin/bash", "-c", COMPLETED, "bash", "wallaroo-ext", *words]
    done = subprocess.run(
        shell, env=environment_of(own), cwd=directory, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()) - {""}


class TestCompletion:
    @pytest.mark.parametrize(
        ("words", "completed"),
        [
            (["doc"], {"doctor"}),
            (["dep"], {"deploy"}),
            (["li"], {"list"}),
            (["list", "mo"], {"models"}),
            (["assay", "ch"], {"chart"}),
            (["call", "--outp"], {"--output"}),
            (["call", "list_mod"], {"list_models", "list_model_versions"}),
            (["sandbox", "--release", "2023"], {"2023.1", "2023.2", "2023.4"}),
        ],
    )
    def test_bash_completes(self, home: Path, words: list[str], completed: set[str], tmp_path: Path) -> None:
        assert complete(home, words, tmp_path) == completed

    @pytest.mark.parametrize(
        "words",
        [
            ["infer", "p", "ro"],
            ["batch", "ro"],
            ["batch", "rows.csv", "ro"],
            ["upload", "ro"],
            ["infer", "p", "rows.csv", "--output", "ro"],
            ["logs", "p", "--output", "ro"],
            ["conformance", "--report", "ro"],
            ["sandbox", "--data-dir", "ro"],
        ],
        ids=" ".join,
    )
    def test_files_are_completed_with_the_spaces_in_their_names(
        self, home: Path, words: list[str], tmp_path: Path
    ) -> None:
        for name in ("rows.csv", "rows of 2026.csv", "other.csv"):
            (tmp_path / name).touch()
        (tmp_path / "rows").mkdir()
        assert complete(home, words, tmp_path) == {"rows.csv", "rows of 2026.csv", "rows"}

    def test_a_body_in_a_file_is_completed(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "bodies").mkdir()
        (tmp_path / "bodies" / "body.json").touch()
        assert complete(home, ["call", "list_models", "--data", "@bod"], tmp_path) == {"@bodies/"}
        assert complete(home, ["call", "list_models", "--data", "@bodies/b"], tmp_path) == {"@bodies/body.json"}

    @pytest.mark.parametrize(
        "words",
        [
            ["status", "--workspace", "near-names", "near"],
            ["infer", "near"],
            ["batch", "rows.csv", "scored", "--pipeline", "near"],
            ["deploy", "new", "--model", "near"],
            ["upload", "model.onnx", "--name", "near"],
            ["list", "models", "--workspace", "near"],
        ],
        ids=" ".join,
    )
    def test_names_of_the_instance_are_completed(
        self, home: Path, used: str, sandbox: dict[str, str], words: list[str], tmp_path: Path
    ) -> None:
        assert complete(home, words, tmp_path, **sandbox) == {used}

    def test_an_instance_that_is_named_by_an_option_is_asked(
        self, home: Path, used: str, sandbox: dict[str, str], tmp_path: Path
    ) -> None:
        elsewhere = sandbox | {"WALLAROO_API_URL": "http://127.0.0.1:9"}
        words = ["status", "--api-url", sandbox["WALLAROO_API_URL"], "near"]
        assert complete(home, words, tmp_path, **elsewhere) == {used}

    def test_a_slow_instance_is_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each answer comes soon, and all of them take long."""

        def drip(_: Any, __: Any) -> Iterator[str]:
            for number in range(100):
                time.sleep(0.1)
                yield str(number)

        def at_once(_: Any, __: Any) -> list[str]:
            return ["b", "a", "b"]

        monkeypatch.setattr(completion, "_SECONDS", 0.3)
        monkeypatch.setattr(completion, "_pipelines", drip)
        monkeypatch.setattr(completion, "_workspaces", at_once)
        monkeypatch.setattr(completion, "_connected", nullcontext)
        context: Any = {}
        begin = time.monotonic()
        assert completion.pipeline_names(context) == []
        assert time.monotonic() - begin < 2
        assert completion.workspace_names(context) == ["a", "b"]

    def test_without_an_instance_nothing_is_completed_and_nothing_said(self, home: Path, tmp_path: Path) -> None:
        assert complete(home, ["status", "near"], tmp_path) == set()
        assert complete(home, ["status", "near"], tmp_path, WALLAROO_API_URL="http://127.0.0.1:9") == set()


def checks_of(done: Done) -> dict[str, dict[str, Any]]:
    """Return the checks of `doctor --json` by the first word of their names, after checking the exit code."""
    report = json.loads(done.out)
    states = {check["state"] for check in report["checks"]}
    assert states <= {"ok", "failed", "skipped"}
    assert report["ok"] == ("failed" not in states) == (done.code == 0)
    assert done.code in {0, 1}
    return {check["name"].split()[0]: check for check in report["checks"]}


def failed(checks: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, check in checks.items() if check["state"] == "failed"]


class TestDoctor:
    def test_a_good_instance(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        done = wallaroo("doctor")
        lines = done.out.splitlines()
        assert (done.code, done.err) == (0, "")
        assert {line.split()[0] for line in lines} == {"ok", "skipped"}
        assert [line.split()[1].rstrip(":") for line in lines] == [
            *("versions", "settings", "DNS", "connection", "TLS", "API", "token", "clock", "permissions", "release")
        ]
        assert sandbox["WALLAROO_PASSWORD"] not in done.out
        assert "eyJ" not in done.out
        assert "valid for 60 minutes." in done.out
        assert "the instance's are the same to the second." in done.out

    def test_no_settings(self, wallaroo: Callable[..., Done]) -> None:
        checks = checks_of(wallaroo("doctor", "--json", environment={}))
        assert failed(checks) == ["settings"]
        assert "WALLAROO_API_URL" in checks["settings"]["detail"]

    def test_a_wrong_port(self, wallaroo: Callable[..., Done]) -> None:
        url = f"http://127.0.0.1:{unused_port()}"
        checks = checks_of(wallaroo("doctor", "--json", "--api-url", url, "--auth-url", url))
        assert failed(checks) == ["connection"]
        assert "Connection refused" in checks["connection"]["detail"]

    def test_a_wrong_password(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        done = wallaroo("doctor", "--json", environment=sandbox | {"WALLAROO_PASSWORD": "hunter2"})
        checks = checks_of(done)
        assert failed(checks) == ["token"]
        assert "401" in checks["token"]["detail"]
        assert "hunter2" not in done.out

    def test_an_unknown_name(self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        checks = checks_of(wallaroo("doctor", "--json", "--suffix", "x.invalid"))
        assert failed(checks) == ["DNS"]
        assert "Name or service not known" in checks["DNS"]["detail"]
        assert checks["DNS"]["advice"]

    def test_a_page_in_place_of_the_api(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        with server(page) as url:
            checks = checks_of(wallaroo("doctor", "--json", environment=sandbox | {"WALLAROO_API_URL": url}))
        assert failed(checks) == ["API"]
        assert "'Sign in'" in checks["API"]["detail"]
        assert checks["permissions"]["state"] == "skipped"

    def test_a_certificate_that_is_trusted_and_one_that_is_not(self, wallaroo: Callable[..., Done]) -> None:
        with running(None, "--tls") as environment:
            checks = checks_of(wallaroo("doctor", "--json", environment=environment))
            assert failed(checks) == []
            assert "TLSv1.3" in checks["TLS"]["detail"]
            trusting_nobody = {name: value for name, value in environment.items() if name != "WALLAROO_CA_BUNDLE"}
            checks = checks_of(wallaroo("doctor", "--json", environment=trusting_nobody))
            assert failed(checks) == ["TLS"]
            assert "WALLAROO_CA_BUNDLE" in checks["TLS"]["advice"]
            plain = environment["WALLAROO_API_URL"].replace("https:", "http:")
            checks = checks_of(wallaroo("doctor", "--json", "--api-url", plain, environment=environment))
            assert "https://" in checks["API"]["advice"]

    def test_a_bundle_without_certificates(
        self, wallaroo: Callable[..., Done], sandbox: dict[str, str], tmp_path: Path
    ) -> None:
        (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
        bundle = {"WALLAROO_CA_BUNDLE": str(tmp_path / "ca.pem")}
        assert failed(checks_of(wallaroo("doctor", "--json", environment=sandbox | bundle))) == ["CA"]

    def test_an_expired_token(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() - 60}).encode()).decode().rstrip("=")
        expired = {"WALLAROO_API_URL": sandbox["WALLAROO_API_URL"], "WALLAROO_TOKEN": f"e30.{claims}.e30"}
        done = wallaroo("doctor", "--json", environment=expired)
        checks = checks_of(done)
        assert failed(checks) == ["token"]
        assert "expired at" in checks["token"]["detail"]
        assert claims not in done.out

    @pytest.mark.parametrize("exp", ["-1e20", "-62135596801", "1e400", "NaN", "true", "9" * 400, "1790000000000"])
    def test_an_expiry_that_no_calendar_has_is_none(
        self, exp: str, wallaroo: Callable[..., Done], sandbox: dict[str, str]
    ) -> None:
        claims = base64.urlsafe_b64encode(f'{{"exp": {exp}, "iat": {exp}}}'.encode()).decode().rstrip("=")
        odd = {"WALLAROO_API_URL": sandbox["WALLAROO_API_URL"], "WALLAROO_TOKEN": f"e30.{claims}.e30"}
        checks = checks_of(wallaroo("doctor", "--json", environment=odd))
        assert checks["token"]["detail"] == "There is a token; it does not say when it expires."

    @pytest.mark.parametrize(
        "date", ["Sun, 06 Nov 99999999999999999999 08:49:37 GMT", "Sun, 06 Nov 2022 08:49:37 +99999999999999999999"]
    )
    def test_a_date_that_no_calendar_has_is_none(
        self, date: str, wallaroo: Callable[..., Done], sandbox: dict[str, str]
    ) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response_only(401)
            handler.send_header("Date", date)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with server(answer) as url:
            checks = checks_of(wallaroo("doctor", "--json", environment=sandbox | {"WALLAROO_API_URL": url}))
        assert checks["clock"]["detail"] == "The instance does not say what time it is."

    def test_a_clock_that_is_wrong(self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time
        monkeypatch.setattr("wallaroo_ext.cli.checks.time.time", lambda: now() + 3600)
        checks = checks_of(wallaroo("doctor", "--json"))
        assert failed(checks) == ["clock"]
        assert re.search(r"clock is 36\d\d s ahead of the instance's", checks["clock"]["detail"])

    def test_a_sign_in_that_takes_long_sets_no_clock_apart(
        self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        check = command_checks.check_token

        def slow(client: Any, now: float) -> Any:
            time.sleep(2.5)
            return check(client, now)

        monkeypatch.setattr(command_checks, "check_token", slow)
        clock = checks_of(wallaroo("doctor", "--json"))["clock"]
        assert clock["detail"].endswith("the instance's are the same to the second.")

    def test_a_token_without_a_user(self, wallaroo: Callable[..., Done], sandbox: dict[str, str]) -> None:
        alone = {name: value for name, value in sandbox.items() if name not in {"WALLAROO_USER", "WALLAROO_PASSWORD"}}
        checks = checks_of(wallaroo("doctor", "--json", environment=alone))
        assert failed(checks) == []
        assert "may only infer" in checks["permissions"]["detail"]

    def test_a_proxy_does_the_connecting(self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
        port = unused_port()
        monkeypatch.setenv("https_proxy", f"http://somebody:hunter2@127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        done = wallaroo("doctor", "--suffix", "example.com")
        assert f"Requests go through the proxy 127.0.0.1:{port}." in done.out
        assert "hunter2" not in done.out
        assert done.code == 1

    def test_lines_fit_into_80_columns(self, sandbox: dict[str, str]) -> None:
        shown = on_terminal("doctor", "--api-url", f"http://127.0.0.1:{unused_port()}", environment=sandbox)
        assert shown.code == 1
        assert "failed  connection 127.0.0.1" in shown.out
        assert max(map(len, shown.out.splitlines())) <= 80
