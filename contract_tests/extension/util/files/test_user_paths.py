"""Does `~` mean the same in all paths: on the command line, in Python and in the environment?"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv

from contract_tests.support.command_line import commands, path_parameters
from contract_tests.support.data.snapshots import write
from wallaroo_ext import ConfigurationError, InvalidDataError
from wallaroo_ext._util.files.user_paths import near_file_name, user_path, user_text
from wallaroo_ext.cli.main import build_app
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.settings import Settings

NEEDED: dict[str, list[str]] = {
    "data_dir": ["sandbox"],
    "env_file": ["sandbox"],
    "cert": ["sandbox"],
    "key": ["sandbox"],
    "control_secret_file": ["sandbox"],
    "report": ["conformance"],
    "contract": ["drift"],
    "recorded": ["drift"],
    "output_file": ["infer", "p", "rows.csv"],
    "input_schema": ["upload", "m.onnx", "--name", "m"],
    "output_schema": ["upload", "m.onnx", "--name", "m"],
}
COMMON = {"credentials", "ca_bundle"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_only_a_home_at_the_beginning_is_replaced(home: Path) -> None:
    assert user_path("~/x") == user_path(Path("~/x")) == home / "x"
    assert user_path("~") == home
    for name in ("./~/x", "a/~/x", "~nobody-has-this-name/x", "s3://bucket/~/x", "", "x~"):
        assert user_text(name) == name


@pytest.mark.parametrize(
    ("written", "near"),
    [("rows.cvs", "rows.csv"), ("umsätze.csv", "umsa\u0308tze.csv"), ("Umsätze.csv", "umsa\u0308tze.csv"), ("x", None)],
)
def test_a_near_name_is_found_however_its_letters_are_written(tmp_path: Path, written: str, near: str | None) -> None:
    for name in ("rows.csv", "umsa\u0308tze.csv"):  # as macOS has them
        (tmp_path / name).touch()
    assert near_file_name(tmp_path / written) == near
    assert near_file_name(tmp_path / "none" / written) is None


@pytest.mark.parametrize("name", [*NEEDED, *sorted(COMMON)])
def test_of_the_command_lines_options(home: Path, name: str) -> None:
    command = NEEDED.get(name, ["status", "p"])
    option = "--output" if name == "output_file" else f"--{name.replace('_', '-')}"
    for given in ([f"{option}=~/x"], [option, "~/x"]):
        app: Any = build_app(command)
        found = app.parse_args([*command, *given])[1].arguments
        assert (getattr(found["options"], name) if name in COMMON else found[name]) == home / "x"


def test_all_of_them_are_tried_above() -> None:
    assert {name for command in commands() for name in path_parameters(command)} == NEEDED.keys() | COMMON


@pytest.mark.parametrize(
    "arguments",
    [
        ["infer", "p", "rows.csv", "--output", "new/"],
        ["call", "list_models", "--output", "~/"],
        ["assay", "chart", "5", "--output", "chart.png/"],
        ["sandbox", "--env-file", "new/"],
    ],
)
def test_a_name_with_a_slash_behind_it_is_no_file(arguments: list[str]) -> None:
    app: Any = build_app(arguments)
    with pytest.raises(UsageError, match="is a directory: name a file in it"):
        app.parse_args(arguments)


def test_of_the_environment(home: Path) -> None:
    write(home / "creds.json", b'{"username": "u", "password": "p"}')
    write(home / "ca.pem")
    environment = {"WALLAROO_API_URL": "http://127.0.0.1:9", "WALLAROO_SDK_CREDENTIALS": "~/creds.json"}
    settings = Settings.resolve(environment | {"WALLAROO_CA_BUNDLE": "~/ca.pem"})
    assert (settings.username, settings.ca_bundle) == ("u", str(home / "ca.pem"))
    assert Settings.resolve(environment, ca_bundle="~/ca.pem").ca_bundle == str(home / "ca.pem")
    with pytest.raises(ConfigurationError, match="There is no file"):
        Settings.resolve(environment, ca_bundle="./~/ca.pem")


def test_of_what_is_read_and_written_for_python(home: Path) -> None:
    from wallaroo_ext.batch.reading.discovery import find_files
    from wallaroo_ext.batch.writing.storage import Storage
    from wallaroo_ext.inference.inputs.rows import to_table
    from wallaroo_ext.uploads.sources import open_source

    write_csv: Any = csv.write_csv
    write_csv(pa.table({"x": [1]}), home / "rows.csv")
    assert to_table("~/rows.csv").num_rows == 1
    with open_source("~/rows.csv", None) as source:
        assert source.file_name == "rows.csv"
    for named in ("~/rows.csv", "~/*.csv", "~", ["~/rows.csv"]):
        assert find_files(named, None).paths == [str(home / "rows.csv")]
    storage = Storage("~/scored")
    storage.make()
    assert (home / "scored").is_dir()
    assert storage.location == str(home / "scored")
    assert not Path("~").exists()


def test_of_the_token_cache(home: Path) -> None:
    from contract_tests.support.fake_keycloak import Keycloak

    assert Keycloak().auth(cache="~/tokens").access_token() == "t1"
    assert (home / "tokens").is_dir()


def test_of_a_chart(home: Path) -> None:
    figure: Any = pytest.importorskip("matplotlib.figure").Figure
    from wallaroo_ext.assays.figure import AssayFigure

    class Blank(AssayFigure):
        def __init__(self) -> None:
            figure.__init__(self)

    Blank().save("~/chart")
    assert (home / "chart.png").is_file()
    for name in ("~/new/", "", "/"):
        with pytest.raises(InvalidDataError, match="is a directory: name a file in it"):
            Blank().save(name)


def test_of_a_part_of_a_request(home: Path) -> None:
    from wallaroo_ext.cli.call_requests import _open_file  # pyright: ignore[reportPrivateUsage] - of the command line

    write(home / "model.onnx")
    with ExitStack() as files:
        assert _open_file("~/model.onnx", files).read() == b"somebody's own"
