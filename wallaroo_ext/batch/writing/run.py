"""A run over a data set: rows are read, scored and written, part by part, until there are no more."""

from __future__ import annotations

import base64
import time
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext._util.atomic_files import is_unfinished
from wallaroo_ext._util.file_lock import locked
from wallaroo_ext.batch.answer_schema import OneSchema
from wallaroo_ext.batch.attempts import StoppedError
from wallaroo_ext.batch.batches import scored_chunks
from wallaroo_ext.batch.options import DatasetScored
from wallaroo_ext.batch.progress import Reporter
from wallaroo_ext.batch.rejections import Limit, Rejection
from wallaroo_ext.batch.writing import errors_file
from wallaroo_ext.batch.writing.manifest import NAME as MANIFEST
from wallaroo_ext.batch.writing.manifest import Manifest, PartEntry
from wallaroo_ext.batch.writing.parts import Part, is_part, part_name
from wallaroo_ext.batch.writing.positions import Ledger
from wallaroo_ext.errors import InvalidDataError, WallarooError

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator

    from pyarrow import RecordBatch, Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import PartSize, ScoringOptions
    from wallaroo_ext.batch.progress import Tell
    from wallaroo_ext.batch.reading.data_source import Source
    from wallaroo_ext.batch.scoring import Scored, Tally
    from wallaroo_ext.batch.writing.storage import Storage

pa: Any = import_module("pyarrow")

_LOCK = "_lock"


