"""Is what the help of the commands says true? Its examples run, its options and commands are there, its files fit."""

from __future__ import annotations

import inspect
import re
import shlex
import webbrowser
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from contract_tests.support.command_line import commands, in_process
from contract_tests.support.documentation import README, pages
from contract_tests.support.servers.forks import fork_server
from wallaroo_ext.cli.main import COMMANDS, build_app
from wallaroo_ext.cli.options import Options
from wallaroo_ext.inference.inputs.rows import to_table
from wallaroo_ext.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contract_tests.support.command_line import Done

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "scripts/samples"
SOURCE = ROOT / "wallaroo_ext"
FUNCTIONS = {function.__name__: function for function in commands()}
HELP = {name: inspect.getdoc(function) or "" for name, function in FUNCTIONS.items()}
EXAMPLES = [
    example for text in HELP.values() for example in re.findall(r"For example: `wallaroo-ext (.*?)`", text, re.DOTALL)
]
NEED_MORE = ("sandbox", "conformance", "drift", "assay")
"""The commands whose examples need another server, or much time: other tests run them."""
SWITCHED_OFF = {"deploy": ["--no-wait"], "upload": ["--no-wait"]}
"""The opposites of options, by the command."""
IN_ORDER = ("upload", "deploy", "status", "list", "open", "infer", "batch", "logs", "undeploy")


@pytest.fixture(scope="module")
def instance() -> Generator[dict[str, str]]:
    with fork_server.running() as environment:
        yield environment


def test_every_command_has_an_example_but_those_without_arguments() -> None:
    without = {name for name, text in HELP.items() if "For example: `wallaroo-ext " not in text}
    assert without <= {"call", "token", "doctor", "operations"}
    assert "`wallaroo-ext call list_models --data '{\"workspace_id\": 1}'`" in HELP["call"]


def test_the_kinds_of_fault_are_listed_where_the_sandbox_is_started() -> None:
    listed = re.search(r"kinds are ([^.]+)\.", " ".join(HELP["sandbox"].split()))
    assert listed is not None
    assert re.split(r", | and ", listed[1]) == list(KINDS)


def test_every_extra_is_named_by_the_programs_help_alone(wallaroo: Callable[..., Done]) -> None:
    shown = wallaroo("--help").out
    end = shown[shown.index("What a command needs") :]
    extras = metadata.metadata("wallaroo-ext").get_all("Provides-Extra") or []
    assert {extra for extra in extras if extra != "cli"} <= set(re.findall(r"\w+", end))
    assert "What a command needs" not in wallaroo("upload", "--help").out


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_command_that_is_understood(example: str) -> None:
    words = shlex.split(example)
    build_app(words).parse_args(words, exit_on_error=False, print_error=False)


def test_the_examples_run_one_after_the_other(
    instance: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows: Any = to_table(str(SAMPLES / "breast-cancer.csv")).drop_columns(["malignant"])
    (tmp_path / "patients").mkdir()
    parquet: Any = import_module("pyarrow.parquet")
    parquet.write_table(rows.append_column("id", pa.array(range(rows.num_rows))), tmp_path / "patients" / "a.parquet")
    import_module("pyarrow.csv").write_csv(rows, tmp_path / "patients.csv")
    (tmp_path / "tumours.onnx").write_bytes((SAMPLES / "breast-cancer.onnx").read_bytes())
    opened: list[str] = []

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", open_page)
    monkeypatch.chdir(tmp_path)
    run = in_process(instance, monkeypatch, capsys)
    assert run("call", "create_workspace", "--data", '{"workspace_name": "tumours"}').code == 0
    examples = [example for name in IN_ORDER for example in EXAMPLES if example.split()[0] == name]
    assert len(examples) + sum(example.startswith(NEED_MORE) for example in EXAMPLES) == len(EXAMPLES)
    for example in examples:
        done = run(*shlex.split(example))
        assert done.code == 0, (example, done.err)
    assert [url.removeprefix(instance["WALLAROO_API_URL"]) for url in opened] == ["/v1/api/docs"]
    assert {"scored.csv", "scored", "january.parquet"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", sorted(HELP))
def test_the_options_that_it_names_are_there(name: str) -> None:
    known = {option for found in _options().values() for option in found}
    text = re.sub(r"`wallaroo-ext [^`]*`", "", HELP[name])
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert named - _options()[name] == set()
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", HELP[name])) - known == set()


def _apps(app: Any) -> list[Any]:
    found = [app[name] for name in app if not name.startswith("-")]
    return [*found, *(inner for each in found for inner in _apps(each))]


@cache
def _options() -> dict[str, set[str]]:
    """Return the options of each command, by the name of its function."""
    apps = [app for app in _apps(build_app([])) if app.default_command is not None]
    return {
        app.default_command.__name__: {
            option for argument in app.assemble_argument_collection() for option in argument.names
        }
        for app in apps
    }


def test_the_commands_that_texts_name_are_there() -> None:
    """Those in help, in errors and in the documentation, which say what to do next."""
    texts = [file.read_text(encoding="utf-8") for file in SOURCE.rglob("*.py")]
    texts += [page.read_text(encoding="utf-8") for page in (README, *pages())]
    named = {found for text in texts for found in re.findall(r"`wallaroo-ext ([a-z]+)", text)}
    assert named - COMMANDS.keys() == set()
    assert len(named) > 8
    listed = {found for text in texts for found in re.findall(r"`wallaroo-ext list ([a-z]+)", text)}
    assert listed <= {"workspaces", "models", "pipelines", "deployments"}


def test_the_variables_that_it_names_are_read() -> None:
    named = {found for text in HELP.values() for found in re.findall(r"WALLAROO_[A-Z_]+", text)}
    shown = set(re.findall(r"WALLAROO_[A-Z_]+", inspect.getsource(Options)))
    read = (SOURCE / "settings.py").read_text(encoding="utf-8")
    assert [variable for variable in named | shown if variable not in read] == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("infer", ["infer", "p", "rows.csv"]),
        ("logs", ["logs", "p"]),
        ("chart", ["assay", "chart", "5"]),
    ],
)
def test_the_output_files_that_it_names_are_those_that_are_taken(
    name: str, words: list[str], wallaroo: Callable[..., Done], tmp_path: Path
) -> None:
    described = re.search(r"output_file: (.*?)(?=\n    \w+:)", HELP[name], re.DOTALL)
    assert described is not None
    named = re.findall(r"\.[a-z]{3,}\b", described[1])
    assert len(named) >= 3
    refused = wallaroo(*words, "--output", str(tmp_path / "file.xyz"), environment={})
    assert refused.sentence.endswith(f"the name has to end in {', '.join(named)}.") or all(
        ending in refused.sentence for ending in named
    )
    for ending in named:
        done = wallaroo(*words, "--output", str(tmp_path / f"file{ending}"), environment={})
        assert "has to end in" not in done.err


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_only_what_is_so_by_default_can_be_switched_off(command: str, wallaroo: Callable[..., Done]) -> None:
    shown = wallaroo(command, "--help").out
    assert re.findall(r"--(?:empty|no)-[a-z-]+", shown) == SWITCHED_OFF.get(command, [])
