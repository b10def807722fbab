"""Running over a data set: reading, scoring and writing its rows, part by part."""

from __future__ import annotations

import base64
import time
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext._util.files.atomic_files import is_temporary_name
from wallaroo_ext._util.files.file_lock import locked
from wallaroo_ext.batch.batches import scored_chunks
from wallaroo_ext.batch.options import DatasetScored
from wallaroo_ext.batch.progress import Reporter
from wallaroo_ext.batch.reading.positions import Ledger
from wallaroo_ext.batch.retries import StoppedError
from wallaroo_ext.batch.scoring.output_schema import OutputSchema
from wallaroo_ext.batch.scoring.rejections import Rejection, RejectionLimit
from wallaroo_ext.batch.writing import errors_file
from wallaroo_ext.batch.writing.manifest import NAME as MANIFEST
from wallaroo_ext.batch.writing.manifest import Manifest, PartEntry
from wallaroo_ext.batch.writing.parts import Part, is_part, part_name
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator, Iterator

    from pyarrow import RecordBatch, Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import PartSize, ScoringOptions
    from wallaroo_ext.batch.progress import ProgressFunction
    from wallaroo_ext.batch.reading.data_source import Source
    from wallaroo_ext.batch.scoring.scorer import ScoredChunk, Tally
    from wallaroo_ext.batch.writing.storage import Storage

pa: Any = import_module("pyarrow")

_LOCK = "_lock"


