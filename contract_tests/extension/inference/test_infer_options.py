"""Is each option of `infer` and of an upload that has a value of another kind refused in a sentence that names it?"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wallaroo_ext import InvalidDataError, connect, infer, upload_model

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client

URL = "https://api.example.com/v1/api/pipelines/infer/x-1/x"


@pytest.fixture
def client() -> Generator[Client]:
    """Yield a client that reaches nothing."""
    transport = httpx.MockTransport(lambda _: httpx.Response(500))
    with connect("https://api.example.com", token="t", environment={}, transport=transport) as client:
        yield client


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[(name, value) for name in ("dataset", "dataset_exclude") for value in (5, b"out", [None], ["out", 5])],
        ("dataset", None),
        ("dataset_separator", 5),
        ("dataset_separator", None),
        ("delimiter", 5),
        ("delimiter", b","),
        ("columns", 5),
        ("columns", {"b", "a"}),
        ("columns", ["a", None]),
    ],
)
def test_an_option_of_infer(client: Client, option: str, value: Any) -> None:
    given: Any = {option: value}
    with pytest.raises(InvalidDataError, match=f"`{option}` "):
        infer(client, URL, io.BytesIO(b"a\n1.5\n"), **given)


@pytest.mark.parametrize(
    ("option", "value"), [("wire", "xml"), ("wire", None), ("wire", ["arrow"]), ("missing", "drop")]
)
def test_an_option_is_refused_before_the_file_is_read(client: Client, option: str, value: Any) -> None:
    given: Any = {option: value}
    with pytest.raises(InvalidDataError, match=f"`{option}` is one of "):
        infer(client, URL, "no-such-file.csv", **given)


@pytest.mark.parametrize("value", [5, 3.1, b"x", ["x"]])
@pytest.mark.parametrize("option", ["name", "file_name", "python_version"])
def test_a_text_of_an_upload(client: Client, option: str, value: Any) -> None:
    given: Any = {"name": "model"} | {option: value}
    with pytest.raises(InvalidDataError, match=f"`{option}` is a text, not "):
        upload_model(client, b"model", **given)
