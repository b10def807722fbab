"""Are URLs opened with the options of their file system, and stay the secrets among these unseen?"""

from __future__ import annotations

import asyncio
import errno
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.command_line import Done, in_process
from contract_tests.support.data.batch_rows import batch, check_scores, table_of
from wallaroo_ext import ConfigurationError, InvalidDataError, PartSize, WallarooError, aio, infer, infer_dataset
from wallaroo_ext.batch.writing.storage import Storage
from wallaroo_ext.inference.files.opening.filesystems import resolve
from wallaroo_ext.inference.files.opening.storage_options import with_storage_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from wallaroo_mlops_client import Client

    from wallaroo_ext.sandbox.control_client import Sandbox

fsspec: Any = pytest.importorskip("fsspec", reason="file systems of fsspec need: pip install fsspec")
memory: Any = pytest.importorskip("fsspec.implementations.memory")
pa: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")

SECRET = "wJalrXUtnFEMIK7MDENGbPx"
WRONG = "another-Secret-4711-zzz"
URL, OUT = "guarded://in/rows.parquet", "guarded://out"
OPTIONS: Any = {"secret": SECRET, "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"}}
SMALL: Any = {"keys": ["id"], "request_rows": 50, "part_size": PartSize(rows=100)}


class Guarded(memory.MemoryFileSystem):  # pyright: ignore[reportUntypedBaseClass] - fsspec has no types
    """A file system in memory that opens its files only to who gives a secret, and repeats what was given."""

    protocol = "guarded"
    cachable = False

    def __init__(
        self,
        secret: str | None = None,
        client_kwargs: Any = None,
        *,
        late: bool = False,
        code: int | None = None,
        **how: Any,
    ) -> None:
        parent: Any = super()
        parent.__init__(**how)
        self.late = None if secret == SECRET else f"access denied for the secret {secret!r}"
        if self.late and not late:
            raise PermissionError(self.late) if code is None else PermissionError(code, self.late)
        self.client_kwargs = client_kwargs

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("guarded://").strip("/")

    def _open(self, path: str, *arguments: Any, **how: Any) -> Any:
        if self.late:
            raise PermissionError(self.late)
        parent: Any = super()
        return parent._open(path, *arguments, **how)


