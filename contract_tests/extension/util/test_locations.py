"""Are locations told apart as people mean them, and shown without what may be secret?"""

from __future__ import annotations

import pytest

from wallaroo_ext._util.locations import is_url, without_secrets


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://host/rows.csv", True),
        ("HTTPS://host", True),
        ("s3a://bucket", True),
        ("zip::s3://bucket/a.zip", True),
        ("C://rows.csv", False),
        ("/rows/https://a", False),
        ("://host", False),
        ("rows.csv", False),
    ],
)
def test_a_url_is_known_by_its_scheme_which_is_no_drive(location: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert is_url(location) is expected


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@host/rows.csv?X-Signature=secret#secret", "https://host/rows.csv"),
        ("s3://key:secret@bucket/rows.csv", "s3://bucket/rows.csv"),
        ("simplecache::https://me:secret@host/a.csv?secret", "simplecache::https://host/a.csv"),
        ("zip://a/b.csv::https://me:secret@host/c.zip?secret", "zip://a/b.csv::https://host/c.zip"),
        ("tar://a.csv::filecache::s3://me:secret@host/c.tar", "tar://a.csv::filecache::s3://host/c.tar"),
        ("zip://a.csv::/home/c@d.zip", "zip://a.csv::/home/c@d.zip"),
        ("https://me:secret@[fe80::1]:8080/a.csv?secret", "https://[fe80::1]:8080/a.csv"),
        ("/home/a?b#c@d.csv", "/home/a?b#c@d.csv"),
        ("C:/rows.csv", "C:/rows.csv"),
    ],
)
def test_messages_have_no_secret_of_a_url(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
