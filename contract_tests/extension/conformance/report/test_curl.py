"""Does a report's line for the shell send the very request again, and nothing else?"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.conformance.runs import ATTACK, SIGNED, exchange
from contract_tests.support.servers.http_servers import Seen, serving
from wallaroo_ext.conformance.exchanges import Body, redact_body, redact_headers
from wallaroo_ext.conformance.report.curl import BODY_FILE, curl_command

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from wallaroo_ext.conformance.exchanges import Exchange

TOKEN = "the-persons-own"
ENVIRONMENT = {"WALLAROO_TOKEN": TOKEN, "WALLAROO_CLIENT_ID": "api-client", "WALLAROO_CLIENT_SECRET": "own secret"}
MULTIPART = "multipart/form-data; boundary=b"
BODIES = {
    "JSON": (b'{"name": "it\'s \\"$(touch pwned)\\" `touch pwned` !!"}', "application/json"),
    "lines": (b'{\n  "name": "\xc3\xbc \\u0000"\n}\n\n', "application/json"),
    "an at sign": (b"@/etc/hostname", "text/plain"),
    "a multipart of text": (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n{}\r\n--b--\r\n", MULTIPART),
    "a multipart of bytes": (b"--b\r\n\r\n" + bytes(range(256)) + b"\r\n--b--\r\n", MULTIPART),
    "bytes": (b"ARROW1\0\0" + bytes(range(256)) * 40, "application/vnd.apache.arrow.file"),
    "control characters": (b"\x1b[31m\x07\x7f \xe2\x80\xae", "text/plain"),
    "broken UTF-8": (b"\xff\xed\xa0\x80", "application/json"),
    "a form": (b"a=1&b=%20+%2B", "application/x-www-form-urlencoded"),
    "nothing": (b"", "application/json"),
    "sixteen KiB": (b"'" * 16_384, "text/plain"),
}

needs_curl = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None,
    reason="curl and bash are missing: apt-get install curl bash",
)


@pytest.fixture
def seen() -> Generator[Seen]:
    with serving() as server:
        yield server


def sent(seen: Seen, path: str = "/v1/api/models/list?a=b", **parts: Any) -> Exchange:
    """Return an exchange with the server."""
    return replace(exchange(), url=seen.url + path, **parts)


def with_body(seen: Seen, content: bytes, content_type: str) -> Exchange:
    headers = redact_headers((*SIGNED[:1], ("Content-Type", content_type)))
    return sent(seen, request_headers=headers, request=redact_body(content, content_type))


def run(exchange: Exchange, directory: Path) -> subprocess.CompletedProcess[bytes]:
    """Run an exchange's line as a person does."""
    return subprocess.run(
        ["bash", "-c", curl_command(exchange).command],  # noqa: S607 - bash is wherever it is
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), "NO_PROXY": "*"} | ENVIRONMENT,
        capture_output=True,
        timeout=30,
        check=False,
    )


def arrived(seen: Seen) -> tuple[str, dict[str, str], bytes]:
    """Return the first line, the headers by their names in lower case, and the body of the only request that came."""
    [request], [body] = seen.requests, seen.bodies
    first, *lines = request.strip().splitlines()
    pairs = [line.partition(":") for line in lines]
    return first, {name.lower(): value.strip() for name, _, value in pairs}, body


