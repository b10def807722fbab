"""Does `call` make the requests that its arguments say, whatever the body comes from?"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wallaroo_ext.cli.call_requests import RequestInputs, build_request
from wallaroo_ext.cli.printing.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODEL = b"a model" * 100_000
STREAM = ["name=m", "filename=m.onnx", "workspace_id=1"]
RUNNING = ["deployment=d", "pipeline=p"]


def inputs(**given: Any) -> RequestInputs:
    none: dict[str, Any] = {"data": None, "path": [], "query": [], "part": [], "content_type": None, "accept": None}
    return RequestInputs(**none | given)


def request(name: str, **given: Any) -> httpx.Request:
    """Return a request as httpx would send it, with its body read."""
    with build_request(name, inputs(**given)) as arguments:
        made = httpx.Client(base_url="http://api.example.com").build_request(**arguments)
        made.read()
        return made


@pytest.fixture
def pipe(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that returns the path of a pipe with a content; a child writes it, as in `<(program)`."""

    def make(content: bytes) -> Path:
        path = tmp_path / "pipe"
        os.mkfifo(path)
        if os.fork() == 0:
            path.write_bytes(content)
            os._exit(0)
        return path

    return make


def test_a_file_is_streamed_with_its_size(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(MODEL)
    sent = request("upload_model_stream", query=STREAM, data=f"@{file}")
    assert (sent.content, sent.headers["Content-Length"]) == (MODEL, str(len(MODEL)))


def test_a_pipe_is_streamed_to_its_end(pipe: Callable[[bytes], Path]) -> None:
    sent = request("upload_model_stream", query=STREAM, data=f"@{pipe(MODEL)}")
    assert sent.content == MODEL
    assert "Content-Length" not in sent.headers
    assert sent.headers["Transfer-Encoding"] == "chunked"


def test_a_standard_input_is_streamed_from_where_it_stands(
    pipe: Callable[[bytes], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "m.onnx"
    begun.write_bytes(b"begin" + MODEL)
    with pipe(MODEL).open("rb") as piped, begun.open("rb") as rest:
        rest.seek(5)
        for file in (piped, rest, io.BytesIO(MODEL)):
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
            sent = request("upload_model_stream", query=STREAM, data="-")
            assert (sent.content, sent.headers.get("Content-Length")) == (MODEL, None)


def test_a_part_may_come_from_a_pipe(pipe: Callable[[bytes], Path]) -> None:
    metadata = '{"name": "m", "visibility": "private", "workspace_id": 1, "conversion": {"framework": "onnx"}}'
    sent = request("upload_model", part=[f"metadata={metadata}", f"file=@{pipe(MODEL)}"])
    assert MODEL in sent.content
    assert sent.headers["Content-Length"] == str(len(sent.content))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ([*RUNNING, "x=1"], "infer_pipeline has no 'x' in its path, but deployment and pipeline."),
        (["deployment=d"], "infer_pipeline needs --path pipeline=…."),
        (["deploymnt=d", "pipeline=p"], "infer_pipeline needs --path deployment=…."),
    ],
    ids=["unknown", "missing", "misspelt"],
)
def test_what_is_wrong_with_a_path_is_what_is_said(path: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        request("infer_pipeline", path=path, data="[]")
    assert str(raised.value) == message


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON ;a=b"])
def test_fields_are_looked_for_whatever_a_media_type_has_beside_it(kind: str) -> None:
    with pytest.raises(UsageError, match="the field workspace_id is missing"):
        request("list_models", data="{}", content_type=kind)
    sent = request("list_models", data='{"workspace_id": 1}', content_type=kind)
    assert sent.headers["Content-Type"] == kind
