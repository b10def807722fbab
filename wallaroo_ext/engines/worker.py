"""The scoring function that a cluster's engine ships to its workers, each of which makes a client of its own."""

from __future__ import annotations

import inspect
import json
import threading
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.after_fork import PerProcess
from wallaroo_ext.batch.batches import scored_batches, scored_chunks
from wallaroo_ext.batch.deployed_models import url_of
from wallaroo_ext.batch.scoring.rejections import Rejection, RejectionLimit
from wallaroo_ext.client import connect
from wallaroo_ext.errors import ConfigurationError, InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pyarrow import RecordBatch, Schema, Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import ScoringOptions
    from wallaroo_ext.inference.infer import Where

pa: Any = import_module("pyarrow")

SAMPLE_ROWS = 20
_SECRETS = ("password", "client_secret", "token", "refresh_token")
_SIMPLE = (str, int, float, bool, type(None))


@dataclass(frozen=True, slots=True)
class Worker:
    """Scores the batches of one task of an engine; it is shipped to the processes that do.

    Attributes:
        connection: The arguments for `connect` there; the rest comes from the environment of the process.
        url: Where rows are scored.
        how: The options.
        schema: The schema of the scored rows.
        reasons: The column with the reason why a row was rejected; None where the first rejected row is an error.
    """

    connection: Mapping[str, Any] = field(repr=False)
    url: str
    how: ScoringOptions
    schema: Schema = field(repr=False)
    reasons: str | None = None

    def __call__(self, batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        """Yield the scored rows of a task, in order."""
        client = client_of(self.connection)
        limit = RejectionLimit(0 if self.reasons is None else None)
        with closing(scored_chunks(client, self.url, batches, self.how, limit=limit)) as chunks:
            for scored in chunks:
                for piece in scored.results:
                    yield from self._table(piece).combine_chunks().to_batches()

    def _table(self, piece: Table | Rejection) -> Table:
        if isinstance(piece, Rejection):
            return pa.Table.from_arrays(
                [self._rejected(piece, each) for each in cast("Any", self.schema)], schema=self.schema
            )
        if self.reasons is not None:
            piece = piece.append_column(self.reasons, pa.nulls(piece.num_rows, pa.string()))
        return pa.Table.from_arrays(piece.cast(_as(piece, self.schema)).columns, schema=self.schema)

    def _rejected(self, piece: Rejection, field: Any) -> Any:
        """Return the value of a rejected row in a column."""
        if field.name == self.reasons:
            return pa.array([piece.reason], field.type)
        if field.name in piece.keys and piece.key_columns is not None:
            return piece.key_columns.column(field.name).cast(field.type)
        return pa.nulls(1, field.type)


def _as(table: Any, schema: Any) -> Any:
    """Return the schema of a table with the types of another one."""
    if table.column_names != schema.names:
        raise InvalidDataError(f"An answer has the columns {table.column_names}, and not {schema.names}.")
    return pa.schema([own.with_type(other.type) for own, other in zip(table.schema, schema, strict=True)])


_clients: dict[str, Client] = {}
_making = PerProcess(threading.Lock)


def client_of(connection: Mapping[str, Any]) -> Client:
    """Return the one client of this process for a connection, made when it is first needed."""
    key = json.dumps(dict(connection), sort_keys=True)
    with _making.get():
        if key not in _clients:
            _clients[key] = connect(**connection)
        return _clients[key]


def prepare_worker(
    client: Client,
    pipeline: Where,
    sample: Table,
    *,
    connection: Mapping[str, Any] | None,
    reasons: str | None,
    types: Callable[[Any], Any],
    how: ScoringOptions,
) -> Worker:
    """Return the worker for a pipeline, after a few rows were scored here to learn the columns of the result.

    Args:
        client: What `connect` gave, for this process.
        pipeline: The pipeline.
        sample: The first rows.
        connection: The arguments for `connect` in the workers.
        reasons: The column with the reason why a row was rejected.
        types: Returns the type that the engine has for one of Arrow.
        how: The options of `infer_batches`.

    Raises:
        InvalidDataError: There is no row, all of these are rejected, or `reasons` is the name of another column.
        ConfigurationError: The connection has a secret in it, or what cannot be shipped.
    """
    checked = _checked(connection or {})
    url = url_of(client, pipeline, how)
    rejected: list[Rejection] = []
    scored = list(scored_batches(client, url, sample.to_batches(), how, rejected=rejected.append))
    if not scored:
        reason = f"they were rejected: {rejected[0].reason}" if rejected else "there are none"
        raise InvalidDataError(f"What comes out is not known from the first rows: {reason}")
    known: Any = scored[0].schema
    if reasons in known.names:
        raise InvalidDataError(f"`reasons` is {reasons!r}, the name of a column that comes out: give another name.")
    fields = [pa.field(each.name, types(each.type)) for each in known]
    if reasons is not None:
        fields.append(pa.field(reasons, pa.string()))
    return Worker(checked, url, how, pa.schema(fields), reasons)


def _checked(connection: Mapping[str, Any]) -> dict[str, Any]:
    """Return a connection without secrets, of plain values."""
    for name, value in connection.items():
        if name in _SECRETS:
            raise ConfigurationError(
                f"`connection` is shipped to the workers, and {name!r} is a secret: set the WALLAROO_ variables in the "
                "environment of the workers, or name a credentials file there with WALLAROO_SDK_CREDENTIALS."
            )
        if name not in inspect.signature(connect).parameters:
            raise TypeError(f"connect() has no option {name!r}.")
        if not isinstance(value, _SIMPLE):
            raise ConfigurationError(f"`connection` has plain values, and {name!r} is {type(value).__name__}.")
    return dict(connection)
