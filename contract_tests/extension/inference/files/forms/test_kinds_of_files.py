"""Is every kind of file read as the rows that are in it, by whichever way, and the same by all?"""

from __future__ import annotations

import io
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from contract_tests.extension.inference.files.forms.kinds_of_files import JSON, KINDS, KindOfFile
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.cli.reading.input_rows import complete_rows, read_rows, select_columns, select_keys
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms import json_files
from wallaroo_ext.inference.files.forms.json_files import JsonFile
from wallaroo_ext.inference.inputs.rows import rows_to_send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pa: Any = import_module("pyarrow")


def arrays(**values: Any) -> bytes:
    """Return arrays as a file of numpy."""
    content = io.BytesIO()
    found: dict[str, Any] = {name: np.asarray(each) for name, each in values.items()}
    np.savez(content, **found)
    return content.getvalue()


def by_infer(path: Path) -> Any:
    """Return the rows as `infer` sends them."""
    return rows_to_send(path, missing="nan")


def by_command(path: Path) -> Any:
    """Return the rows as the command line sends them."""
    return complete_rows(read_rows(str(path), []), vector=False, missing="nan")


def by_batch(path: Path, skip: int = 0) -> Any:
    """Return the rows as runs over many rows send them."""
    source = open_source(path)
    source.decide()
    batches = [batch for _, batch in source.batches(Position(0, skip))]
    assert source.count() in {None, skip + sum(batch.num_rows for batch in batches)}
    if not batches:
        assert source.decided is not None
        return source.decided.schema.empty_table()
    table = pa.Table.from_batches(batches)
    return rows_to_send(table, table.column_names, missing="nan")


WAYS: dict[str, Callable[[Path], Any]] = {"infer": by_infer, "command": by_command, "batch": by_batch}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.group}: {kind.name}")
def test_every_kind_is_read_by_every_way(kind: KindOfFile, way: str, tmp_path: Path) -> None:
    path = tmp_path / kind.file
    kind.write(path)
    sent = WAYS[way](path)
    assert sent.to_pydict() == kind.rows
    assert list(sent.column_names) == list(kind.rows)


@pytest.mark.parametrize("kind", JSON, ids=lambda kind: f"{kind.group}: {kind.name}")
def test_json_comes_piece_by_piece_where_that_is_said(
    kind: KindOfFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_files, "_PIECE_ROWS", 1)
    path = tmp_path / kind.file
    kind.write(path)
    rows = len(next(iter(kind.rows.values())))
    pieces = list(JsonFile(partial(path.open, "rb"), path.suffix).pieces())
    assert len(pieces) == (rows if kind.in_pieces else 1)


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if any(kind.rows.values())], ids=lambda kind: f"{kind.group}: {kind.name}"
)
def test_a_run_goes_on_in_the_middle_of_a_file(kind: KindOfFile, tmp_path: Path) -> None:
    path = tmp_path / kind.file
    kind.write(path)
    assert by_batch(path, 1).to_pydict() == {name: values[1:] for name, values in kind.rows.items()}


UNREADABLE: list[tuple[str, bytes]] = [
    ("rows.json", b'[{"a":1,"b":1,"c":"x"},{"a":2,"b":"x","c":"y"}]'),
    ("rows.jsonl", b'{"a":1,"b":[1],"c":"x"}\n{"a":2,"b":2,"c":"y"}\n'),
    ("rows.json", b'{"a":[1,2],"b":[1,18446744073709551616],"c":["x","y"]}'),
    ("rows.json", b'{"columns":["a","b","c"],"data":[[1,true,"x"],[2,5,"y"]]}'),
    ("rows.csv", b"a,b,c\n1,9007199254740993,x\n2,0.5,y\n"),
    ("rows.csv", b"a;b;c\n1;1,5;x\n2;2,5;y\n"),
    ("rows.npz", arrays(a=[1, 2], b=np.array([{}, None]), c=["x", "y"])),
    ("rows.npz", arrays(a=[1, 2], b=5, c=["x", "y"])),
    ("rows.npz", arrays(a=[1, 2], b=[1j, 2], c=["x", "y"])),
]
"""Files with a column `b` that cannot be read."""


@pytest.mark.parametrize(("name", "content"), UNREADABLE)
def test_a_column_that_cannot_be_read_matters_only_where_it_is_sent(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    expected = {"c": ["x", "y"], "a": [1, 2]}
    assert rows_to_send(path, ["c", "a"]).to_pydict() == expected
    table = read_rows(str(path), [])
    assert select_columns(table, [], ["b"]).to_pydict() == {"a": [1, 2], "c": ["x", "y"]}
    assert select_keys(table, ["c", "a"]).to_pydict() == expected
    source = open_source(path, columns=["c", "a"])
    source.decide()
    assert pa.Table.from_batches([batch for _, batch in source.batches(Position(0, 0))]).to_pydict() == expected
    reads: list[Callable[[], object]] = [
        lambda: rows_to_send(path),
        lambda: rows_to_send(path, ["b"]),
        lambda: complete_rows(table, vector=False, missing="nan"),
        lambda: select_keys(table, ["b"]),
        lambda: rows_to_send(pa.Table.from_batches([batch for _, batch in open_source(path).batches(Position(0, 0))])),
    ]
    for read in reads:
        with pytest.raises(
            InvalidDataError, match=rf"{name}(, row \d| cannot be read as ).*: .*('b'|objects of Python)"
        ):
            read()