@pytest.fixture
def wallaroo(
    control: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return a function that runs the command line."""
    return in_process(dict(control.environment), monkeypatch, capsys)


@pytest.fixture
def rows() -> Iterator[Any]:
    """Yield the rows of a file on the file system that demands a secret."""
    fsspec.register_implementation("guarded", Guarded, clobber=True)
    store = Guarded(SECRET)
    table = table_of(batch(120))
    with store.open("/in/rows.parquet", "wb") as opened:
        parquet.write_table(table, opened)
    yield table
    for name in ("/in", "/out"):
        if store.exists(name):
            store.rm(name, recursive=True)


def written() -> dict[str, bytes]:
    store = Guarded(SECRET)
    return {path: store.cat_file(path) for path in store.find("/out")}


def all_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


class TestOptionsAreUsed:
    def test_by_infer_in_threads_and_asyncio(
        self, client: Client, control: Sandbox, rows: Any, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        async def scored() -> Any:
            async with aio.connect(environment=control.environment) as connected:
                return await aio.infer(connected, "rows", URL, columns=["dense_input"], storage_options=OPTIONS)

        for answer in (
            infer(client, "rows", URL, columns=["dense_input"], storage_options=OPTIONS),
            asyncio.run(scored()),
        ):
            check_scores(answer.append_column("id", rows.column("id")), rows, expected)

    @pytest.mark.parametrize("source", [URL, [URL], "guarded://in", "guarded://in/*.parquet"])
    def test_by_infer_dataset_for_its_source_and_its_target(
        self, client: Client, rows: Any, source: Any, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        options: Any = SMALL | {"storage_options": OPTIONS, "target_storage_options": OPTIONS}
        assert infer_dataset(client, "rows", source, OUT, **options).rows == 120
        parts = {path: content for path, content in written().items() if path.endswith(".parquet")}
        scored = pa.concat_tables([parquet.read_table(pa.BufferReader(parts[path])) for path in sorted(parts)])
        check_scores(scored, rows, expected)
        assert infer_dataset(client, "rows", source, OUT, **options).rows_before == 120
        assert not [path for path, content in written().items() if SECRET.encode() in content]

    def test_on_the_command_line(
        self, wallaroo: Callable[..., Done], url: str, rows: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del url, rows
        monkeypatch.setenv("MY_SECRET", SECRET)
        stored = ("--storage-option-env", "secret=MY_SECRET", "--storage-option", 'client_kwargs={"region_name": "x"}')
        target = ("--target-storage-option-env", "secret=MY_SECRET")
        many = wallaroo("batch", URL, OUT, "--pipeline", "rows", "--keys", "id", *stored, *target)
        assert many.code == 0, many.err
        one = wallaroo("infer", "rows", URL, "--keys", "id", *stored)
        assert one.code == 0, one.err
        assert len(one.out.splitlines()) == 120
        assert SECRET not in many.out + many.err + one.out + one.err

    def test_by_the_file_system_and_not_by_pyarrows(self) -> None:
        fsspec.register_implementation("guarded", Guarded, clobber=True)
        system: Any = resolve(with_storage_options("guarded://in", OPTIONS))[0]
        assert system.handler.fs.client_kwargs == OPTIONS["client_kwargs"]


class TestSecretsStayUnseen:
    @pytest.mark.parametrize(
        ("target", "shown"),
        [
            (f"memory://me:{SECRET}@host/out?sig={SECRET}", "memory://host/out"),
            ("memory://host/out/", "memory://host/out/"),
            ("out", "out"),
        ],
    )
    def test_in_what_is_told_of_a_target(self, target: str, shown: str, tmp_path: Path) -> None:
        target = target if "://" in target else str(tmp_path / target)
        storage = Storage(target)
        assert storage.location.removeprefix(f"{tmp_path}/") == shown
        below = storage.shown("_errors.jsonl").removeprefix(f"{tmp_path}/")
        assert below == f"{shown.rstrip('/')}/_errors.jsonl"

    @pytest.mark.parametrize("late", [False, True])
    def test_in_errors_and_what_caused_them(self, client: Client, rows: Any, tmp_path: Path, *, late: bool) -> None:
        del rows
        options = {"secret": WRONG, "late": late}
        calls: list[Callable[[], object]] = [
            lambda: infer(client, "rows", URL, storage_options=options),
            lambda: infer_dataset(client, "rows", URL, tmp_path / "out", storage_options=options),
        ]
        for call in calls:
            with pytest.raises((WallarooError, OSError), match=r"access denied for the secret '\[removed\]'") as caught:
                call()
            assert WRONG not in all_of(caught.value)

    def test_in_an_error_of_the_system(self, client: Client, rows: Any) -> None:
        del rows
        with pytest.raises(ConfigurationError, match=r"access denied for the secret '\[removed\]'") as caught:
            infer(client, "rows", URL, storage_options={"secret": WRONG, "code": errno.EACCES})
        assert WRONG not in all_of(caught.value)

    def test_in_the_error_of_a_target(self, client: Client, rows: Any) -> None:
        del rows
        with pytest.raises(ConfigurationError, match=r"guarded://out cannot be opened: access denied") as caught:
            infer_dataset(client, "rows", URL, OUT, storage_options=OPTIONS, target_storage_options={"secret": WRONG})
        assert WRONG not in all_of(caught.value)

    def test_in_what_a_location_shows(self) -> None:
        location = with_storage_options("guarded://in", {"token": {"deep": [SECRET]}})
        assert (str(location), repr(location)) == ("guarded://in", "'guarded://in'")

    def test_an_endpoint_is_shown(self) -> None:
        from wallaroo_ext.redaction.known_secrets import remove_known_secrets

        held = with_storage_options("guarded://in", OPTIONS | {"headers": {"Authorization": "Basic dXNlcjpwYXNz"}})
        text = f"http://127.0.0.1:9 refused {SECRET} and dXNlcjpwYXNz"
        shown = remove_known_secrets(text)
        assert shown.startswith("http://127.0.0.1:9 refused [removed]")
        assert held is not None

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            (f"secret={WRONG}", "--storage-option-env secret=VARIABLE"),
            (f'client_kwargs={{"aws_secret_access_key": "{WRONG}"}}', "'aws_secret_access_key' may be secret"),
            (f'credentials=["{WRONG}"]', "'credentials' may be secret"),
            (f'links=[{{"password": "{WRONG}"}}]', "'password' may be secret"),
            ("password=12345678", "'password' may be secret"),
            (WRONG, "write an option and its value, such as anon=true"),
            ("anon=", "write an option and its value, such as anon=true"),
        ],
    )
    def test_on_the_command_line_they_are_refused(
        self, wallaroo: Callable[..., Done], option: str, message: str
    ) -> None:
        for command in (("infer", "rows", URL), ("batch", URL, OUT, "--pipeline", "rows")):
            done = wallaroo(*command, "--storage-option", option)
            assert done.code == 2
            assert message in done.err
            assert WRONG not in done.err
            assert "12345678" not in done.err

    def test_a_variable_that_is_not_set(self, wallaroo: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
        done = wallaroo("infer", "rows", URL, "--storage-option-env", "secret=NO_SUCH_VARIABLE")
        assert done.code == 2
        assert "--storage-option-env secret: the environment variable that it names is not set" in done.err


class TestOptionsThatCannotBeUsed:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ({"source": "rows.csv", "storage_options": {}}, r"`storage_options` \(--storage-option on the command"),
            (
                {"source": "rows.csv", "target_storage_options": {}},
                r"`target_storage_options` \(--target-storage-option",
            ),
            ({"source": URL, "storage_options": [("a", 1)]}, "are the options that fsspec takes for a URL"),
            ({"source": URL, "storage_options": {1: 2}}, "are the options that fsspec takes for a URL"),
            ({"source": URL, "storage_options": {}, "filesystem": 1}, "A file system has its options already"),
        ],
    )
    def test_a_sentence_says_so(self, client: Client, tmp_path: Path, call: dict[str, Any], message: str) -> None:
        with pytest.raises(InvalidDataError, match=message):
            infer_dataset(client, "rows", call.pop("source"), tmp_path / "out", **call)

    @pytest.mark.parametrize("data", ["rows.csv", {"a": [1]}, [{"a": 1}]])
    def test_rows_that_are_no_url(self, client: Client, data: Any) -> None:
        with pytest.raises(InvalidDataError, match="are for URLs"):
            infer(client, "rows", data, storage_options={"anon": True})

    def test_one_that_the_file_system_does_not_know(self, client: Client) -> None:
        class Strict(memory.MemoryFileSystem):  # pyright: ignore[reportUntypedBaseClass] - fsspec has no types
            def __init__(self, *, account: str) -> None:
                parent: Any = super()
                parent.__init__(account=account)

        fsspec.register_implementation("strict", Strict, clobber=True)
        with pytest.raises(ConfigurationError, match=r"^strict://a\.csv cannot be opened: .*Look at `storage_options`"):
            infer(client, "rows", "strict://a.csv", storage_options={"acount": "x"})
