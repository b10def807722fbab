"""Is text from outside only shown by a terminal, so that it cannot control it?"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.support.command_line import process
from contract_tests.support.servers import http_servers
from wallaroo_ext import DeploymentError, WallarooError
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import _PrintableFormatter  # pyright: ignore[reportPrivateUsage] - what `--verbose` logs with
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.redaction.terminal_text import printable, printable_json, printable_lines

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = {
    "a colour": "\x1b[31m",
    "a title": "\x1b]0;x\x07",
    "a link": "\x1b]8;;http://evil\x1b\\x",
    "a C1 control": "\x9b31m",
    "a carriage return": "good\rbad",
    "a backspace": "a\x08b",
    "delete": "\x7f",
    "nul": "\0",
    "an override": "\u202egpj.exe",
    "an isolate": "\u2066x\u2069",
    "a mark": "\u200f\u061c",
    "no width": "pass\u200bword\ufeff",
    "a tag": "\U000e0041",
    "a line separator": "a\u2028b\u2029c\x85d",
    "half a character": "\ud800",
    "nothing": "\U000effff",
    "soft": "a\xadb",
}


def harmless(text: str) -> bool:
    """Return whether a terminal only shows a text."""
    return all(line.isprintable() for line in text.replace("\t", " ").split("\n"))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
class TestTexts:
    def test_it_is_written_out(self, text: str) -> None:
        assert printable(text).isprintable()
        assert harmless(printable_lines(f"{text}\n\t{text}"))
        assert "\n\t" in printable_lines(f"{text}\n\t{text}")
        assert printable(text) != text
        assert printable(printable(text)) == printable(text)

    def test_as_json_it_means_the_same(self, text: str) -> None:
        written = printable_json(json.dumps({text: [text]}, ensure_ascii=False, indent=1))
        assert harmless(written)
        assert json.loads(written) == {text: [text]}

    @pytest.mark.parametrize("kind", [WallarooError, DeploymentError])
    def test_an_errors_text_has_none(self, text: str, kind: Any) -> None:
        error = kind(
            f"The model {text} is gone.", advice=f"Ask {text}.", **({"details": []} if kind is DeploymentError else {})
        )
        assert harmless(str(error))
        assert harmless(redact(text))

    @pytest.mark.parametrize("machine", [True, False])
    def test_what_a_command_prints_has_none(self, text: str, machine: bool, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: FBT001 - a parameter of the test
        output.print_line(text)
        output.print_note(text)
        output.print_line(output.to_json({"a": text}, machine=machine))
        with pytest.raises(SystemExit):
            output.fail(output.UsageError(text), machine=machine)
        record = logging.makeLogRecord({"msg": "it is %s", "args": (text,)})
        sys.stdout.write(_PrintableFormatter().format(record))
        printed = capsys.readouterr()
        assert harmless(printed.out)
        assert harmless(printed.err)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(value=st.recursive(st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_means_the_same(value: Any) -> None:
    written = printable_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert harmless(written)
    assert json.loads(written) == value


@pytest.mark.parametrize("text", ["größe", "日本語", "🚀", "a b", "", "1\u0301", 'x"\\'])
def test_what_can_be_seen_stays(text: str) -> None:
    assert printable(text) == printable_lines(text) == printable_json(text) == text


def _answer(handler: Any, _: int) -> None:
    text = "".join(HOSTILE.values())
    if "list_models" in handler.path or "models/list" in handler.path:
        return http_servers.answer(handler, 400, json.dumps({"code": 400, "msg": f"no {text}"}).encode())
    workspace: dict[str, Any] = {
        "id": 1,
        "name": text,
        "created_at": "2023-01-01T00:00:00Z",
        "created_by": "u",
        "archived": False,
    }
    listed: dict[str, Any] = {"workspaces": [workspace | {"models": [], "pipelines": []}]}
    return http_servers.answer(handler, 200, json.dumps(listed).encode())


COMMANDS = [
    ["upload", "--name", "\x1b[31mred\u202e", "FILE"],
    ["upload", "--name", "\x1b[31mred\u202e", "FILE", "--json"],
    ["upload", "/\x1b[31m/no-file\u202e.onnx"],
    ["call", "list_workspaces", "--json"],
    ["call", "list_models", "--data", '{"workspace_id": 1}'],
    ["call", "\x1b[31mlist\u202e"],
    ["status", "\x1b[31mred\u202e"],
    ["--\x1b[31m\u202e"],
    ["doctor", "--\x9b31m=\u2066"],
    ["infer", "\x1b[31mred\u202e", "/\x1b[31m\u202e.csv"],
    ["doctor", "--ca-bundle", "/\x1b[31m\u202e"],
    ["sandbox", "--auth-url", "\x1b[31m\u202e"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=ascii)
def test_no_command_prints_more_than_can_be_seen(arguments: list[str], tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no model")
    words = [str(file) if word == "FILE" else word for word in arguments]
    with http_servers.serving(_answer) as server:
        done = process(*words, environment={"WALLAROO_TOKEN": "a-token", "WALLAROO_API_URL": server.url})
    printed = done.stdout + done.stderr
    assert printed
    assert harmless(printed), ascii(printed)
    assert "Traceback" not in printed
