"""Are the files of a directory or a pattern those that people mean: each once, none left out, no stale one?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from wallaroo_ext import InvalidDataError
from wallaroo_ext.batch.reading import discovery
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.batch.reading.positions import Position

if TYPE_CHECKING:
    from pathlib import Path

arrow: Any = pa
pq: Any = parquet


def read(source: Any) -> dict[str, list[Any]]:
    opened = open_source(source)
    schema = opened.decide().schema
    return arrow.Table.from_batches([batch for _, batch in opened.batches(Position(0, 0))], schema).to_pydict()


def write(directory: Path, *files: str) -> None:
    """Write Parquet files that have their names in their one row."""
    for name in files:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(arrow.table({"a": [name]}), path)


def sources(directory: Path) -> list[Any]:
    return [directory, f"{directory}/**/*.parquet"]


def test_files_that_programs_leave_behind_are_hidden(tmp_path: Path) -> None:
    write(tmp_path, "b.parquet", "deep/a.parquet", "_temporary/0/x.parquet", ".staging/x.parquet")
    for name in ("_SUCCESS", "._SUCCESS.crc", ".b.parquet.crc", "_metadata", "_common_metadata", ".DS_Store"):
        (tmp_path / name).write_bytes(b"no rows")
    for source in sources(tmp_path):
        assert read(source) == {"a": ["b.parquet", "deep/a.parquet"]}


@pytest.mark.parametrize("name", ["README.md", "Thumbs.db", "b.parquet.tmp"])
def test_another_file_is_named_with_how_to_leave_it_out(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a.parquet")
    (tmp_path / name).write_text("no rows", encoding="utf-8")
    with pytest.raises(InvalidDataError, match=rf"{name} is of no known format: name the others by a pattern such as"):
        read(tmp_path)
    assert read(f"{tmp_path}/*.parquet") == {"a": ["a.parquet"]}


@pytest.mark.parametrize(("link", "target"), [("b.parquet", "a.parquet"), ("deep/loop", "deep"), ("latest", "deep")])
def test_a_file_is_not_scored_twice_because_of_a_link(tmp_path: Path, link: str, target: str) -> None:
    write(tmp_path, "a.parquet", "deep/c.parquet")
    (tmp_path / link).symlink_to(tmp_path / target)
    for source in sources(tmp_path):
        with pytest.raises(InvalidDataError, match=r"are one file, by a link, so that its rows would be scored twice"):
            read(source)
    assert read([tmp_path / "a.parquet"] * 2) == {"a": ["a.parquet"] * 2}


def test_links_are_files_and_so_are_hard_links(tmp_path: Path) -> None:
    write(tmp_path, "in/a.parquet", "elsewhere/b.parquet")
    (tmp_path / "in" / "b.parquet").symlink_to(tmp_path / "elsewhere" / "b.parquet")
    (tmp_path / "in" / "c.parquet").hardlink_to(tmp_path / "in" / "a.parquet")
    (tmp_path / "in" / "..data").symlink_to(tmp_path / "in" / "gone")
    for source in sources(tmp_path / "in"):
        assert read(source) == {"a": ["in/a.parquet", "elsewhere/b.parquet", "in/a.parquet"]}


@pytest.mark.parametrize("name", ["b.parquet", "deep/b.parquet"])
def test_a_link_to_what_is_gone_is_no_reason_to_leave_rows_out(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a.parquet", "deep/c.parquet")
    (tmp_path / name).symlink_to(tmp_path / "gone.parquet")
    for source in sources(tmp_path):
        with pytest.raises(InvalidDataError, match=rf"{name} is a link to what does not exist: fetch it, or remove"):
            read(source)
    assert read(f"{tmp_path}/a*.parquet") == {"a": ["a.parquet"]}


@pytest.mark.parametrize(
    ("pattern", "listed"),
    [
        ("*.parquet", [""]),
        ("d*/[ab].parquet", ["", "/day"]),
        ("d*/in/*.parquet", ["", "/day/in"]),
        ("d*/**/*.parquet", ["", "/day/**"]),
        ("no/*.parquet", ["/no"]),
    ],
)
def test_a_pattern_looks_only_where_its_files_can_be(tmp_path: Path, pattern: str, listed: list[str]) -> None:
    write(tmp_path, "a.parquet", "day/a.parquet", "day/in/a.parquet", "private/a.parquet", "private/deep/b.parquet")
    found: list[str] = []
    listing = discovery.fs.FileSelector

    def selector(base: str, **options: Any) -> Any:
        found.append(base.removeprefix(str(tmp_path)) + ("/**" if options.get("recursive") else ""))
        return listing(base, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discovery.fs, "FileSelector", selector)
        if pattern.startswith("no"):
            with pytest.raises(InvalidDataError, match="There is no file that"):
                read(f"{tmp_path}/{pattern}")
        else:
            read(f"{tmp_path}/{pattern}")
    assert found == listed


def test_a_list_of_files_on_two_file_systems_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.parquet", "b.parquet")
    assert read([tmp_path / "a.parquet", f"file://{tmp_path}/b.parquet"]) == {"a": ["a.parquet", "b.parquet"]}
    with pytest.raises(InvalidDataError, match=r"and .*a\.parquet and memory://b\.parquet are on two"):
        read([tmp_path / "a.parquet", "memory://b.parquet?secret"])


@pytest.mark.parametrize(
    ("beside", "what"),
    [
        ("_delta_log/00000000000000000000.json", "a table of Delta Lake: give DeltaTable"),
        (".hoodie/hoodie.properties", "a table of Hudi: read it with"),
        ("metadata/v3.metadata.json", "a table of Iceberg: read it with"),
    ],
)
def test_a_directory_that_has_stale_files_is_refused(tmp_path: Path, beside: str, what: str) -> None:
    write(tmp_path, "data/part-0.parquet")
    (tmp_path / beside).parent.mkdir()
    (tmp_path / beside).touch()
    with pytest.raises(InvalidDataError, match=f"has files that are no part of it any more, because it is {what}"):
        read(tmp_path)


def test_files_with_one_line_each_have_names_in_common_or_are_refused(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"part-{number}.csv").write_text(f"{number},5\n", encoding="utf-8")
    with pytest.raises(InvalidDataError, match=r"part-1\.csv has no column '0', which .*part-0\.csv has"):
        read(tmp_path)
    for number in range(2):
        (tmp_path / f"part-{number}.csv").write_text("a,b\n", encoding="utf-8")
    assert read(tmp_path) == {"a": [], "b": []}


@pytest.mark.parametrize("make", [arrow.ipc.new_file, arrow.ipc.new_stream])
def test_an_arrow_file_without_columns_is_empty(tmp_path: Path, make: Any) -> None:
    with make(str(tmp_path / "a.arrow"), arrow.schema([])) as writer:
        writer.write_batch(arrow.record_batch([], names=[]))
    with pytest.raises(InvalidDataError, match="The files have no columns"):
        read(tmp_path)
    (tmp_path / "a.arrow").rename(tmp_path / "a.parquet")
    write(tmp_path, "b.parquet")
    assert read(tmp_path) == {"a": ["b.parquet"]}
