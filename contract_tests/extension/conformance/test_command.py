"""Does the contract suite, as people run it, tell an instance that conforms from one that does not?"""

from __future__ import annotations

import io
import json
import re
import signal
import subprocess
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest
import yaml

from contract_tests.support.command_line import SCRIPT, environment_of, in_process, process
from contract_tests.support.documentation import ROOT
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.sandbox.steering import steer
from contract_tests.support.servers.callers import user_token
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import call, connect, contract, upload_model
from wallaroo_ext.cli.commands.checking.conformance import Release
from wallaroo_ext.cli.main import build_app
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.conformance import command
from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.results import INTERRUPTED
from wallaroo_ext.conformance.suite import Suite

if TYPE_CHECKING:
    from pathlib import Path

READING = ("list_workspaces", "list_models")


SECONDS = 900
"""The time after which a run has hung: a whole one takes minutes where six other processes are busy."""


def conformance(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a fork, with nothing of Wallaroo's in its environment but what is given."""
    return process("conformance", *arguments, environment=environment or {}, kind="suite", seconds=SECONDS)


def conformance_anew(
    *arguments: str, environment: dict[str, str], directory: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that is started anew, as Python's own variables need it, and as people do."""
    command = [*SCRIPT, "conformance", *arguments]
    own = environment_of(environment)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=own, cwd=directory)


def only(*operations: str) -> list[str]:
    """Return the arguments that have a run look at these operations, shortly."""
    return ["--cases", "3", *(word for name in operations for word in ("--operation", name))]


@pytest.mark.slow
def test_a_sandbox_conforms_and_the_report_is_there(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "schemathesis.toml").write_text("[generation]\nmode = 'nonsense'\n", encoding="utf-8")
    (tmp_path / "here" / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n", encoding="utf-8")
    steering = {"PYTEST_ADDOPTS": "--collect-only", "PYTEST_PLUGINS": "no_such_module", "CI": "true"}
    done = conformance_anew(
        *("--instance", "sandbox", *only(*READING), "--report", str(tmp_path / "report")),
        environment=steering | {"PYTHONWARNINGS": "error::ResourceWarning"},
        directory=tmp_path / "here",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("CONFORMS")
    release = contract.RELEASES[-1]
    held = f"The instance is held to the contract of release {release}: the sandbox is started with it."
    assert done.stderr.startswith(held), "it is said before anything else"
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == [
        "badge.svg",
        "junit.xml",
        "report.har",
        "report.html",
        "report.json",
    ]
    report = json.loads((tmp_path / "report/report.json").read_text(encoding="utf-8"))
    assert (report["verdict"], report["exit_code"]) == ("conforms", 0)
    assert report["subject"]["release"] == release
    assert "left_behind" in report
    assert {file.name for file in (tmp_path / "here").iterdir()} == {"schemathesis.toml", "pytest.ini"}


@pytest.mark.slow
def test_a_quick_run_says_what_it_left_out(tmp_path: Path) -> None:
    report = tmp_path / "report"
    done = conformance("--quick", "--instance", "sandbox", "--report", str(report), *only("list_features"))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((report / "report.json").read_text(encoding="utf-8"))
    tried = {each["test"].partition("[")[0] for each in found["test_outcomes"]}
    assert "instance/test_properties.py::test_examples" in tried
    assert not any("test_good_data" in each or "/inference/" in each for each in tried)
    assert found["left_out"]["random data"] == 2
    left_out = f"Left out by --quick: {sum(found['left_out'].values())} tests: "
    assert left_out in done.stdout
    assert all(topic in done.stdout for topic in found["left_out"])
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "--quick" in found["subject"]["options"]
    assert all(topic in page for topic in found["left_out"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sandbox", "release", "operation"),
    [("2024.2", "2023.2", "list_models"), ("2025.2", "2023.4", "undeploy_pipeline")],
)
def test_on_a_sandbox_of_another_release_it_names_what_differs(sandbox: str, release: str, operation: str) -> None:
    with running(None, "--release", sandbox) as environment:
        done = conformance("--release", release, "--json", *only(operation), environment=environment)
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["subject"]["release"], found["subject"]["release_known_by"]) == (release, "--release names it")
    assert any(each["operation"] == operation for each in found["failures"])


@pytest.mark.slow
def test_a_sandbox_of_an_older_release_says_so_and_conforms() -> None:
    with running(None, "--release", "2022.4") as environment:
        done = conformance("--json", *only("list_models"), environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["subject"]["release"], found["subject"]["release_known_by"]) == ("2022.4", "the sandbox says so")
    assert "list_pipelines" in found["not_exercised"]


def test_the_releases_of_the_commands_are_those_that_have_an_overlay() -> None:
    assert get_args(Release) == contract.RELEASES


@pytest.mark.slow
def test_what_the_contract_does_not_say_is_found(document: dict[str, Any], tmp_path: Path) -> None:
    """The sandbox against a contract that promises more than it keeps."""
    own = yaml.safe_load(yaml.safe_dump(document))
    own["components"]["schemas"]["Workspace"]["required"].append("colour")
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own, sort_keys=False), encoding="utf-8")
    named = ["--contract", str(tmp_path / "own.yaml")]
    ascii_only = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "COLUMNS": "3", "TZ": "Pacific/Apia"}
    named += ["--report", str(tmp_path / "report")]
    done = conformance_anew("--instance", "sandbox", *named, *only("list_workspaces"), environment=ascii_only)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "\\u2717 $.workspaces[0]" in done.stdout
    report = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "does not conform"
    assert "colour" in done.stdout


