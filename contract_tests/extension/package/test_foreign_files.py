"""Does everything that writes to where a person said leave alone what it did not write?

Each option is given a directory full of somebody's files, its own files' names among them, and has to refuse it without
changing a byte; and one where its own files have room, beside which it may change nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from contract_tests.edits.base import base
from contract_tests.support.command_line import commands, environment_of, path_parameters, process
from contract_tests.support.conformance import runs
from contract_tests.support.data.snapshots import fill, snapshot, write
from contract_tests.support.scripts import call_main
from scripts.lib.keycloak import run as keycloak
from scripts.lib.regenerate import run as regenerate
from scripts.lib.regenerate.generated_files import ForeignFilesError, GeneratedFiles
from wallaroo_ext import InvalidDataError
from wallaroo_ext.sandbox.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
NOWHERE = {"WALLAROO_API_URL": "http://127.0.0.1:9", "WALLAROO_TOKEN": "t"}

Done = subprocess.CompletedProcess[str]

READ = {
    "cert",
    "key",
    "control_secret_file",
    "contract",
    "recorded",
    "input_schema",
    "output_schema",
    "credentials",
    "ca_bundle",
}
WRITTEN = {"report", "data_dir", "env_file", "output_file"}
"""The options of the command line that name what is read, and what is written, each of which is tried below."""


def script(program: Any, *arguments: str) -> Done:
    done = call_main(program.main, *arguments)
    return Done(arguments, done.code, done.out, done.err)


def record(directory: Path) -> Done:
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", "--record", "--instance", "sandbox"]
    command += ["--cassettes", str(directory), "contract_tests/instance/test_examples.py", "-k", "list_workspaces"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment_of({}), timeout=120, cwd=ROOT
    )


def batch(directory: Path, source: Path) -> Done:
    rows: Any = parquet
    rows.write_table(pa.table({"tensor": [1.0]}), source)
    return process("batch", str(source), str(directory), "--pipeline", "http://127.0.0.1:9/p", environment=NOWHERE)


WRITERS: dict[str, tuple[tuple[str, ...], Callable[[Path, Path], Done]]] = {
    "sandbox --data-dir": (
        ("models/churn.onnx", "staging/load.sql", "log/app.log", "lock", "tls/server.pem"),
        lambda directory, _: process("sandbox", "--data-dir", str(directory), environment={}),
    ),
    "sandbox --env-file": (
        ("own",),
        lambda directory, _: process("sandbox", "--env-file", str(directory / "own"), environment={}),
    ),
    "keycloak --env-file": (
        ("own",),
        lambda directory, _: script(keycloak, "--env-file", str(directory / "own")),
    ),
    "regenerate --output": (
        ("api.md",),
        lambda directory, _: script(regenerate, "--output", str(directory)),
    ),
    "regenerate --output, with a package": (
        ("wallaroo_mlops_client/own.py",),
        lambda directory, _: script(regenerate, "--output", str(directory)),
    ),
    **{
        f"conformance --report, with {name}": (
            (name,),
            lambda directory, _: process("conformance", "--report", str(directory), environment=NOWHERE),
        )
        for name in ("report.html", "report.har", "junit.xml", "report.json", "badge.svg")
    },
    "record --cassettes": (("test_list_workspaces.yaml",), lambda directory, _: record(directory)),
    "record --cassettes, with another index": (("recording.json",), lambda directory, _: record(directory)),
    **{
        f"batch, with {name}": ((name,), lambda directory, beside: batch(directory, beside / "rows.parquet"))
        for name in ("_manifest.json", "part-000000.parquet", "_errors.jsonl", "sales.parquet")
    },
}


QUICK = ("sandbox --data-dir", "sandbox --env-file", "conformance --report, with junit.xml", "regenerate --output")


@pytest.mark.parametrize(
    "option", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in WRITERS]
)
def test_a_directory_of_somebodys_is_refused_in_a_sentence_and_not_a_byte_changes(tmp_path: Path, option: str) -> None:
    names, run = WRITERS[option]
    directory, outside, beside = (tmp_path / name for name in ("project", "outside", "beside"))
    fill(directory, outside, *names)
    beside.mkdir()
    before = snapshot(directory, outside)
    done = run(directory, beside)
    assert done.returncode in {2, 4}
    message = (done.stderr or done.stdout).strip()
    assert "Traceback" not in message
    assert len(message.splitlines()) == 1
    assert str(directory) in message
    assert "name " in message
    if option.startswith("regenerate"):
        assert f"{directory / names[0]} was not written by scripts/regenerate, or was changed since: move it" in message
    assert snapshot(directory, outside) == before


PRODUCTION = """\
export WALLAROO_API_URL=https://wallaroo.example.com
export WALLAROO_AUTH_URL=https://keycloak.example.com
export WALLAROO_CLIENT_ID=api-client
export WALLAROO_CLIENT_SECRET=secret
export WALLAROO_USER=me@example.com
export WALLAROO_PASSWORD=password
"""
SANDBOX = "export WALLAROO_API_URL=http://127.0.0.1:1\nexport WALLAROO_AUTH_URL=http://127.0.0.1:1\n"


@pytest.mark.parametrize(
    "content",
    [
        PRODUCTION,
        "WALLAROO_USER=me\n",
        f"# mine\n{SANDBOX}",
        f"{SANDBOX}export MINE=1\n",
        f"{SANDBOX}{SANDBOX}",
        SANDBOX.replace("http", "$(pass show url)", 1),
        SANDBOX.replace("\n", "\r\n"),
        "\udcff\udcfe",
    ],
)
def test_an_environment_file_that_somebody_wrote_is_refused(tmp_path: Path, content: str) -> None:
    from wallaroo_ext.sandbox.server.env_file import EnvFileError, write_env_file

    write(tmp_path / "own", content.encode("utf-8", "surrogateescape"))
    before = snapshot(tmp_path)
    with pytest.raises(EnvFileError, match="name a new file, or remove it"):
        write_env_file(tmp_path / "own", SANDBOX)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", ["link", "dangling", "directory", "pipe"])
def test_an_environment_file_is_a_file(tmp_path: Path, kind: str) -> None:
    from wallaroo_ext.sandbox.server.env_file import EnvFileError, write_env_file

    outside = write(tmp_path / "outside", b"")
    own = tmp_path / "own"
    if kind == "directory":
        own.mkdir()
    elif kind == "pipe":
        os.mkfifo(own)
    else:
        own.symlink_to(outside if kind == "link" else tmp_path / "nowhere")
    before = snapshot(tmp_path)
    with pytest.raises(EnvFileError, match="is a link or no file"):
        write_env_file(own, SANDBOX)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(("mode", "is_refused"), [(0o777, True), (0o770, True), (0o1777, False), (0o755, False)])
def test_an_environment_file_is_where_others_cannot_replace_it(
    tmp_path: Path, mode: int, *, is_refused: bool, exists: bool
) -> None:
    from wallaroo_ext.sandbox.server.env_file import EnvFileError, check_env_file, write_env_file

    if exists:
        write_env_file(tmp_path / "own", SANDBOX)
    tmp_path.chmod(mode)
    if is_refused:
        with pytest.raises(EnvFileError, match=r"others can write to .* chmod go-w"):
            check_env_file(tmp_path / "own")
    else:
        check_env_file(tmp_path / "own")


def test_an_environment_file_that_cannot_be_made_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wallaroo_ext.sandbox.server.env_file import EnvFileError, check_env_file

    with pytest.raises(EnvFileError, match=r"There is no directory .*: make it, or name another"):
        check_env_file(tmp_path / "missing" / "environment")

    def nobody_may(*_: object) -> bool:
        return False

    monkeypatch.setattr(os, "access", nobody_may)  # root may always
    with pytest.raises(EnvFileError, match="name another directory"):
        check_env_file(tmp_path / "environment")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("planted", ["link", "file"])
def test_a_planted_name_gets_no_credentials(tmp_path: Path, planted: str) -> None:
    """The name that was written to first was once `.NAME.PID`, which anybody can guess."""
    from wallaroo_ext.sandbox.server.env_file import write_env_file

    secret = write(tmp_path / "secret")
    guessed = tmp_path / f".environment.{os.getpid()}"
    if planted == "link":
        guessed.symlink_to(secret)
    else:
        write(guessed)
    before = snapshot(secret, guessed)
    write_env_file(tmp_path / "environment", SANDBOX)
    assert snapshot(secret, guessed) == before
    assert (tmp_path / "environment").stat().st_mode & 0o777 == 0o600


def test_what_a_sandbox_wrote_itself_is_written_anew(tmp_path: Path) -> None:
    from wallaroo_ext.sandbox.server.env_file import EnvFileError, check_env_file, env_lines, write_env_file
    from wallaroo_ext.sandbox.server.serve import export_lines

    file = tmp_path / "environment"
    file.touch()
    with closing(Instance(tmp_path / "data")) as instance:
        for trusted in (None, tmp_path / "it's\na.pem"):
            write_env_file(file, export_lines("https://[::1]:1", instance, trusted))
            check_env_file(file)
    write_env_file(file, env_lines({"WALLAROO_API_URL": "http://a", "WALLAROO_AUTH_URL": "http://b"}))
    write_env_file(file, env_lines({"WALLAROO_API_URL": "http://a", "WALLAROO_AUTH_URL": "http://c"}))
    file.write_text(file.read_text() + "export MORE=1\n")
    with pytest.raises(EnvFileError, match="name a new file, or remove it"):
        check_env_file(file)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the option that names a contract of few operations, of which a client is made soon."""
    file = tmp_path_factory.mktemp("contract") / "own.yaml"
    file.write_text(json.dumps(base()), encoding="utf-8")
    return "--contract", str(file)


