"""Do sections of the bench run, and do they say what they did not measure?"""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from contract_tests.support.servers.forks import fork_server
from scripts.lib.bench import turns
from scripts.lib.bench.inference import many_rows, one_row
from scripts.lib.bench.uploads import large_upload
from scripts.lib.bench.uploads.memory import MIB
from scripts.lib.bench.vendor import program as vendor_program
from scripts.lib.bench.vendor import sdk as vendor_sdk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # it measures


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_way_has_its_turn_and_each_turn_begins_with_another_one() -> None:
    order: list[str] = []

    def way(name: str) -> turns.Way:
        return lambda: float(len(order.append(name) or order))

    seconds = turns.in_turns({"a": way("a"), "b": way("b")}, 2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert seconds == {"a": [4.0, 5.0], "b": [3.0, 6.0]}


def test_one_row_shows_both_kinds_of_clients_beside_bare_ones(console: Console) -> None:
    one_row(console, calls=10, with_vendor=False)
    for shown in ("httpx", "infer", "httpx, asyncio", "aio.infer", "left out, as --no-vendor says"):
        assert shown in printed(console)


def test_many_rows_are_measured_in_both_formats(console: Console) -> None:
    many_rows(console, rows=50, turns=1, records_turns=1, with_vendor=False)
    for shown in ("50 x 29 float32", "of numpy arrays", "of a table", "pandas-records"):
        assert shown in printed(console)
    for shown in (
        "Records beside the vendor's SDK",
        "client alone",
        "adds to the peak",
        "left out, as --no-vendor says",
    ):
        assert shown in printed(console)


@pytest.mark.slow
def test_an_upload_is_measured_beside_curl_where_that_is_there(console: Console) -> None:
    large_upload.large_upload(console, size=2 * MIB, turns=1, with_vendor=False)
    assert ("curl -F: it is not installed" in printed(console)) is (shutil.which("curl") is None)


def test_an_upload_is_measured_without_curl_too(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(*_: object) -> dict[str, float]:
        return {"client": 1.0}

    monkeypatch.setattr(large_upload, "measure", measured)  # the test above measures memory
    monkeypatch.setattr(large_upload, "running", fork_server.running)
    monkeypatch.setenv("PATH", "")
    large_upload.large_upload(console, size=2 * MIB, turns=1, with_vendor=False)
    assert "curl -F: it is not installed" in printed(console)


def test_a_file_to_upload_is_of_the_size_and_takes_little_of_the_disk(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    large_upload.make_file(file, 50 * MIB)
    assert file.stat().st_size == 50 * MIB
    assert file.stat().st_blocks * 512 < 10 * MIB
    assert any(file.read_bytes()[:MIB])


def test_what_the_vendors_sdk_cannot_do_has_its_reason() -> None:
    def fail() -> float:
        raise vendor_sdk.VendorError("it needs a browser")

    running, reasons = vendor_sdk.runnable({"runs": lambda: 1.0, "fails": fail})
    assert list(running) == ["runs"]
    assert reasons == {"fails": "it needs a browser"}


def test_a_task_that_fails_in_the_vendors_sdk_ends_as_its_error() -> None:
    client: Any = object()
    assert (
        "FileNotFoundError"
        in vendor_program.run_task(
            client, {"do": "infer", "deployment": "d", "file": "/not-there.arrow", "form": "table"}
        )["error"]
    )


def test_an_environment_that_cannot_be_made_is_a_reason_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise vendor_sdk.VendorError("it cannot be installed: no index")

    monkeypatch.setattr(vendor_sdk, "python", refuse)
    with (
        vendor_sdk.vendor({"WALLAROO_API_URL": "http://127.0.0.1:9"}) as vendor,
        pytest.raises(vendor_sdk.VendorError, match="no index"),
    ):
        vendor.do(do="infer")


@pytest.mark.parametrize("lock", [vendor_sdk.LOCK, vendor_sdk.LOCK.with_name("vendor-2023.txt")])
def test_the_vendors_locks_have_hashes_and_no_index(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    assert vendor_sdk.name().startswith("wallaroo 20")
    assert all(line.startswith("    --hash=sha256:") or "==" in line for line in lines)