def test_json_for_a_program_can_be_printed_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"name": "é\x85🚀"}'
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    shown = output.encodable(text)
    monkeypatch.undo()
    assert shown.isascii()
    assert json.loads(shown) == json.loads(text)
    assert output.encodable("✗ plain") == "✗ plain"


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        ([], {}, "The instance is not named"),
        ([], {"WALLAROO_API_URL": "http://127.0.0.1:9", "WALLAROO_TOKEN": "x"}, "refused"),
        (["--instance", "sandbox", "--contract", "/nonsense.yaml"], {}, "/nonsense.yaml"),
        (["--operation", "list_model"], {}, "The contract has no operation 'list_model': did you mean list_models"),
        (["--operation", "list_models", "--operation", "x"], {}, "The contract has no operation 'x'"),
        (
            ["--instance", "sandbox", "--release", "2022.4", "--operation", "list_pipelines"],
            {},
            "Release 2022.4 does not have list_pipelines: leave it out of --operation, or name another release",
        ),
        (["--instance", "sandbox", "--release", "2021.1"], {}, "2021.1"),
        (["--instance", "sandbox", "--recorded", "/nonsense"], {}, "/nonsense"),
        (["--instance", "sandbox", "--report", "/dev/null"], {}, "--report /dev/null cannot be written to: "),
        (["--instance", "sandbox", "--report", "/dev/null/in"], {}, "--report /dev/null/in cannot be written to: "),
    ],
    ids=[
        "nobody named",
        "nobody answers",
        "no contract",
        "no such operation",
        "no such operation beside another",
        "not in the release",
        "no release",
        "no recordings",
        "a report in a file",
        "a report below a file",
    ],
)
def test_what_could_not_run_says_why(arguments: list[str], environment: dict[str, str], message: str) -> None:
    done = conformance(*arguments, environment=environment)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "tests are done" not in done.stderr


@pytest.mark.slow
def test_the_same_seed_sends_the_same_requests(tmp_path: Path) -> None:
    sent: list[list[Any]] = []
    for name in ("one", "two"):
        done = conformance("--instance", "sandbox", *only("list_models"), "--report", str(tmp_path / name))
        assert done.returncode == 0, done.stdout + done.stderr
        har = json.loads((tmp_path / name / "report.har").read_text(encoding="utf-8"))
        posted = [entry["request"].get("postData", {}).get("text") for entry in har["log"]["entries"]]
        urls = [httpx.URL(entry["request"]["url"]).path for entry in har["log"]["entries"]]
        sent.append([pair for pair in zip(urls, posted, strict=True) if pair[0].endswith("models/list")])
    assert Counter(sent[0]) == Counter(sent[1])  # some are sent at a time, and come in any order
    assert len(sent[0]) > 20


