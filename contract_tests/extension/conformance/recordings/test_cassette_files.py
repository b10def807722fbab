"""What a cassette keeps, and what it does not: headers, secrets, bodies, and what differs between two recordings."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.conformance.exchanges import LEFT_OUT
from wallaroo_ext.conformance.recordings.cassette_files import SecretFoundError, cassette_text, write_cassette
from wallaroo_ext.conformance.recordings.normalization import Normalizer
from wallaroo_ext.conformance.recordings.request_bodies import LARGEST_BODY, recorded_request_body
from wallaroo_ext.conformance.recordings.secrets import find_secrets, recorded_headers, without_secrets

TOKEN = "eyJ" + "hbGciOiJSUzI1NiJ9"  # in two parts, so that this file holds nothing that looks like one
JSON = "application/json"


def multipart(boundary: str, content: bytes = b"\x00model\r\n--x") -> tuple[bytes, str]:
    """Return a body as an upload sends it, and its media type."""
    request = httpx.Request(
        "POST",
        "http://a",
        files={
            "metadata": (None, json.dumps({"name": "m", "api_key": "k"}).encode(), JSON),
            "file": ("m.onnx", io.BytesIO(content), "application/octet-stream"),
        },
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    return request.read(), request.headers["Content-Type"]


class TestHeaders:
    def test_only_those_of_the_list_are_kept(self) -> None:
        headers = [("Authorization", "x"), ("Cookie", "x"), ("X-New", "x"), ("User-Agent", "x"), ("Accept", "*/*")]
        assert recorded_headers(headers) == {"accept": "*/*"}

    def test_every_boundary_has_one_name(self) -> None:
        kept = recorded_headers([("Content-Type", "multipart/form-data; boundary=4f2a")])
        assert kept == {"content-type": "multipart/form-data; boundary=boundary"}


class TestSecretsInJson:
    def test_those_of_the_contract_are_left_out_both_ways(self) -> None:
        body = {"email": "a@example.com", "password": "p"}
        assert without_secrets(body) == {"email": "a@example.com", "password": LEFT_OUT}
        assert without_secrets({"id": "1", "password": None}) == {"id": "1", "password": None}

    @pytest.mark.parametrize(
        "name", ["access_token", "refresh_token", "client_secret", "apiKey", "X-Api-Key", "Authorization", "passwd"]
    )
    def test_those_that_are_named_like_one_are_left_out_at_any_depth(self, name: str) -> None:
        assert without_secrets([{"a": {name: ["s", {"b": 1}]}}]) == [{"a": {name: LEFT_OUT}}]


class TestBodies:
    def test_json_is_kept_as_people_read_it(self) -> None:
        assert (
            recorded_request_body(b'{"b": 1, "password": "p"}', JSON)
            == f'{{\n "b": 1,\n "password": "{LEFT_OUT}"\n}}\n'
        )

    def test_parts_are_kept_without_their_boundary(self) -> None:
        kept = [recorded_request_body(*multipart(boundary)) for boundary in ("one", "another-0123456789")]
        assert kept[0] == kept[1]
        metadata, file = json.loads(kept[0])["parts"]
        assert metadata == {"name": "metadata", "type": JSON, "content": {"name": "m", "api_key": LEFT_OUT}}
        assert (file["filename"], file["content"]["bytes"]) == ("m.onnx", 11)

    def test_other_bytes_of_a_file_are_another_body(self) -> None:
        assert recorded_request_body(*multipart("a", b"one")) != recorded_request_body(*multipart("a", b"two"))

    def test_what_is_large_is_kept_by_its_digest(self) -> None:
        kept = json.loads(recorded_request_body(json.dumps(["a" * LARGEST_BODY]).encode(), JSON))
        assert set(kept) == {"sha256", "bytes"}

    def test_rows_of_arrow_are_kept_as_rows(self) -> None:
        file = to_file(pa.table({"tensor": pa.array([[1.0, 2.0]], pa.list_(pa.float32()))})).to_pybytes()
        kept = json.loads(recorded_request_body(file, "application/vnd.apache.arrow.file"))["arrow"]
        assert kept["rows"] == [{"tensor": [1.0, 2.0]}]
        assert "float" in kept["columns"]["tensor"]
        assert set(json.loads(recorded_request_body(b"none", "application/vnd.apache.arrow.file"))) == {
            "sha256",
            "bytes",
        }

    def test_rows_of_arrow_may_be_of_any_type(self) -> None:
        table = pa.table({"when": pa.array(np.array(["2026-01-01"], "datetime64[ms]")), "raw": [b"\xff"]})
        assert "2026" in recorded_request_body(to_file(table).to_pybytes(), "application/vnd.apache.arrow.file")

    @pytest.mark.parametrize("is_compressed", [True, False])
    def test_rows_of_arrow_that_take_much_are_kept_by_their_digest(self, *, is_compressed: bool) -> None:
        """A few bytes stand for as much as one likes: compressed columns, or rows of nothing."""
        arrow: Any = pa
        rows, value = (1 << 24, np.zeros(1 << 24, np.int8)) if is_compressed else (1 << 31, None)
        column = arrow.Array.from_buffers(arrow.null(), rows - 1, [None]) if value is None else arrow.array(value)
        batch = arrow.RecordBatch.from_arrays([column], ["x"])
        sink = arrow.BufferOutputStream()
        options = arrow.ipc.IpcWriteOptions(compression="zstd" if is_compressed else None)
        with arrow.ipc.new_file(sink, batch.schema, options=options) as writer:
            writer.write_batch(batch)
        file = sink.getvalue().to_pybytes()
        assert len(file) <= LARGEST_BODY
        assert set(json.loads(recorded_request_body(file, "application/vnd.apache.arrow.file"))) == {"sha256", "bytes"}


class TestNormalising:
    def normalised(self, *texts: str, **given: Any) -> list[str]:
        options: dict[str, Any] = {"prefix": "run-1f", "urls": ["http://127.0.0.1:4711"]} | given
        return Normalizer(**options)(texts)

    def test_the_run_and_its_instance_have_one_name(self) -> None:
        assert self.normalised('{"url": "http://127.0.0.1:4711/v1/run-1f-a"}') == [
            '{"url": "https://wallaroo.example.com/v1/conformance-a"}'
        ]

    def test_people_hosts_and_addresses_are_numbered(self) -> None:
        [kept] = self.normalised(
            '"email": "ann@corp.org" "by": "bob@corp.org" "for": "ann@corp.org" "me": "a@example.com" '
            '"at": "https://models.corp.org/x" "ip": "10.1.2.3" "firstName": "Ann", "username": "ann.s"'
        )
        assert kept == (
            '"email": "person-1@example.com" "by": "person-2@example.com" "for": "person-1@example.com" '
            '"me": "a@example.com" "at": "https://host-1.example.com/x" "ip": "192.0.2.1" "firstName": "Somebody", '
            '"username": "user-1"'
        )

    def test_times_keep_their_order_and_their_form(self) -> None:
        texts = ['"b": "2026-11-25T20:13:19.664583293Z"', '"a": "2026-11-25T19:00:00.5+01:00"', '"ms": 1795637599700']
        assert self.normalised(*texts) == [
            '"b": "2026-01-01T00:00:01.000000000Z"',
            '"a": "2026-01-01T00:00:00.0+00:00"',
            '"ms": 1767225602000',
        ]

    def test_a_day_that_does_not_exist_is_a_time_too(self) -> None:
        assert self.normalised('"2026-06-31T00:00:00Z"') == ['"2026-01-01T00:00:00Z"']

    def test_what_was_equal_stays_equal(self) -> None:
        one, other = "6f1c2a34-0000-4000-8000-00000000000a", "6f1c2a34-0000-4000-8000-00000000000b"
        kept = self.normalised(one, other, one)
        assert kept[0] == kept[2] != kept[1]

    def test_how_long_it_took_is_not_kept(self) -> None:
        assert self.normalised('"elapsed": [\n  811,\n  92\n ], "elapsed_millis": 7') == [
            '"elapsed": [\n  1,\n  2\n ], "elapsed_millis": 1'
        ]

    def test_it_may_be_done_again(self) -> None:
        once = self.normalised('"t": "2026-11-25T20:13:19Z", "e": "a@corp.org", "u": "http://127.0.0.1:4711/"')
        assert self.normalised(*once) == once


PLANTED = {
    "a token": f'"note": "{TOKEN}.e30.c2ln"',
    "a header": "    Authorization:\n    - nothing",
    "bearer": "  - Bearer 0123456789abcdef",
    "basic": f"x: Basic {base64.b64encode(b'api-client:hush').decode()}",
    "a cookie": "  Set-Cookie:\n  - session",
    "a field of JSON": '"password": "hush"',
    "a number": '"password": 123456',
    "a field of JSON in a string": r'"body": "{\"client_secret\": \"hush\"}"',
    "a field of YAML": "access_token: hush",
    "a form": "body: grant_type=password&username=a&password=hush",
    "a URL": "uri: https://ann:hush@wallaroo.example.com/",
    "a key": "-----BEGIN RSA PRIVATE KEY-----",
    "a person": '"email": "ann@corp.org"',
    "in a binary body": "string: !!binary |\n  "
    + base64.b64encode(f"\xff {TOKEN}.x".encode("latin-1")).decode()
    + "\n",
}


class TestLookingForSecrets:
    @pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
    def test_what_was_planted_is_found_and_not_repeated(self, planted: str) -> None:
        found = find_secrets(f"version: 1\ninteractions:\n{planted}\n")
        assert found
        assert all(finding.startswith("line 3") for finding in found)
        assert not any("hush" in finding or TOKEN in finding for finding in found)

    @pytest.mark.parametrize(
        "good", [f'"password": "{LEFT_OUT}"', '"password": null', '"token_type": "Bearer"', '"email": "a@example.com"']
    )
    def test_what_was_left_out_is_none(self, good: str) -> None:
        assert find_secrets(good) == []

    def test_a_cassette_with_a_secret_is_not_written(self, tmp_path: Any) -> None:
        path = tmp_path / "test_a.yaml"
        path.write_text("old", encoding="utf-8")
        with pytest.raises(SecretFoundError, match=r"test_a\.yaml was not written"):
            write_cassette(path, [{"request": {"body": '{"note": "' + TOKEN + '.x"}'}}])
        assert path.read_text(encoding="utf-8") == "old"
        assert list(tmp_path.iterdir()) == [path]


class TestFiles:
    def test_a_text_of_several_lines_stands_as_it_is(self) -> None:
        assert 'body: |\n      {\n       "a": 1\n      }\n' in cassette_text([{"request": {"body": '{\n "a": 1\n}\n'}}])

    def test_a_failed_write_leaves_the_old_file_and_nothing_else(
        self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "test_a.yaml"
        write_cassette(path, [])
        before = path.read_text(encoding="utf-8")

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OSError, match="No space"):
            write_cassette(path, [{"request": {}}])
        assert path.read_text(encoding="utf-8") == before
        assert list(tmp_path.iterdir()) == [path]

    def test_it_says_whether_something_changed(self, tmp_path: Any) -> None:
        one: list[dict[str, Any]] = [{"request": {}}]
        assert [write_cassette(tmp_path / "a.yaml", content) for content in ([], [], one)] == [True, False, True]