class DatasetRun:
    """One run.

    Args:
        client: What `connect` gave.
        url: Where rows are scored.
        how: The options.
        source: The input.
        storage: The output's directory.
        manifest: What is done already.
        part_size: When a part is complete.
        max_errors: How many rows may be rejected, those of earlier runs among them.
        stopped: Ends the run when it is set; what is scored by then is kept.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        how: ScoringOptions,
        *,
        source: Source,
        storage: Storage,
        manifest: Manifest,
        part_size: PartSize,
        max_errors: int | None,
        stopped: threading.Event,
    ) -> None:
        self._client = client
        self._url = url
        self._how = how
        self._source = source
        self._storage = storage
        self._manifest = manifest
        self._part_size = part_size
        self._limit = Limit(max_errors, manifest.rejected)
        self._stopped = stopped
        self._ledger = Ledger()
        self._one_schema = OneSchema(_read_schema(manifest.schema))
        self._part: Part | None = None
        self._errors: list[dict[str, Any]] = []
        self._done = manifest.read
        self._writing = False
        self._since = time.monotonic()
        self._tally: Tally | None = None
        self._process = this_process()

    def run(self, tell: Tell | None) -> DatasetScored:
        """Do what is left; what was done."""
        before = self._manifest.read
        reporter = Reporter(tell, before, self._source.count() if tell else None)
        reporter.at(before, self._manifest.rejected)
        if not self._manifest.complete:
            self._check_names()
            self._manifest.save(self._storage)  # what makes the directory this run's
            self._clean()
            self._score(reporter)
        reporter.at(self._done, self._rejected, last=True)
        self._check_that_any_was_scored()
        return self._told(before, reporter.seconds)

    def _score(self, reporter: Reporter) -> None:
        """Score and write until the end; what is scored before an error is kept.

        A process that is forked meanwhile leaves all files to its parent.
        """
        try:
            self._take_all(reporter)
        except StoppedError:
            self._commit()
        except (WallarooError, KeyboardInterrupt) as error:
            self._keep(error)
            raise
        except BaseException as error:
            self._drop(error)
            raise
        else:
            self._commit(complete=not self._stopped.is_set())

    def _take_all(self, reporter: Reporter) -> None:
        with closing(self._scored()) as chunks:
            for scored in chunks:
                self._take(scored)
                reporter.at(self._done, self._rejected)
                if self._stopped.is_set():
                    return

    def _keep(self, error: BaseException) -> None:
        """Put what is scored in its place, unless a chunk of it is only half written."""
        if self._writing:
            self._drop(error)
        elif self._process.is_this:
            self._commit()

    def _drop(self, error: BaseException) -> None:
        if self._part is not None and self._process.is_this:
            self._part.drop(error)

    def _scored(self) -> Any:
        return scored_chunks(
            self._client,
            self._url,
            self._read(),
            self._how,
            limit=self._limit,
            first=self._manifest.read,
            stopped=self._stopped,
            tally=self._count_by,
        )

    def _count_by(self, tally: Tally) -> None:
        self._tally = tally

    def _read(self) -> Iterator[RecordBatch]:
        """Yield the rows that are left, noted in the ledger."""
        first = self._manifest.read
        for begin, batch in self._source.batches(self._manifest.end):
            self._ledger.read(first, batch.num_rows, begin)
            first += batch.num_rows
            yield batch

    def _take(self, scored: Scored) -> None:
        """Write what became of a chunk."""
        self._writing = True
        for piece in scored.pieces:
            if isinstance(piece, Rejection):
                self._note(piece)
            else:
                self._write(self._one_schema(piece))
        self._done = scored.first + scored.rows
        if self._done - self._manifest.read >= self._part_size.rows or self._is_due():
            self._commit()
        self._writing = False

    def _is_due(self) -> bool:
        return time.monotonic() - self._since >= self._part_size.seconds

    def _note(self, rejection: Rejection) -> None:
        place = self._ledger.place(rejection.row)
        self._errors.append(errors_file.record(rejection, self._source.path(place), place.row))

    def _write(self, table: Table) -> None:
        if self._part is None:
            self._part = Part(self._storage, len(self._manifest.parts), table.schema)
        self._part.write(table)

    def _commit(self, *, complete: bool = False) -> None:
        """Put what is scored in its place, and then say so: a run that is killed between does it again."""
        self._process.check("This run")
        self._announce()
        manifest, part = self._manifest, self._part
        self._since = time.monotonic()
        read = self._done - manifest.read
        if part is not None:
            self._part = None
            part.finish()
        if self._errors:
            manifest.errors_bytes = errors_file.add(self._storage, manifest.errors_bytes, self._errors)
            manifest.rejected += len(self._errors)
            self._errors = []
        if read:
            name, rows = (part.name, part.rows) if part is not None else ("", 0)
            entry = PartEntry(name, manifest.read, read, rows, self._ledger.finish(self._done))
            manifest.parts.append(entry)
        manifest.complete, manifest.announced = complete, []
        manifest.schema = _written_schema(self._one_schema.schema)
        manifest.save(self._storage)

    def _announce(self) -> None:
        """Note which files are about to be put in their places, so that after a kill they are known as this run's."""
        names = [] if self._part is None else [self._part.name]
        names += [errors_file.NAME] if self._errors else []
        if names:
            try:
                self._manifest.announced = names
                self._manifest.save(self._storage)
            except BaseException as error:
                self._drop(error)
                raise

    @property
    def _rejected(self) -> int:
        return self._manifest.rejected + len(self._errors)

    def _check_that_any_was_scored(self) -> None:
        """Where not one row is fine, it is the call that is wrong."""
        manifest = self._manifest
        if manifest.complete and manifest.rejected and not manifest.scored:
            raise InvalidDataError(
                f"The engine rejected every row, all {manifest.rejected}: {errors_file.first_reason(self._storage)}",
                advice="Compare the columns with the inputs of the model; `vector` sends them as one.",
            )

    def _check_names(self) -> None:
        """Refuse a directory in which files that are not this run's have names of its own; nothing is changed."""
        manifest = self._manifest
        known = {*manifest.announced, *(part.name for part in manifest.parts)}
        known |= {errors_file.NAME} if manifest.errors_bytes else set()
        names = [name for name in self._storage.names() if is_part(name) or name == errors_file.NAME]
        if others := [name for name in names if name not in known]:
            raise InvalidDataError(
                f"{self._storage.place} has a file that this run did not write, {others[0]}: move it elsewhere."
            )

    def _clean(self) -> None:
        """Remove what a run that was killed left behind: it is in no manifest, and is done again."""
        known = {part.name for part in self._manifest.parts}
        written = (part_name(len(self._manifest.parts)), errors_file.NAME, MANIFEST)
        for name in self._storage.names():
            begun = any(is_unfinished(name, each) for each in written)
            if begun or (is_part(name) and name in self._manifest.announced and name not in known):
                self._storage.remove(name)
        errors_file.restore(self._storage, self._manifest.errors_bytes)

    def _told(self, before: int, seconds: float) -> DatasetScored:
        manifest = self._manifest
        return DatasetScored(
            target=self._storage.place,
            rows=manifest.scored,
            rejected=manifest.rejected,
            parts=sum(bool(part.name) for part in manifest.parts),
            errors=self._storage.path(errors_file.NAME) if manifest.rejected else None,
            rows_before=before,
            requests=0 if self._tally is None else self._tally.requests,
            repeated=0 if self._tally is None else self._tally.repeated,
            seconds=seconds,
        )


@contextmanager
def alone(storage: Storage) -> Generator[None]:
    """Hold a directory of this machine for one run at a time; on other file systems nobody can.

    Raises:
        InvalidDataError: Another run has it.
    """
    with ExitStack() as stack:
        if storage.local is not None:
            try:
                stack.enter_context(locked(Path(storage.local) / _LOCK, 0.0))
            except TimeoutError:
                raise InvalidDataError(f"Another run writes to {storage.place}: wait for its end.") from None
        yield


def _written_schema(schema: Any) -> str:
    return "" if schema is None else base64.b64encode(schema.serialize()).decode("ascii")


def _read_schema(text: str) -> Any:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text))) if text else None
