"""Are exchanges kept as they were, but for their secrets?"""

from __future__ import annotations

import pytest

from wallaroo_ext.conformance.exchanges import MAX_BODY_BYTES, redact_body, redact_headers
from wallaroo_ext.redaction.known_secrets import KnownSecrets

MULTIPART = "multipart/form-data; boundary=b"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "content",
    [
        b"--b\r\nContent-Disposition: form-data; name=metadata\r\n\r\n{}\r\n--b--\r\n",
        b"ARROW1\0\0" + bytes(100),
        bytes(range(256)),
        "ü€\x1b[0m".encode(),
        b'{"a": 1,\r\n "b": [2]}',
        b"a=1&b=%20+%2B",
        b"",
    ],
)
def test_what_holds_no_secret_is_kept_to_the_byte(content: bytes) -> None:
    for content_type in (MULTIPART, FORM, "application/octet-stream", "application/json", ""):
        assert redact_body(content, content_type).content == content


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b'{"email": "a@example.com", "password": "hunter2"}', "application/json"),
        (b"grant_type=password&password=hunter2", FORM),
        (b'--b\r\n\r\n{"password": "hunter2"}\r\n--b\r\n\r\n\xff\xfe\x00\r\n--b--\r\n', MULTIPART),
        (b"password=hunter2 " + "ü".encode() * MAX_BODY_BYTES, "text/plain"),
        (b'{"password": "hunter2", ' + b" " * MAX_BODY_BYTES, "application/json"),
    ],
)
def test_secrets_are_not_kept(content: bytes, content_type: str) -> None:
    body = redact_body(content, content_type)
    assert b"hunter2" not in body.content
    assert body.size == len(content)
    assert len(body.content) <= MAX_BODY_BYTES


def test_a_header_keeps_its_scheme_alone() -> None:
    kept = redact_headers([("Authorization", "Bearer abc"), ("Cookie", "a=b"), ("Accept", "*/*")])
    assert kept == (("Authorization", "Bearer [left out]"), ("Cookie", "[left out]"), ("Accept", "*/*"))


def test_a_header_that_was_seen_before_is_kept_without_a_secret_that_came_since() -> None:
    header = ("X-Told", "it was mustang-42-orchard")
    assert redact_headers([header]) == (header,)
    owner = KnownSecrets()
    owner.add("mustang-42-orchard")
    assert redact_headers([header]) == (("X-Told", "it was [removed]"),)
    del owner
    assert redact_headers([header]) == (header,)
