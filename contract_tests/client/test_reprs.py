"""What do models and responses show of themselves, on a line and in a notebook?"""

from __future__ import annotations

import copy
import inspect
import pickle
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any

import attrs
import pytest
import wallaroo_mlops_client.models
from wallaroo_mlops_client import AuthenticatedClient
from wallaroo_mlops_client.models import (
    InviteUserRequest,
    ListWorkspacesResponse,
    ModelVersion,
    Token,
    TokenRequest,
    Workspace,
)
from wallaroo_mlops_client.types import UNSET, ApiModel, Response, html_table

MODELS: list[type[Any]] = [
    found for _, found in inspect.getmembers(wallaroo_mlops_client.models, inspect.isclass) if attrs.has(found)
]
SECRET = "s3cr3t-51f0c9d2"


def made(kind: type[Any]) -> Any:
    """Return a model whose required fields have a value."""
    required = [field.alias for field in attrs.fields(kind) if field.init and field.default is attrs.NOTHING]
    return kind(**{str(name): 7 for name in required})


def workspace(number: int, name: str = "w") -> Workspace:
    return Workspace(id=number, name=name, created_at="2026-11-28", created_by="u", archived=False)


def answered(model: Any, content: bytes = b"{}") -> Response[Any]:
    return Response(status_code=HTTPStatus.OK, content=content, headers={"set-cookie": SECRET}, parsed=model)


def html_of(value: Any) -> str:
    """Return what a notebook shows."""
    return str(value._repr_html_())


class _Cells(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base class names it
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_a_model_shows_what_is_set_on_one_line(kind: type[Any]) -> None:
    model = made(kind)
    model.additional_properties = {"further": "x", "client_secret": SECRET}
    for shown in (repr(model), html_of(model)):
        assert "further" in shown
        assert not [text for text in ("UNSET", "additional_properties", "object at 0x", SECRET, "\n") if text in shown]
    assert repr(model).startswith(f"{kind.__name__}(")
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):  # noqa: S301 - our own bytes
        assert (copied, repr(copied)) == (model, repr(model))


@pytest.mark.parametrize(
    "model",
    [
        TokenRequest("password", username="u", password=SECRET, client_secret=SECRET, refresh_token=SECRET),
        Token(SECRET, refresh_token=SECRET, id_token=SECRET),
        InviteUserRequest("u@example.com", password=SECRET),
    ],
    ids=lambda model: type(model).__name__,
)
def test_secrets_are_hidden(model: Any) -> None:
    response = answered(model, SECRET.encode())
    for shown in (repr(model), html_of(model), repr(response), html_of(response)):
        assert SECRET not in shown
        assert "[hidden]" in shown


def test_a_client_shows_no_secret() -> None:
    client = AuthenticatedClient("http://a.example.com", SECRET, httpx_args={"auth": ("u", SECRET)})
    assert SECRET not in repr(client)
    assert "object at 0x" not in repr(client)


def test_what_is_long_is_cut() -> None:
    answer = ListWorkspacesResponse([workspace(number) for number in range(500)])
    assert len(repr(answer)) < 2000
    assert "and 490 more]" in repr(answer)
    assert len(repr(workspace(1, "x" * 10_000))) < 300
    cells = _Cells(html_of(answer))
    assert cells.texts[0] == "ListWorkspacesResponse: 500 workspaces"
    assert cells.texts[1:3] == ["id", "name"]
    assert cells.texts[-1] == "and 480 more"


def test_what_is_null_is_shown_and_what_is_unset_is_not() -> None:
    version: Any = made(ModelVersion)
    version.image_path, version.status = None, UNSET
    assert "image_path=None" in repr(version)
    assert "status" not in repr(version)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a&b", "\u202egpj.exe", "\x1b[31m", "a\nb"])
def test_a_table_is_text_whatever_the_instance_says(name: str) -> None:
    shown = workspace(1, name)
    cells = _Cells(html_of(shown))
    assert cells.tags == {"table", "caption", "tr", "th", "td"}
    assert (name if name.isprintable() else repr(name)) in cells.texts
    assert repr(shown).isprintable()


def test_a_model_in_a_model_is_shown() -> None:
    answer = ListWorkspacesResponse([workspace(1)])
    assert "workspaces=[Workspace(id=1, name='w'" in repr(answer)
    assert isinstance(answer, ApiModel)
    assert _Cells(html_table("t", [["a", answer]])).texts[-1].startswith("ListWorkspacesResponse(workspaces=[")


def test_a_response_shows_its_status_and_what_it_says() -> None:
    assert repr(answered(workspace(1))).startswith("Response(200, Workspace(id=1")
    empty = answered(None, b"abc")
    assert (repr(empty), html_of(empty)) == ("Response(200, 3 bytes)", "None")