@pytest.fixture(scope="module")
def made(own: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a client, which tests copy."""
    directory = tmp_path_factory.mktemp("made") / "client"
    assert script(regenerate, *own, "--output", str(directory)).returncode == 0
    return directory


class TestBesideWhatIsOurs:
    """What others have in a directory stays as it is, when what is ours is made there and made anew."""

    @pytest.mark.slow
    def test_by_regenerate(self, own: tuple[str, str], tmp_path: Path) -> None:
        fill(tmp_path / "client", tmp_path / "outside", ".api.md.new", ".api.md.old", "wallaroo_mlops_client.txt")
        before = snapshot(tmp_path / "client", tmp_path / "outside")
        for _ in range(2):
            assert script(regenerate, *own, "--output", str(tmp_path / "client")).returncode == 0
        assert changed(before, snapshot(tmp_path / "client", tmp_path / "outside")) == {"client"}
        with (tmp_path / "client" / "api.md").open("a") as page:
            page.write("my own remark\n")
        before = snapshot(tmp_path / "client")
        done = script(regenerate, *own, "--output", str(tmp_path / "client"))
        assert done.returncode == 2
        assert "was changed since" in done.stderr
        assert snapshot(tmp_path / "client") == before

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["api.md", "wallaroo_mlops_client", "wallaroo_mlops_client/client.py"])
    def test_regenerate_follows_no_link(self, name: str, own: tuple[str, str], made: Path, tmp_path: Path) -> None:
        client = shutil.copytree(made, tmp_path / "client")
        (client / name).rename(tmp_path / "elsewhere")
        (client / name).symlink_to(tmp_path / "elsewhere")
        before = snapshot(tmp_path)
        assert script(regenerate, *own, "--output", str(client)).returncode == 2
        assert snapshot(tmp_path) == before

    @pytest.mark.slow
    def test_regenerate_goes_on_after_a_kill_in_the_middle(
        self, own: tuple[str, str], made: Path, tmp_path: Path
    ) -> None:
        from wallaroo_ext._util.files.atomic_files import temporary_name

        client = shutil.copytree(made, tmp_path / "client")
        listed = json.loads((client / ".wallaroo-generated.json").read_bytes())
        staging = temporary_name("generated")
        (client / ".wallaroo-generated.json").write_text(json.dumps(listed | {"unfinished": [staging, "notes"]}))
        write(client / "notes" / "own")
        (client / staging).mkdir()
        (client / "wallaroo_mlops_client").rename(client / staging / "wallaroo_mlops_client.old")
        assert script(regenerate, *own, "--output", str(client)).returncode == 0
        names = sorted(path.name for path in client.iterdir())
        assert names == [".wallaroo-generated.json", "api.md", "notes", "wallaroo_mlops_client"]

    def test_a_cache_of_python_that_was_emptied_is_nobodys(self, tmp_path: Path) -> None:
        made, client = tmp_path / "made", tmp_path / "client"
        write(made / "package/module.py")
        for _ in range(2):
            GeneratedFiles(client, ("package",), is_own=False).replace(made)
            (client / "package/__pycache__").mkdir()
        (client / "package/empty").mkdir()
        with pytest.raises(ForeignFilesError, match="package/empty was not written by"):
            GeneratedFiles(client, ("package",), is_own=False).check()

    def test_by_a_report(self, tmp_path: Path) -> None:
        from wallaroo_ext.conformance.report import write_report

        fill(tmp_path / "report", tmp_path / "outside", "report.htm")
        before = snapshot(tmp_path / "report", tmp_path / "outside")
        for run in (runs.failing(), runs.conforming()):
            write_report(run, tmp_path / "report")
        assert changed(before, snapshot(tmp_path / "report", tmp_path / "outside")) == {"report"}

    def test_by_recordings(self, tmp_path: Path) -> None:
        from wallaroo_ext.conformance.recordings.index import Index, NotRecordedHereError, Origin

        tapes = tmp_path / "tapes"
        origin = Origin("sandbox", "r", "1", "0", "2026-01-01")
        Index(tapes).announce("test_a", origin)
        (tapes / "test_a.yaml").write_text("a cassette")
        fill(tapes, tmp_path / "outside", "test_b.yml")
        Index(tapes).check()
        write(tapes / "test_b.yaml")
        with pytest.raises(NotRecordedHereError, match=r"test_b\.yaml was not recorded there"):
            Index(tapes).check()
        (tapes / "test_b.yaml").unlink()
        (tapes / "test_a.yaml").unlink()
        (tapes / "test_a.yaml").symlink_to(tmp_path / "outside" / "file")
        with pytest.raises(NotRecordedHereError, match=r"test_a\.yaml was not recorded there"):
            Index(tapes).check()

    def test_by_a_named_file(self, tmp_path: Path) -> None:
        """A file that was named exactly is replaced, with the rights that it had; a link stays and leads to it."""
        from wallaroo_ext.cli.printing.output_files import open_output

        fill(tmp_path / "here", tmp_path / "outside", "scored.csv", ".scored.csv.abcdefgh")
        os.link(tmp_path / "here" / "scored.csv", tmp_path / "outside" / "another name")
        before = snapshot(tmp_path / "here", tmp_path / "outside")
        for name in ("scored.csv", "link", "new.csv"):
            with open_output(tmp_path / "here" / name) as target:
                target.write(b"scored")
        after = snapshot(tmp_path / "here", tmp_path / "outside")
        assert changed(before, after) == {"here", "here/scored.csv", "outside", "outside/file"}
        assert (tmp_path / "here" / "scored.csv").stat().st_mode & 0o777 == 0o640
        assert (tmp_path / "outside" / "file").read_bytes() == b"scored"
        with pytest.raises(TypeError), open_output(tmp_path / "here" / "scored.csv") as target:
            write_half(target)
        assert changed(after, snapshot(tmp_path / "here", tmp_path / "outside")) == {"here"}  # the time of its entries

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system has no names for open files")
    def test_by_the_name_of_an_open_file(self, tmp_path: Path) -> None:
        """`--output /dev/stdout >> log` adds to the log, and does not take its place."""
        from wallaroo_ext.cli.printing.output_files import open_output

        log = write(tmp_path / "log")
        with log.open("ab") as opened:
            named = Path(f"/proc/self/fd/{opened.fileno()}")
            (tmp_path / "link").symlink_to(named)
            for name in (named, Path(f"/dev/fd/{opened.fileno()}"), tmp_path / "link"):
                with open_output(name) as target:
                    target.write(b", scored")
        assert log.read_bytes() == b"somebody's own" + 3 * b", scored"

    def test_by_a_chart(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that cannot be drawn leaves the one that was there."""
        figure: Any = pytest.importorskip("matplotlib.figure").Figure
        from wallaroo_ext.assays.figure import AssayFigure

        chart = write(tmp_path / "chart.png")

        def half(_: object, target: Any, **__: Any) -> None:
            Path(target).write_bytes(b"half") if isinstance(target, str | Path) else target.write(b"half")
            raise RuntimeError

        monkeypatch.setattr(figure, "savefig", half)
        with pytest.raises(RuntimeError):
            AssayFigure.save(object.__new__(AssayFigure), chart)
        assert chart.read_bytes() == b"somebody's own"


class TestBatchTargets:
    """In the directory of a run, its names are those that its manifest has, and nothing else is removed or replaced."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Any:
        from wallaroo_ext.batch.writing.manifest import Manifest
        from wallaroo_ext.batch.writing.storage import Storage

        made = Storage(tmp_path / "scored")
        made.make()
        Manifest({}).save(made)
        return made

    @staticmethod
    def begun(storage: Any) -> Any:
        import threading

        from wallaroo_ext.batch.options import PartSize
        from wallaroo_ext.batch.writing.manifest import load
        from wallaroo_ext.batch.writing.run import DatasetRun

        nothing: Any = None
        return DatasetRun(
            nothing,
            "",
            nothing,
            source=nothing,
            storage=storage,
            manifest=load(storage, {}),
            part_size=PartSize(),
            max_errors=None,
            stopped=threading.Event(),
        )

    @pytest.mark.parametrize("name", ["part-000000.parquet", "part-mine.parquet", "_errors.jsonl"])
    def test_a_file_under_its_names_is_refused(self, storage: Any, tmp_path: Path, name: str) -> None:
        write(tmp_path / "scored" / name)
        before = snapshot(tmp_path)
        with pytest.raises(InvalidDataError, match=rf"did not write, {name}: move it elsewhere"):
            self.begun(storage).run(None)
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("name", ["_manifest.json", "_lock", "_errors.jsonl", "part-000000.parquet"])
    def test_a_link_under_its_names_is_refused(self, storage: Any, tmp_path: Path, name: str) -> None:
        from wallaroo_ext.batch.writing.manifest import check_target

        (tmp_path / "scored" / name).unlink(missing_ok=True)
        (tmp_path / "scored" / name).symlink_to(write(tmp_path / "outside"))
        before = snapshot(tmp_path)
        with pytest.raises(InvalidDataError, match=r"has a link|of no run"):
            check_target(storage)
        assert snapshot(tmp_path) == before

    @pytest.mark.parametrize("place", ["file", "file/below/it", "pipe", "/dev/null"])
    def test_a_target_that_is_no_directory_is_refused(self, tmp_path: Path, place: str) -> None:
        from wallaroo_ext.batch.writing.manifest import check_target
        from wallaroo_ext.batch.writing.storage import Storage

        write(tmp_path / "file")
        os.mkfifo(tmp_path / "pipe")
        before = snapshot(tmp_path)
        with pytest.raises(InvalidDataError, match=r"is no directory, .*: name a new directory"):
            check_target(Storage(tmp_path / place))
        assert snapshot(tmp_path) == before

    def test_the_source_of_a_pattern_has_no_hidden_files_unless_it_names_them(self, tmp_path: Path) -> None:
        from wallaroo_ext.batch.reading.discovery import find_files

        for name in ("a.csv", "b/c.csv", "_lock", ".x", "b/_d.csv", "b/.e.csv", "_raw/f.csv", ".h/g/h.csv"):
            write(tmp_path / name)

        def fits(pattern: str) -> list[str]:
            return [os.path.relpath(path, tmp_path) for path in find_files(tmp_path / pattern, None).paths]

        assert fits("**") == fits("**/*") == fits("**/*.csv") == ["a.csv", "b/c.csv"]
        assert fits("*") == fits("?.csv") == ["a.csv"]
        assert fits("*/*.csv") == ["b/c.csv"]
        assert fits("_*") == ["_lock"]
        assert fits("**/_*") == ["_lock", "b/_d.csv"]
        assert fits("_raw/*") == fits("_*/*") == ["_raw/f.csv"]
        assert fits(".h/**") == [".h/g/h.csv"]

    def test_what_else_is_there_stays(self, storage: Any, tmp_path: Path) -> None:
        fill(tmp_path / "scored", tmp_path / "outside", ".unfinished-abc-part-000000.parquet", "part-a.csv", "_own")
        write(tmp_path / "scored" / ".part-000001.parquet.0123456789abcdef.unfinished")
        before = snapshot(tmp_path)
        run = self.begun(storage)
        run._check_names()
        run._clean()
        assert snapshot(tmp_path) == before


class TestTokenCache:
    def test_what_else_is_in_its_directory_stays(self, tmp_path: Path) -> None:
        from contract_tests.support.fake_keycloak import Keycloak

        fill(tmp_path / "tokens", tmp_path / "outside", ".abcdefgh.new", ".tmp12345.new", "a.json", "a.lock")
        write(tmp_path / "tokens" / ".abcd1234.new", b'{"key": "mine"}').chmod(0o600)
        (tmp_path / "tokens").chmod(0o700)
        before = snapshot(tmp_path / "tokens", tmp_path / "outside")
        auth = Keycloak().auth(cache=tmp_path / "tokens")
        assert auth.access_token() == "t1"
        auth.forget()
        assert changed(before, snapshot(tmp_path / "tokens", tmp_path / "outside")) == {"tokens"}


def write_half(target: Any) -> None:
    target.writelines([b"half", 0])


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Return the paths, below the directory of the test, of what is not as it was; of what is new, nothing is said."""
    root = os.path.commonpath([*before])
    return {os.path.relpath(path, root) for path in before if after.get(path) != before[path]}


def test_every_option_that_names_a_place_is_known_to_read_or_to_write() -> None:
    """So that a new option that writes is tried above, too."""
    found = {name for command in commands() for name in path_parameters(command)}
    assert found == READ | WRITTEN