@pytest.mark.slow
def test_an_instance_that_others_have_used_before_conforms_too(model_file: Path) -> None:
    """A version's id is not its configuration's where models were uploaded and never deployed, as after a run."""
    with running() as environment:
        with connect(environment=environment) as client:
            for number in range(40):  # more than the run deploys
                upload_model(client, model_file, name=f"others-{number}", workspace=1)
        done = conformance(*only("deploy_pipeline"), environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_exploring_says_with_which_seed() -> None:
    done = conformance("--instance", "sandbox", "--explore", *only("list_models"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"seed 29\b", done.stdout) is None  # the fixed one; a random one may begin so
    assert "seed " in done.stdout


@pytest.mark.slow
def test_a_terminal_that_is_closed_leaves_a_report(tmp_path: Path) -> None:
    command = [*SCRIPT, "conformance", "--instance", "sandbox", *only("list_models")]
    command += ["--report", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        while "tests are done" not in started.stderr.readline():
            assert started.poll() is None
        started.stdout.close()
        started.stderr.close()
        started.send_signal(signal.SIGHUP)
        started.wait(60)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["verdict"], report["could_not_run"]) == ("could not run", INTERRUPTED)
    assert report["counts"]["tests_failed"] == 0
    assert report["left_behind"]
    assert not [thing for thing in report["left_behind"] if thing["is_active"]]


def test_what_breaks_in_the_suite_itself_is_no_verdict(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("[" * 5000, encoding="utf-8")
    done = conformance("--instance", "sandbox", "--contract", str(file))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("own", [[], ["--contract", str(ROOT / "openapi/wallaroo-mlops.yaml")]], ids=len)
def test_what_breaks_beside_a_contract_is_no_fault_of_it(
    own: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("too many")

    monkeypatch.setattr("wallaroo_ext.conformance.command.run_suite", fail)
    done = in_process({}, monkeypatch, capsys)("conformance", "--instance", "sandbox", *own)
    assert (done.code, done.sentence) == (2, "This is a defect of wallaroo-ext, report it: ValueError: too many")


class TestLive:
    """A sandbox that was there before, as somebody else's instance."""

    @pytest.mark.slow
    def test_what_others_made_is_as_it_was(self, model_file: Path, tmp_path: Path) -> None:
        with running() as environment:
            url = deployed(environment, model_file, "others")
            before = _seen(environment)
            done = conformance_anew("--report", str(tmp_path), environment=environment)
            assert done.returncode == 0, done.stdout + done.stderr
            after = _seen(environment)
            for kind in ("users", "others"):
                assert after[kind] == before[kind]
            token = user_token(environment)
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; format=pandas-records"}
            assert httpx.post(url, json=[{"tensor": [0.5] * 29}], headers=headers).status_code == 200
        report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
        skipped = {row["id"]: row["not_exercised"] for row in report["operations"] if row["not_exercised"]}
        assert skipped.keys() == {
            "invite_user",
            "activate_user",
            "deactivate_user",
            "add_workspace_user",
            "remove_workspace_user",
        }
        assert all(name.startswith("conformance-") for name in after["workspaces"] - before["workspaces"])
        left = Counter(thing["kind"] for thing in report["left_behind"])
        said = _left_by_the_page()
        assert {kind: left[kind] for kind in said} == {kind: pytest.approx(said[kind], rel=0.2) for kind in said}

    @pytest.mark.slow
    def test_a_token_alone_is_enough_for_all_but_tokens(self) -> None:
        with running() as environment:
            url = environment["WALLAROO_API_URL"]
            own = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": user_token(environment)}
            arguments = ["--allow-user-changes", "--json", *only("request_token", "list_features", "invite_user")]
            done = conformance(*arguments, environment=own)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "WALLAROO_TOKEN" in json.loads(done.stdout)["not_exercised"]["request_token"]

    @pytest.mark.slow
    def test_reading_only_sends_nothing_that_writes(self) -> None:
        with running() as environment:
            before = _seen(environment)
            done = conformance("--read-only", "--json", "--cases", "3", environment=environment)
            assert done.returncode == 0, done.stdout + done.stderr
            assert _seen(environment) == before
        report = json.loads(done.stdout)
        tried = {row["id"] for row in report["operations"] if not row["not_exercised"]}
        assert {"list_workspaces", "query_users", "list_features"} <= tried
        assert "create_workspace" not in tried
        assert not report["left_behind"]


def _left_by_the_page() -> dict[str, int]:
    """Return how many things of each kind a whole run leaves, by the page that people read before it."""
    page = (ROOT / "docs/guides/conformance.md").read_text(encoding="utf-8")
    [sentence] = re.findall(r"A whole run leaves about\s([^;]*);", page)
    found = {kind: int(count) for count, kind in re.findall(r"(\d+) (?:inactive )?(\w+)s\b", sentence)}
    assert found.keys() == {"workspace", "model", "pipeline", "assay"}
    return found


def _seen(environment: dict[str, str]) -> dict[str, Any]:
    """Return the users, the workspaces and the deployment of others."""
    from wallaroo_mlops_client.api.users import query_users
    from wallaroo_mlops_client.api.workspaces import list_workspaces
    from wallaroo_mlops_client.models import ListWorkspacesRequest, QueryUsersRequest

    with connect(environment=environment) as client:
        users = call(query_users, client=client, body=QueryUsersRequest()).to_dict()
        workspaces = call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces
    with httpx.Client(base_url=environment["WALLAROO_API_URL"]) as http:
        counts = steer(http, "state")["counts"]
    own = next(found.to_dict() for found in workspaces if not found.name.startswith("conformance-"))
    return {
        "users": users,
        "workspaces": {found.name for found in workspaces},
        "others": own,
        "inferences": counts.get("inferences")
        if not any(w.name.startswith("conformance-") for w in workspaces)
        else None,
    }


def test_a_document_that_never_comes_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def unanswered(*_: object, **__: object) -> None:
        raise NoAnswerError("", "503, 10 times", may_be_repeated=False)

    def reachable(_: Suite) -> None:
        return

    suite = Suite(SuiteOptions(instance="recorded", drift=True, environment={}))
    monkeypatch.setattr(command, "check_reachable", reachable)
    monkeypatch.setattr(command, "find_drift", unanswered)
    hooks: Any = command._RunHooks(suite, lambda _done, _all: None)  # pyright: ignore[reportPrivateUsage]
    session = SimpleNamespace(items=["a test"])
    hooks.pytest_collection_finish(session)
    assert suite.run.could_not_run == "A request got no answer of the instance: 503, 10 times."
    assert session.items == []


def test_what_a_report_shows_of_options_has_no_secret() -> None:
    options = SuiteOptions(cases=50, drift_url="https://example.com/api.json?access_token=kestrel-19")
    assert options.shown() == ("--cases 50", "--drift-url https://example.com/api.json?access_token=[removed]")
    assert SuiteOptions().shown() == ()


def test_each_option_arrives_where_the_run_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    used: dict[str, Any] = {}

    def run(report: Path | None, _options: object, **options: Any) -> None:
        used.update(options, report=report)
        raise UsageError("This test runs nothing.")

    monkeypatch.setattr("wallaroo_ext.cli.commands.checking.conformance._run", run)
    given = {
        "report": tmp_path / "report",
        "instance": "recorded",
        "contract": tmp_path / "contract.yaml",
        "release": "2023.4",
        "operations": ("list_models", "query_users"),
        "cases": 7,
        "seed": 8,
        "quick": True,
        "drift": True,
        "drift_url": "http://localhost/openapi.json",
        "recorded": tmp_path / "recorded",
        "read_only": True,
        "allow_user_changes": True,
        "inference_hosts": ("a.example.com", "b.example.com"),
        "rate": 2.5,
    }
    names = {"operations": "operation", "inference_hosts": "inference_host"}
    arguments = [
        word
        for name, value in given.items()
        for each in (value if isinstance(value, tuple) else (value,))
        for word in (f"--{names.get(name, name).replace('_', '-')}", *([] if each is True else [str(each)]))
    ]
    with pytest.raises(SystemExit):
        build_app(["conformance"])(["conformance", *arguments], exit_on_error=False)
    assert used == given
