"""Do errors say what an answer says, whoever wrote it: the API, another one, or a gateway with its pages?"""

from __future__ import annotations

import codecs
import gzip
import json
import time
from typing import Any

import httpx
import pytest

from wallaroo_ext.errors import AuthenticationError, EngineError, InvalidRequestError, ServerError
from wallaroo_ext.transport.answer_texts import body_as_line, body_excerpt, is_page, parse_error
from wallaroo_ext.transport.response_errors import response_error

_STYLES = "<style>" + "a{b:c} " * 20_000 + "</style>"
_LONGEST_SECONDS = 5.0


def answer(content: bytes | str, kind: str = "", status: int = 503) -> httpx.Response:
    request = httpx.Request("POST", "https://api.example.com/v1/api/workspaces/list")
    body = content if isinstance(content, bytes) else content.encode()
    return httpx.Response(status, content=body, headers={"Content-Type": kind} if kind else {}, request=request)


_NGINX = """<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body>\r
<center><h1>502 Bad Gateway</h1></center>\r
<hr><center>nginx/1.25.3</center>\r
</body>\r
</html>\r
"""
_SIGN_IN = """<!DOCTYPE html><html><head><script>a = '<b>'</script><TITLE lang='en'>Sign in &ldquo;here&rdquo;</TITLE>
<!-- <p>no --><style>b{c:d}</style></head><h1>Sign in</h1><noscript>Script!</noscript><input name=u>"""
_XML = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Denied</Message></Error>'


