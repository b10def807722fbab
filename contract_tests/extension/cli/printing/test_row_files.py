"""Does the command line read rows from wherever they are, and say in a sentence why it does not?"""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import wallaroo_ext.batch
import wallaroo_ext.client
from contract_tests.support.servers.http_servers import unused
from wallaroo_ext.batch.options import DatasetScored
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.reading import input_rows
from wallaroo_ext.client import DEFAULT_LIMITS
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from contract_tests.support.command_line import Done

PLAIN = b"a,b\n1,2\n"
INFER, BATCH = ("infer", "rows", "{}"), ("batch", "{}", "out", "--pipeline", "rows")

REFUSED: list[tuple[tuple[str, ...], str, bytes, tuple[str, ...], str]] = [
    (INFER, "rows.csv", "größe\n1\n".encode("cp1252"), (), "In cp1252 that place reads 'größe'; if it should, say enc"),
    (BATCH, "rows.csv", "größe\n1\n".encode("cp1252"), (), "--encoding cp1252 on the command line"),
    (INFER, "rows.csv", PLAIN, ("--encoding", "utf8x"), "`encoding` says 'utf8x'"),
    (BATCH, "rows.csv", PLAIN, ("--encoding", "hex"), "`encoding` says 'hex'"),
    (INFER, "rows.csv", PLAIN, ("--delimiter", "::"), "`delimiter` is one sign"),
    (BATCH, "rows.csv", PLAIN, ("--delimiter", "-"), "`delimiter` is one sign"),
    (BATCH, "rows.csv", PLAIN, ("--decimal", ";"), "--decimal"),
    (INFER, "rows.csv", b"a;b\n1,5;2\n", (), "--decimal , on the command line"),
    (INFER, "rows.csv", b"a,b;c\n1,2;3\n", (), "--delimiter ',' on the command line"),
    (INFER, "rows.csv.gz", gzip.compress(os.urandom(999))[:-9], (), "ends too early: copy or download it again"),
    (BATCH, "rows.csv.gz", gzip.compress(os.urandom(999))[:-9], (), "ends too early: copy or download it again"),
    (INFER, "rows.csv", b"", (), "is empty"),
    (BATCH, "rows.csv", b"", (), "are empty"),
    (BATCH, "rows.onnx", PLAIN, (), "is of no known format"),
]

MISSING: list[tuple[tuple[str, ...], str]] = [
    (("infer", "rows", "rwos.csv"), "rwos.csv: No such file or directory: there is 'rows.csv'."),
    (("infer", "rows", "rows-*.csv"), "infer_dataset (wallaroo-ext batch) scores all that a pattern fits"),
    (("infer", "rows", "."), ".: Is a directory, and rows are read from one file"),
    (("infer", "rows", "memory://rows/none.csv"), "There is no file memory://rows/none.csv"),
    (("infer", "rows", "nothing://u:secret@host/rows.csv"), "nothing://host/rows.csv cannot be opened"),
    (("infer", "rows", "nothing://[::1"), "cannot be opened"),
    (("infer", "rows", "-"), "The standard input is empty"),
    (("batch", "rwos.csv", "out", "--pipeline", "rows"), "There is no file rwos.csv, but 'rows.csv' beside it"),
    (("batch", "zz-*.csv", "out", "--pipeline", "rows"), "There is no file that "),
    (("batch", "-", "out", "--pipeline", "rows"), "save the standard input in a file, or score it by"),
    (("batch", "pipe.csv", "out", "--pipeline", "rows"), "is no regular file"),
    (("batch", "-none.csv", "out", "--pipeline", "rows"), "There is no file -none.csv"),
]


@pytest.fixture
def refused(wallaroo: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs a command in an empty directory, and returns the sentence in which it fails."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> str:
        environment = {"WALLAROO_API_URL": unused(), "WALLAROO_TOKEN": "a-token-91Xk"}
        done = wallaroo(*arguments, environment=environment, stdin=stdin)
        assert done.code == 2
        assert "secret" not in done.err
        return " ".join(done.err.split()) if "╭" in done.err else done.sentence

    return run


@pytest.mark.parametrize(("command", "name", "content", "options", "message"), REFUSED)
def test_a_file_that_is_not_read_is_said_in_a_sentence(
    refused: Callable[..., str],
    command: tuple[str, ...],
    name: str,
    content: bytes,
    options: tuple[str, ...],
    message: str,
) -> None:
    Path(name).write_bytes(content)
    assert message in refused(*(word.format(name) for word in command), *options)
    if command == INFER and content and name.endswith(".csv"):
        assert message in refused("infer", "rows", "-", *options, stdin=content)


@pytest.mark.parametrize(("arguments", "message"), MISSING)
def test_a_file_that_is_not_there_is_said_in_a_sentence(
    refused: Callable[..., str], arguments: tuple[str, ...], message: str
) -> None:
    Path("rows.csv").write_bytes(PLAIN)
    os.mkfifo("pipe.csv")
    assert message in refused(*arguments)


def test_the_options_of_a_batch_are_those_of_the_function(
    wallaroo: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}

    def record(*_: object, **options: object) -> DatasetScored:
        given.update(options)
        none = {"rows": 0, "rejected": 0, "parts": 0, "rows_before": 0, "requests": 0, "repeated": 0}
        return DatasetScored(target="out", errors=None, seconds=0.0, **none)

    monkeypatch.setattr(wallaroo_ext.batch, "infer_dataset", record)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-rows.txt").write_bytes("größe|b\n1,5|2\n".encode("cp1252"))
    options = ("--encoding", "cp1252", "--decimal", ",", "--delimiter", "|", "--keys", "größe")
    done = wallaroo("batch", "-rows.txt", "out", "--pipeline", "rows", *options)
    assert (done.code, done.out) == (0, "")
    expected = {"encoding": "cp1252", "decimal": ",", "delimiter": "|", "keys": ["größe"], "columns": ["b"]}
    assert {name: given[name] for name in expected} == expected


@pytest.mark.parametrize(("in_flight", "connections"), [("8", 20), ("40", 40)])
def test_a_batch_has_a_connection_for_each_request(
    wallaroo: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_flight: str, connections: int
) -> None:
    limits: list[httpx.Limits] = []

    def record(**options: Any) -> None:
        limits.append(options.get("limits", DEFAULT_LIMITS))
        raise ConfigurationError("Nothing is sent here.")

    monkeypatch.setattr(wallaroo_ext.client, "connect", record)
    file = tmp_path / "rows.csv"
    file.write_bytes(PLAIN)
    assert wallaroo("batch", str(file), "out", "--pipeline", "rows", "--in-flight", in_flight).code == 2
    assert [(each.max_connections, each.max_keepalive_connections) for each in limits] == [(connections, connections)]


def test_progress_for_a_program_is_printed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(read, encoding="utf-8"))
    output.print_at_once('{"event":"progress"}')
    assert read.getvalue() == b'{"event":"progress"}\n'


def test_a_standard_input_that_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="There is no standard input"):
        input_rows.read_rows("-", [], AS_WRITTEN)
