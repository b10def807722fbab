"""Is every kind of file read as the rows that are in it, by whichever way, and the same by all?"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.extension.inference.files.forms.kinds_of_files import JSON, KINDS, KindOfFile
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.cli.input_rows import complete_rows, read_rows
from wallaroo_ext.inference.files.forms import json_files
from wallaroo_ext.inference.files.forms.json_files import JsonFile
from wallaroo_ext.inference.inputs.rows import rows_to_send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pa: Any = import_module("pyarrow")


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