class TestPages:
    @pytest.mark.parametrize(
        ("page", "line"),
        [
            (_NGINX, "502 Bad Gateway nginx/1.25.3"),
            (_SIGN_IN, "Sign in “here” Sign in"),
            (f"<html>{_STYLES}<title>Maintenance</title>", "Maintenance"),
            (f"<html><script>{_STYLES}", "a page without a text"),
            (_XML, "AccessDenied Denied"),
        ],
    )
    def test_the_title_and_the_text_are_shown(self, page: str, line: str) -> None:
        assert is_page(answer(page))
        assert body_as_line(answer(page)) == line

    @pytest.mark.parametrize("hidden", ["<p>token=SECRET-1", "<p>token&#61;SECRET-1", "<password>SECRET-1</password>"])
    def test_no_secret_is(self, hidden: str) -> None:
        for page in (f"<html>{hidden}</p>", f"<html><title>{hidden.removeprefix('<p>')}</title>"):
            assert "SECRET" not in body_as_line(answer(page)) + body_excerpt(answer(page))

    @pytest.mark.parametrize(
        "part", ["<script", "<script>", "<style></style", "<title", "<title>a", "<!--", "<meta ", "<", "&#1", "token="]
    )
    def test_a_long_one_takes_no_long_time(self, part: str) -> None:
        began = time.monotonic()
        assert len(str(response_error("list_workspaces", answer(part * (2**20 // len(part)), "text/html")))) < 600
        assert time.monotonic() - began < _LONGEST_SECONDS


class TestEncodings:
    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            ("Größe".encode(), ""),
            ("Größe".encode(), "text/plain; charset=no-such"),
            ("Größe".encode(), "text/plain; charset=unicode_escape"),
            ("Größe".encode(), "text/plain; charset=rot13"),
            (codecs.BOM_UTF8 + "Größe".encode(), "text/plain; charset=latin-1"),
            ("Größe".encode("latin-1"), "text/plain; charset=ISO-8859-1"),
            ("Größe".encode("utf-16"), "text/plain"),
            (codecs.BOM_UTF16_BE + "Größe".encode("utf-16-be"), ""),
            ("<meta charset=cp1252><p>Größe".encode("cp1252"), "text/html"),
            (
                "<meta http-equiv=Content-Type content='text/html; charset=iso-8859-15'>Größe".encode("iso-8859-15"),
                "text/html",
            ),
        ],
    )
    def test_a_text_is_read_as_it_was_written(self, body: bytes, kind: str) -> None:
        assert body_as_line(answer(body, kind)) == "Größe"
        assert "Größe" in body_excerpt(answer(body, kind))

    @pytest.mark.parametrize("encoding", ["punycode", "idna"])
    def test_an_encoding_of_names_is_none_of_texts(self, encoding: str) -> None:
        """Python takes minutes for a megabyte of it."""
        body, began = b"a-" + b"zz9" * 300_000, time.monotonic()
        assert body_as_line(answer(body, f"text/html; charset={encoding}")).startswith("a-zz9zz9")
        assert body_excerpt(answer(b"<meta charset=punycode>" + body)).startswith("<meta charset=punycode>a-zz9")
        assert time.monotonic() - began < _LONGEST_SECONDS

    @pytest.mark.parametrize("kind", ["", "text/html", "application/json"])
    def test_what_is_no_text_is_counted(self, kind: str) -> None:
        body = gzip.compress(json.dumps(list(range(999))).encode(), mtime=0)
        assert body_as_line(answer(body, kind)) == f"{len(body):,} bytes that are no text"

    def test_what_is_empty_is_empty(self) -> None:
        assert body_as_line(answer(b"", "text/html")) == ""


class TestOtherForms:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ({"code": 400, "msg": "The name is taken."}, "The name is taken."),
            ({"detail": "Not authenticated"}, "Not authenticated"),
            ({"message": "API rate limit exceeded", "request_id": "1"}, "API rate limit exceeded"),
            ({"Message": "User is not authorized"}, "User is not authorized"),
            ({"title": "Out of credit.", "detail": "It costs 50.", "status": 403}, "Out of credit: It costs 50."),
            ({"title": "Forbidden", "status": 403}, "Forbidden"),
            ({"kind": "Status", "status": "Failure", "message": "forbidden: x", "code": 403}, "forbidden: x"),
            ({"error": {"code": 403, "message": "No permission", "status": "PERMISSION_DENIED"}}, "No permission"),
            ({"error": "invalid_grant", "error_description": "Account disabled"}, "Account disabled"),
            ({"error": "invalid_grant", "error_description": ""}, "invalid_grant"),
            ({"status": 503, "error": "Service Unavailable", "path": "/v1"}, "Service Unavailable"),
        ],
    )
    def test_what_they_say_is_shown(self, content: dict[str, Any], text: str) -> None:
        error = response_error("list_workspaces", answer(json.dumps(content), "application/json"))
        assert error.msg == text
        assert f"503, {text.rstrip('.')}." in str(error)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
    @pytest.mark.parametrize("kind", ["text/html", "application/json; charset=latin-1"])
    def test_they_are_read_however_they_were_written(self, encoding: str, kind: str) -> None:
        body = json.dumps({"msg": "Größe"}, ensure_ascii=False).encode(encoding)
        kind = kind if encoding != "latin-1" else "application/json; charset=latin-1"
        error = response_error("list_workspaces", answer(body, kind, 404))
        assert error.msg == "Größe"
        assert error.advice.startswith("Check the names")  # it is no page, whatever it is called

    @pytest.mark.parametrize(
        "content",
        [
            {"code": 400, "msg": None},
            {"code": 400, "msg": ""},
            {"code": 400, "msg": {"a": 1}},
            {"detail": [{"loc": ["body", "name"], "msg": "field required"}]},
            {"error": {"a": {"error": 1}}},
            {"error": []},
            ["no"],
            "no",
            None,
        ],
    )
    def test_what_says_nothing_in_words_is_shown_as_it_is(self, content: Any) -> None:
        text = json.dumps(content)
        error = response_error("list_workspaces", answer(text, "application/json", 400))
        assert error.msg is None
        assert f"400, {text}" in str(error)

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            ({"error": "no", "source": "engine"}, EngineError),
            ({"error": "no", "status": "Error"}, EngineError),
            ({"error": "Bad Request", "status": 400, "path": "/v1"}, InvalidRequestError),
            ({"error": {"code": 400, "message": "no"}, "code": 400}, InvalidRequestError),
            ({"error": "It is wrong."}, InvalidRequestError),
            ({"error": "invalid_scope"}, AuthenticationError),
        ],
    )
    def test_their_form_tells_who_wrote_them(self, content: dict[str, Any], kind: type[Exception]) -> None:
        assert type(response_error("list_workspaces", answer(json.dumps(content), status=400))) is kind

    def test_the_engine_is_not_blamed_for_a_gateway(self) -> None:
        spring = json.dumps({"timestamp": "2024", "status": 503, "error": "Service Unavailable", "path": "/v1"})
        assert type(response_error("infer_pipeline", answer(spring))) is ServerError
        assert not parse_error(answer(spring)).from_engine