class DatasetRun:
    """One run over a data set.

    Args:
        client: The client from `connect`.
        url: The URL that rows are sent to.
        how: The options.
        source: The input.
        storage: The directory of the output.
        manifest: The record of what is done already.
        part_size: When a part is complete.
        max_errors: How many rows may be rejected, with those of earlier runs; None for any number.
        stopped: Ends the run when it is set; the rows that are scored by then are kept.
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
        self._limit = RejectionLimit(max_errors, manifest.rejected)
        self._stopped = stopped
        self._ledger = Ledger()
        self._output_schema = OutputSchema(_decode_schema(manifest.schema))
        self._part: Part | None = None
        self._errors: list[dict[str, Any]] = []
        self._done = manifest.read
        self._writing = False
        self._part_began = time.monotonic()
        self._tally: Tally | None = None
        self._process = this_process()

    def run(self, function: ProgressFunction | None) -> DatasetScored:
        """Score the rows that are left, and return what was done.

        Args:
            function: The function to call with the progress; None if there is none.
        """
        before = self._manifest.read
        reporter = Reporter(function, before, self._source.count() if function else None)
        reporter.report(before, self._manifest.rejected)
        if not self._manifest.complete:
            self._check_names()
            self._manifest.save(self._storage)  # from here on, the directory is this run's
            self._clean()
            self._score(reporter)
        reporter.report(self._done, self._rejected, last=True)
        self._check_any_scored()
        return self._summary(before, reporter.seconds)

    def _score(self, reporter: Reporter) -> None:
        """Score and write all rows that are left, and keep those that are scored before an error.

        A process that is forked meanwhile leaves all files to its parent.
        """
        try:
            self._write_chunks(reporter)
        except StoppedError:
            self._commit()
        except (Exception, KeyboardInterrupt) as error:
            self._keep(error)
            raise
        except BaseException as error:
            self._drop(error)
            raise
        else:
            self._commit(complete=not self._stopped.is_set())

    def _write_chunks(self, reporter: Reporter) -> None:
        with closing(self._scored_chunks()) as chunks:
            for scored in chunks:
                self._write_chunk(scored)
                reporter.report(self._done, self._rejected)
                if self._stopped.is_set():
                    return

    def _keep(self, error: BaseException) -> None:
        """Complete the part with the rows scored so far, unless a chunk is only half written."""
        if self._writing:
            self._drop(error)
        elif self._process.is_this:
            self._commit()

    def _drop(self, error: BaseException) -> None:
        if self._part is not None and self._process.is_this:
            self._part.drop(error)

    def _scored_chunks(self) -> Any:
        return scored_chunks(
            self._client,
            self._url,
            self._read(),
            self._how,
            limit=self._limit,
            first=self._manifest.read,
            stopped=self._stopped,
            tally=self._set_tally,
        )

    def _set_tally(self, tally: Tally) -> None:
        self._tally = tally

    def _read(self) -> Iterator[RecordBatch]:
        """Yield the rows that are left, and remember their positions."""
        first = self._manifest.read
        for begin, batch in self._source.batches(self._manifest.end):
            self._ledger.read(first, batch.num_rows, begin)
            first += batch.num_rows
            yield batch

    def _write_chunk(self, scored: ScoredChunk) -> None:
        """Write the results of a chunk, and complete the part if it is large or old enough."""
        self._writing = True
        for result in scored.results:
            if isinstance(result, Rejection):
                self._add_rejection(result)
            else:
                self._write(self._output_schema(result))
        self._done = scored.first + scored.rows
        if self._done - self._manifest.read >= self._part_size.rows or self._is_due():
            self._commit()
        self._writing = False

    def _is_due(self) -> bool:
        return time.monotonic() - self._part_began >= self._part_size.seconds

    def _add_rejection(self, rejection: Rejection) -> None:
        position = self._ledger.position(rejection.row)
        self._errors.append(errors_file.record(rejection, self._source.path(position), position.row))

    def _write(self, table: Table) -> None:
        if self._part is None:
            self._part = Part(self._storage, len(self._manifest.parts), table.schema)
        self._part.write(table)

    def _commit(self, *, complete: bool = False) -> None:
        """Complete the files of the part, then record it; a run that is killed in between does the part again."""
        self._process.check("This run")
        self._announce()
        manifest, part = self._manifest, self._part
        self._part_began = time.monotonic()
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
        manifest.schema = _encode_schema(self._output_schema.schema)
        manifest.save(self._storage)

    def _announce(self) -> None:
        """Record which files are about to be written, so that they are known as this run's if it is killed."""
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

    def _check_any_scored(self) -> None:
        """Raise InvalidDataError if all rows were rejected: then the call is wrong, not the rows."""
        manifest = self._manifest
        if manifest.complete and manifest.rejected and not manifest.scored:
            raise InvalidDataError(
                f"Every row was rejected, all {manifest.rejected}: {errors_file.first_reason(self._storage)}",
                advice="Compare the columns with the inputs of the model"
                + ("." if self._how.vector else "; `vector` sends them as one."),
            )

    def _check_names(self) -> None:
        """Raise InvalidDataError if files of another origin have names that this run uses; nothing is changed."""
        manifest = self._manifest
        known = {*manifest.announced, *(part.name for part in manifest.parts)}
        known |= {errors_file.NAME} if manifest.errors_bytes else set()
        names = [name for name in self._storage.names() if is_part(name) or name == errors_file.NAME]
        if others := [name for name in names if name not in known]:
            raise InvalidDataError(
                f"{self._storage.location} has a file that this run did not write, {others[0]}: move it elsewhere."
            )

    def _clean(self) -> None:
        """Remove the files that a killed run left behind; they are in no manifest, and their rows are scored again."""
        known = {part.name for part in self._manifest.parts}
        written = (part_name(len(self._manifest.parts)), errors_file.NAME, MANIFEST)
        for name in self._storage.names():
            unfinished = any(is_temporary_name(name, each) for each in written)
            if unfinished or (is_part(name) and name in self._manifest.announced and name not in known):
                self._storage.remove(name)
        errors_file.restore(self._storage, self._manifest.errors_bytes)

    def _summary(self, before: int, seconds: float) -> DatasetScored:
        manifest = self._manifest
        return DatasetScored(
            target=self._storage.location,
            rows=manifest.scored,
            rejected=manifest.rejected,
            parts=sum(bool(part.name) for part in manifest.parts),
            errors=self._storage.shown(errors_file.NAME) if manifest.rejected else None,
            rows_before=before,
            requests=0 if self._tally is None else self._tally.requests,
            repeated=0 if self._tally is None else self._tally.repeated,
            seconds=seconds,
        )


@contextmanager
def exclusive_access(storage: Storage) -> Generator[None]:
    """Lock a directory of this machine for one run at a time; other file systems have no locks.

    Raises:
        InvalidDataError: Another run writes there.
    """
    with ExitStack() as stack:
        if storage.local is not None:
            try:
                stack.enter_context(locked(Path(storage.local) / _LOCK, 0.0))
            except TimeoutError:
                raise InvalidDataError(f"Another run writes to {storage.location}: wait for its end.") from None
        yield


def _encode_schema(schema: Any) -> str:
    return "" if schema is None else base64.b64encode(schema.serialize()).decode("ascii")


def _decode_schema(text: str) -> Any:
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text))) if text else None