@needs_curl
class TestRunning:
    @pytest.mark.parametrize("kind", BODIES)
    def test_the_same_request_arrives(self, kind: str, seen: Seen, tmp_path: Path) -> None:
        content, content_type = BODIES[kind]
        done = run(with_body(seen, content, content_type), tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(b'{"workspaces": []}')
        first, headers, body = arrived(seen)
        assert first == "POST /v1/api/models/list?a=b HTTP/1.1"
        assert body == content
        assert headers["content-type"] == content_type
        assert headers["authorization"] == f"Bearer {TOKEN}"
        assert headers["content-length"] == str(len(content))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "path",
        ["/a/../b/./c", "/infer?dataset[]=*&dataset.exclude={a,b}&x=[1-3]", "/%00%20'%22$HOME?%E2%82%AC&;|", "//"],
    )
    def test_a_url_arrives_as_it_was(self, path: str, seen: Seen, tmp_path: Path) -> None:
        run(sent(seen, path), tmp_path)
        assert arrived(seen)[0].split()[1] == path

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    def test_a_method_arrives_as_it_was(self, method: str, seen: Seen, tmp_path: Path) -> None:
        for request in (Body(b"", 0), Body(b"{}", 2)):
            seen.requests.clear()
            seen.bodies.clear()
            run(sent(seen, method=method, request=request), tmp_path)
            first, _, body = arrived(seen)
            assert (first.split()[0], body) == (method, request.content)

    def test_the_head_of_an_answer_is_asked_for_without_waiting_for_a_body(self, seen: Seen, tmp_path: Path) -> None:
        run(sent(seen, method="HEAD", request=Body(b"", 0)), tmp_path)
        assert arrived(seen)[0].split()[0] == "HEAD"

    def test_headers_arrive_as_they_were(self, seen: Seen, tmp_path: Path) -> None:
        odd = (("X-Quoted", 'it\'s "$HOME" `id` \\'), ("X-Empty", ""), ("Accept", "text/html"), ("X-Tab", "a\tb"))
        run(sent(seen, request_headers=odd), tmp_path)
        _, headers, _ = arrived(seen)
        assert {name: headers[name.lower()] for name, _ in odd} == dict(odd)
        assert "content-type" not in headers
        assert "authorization" not in headers

    def test_a_client_signs_in_with_its_own_secret(self, seen: Seen, tmp_path: Path) -> None:
        run(sent(seen, request_headers=redact_headers([("Authorization", "Basic YTpi")])), tmp_path)
        expected = base64.b64encode(b"api-client:own secret").decode()
        assert arrived(seen)[1]["authorization"] == f"Basic {expected}"

    def test_a_body_that_was_cut_comes_from_a_file(self, seen: Seen, tmp_path: Path) -> None:
        content = bytes(range(256)) * 400
        cut = with_body(seen, content, "application/octet-stream")
        assert "102,400 bytes, and the run kept the first 16,384" in curl_command(cut).notes[0]
        tmp_path.joinpath(BODY_FILE).write_bytes(content)
        run(cut, tmp_path)
        assert arrived(seen)[2] == content

    def test_nothing_that_an_instance_chose_is_run(self, tmp_path: Path) -> None:
        evil = "'\"; touch pwned; $(touch pwned) `touch pwned` \n touch pwned\r\n#\\' \x00\x1b"
        for text in (evil, f"-o pwned {evil}", ATTACK, "--config=pwned"):
            body = text.encode(errors="surrogatepass")
            attack = exchange(
                method=text, url=text, request_headers=((text, text), ("X", text)), request=Body(body, len(body))
            )
            run(attack, tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestSecrets:
    @pytest.mark.parametrize("header", ["Authorization", "authorization", "Cookie", "Proxy-Authorization"])
    def test_none_is_in_the_line_even_where_it_is_in_the_exchange(self, header: str) -> None:
        for value in ("Bearer hunter2", "Basic hunter2", "hunter2"):
            line = curl_command(exchange(request_headers=((header, value),)))
            assert "hunter2" not in f"{line}"

    @pytest.mark.parametrize(
        "secret", ["hunter2", "ten-tokens", "sixteen-letters."]
    )  # some as long as what replaces them
    def test_a_body_that_lost_its_secret_says_so(self, secret: str) -> None:
        form, json = f"username=a&password={secret}", f'{{"email": "a@example.com", "password": "{secret}"}}'
        for content, content_type in ((form, "application/x-www-form-urlencoded"), (json, "application/json")):
            line = curl_command(exchange(request=redact_body(content.encode(), content_type)))
            assert "[left out]" in line.notes[0]
            assert secret not in line.command

    def test_a_request_without_a_token_is_repeated_without_one(self) -> None:
        assert "TOKEN" not in curl_command(exchange(request_headers=SIGNED[1:])).command

    def test_what_is_left_out_is_said(self) -> None:
        [note] = curl_command(exchange(request_headers=(("Cookie", "a=b"), ("X-Odd", "a\r\nb")))).notes
        assert note.endswith("X-Odd, Cookie.")


def test_the_line_of_a_plain_request_is_short() -> None:
    assert curl_command(exchange()).command.splitlines() == [
        "curl -i https://api.wallaroo.example.com/v1/api/models/list \\",
        '  -H "Authorization: Bearer $WALLAROO_TOKEN" \\',
        "  -H 'Content-Type: application/json' \\",
        "  --data-raw '{\"workspace_id\": 1}'",
    ]
